//! An image looked through, layer by layer, with figures that were worked out by hand.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use engine_storage::{BrowseError, DiffId, FoundKind, LayerTotals, Mark, Stack, StackQuery};

use crate::archive::{Tar, World, diff_id, world};

impl World {
    fn stack(&self, layers: impl IntoIterator<Item = Tar>) -> Stack {
        let layers = layers.into_iter().map(|tar| {
            let archive = tar.bytes();
            self.apply(&archive).unwrap();
            diff_id(&archive)
        });
        let layers: Vec<DiffId> = layers.collect();
        self.layers.stack(&layers).unwrap()
    }
}

fn all() -> StackQuery {
    StackQuery {
        limit: 100,
        ..StackQuery::default()
    }
}

fn changes() -> StackQuery {
    StackQuery {
        only_changes: true,
        ..all()
    }
}

/// What is in a directory: name, mark, the layer that it comes from.
fn listed(
    stack: &Stack,
    path: &str,
    layer: usize,
    query: &StackQuery,
) -> Vec<(String, Mark, usize)> {
    let found = stack.locate(Path::new(path), layer).unwrap();
    let listed = found.list(query, || false).unwrap();
    let entries = listed.entries.into_iter();
    entries
        .map(|entry| {
            (
                entry.entry.name.to_string_lossy().into_owned(),
                entry.mark,
                entry.layer,
            )
        })
        .collect()
}

fn names(stack: &Stack, path: &str, layer: usize) -> Vec<String> {
    let listed = listed(stack, path, layer, &all());
    listed.into_iter().map(|(name, ..)| name).collect()
}

