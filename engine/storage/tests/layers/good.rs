//! What honest layers hold arrives as it was.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::process::Command;

use engine_sys::dir::Dir;
use engine_sys::xattr;

use crate::archive::{Tar, diff_id, names, world};

#[test]
fn modes_owners_times_and_links_are_kept() {
    let world = world();
    let tar = Tar::new()
        .entry("./", b'5', "", "", |header| header.set_mode(0o711))
        .entry("bin/", b'5', "", "", |header| header.set_mode(0o1777))
        .entry("bin/su", b'0', "", "#!", |header| {
            header.set_mode(0o4755);
            header.set_uid(1000);
            header.set_gid(50);
        })
        .hard_link("bin/sudo", "./bin/su")
        .entry("link", b'2', "bin/su", "", |header| header.set_uid(77))
        .file("bin/late", "changes the directory");
    let layer = world.unpacked(tar);

    let root = fs::metadata(&layer).unwrap();
    assert_eq!((root.mode() & 0o7777, root.mtime()), (0o711, 1_000_000_000));
    let bin = fs::metadata(layer.join("bin")).unwrap();
    assert_eq!((bin.mode() & 0o7777, bin.mtime()), (0o1777, 1_000_000_000));
    let su = fs::metadata(layer.join("bin/su")).unwrap();
    assert_eq!(
        (su.mode() & 0o7777, su.uid(), su.gid(), su.nlink()),
        (0o4755, 1000, 50, 2)
    );
    assert_eq!(su.mtime(), 1_000_000_000);
    let link = fs::symlink_metadata(layer.join("link")).unwrap();
    assert_eq!((link.uid(), link.mtime()), (77, 1_000_000_000));
    world.assert_clean(1);
}

#[test]
fn devices_and_pipes_are_kept_as_data() {
    let world = world();
    let tar = Tar::new()
        .node("null", b'3', 1, 3)
        .node("disk", b'4', 8, 0)
        .entry("pipe", b'6', "", "", |_| {});
    let layer = world.unpacked(tar);

    let null = fs::symlink_metadata(layer.join("null")).unwrap();
    assert!(null.file_type().is_char_device());
    assert_eq!(null.rdev(), 0x103);
    assert!(
        fs::symlink_metadata(layer.join("disk"))
            .unwrap()
            .file_type()
            .is_block_device()
    );
    assert!(
        fs::symlink_metadata(layer.join("pipe"))
            .unwrap()
            .file_type()
            .is_fifo()
    );
    let store = fs::metadata(world.outside.path().join("layers")).unwrap();
    assert_eq!(store.mode() & 0o777, 0o700);
}

#[test]
fn attributes_are_kept_but_for_those_that_steer_the_host() {
    let world = world();
    let capability = "\u{1}\0\0\u{2}\0 \0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let tar = Tar::new()
        .pax(&[
            ("SCHILY.xattr.user.note", "kept"),
            ("SCHILY.xattr.security.capability", capability),
            ("SCHILY.xattr.security.selinux", "dropped"),
            ("SCHILY.xattr.trusted.overlay.redirect", "/etc"),
            ("SCHILY.xattr.user.overlay.opaque", "y"),
        ])
        .file("ping", "x");
    let layer = Dir::open(&world.unpacked(tar)).unwrap();

    let mut attributes = xattr::list_at(&layer, "ping".as_ref()).unwrap();
    attributes.sort();
    assert_eq!(attributes, ["security.capability", "user.note"]);
}

#[test]
fn missing_parents_are_made_and_links_inside_are_followed() {
    let world = world();
    let tar = Tar::new()
        .file("a/b/c", "deep")
        .dir("usr/lib/")
        .symlink("lib", "/usr/lib")
        .file("lib/x", "behind a link")
        .symlink("up", "../../../..")
        .file("up/y", "the root has no parent");
    let layer = world.unpacked(tar);

    assert_eq!(
        fs::metadata(layer.join("a/b")).unwrap().mode() & 0o7777,
        0o755
    );
    assert_eq!(
        fs::read_to_string(layer.join("usr/lib/x")).unwrap(),
        "behind a link"
    );
    assert!(layer.join("y").is_file());
    world.assert_clean(1);
}

#[test]
fn later_entries_replace_earlier_ones() {
    let world = world();
    let tar = Tar::new()
        .file("a", "old")
        .file("a", "new")
        .dir("d/")
        .file("d/inside", "x")
        .file("d", "a file now")
        .symlink("l", "d")
        .dir("l/")
        .file("l/z", "x");
    let layer = world.unpacked(tar);

    assert_eq!(fs::read_to_string(layer.join("a")).unwrap(), "new");
    assert!(layer.join("d").is_file());
    assert_eq!(names(&layer.join("l")), ["z"]);
}

#[test]
fn odd_names_are_names() {
    let world = world();
    let odd = [
        "back\\slash",
        "..\\..\\x",
        "\u{2025}",
        "new\nline",
        "...",
        "-rf",
        " ",
    ];
    let tar = odd.iter().fold(Tar::new(), |tar, name| tar.file(name, "x"));
    let layer = world.unpacked(tar);

    assert_eq!(names(&layer).len(), odd.len());
    world.assert_clean(1);
}

#[test]
fn whiteouts_hide_what_lies_below() {
    let world = world();
    let below = Tar::new()
        .file("gone", "x")
        .file("stays", "x")
        .file("opaque/old", "x")
        .file("again/old", "x")
        .file("dir/old", "x")
        .bytes();
    let above = Tar::new()
        .file(".wh.gone", "")
        .file("opaque/new", "x")
        .file("opaque/.wh..wh..opq", "")
        .file(".wh.again", "")
        .dir("again/")
        .file("again/new", "x")
        .dir("dir/")
        .file(".wh.dir", "")
        .file(".wh.never-was", "")
        .file(".wh..wh.plnk", "")
        .bytes();
    world.apply(&below).unwrap();
    world.apply(&above).unwrap();

    let lowers = world
        .layers
        .paths(&[diff_id(&below), diff_id(&above)])
        .unwrap();
    let script = format!(
        "mkdir -p /tmp/m && mount -t tmpfs m /tmp/m && mount -t overlay o \
         -o ro,lowerdir={}:{} /tmp/m && cd /tmp/m && find . | sort",
        lowers[0].display(),
        lowers[1].display()
    );
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .output()
        .unwrap();
    let seen = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        seen.split_whitespace().collect::<Vec<_>>(),
        [
            ".",
            "./again",
            "./again/new",
            "./dir",
            "./opaque",
            "./opaque/new",
            "./stays"
        ],
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn compressed_layers_are_the_same_layers() {
    let archive = Tar::new().file("a", "x").bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&archive).unwrap();
    for packed in [
        gzip.finish().unwrap(),
        zstd::encode_all(&archive[..], 3).unwrap(),
    ] {
        let world = world();
        let layer = world.layers.apply(diff_id(&archive), &packed[..]).unwrap();
        assert_eq!((layer.n_entries, layer.size_bytes), (1, 1));
        world.assert_clean(1);
    }
}

#[test]
fn the_digest_covers_what_stands_behind_the_end() {
    let world = world();
    let mut archive = Tar::new().file("a", "x").bytes();
    archive.extend_from_slice(&[7; 100_000]);

    assert!(world.apply(&archive).is_ok());
    assert!(
        world
            .layers
            .apply(diff_id(&archive[..5000]), &archive[..])
            .is_err()
    );
}
