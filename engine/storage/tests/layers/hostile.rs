//! Layers that reach out, lie or swell. Each is refused, and leaves nothing.

use std::io::Write;

use engine_storage::ApplyError;

use crate::archive::{Tar, World, diff_id, world};

fn refused_in(world: &World, archive: &[u8], word: &str) {
    let error = world.apply(archive).unwrap_err();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    assert!(text.contains(word), "{text:?} should say {word:?}");
    world.assert_clean(0);
}

fn refused(tar: Tar, word: &str) {
    refused_in(&world(), &tar.bytes(), word);
}

#[test]
fn names_that_lead_out() {
    for name in ["../x", "../../x", "a/../../x", "./../x", "a/..", ".."] {
        refused(Tar::new().file(name, "x"), "leads upwards");
    }
    for name in ["/etc/x", "//x", "/"] {
        refused(Tar::new().dir(name), "absolute");
    }
    refused(
        Tar::new().pax(&[("path", "/etc/x")]).file("x", "x"),
        "absolute",
    );
    refused(
        Tar::new().pax(&[("path", "a\0b")]).file("x", "x"),
        "zero byte",
    );
    refused(Tar::new().file(&"d/".repeat(2500), "x"), "directory's name");
    refused(Tar::new().dir(&"d/".repeat(2500)), "too long");
    refused(Tar::new().dir(&"x".repeat(256)), "too long");
    refused(Tar::new().file(".", "x"), "replace the root");
}

#[test]
fn links_that_lead_out() {
    let reason = "not in this layer";
    for target in [
        "/etc/shadow",
        "../canary",
        "../../layers/x",
        "a/../../x",
        "missing",
        ".",
        "",
    ] {
        if target.is_empty() {
            continue;
        }
        refused(Tar::new().hard_link("h", target), reason);
    }
    refused(
        Tar::new().hard_link("h", "later").file("later", "x"),
        reason,
    );
    refused(
        Tar::new()
            .dir("d/")
            .file("d/f", "x")
            .symlink("s", "d")
            .hard_link("h", "s/f"),
        reason,
    );
    refused(Tar::new().dir("d/").hard_link("h", "d"), reason);
    refused(
        Tar::new().symlink("s", "/").hard_link("h", "s/etc/passwd"),
        reason,
    );
    refused(Tar::new().file(".wh.w", "").hard_link("h", "w"), reason);

    let reason = "below something that is not a directory";
    refused(Tar::new().file("f", "x").file("f/g", "x"), reason);
    refused(
        Tar::new().symlink("loop", "loop").file("loop/x", "x"),
        reason,
    );

    // The benign twin of all of them.
    let world = world();
    world
        .apply(&Tar::new().file("f", "x").hard_link("h", "./f").bytes())
        .unwrap();
    // Links to the host resolve inside the container, or not at all.
    world
        .apply(&Tar::new().symlink("s", "/../../canary").bytes())
        .unwrap();
    world.assert_clean(2);
}

#[test]
fn nothing_is_written_through_a_link_to_the_host() {
    let world = world();
    let canary = world.outside.path().join("canary");
    let tar = Tar::new()
        .symlink("abs", canary.to_str().unwrap())
        .file("abs", "replaces the link")
        .symlink("dir", world.outside.path().to_str().unwrap())
        .file("dir/canary", "x");
    // The absolute target does not exist inside the layer, so nothing can lie behind the link.
    assert!(world.apply(&tar.bytes()).is_err());
    world.assert_clean(0);
}

#[test]
fn whiteouts_that_are_abused() {
    for name in [".wh.", ".wh..", ".wh...", "a/.wh.."] {
        refused(Tar::new().file(name, ""), "malformed whiteout");
    }
    refused(Tar::new().file(".wh.../../x", ""), "leads upwards");
    refused(Tar::new().file(".wh.a/b", ""), "below a whiteout");
    refused(Tar::new().file(".wh.a", "content"), "whiteout with content");
    refused(Tar::new().symlink(".wh.a", "x"), "whiteout with content");
    let linked = Tar::new().dir("d/").symlink("s", "d");
    refused(linked.clone().file("s/.wh.x", ""), "behind a link");
    refused(linked.file("s/.wh..wh..opq", ""), "behind a link");
    refused(Tar::new().node("x", b'3', 0, 0), "reads as a whiteout");
}

#[test]
fn digests_that_lie() {
    let world = world();
    let archive = Tar::new().file("a", "x").bytes();
    let promised = diff_id(b"something else");

    let error = world.layers.apply(promised, &archive[..]).unwrap_err();

    assert!(matches!(error, ApplyError::WrongDigest { .. }), "{error}");
    world.assert_clean(0);
    world.apply(&archive).unwrap();
}

#[test]
fn archives_that_are_cut() {
    let archive = Tar::new().file("a", &"x".repeat(3000)).bytes();
    for length in [1, 511, 513, 1000, 3000] {
        refused_in(&world(), &archive[..length], "failed to read the archive");
    }
}

#[test]
fn sizes_that_differ() {
    refused(
        Tar::new().pax(&[("size", "9")]).file("a", "x"),
        "disagree on the size",
    );
}

#[test]
fn too_much_of_everything() {
    let files = (0..501).fold(Tar::new(), |tar, n| tar.file(&n.to_string(), ""));
    refused(files, "500 entries");
    let links = (0..500).fold(Tar::new().file("f", ""), |tar, n| {
        tar.hard_link(&format!("h{n}"), "f")
    });
    refused(links, "500 entries");
    refused(Tar::new().dir(&"d/".repeat(21)), "too deep");
    refused(Tar::new().file("big", &"x".repeat(9 << 20)), "bytes");

    let zeros = Tar::new().file("zeros", &"\0".repeat(4 << 20)).bytes();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(&zeros).unwrap();
    let bomb = gzip.finish().unwrap();
    let world = world();
    let error = world.layers.apply(diff_id(&zeros), &bomb[..]).unwrap_err();
    assert!(matches!(error, ApplyError::Archive { .. }), "{error}");
    world.assert_clean(0);

    // The benign twins: just within each limit.
    world
        .apply(
            &(0..500)
                .fold(Tar::new(), |tar, n| tar.file(&n.to_string(), ""))
                .bytes(),
        )
        .unwrap();
    world
        .apply(&Tar::new().dir(&"d/".repeat(20)).bytes())
        .unwrap();
    world.apply(&zeros).unwrap();
    world.assert_clean(3);
}