fn content(stack: &Stack, path: &str, layer: usize) -> String {
    let (mut file, _) = stack
        .locate(Path::new(path), layer)
        .unwrap()
        .open()
        .unwrap();
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

fn is_absent(stack: &Stack, path: &str, layer: usize) -> bool {
    matches!(
        stack.locate(Path::new(path), layer),
        Err(BrowseError::NotFound(_))
    )
}

/// Three layers: the second replaces a file, removes one and empties a directory; the third puts a
/// file in the place of a directory and removes one of two names of a file.
fn three() -> [Tar; 3] {
    let bytes = |n: usize| "x".repeat(n);
    [
        Tar::new()
            .dir("etc/")
            .file("etc/app.conf", &bytes(5))
            .file("etc/keep", &bytes(1))
            .dir("usr/")
            .dir("usr/lib/")
            .file("usr/lib/a", &bytes(10))
            .file("usr/lib/b", &bytes(20))
            .file("big", &bytes(100))
            .file("h1", &bytes(8))
            .hard_link("h2", "h1"),
        Tar::new()
            .file("etc/app.conf", &bytes(7))
            .file(".wh.big", "")
            .dir("usr/")
            .dir("usr/lib/")
            .file("usr/lib/.wh..wh..opq", "")
            .file("usr/lib/c", &bytes(3))
            .file("new", &bytes(2)),
        Tar::new()
            .file(".wh.h1", "")
            .file("usr", &bytes(4))
            .file("etc/app.conf", &bytes(1)),
    ]
}

#[test]
fn totals_are_those_worked_out_by_hand() {
    let world = world();
    let totals = world.stack(three()).totals(|| false).unwrap();
    let layer = |(n_added, n_changed, n_removed), held_bytes, wasted_bytes| LayerTotals {
        n_added,
        n_changed,
        n_removed,
        held_bytes,
        wasted_bytes,
    };
    let expected = [
        layer((7, 0, 0), 144, 135),
        layer((2, 1, 3), 12, 10),
        layer((0, 2, 2), 5, 0),
    ];
    assert_eq!(totals.layers, expected);
    assert_eq!(totals.n_files, 5);
    // keep 1, app.conf 1, new 2, usr 4; of 144 + 12 + 5.
    assert!((totals.efficiency - 8.0 / 161.0).abs() < 1e-9, "{totals:?}");
    let wasted: Vec<_> = totals
        .wasted
        .iter()
        .map(|path| {
            (
                path.path.to_str().unwrap(),
                path.wasted_bytes,
                path.is_there,
            )
        })
        .collect();
    let expected = [
        ("/big", 100, false),
        ("/usr/lib/b", 20, false),
        ("/etc/app.conf", 12, true),
        ("/usr/lib/a", 10, false),
        ("/usr/lib/c", 3, false),
    ];
    assert_eq!(wasted, expected);
    assert_eq!(totals.wasted[2].layers, [0, 1, 2]);
}

#[test]
fn a_directory_tells_what_its_layer_did() {
    let world = world();
    let stack = world.stack(three());
    let entry = |name: &str, mark, layer| (name.to_owned(), mark, layer);
    assert_eq!(
        listed(&stack, "/", 1, &all()),
        [
            entry("etc", Mark::Changed, 1),
            entry("usr", Mark::Changed, 1),
            entry("big", Mark::Removed, 0),
            entry("h1", Mark::Unchanged, 0),
            entry("h2", Mark::Unchanged, 0),
            entry("new", Mark::Added, 1),
        ]
    );
    assert_eq!(
        listed(&stack, "/", 1, &changes()),
        [
            entry("etc", Mark::Changed, 1),
            entry("usr", Mark::Changed, 1),
            entry("big", Mark::Removed, 0),
            entry("new", Mark::Added, 1),
        ]
    );
    assert_eq!(
        listed(&stack, "/usr/lib", 1, &all()),
        [
            entry("a", Mark::Removed, 0),
            entry("b", Mark::Removed, 0),
            entry("c", Mark::Added, 1),
        ]
    );
    assert_eq!(
        listed(&stack, "/", 2, &changes()),
        [
            entry("etc", Mark::Changed, 2),
            entry("h1", Mark::Removed, 0),
            entry("usr", Mark::Changed, 2),
        ]
    );
    assert!(is_absent(&stack, "/usr/lib", 2) && is_absent(&stack, "/big", 1));
    assert_eq!(content(&stack, "/big", 0).len(), 100);
    assert_eq!(names(&stack, "/etc", 0), ["app.conf", "keep"]);
}

#[test]
fn an_entry_tells_what_was_there_before_and_what_becomes_of_it() {
    let world = world();
    let stack = world.stack(three());
    let of = |layer| {
        let entry = stack.locate(Path::new("/etc/app.conf"), layer).unwrap();
        let entry = entry.entry().unwrap();
        (
            entry.entry.metadata.size_bytes,
            entry.bytes_before,
            entry.hidden_by,
            entry.wasted_bytes,
        )
    };
    assert_eq!(of(0), (5, None, Some(1), 5));
    assert_eq!(of(1), (7, Some(5), Some(2), 12));
    assert_eq!(of(2), (1, Some(7), None, 12));
    let root = stack
        .locate(Path::new("/"), 1)
        .unwrap()
        .list(&all(), || false)
        .unwrap();
    let big = &root.entries[2];
    assert_eq!((big.bytes_before, big.wasted_bytes), (Some(100), 100));
    let usr = &root.entries[1];
    assert_eq!(
        (usr.entry.kind, usr.hidden_by),
        (FoundKind::Directory, Some(2))
    );
}

#[test]
fn an_image_that_has_a_layer_twice_wastes_the_first_of_them() {
    let world = world();
    let tar = || Tar::new().file("f", "12345");
    let totals = world.stack([tar(), tar()]).totals(|| false).unwrap();
    assert_eq!(totals.layers[0].wasted_bytes, 5);
    assert_eq!((totals.layers[1].n_changed, totals.n_files), (1, 1));
    assert!((totals.efficiency - 0.5).abs() < 1e-9);
}

#[test]
fn a_file_with_two_names_is_wasted_when_both_are_hidden() {
    let world = world();
    let first = Tar::new().file("a", "12345678").hard_link("b", "a");
    let one = Tar::new().file(".wh.a", "");
    let other = Tar::new().file("b", "x");
    let totals = world
        .stack([first.clone(), one.clone()])
        .totals(|| false)
        .unwrap();
    assert_eq!(totals.layers[0].wasted_bytes, 0);
    let totals = world.stack([first, one, other]).totals(|| false).unwrap();
    assert_eq!(totals.layers[0].wasted_bytes, 8);
    assert_eq!(totals.wasted[0].path, Path::new("/b"));
}

#[test]
fn links_are_followed_inside_the_image_and_never_out_of_it() {
    let world = world();
    let canary = world.outside.path().join("canary");
    let stack = world.stack([
        Tar::new()
            .dir("real/")
            .dir("real/deep/")
            .file("real/deep/f", "inside")
            .file("canary", "ours")
            .symlink("abs", "/real")
            .symlink("rel", "real/deep/../deep")
            .symlink("up", "../../../../../../../../canary")
            .symlink("host", canary.to_str().unwrap())
            .symlink("passwd", "/etc/passwd")
            .symlink("kernel", "/proc/self/root/etc/passwd")
            .symlink("round", "round")
            .symlink("to", "fro")
            .symlink("fro", "to")
            .dir("swapped/")
            .file("swapped/secret", "below"),
        Tar::new().symlink("swapped", "/real"),
    ]);
    assert_eq!(content(&stack, "/abs/deep/f", 0), "inside");
    assert_eq!(content(&stack, "/rel/f", 0), "inside");
    assert_eq!(
        content(&stack, "/abs/../real/./deep/../deep/f", 0),
        "inside"
    );
    assert_eq!(content(&stack, "/up", 0), "ours");
    assert_eq!(content(&stack, "/../../canary", 0), "ours");
    for outside in [
        "/host",
        "/passwd",
        "/kernel",
        "/canary/x",
        "/real/deep/f/..",
    ] {
        assert!(is_absent(&stack, outside, 0), "{outside}");
    }
    for circle in ["/round", "/to", "/fro/x"] {
        let found = stack.locate(Path::new(circle), 0);
        assert!(
            matches!(found, Err(BrowseError::Links(_))),
            "{circle}: {found:?}"
        );
    }
    let endless = "/real/..".repeat(2_000);
    let found = stack.locate(Path::new(&endless), 0);
    assert!(matches!(found, Err(BrowseError::Links(_))));
    // A link in the place of a directory hides what was in it, and is not looked through by the kernel.
    assert_eq!(names(&stack, "/swapped", 0), ["secret"]);
    assert_eq!(names(&stack, "/swapped", 1), ["deep"]);
    let found = stack.locate(Path::new("/swapped"), 1).unwrap();
    assert_eq!(found.path, Path::new("/real"));
    let totals = stack.totals(|| false).unwrap();
    assert_eq!(
        (totals.layers[1].n_changed, totals.layers[1].n_removed),
        (1, 1)
    );
    world.assert_clean(2);
}

#[test]
fn what_is_no_plain_file_is_told_and_not_opened() {
    let world = world();
    let stack = world.stack([Tar::new()
        .node("pipe", b'6', 0, 0)
        .node("disk", b'4', 8, 0)
        .node("null", b'3', 1, 3)
        .dir("dir/")]);
    for (name, kind) in [
        ("pipe", FoundKind::Pipe),
        ("disk", FoundKind::BlockDevice),
        ("null", FoundKind::CharacterDevice),
    ] {
        let found = stack.locate(&Path::new("/").join(name), 0).unwrap();
        assert_eq!(found.entry().unwrap().entry.kind, kind);
        assert!(
            matches!(found.open(), Err(BrowseError::NotAFile(_))),
            "{name}"
        );
    }
    let dir = stack.locate(Path::new("/dir"), 0).unwrap();
    assert!(matches!(dir.open(), Err(BrowseError::NotAFile(_))));
}

#[test]
fn names_are_told_whatever_bytes_they_are() {
    let world = world();
    let odd = [&b"<b>x"[..], b"a\nb", b"\xff\xfe"].map(OsStr::from_bytes);
    let path = world.unpacked(Tar::new().dir("d/"));
    for name in odd {
        fs::write(path.join("d").join(name), "x").unwrap();
    }
    let stack = world
        .layers
        .stack(&[diff_id(&Tar::new().dir("d/").bytes())])
        .unwrap();
    let listed = stack
        .locate(Path::new("/d"), 0)
        .unwrap()
        .list(&all(), || false)
        .unwrap();
    let names: Vec<_> = listed
        .entries
        .iter()
        .map(|entry| entry.entry.name.as_os_str())
        .collect();
    assert_eq!(names, odd);
}

#[test]
fn a_long_directory_comes_in_parts_and_stops_when_nobody_waits() {
    let world = world();
    let tar = || Tar::new().dir("d/");
    let path = world.unpacked(tar());
    for n in 0..1_200 {
        fs::write(path.join(format!("d/f{n:05}")), "x").unwrap();
    }
    let stack = world.stack([
        tar(),
        Tar::new().file("d/f00001", "yy").file("d/.wh.f00000", ""),
    ]);
    let found = stack.locate(Path::new("/d"), 1).unwrap();
    let part = |skip, limit, filter: &str, only_changes| {
        let query = StackQuery {
            filter: filter.to_owned(),
            only_changes,
            skip,
            limit,
        };
        let listed = found.list(&query, || false).unwrap();
        let names = listed.entries.iter();
        let names: Vec<_> = names
            .map(|entry| entry.entry.name.to_string_lossy().into_owned())
            .collect();
        (names, listed.n_matching)
    };
    let text = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        part(1_000, 2, "", false),
        (text(&["f01000", "f01001"]), 1_200)
    );
    assert_eq!(part(0, 100, "", true), (text(&["f00000", "f00001"]), 2));
    assert_eq!(part(0, 100, "F0119", false).1, 10);
    let given_up = found.list(&all(), || true);
    assert!(matches!(given_up, Err(BrowseError::GivenUp)));
    assert!(matches!(stack.totals(|| true), Err(BrowseError::GivenUp)));
}

#[test]
fn owners_have_the_names_that_the_layer_gives_them() {
    let world = world();
    let passwd = |name: &str| format!("{name}:x:7:7::/:/bin/sh\n");
    let stack = world.stack([
        Tar::new()
            .file("etc/passwd", &passwd("one"))
            .symlink("etc/group", "/etc/passwd"),
        Tar::new().file("etc/passwd", &passwd("two")),
    ]);
    assert_eq!(stack.owner_names(0).user(7), Some("one"));
    let names = stack.owner_names(1);
    assert_eq!((names.user(7), names.group(7)), (Some("two"), Some("two")));
}

#[test]
fn an_image_without_a_byte_wastes_none() {
    let world = world();
    let totals = world
        .stack([Tar::new().dir("d/")])
        .totals(|| false)
        .unwrap();
    assert!((totals.efficiency - 1.0).abs() < 1e-9);
    assert_eq!(
        world
            .layers
            .stack(&[])
            .unwrap()
            .totals(|| false)
            .unwrap()
            .n_files,
        0
    );
}

#[test]
fn layers_become_one_without_what_they_took_back() {
    let world = world();
    let stack = world.stack([
        Tar::new()
            .file("kept", "1")
            .file("gone", "2")
            .dir("d")
            .file("d/old", "3"),
        Tar::new()
            .file("secret", "of a build")
            .file("both", "first"),
        Tar::new()
            .file(".wh.secret", "")
            .file(".wh.gone", "")
            .file("both", "second")
            .file("d/.wh.old", "")
            .hard_link("more", "both"),
    ]);
    let archive = stack.write_squashed(1, Some(77), Vec::new()).unwrap();
    let mut found = Vec::new();
    for entry in tar::Archive::new(archive.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        let name = entry.path().unwrap().display().to_string();
        assert!(entry.header().mtime().unwrap() <= 77, "{name}");
        found.push((name, text));
    }
    let found: Vec<_> = found
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("both", "second"),
            ("d/", ""),
            (".wh.gone", ""),
            ("more", ""),
            ("d/.wh.old", ""),
        ]
    );
}
