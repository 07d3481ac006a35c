//! What a path below a root may do and what it may not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use engine_sys::dir::{Dir, FileType};
use engine_sys::path::Root;
use engine_sys::{Errno, file, xattr};
use proptest::prelude::*;
use tempfile::TempDir;

struct World {
    outside: TempDir,
    root: Root,
}

/// A root inside a directory that also holds a canary, which nothing below may touch.
fn world() -> World {
    let outside = TempDir::new().unwrap();
    fs::write(outside.path().join("canary"), "untouched").unwrap();
    fs::create_dir(outside.path().join("root")).unwrap();
    let root = Root::open(&outside.path().join("root")).unwrap();
    World { outside, root }
}

impl World {
    fn at(&self, path: &str) -> std::path::PathBuf {
        self.outside.path().join("root").join(path)
    }

    fn assert_canary(&self) {
        let names: Vec<_> = fs::read_dir(self.outside.path()).unwrap().collect();
        assert_eq!(names.len(), 2, "something was made outside the root");
        let canary = fs::read_to_string(self.outside.path().join("canary")).unwrap();
        assert_eq!(canary, "untouched");
    }
}

#[test]
fn dots_and_absolute_links_stop_at_the_root() {
    let world = world();
    fs::write(world.at("canary"), "inside").unwrap();
    symlink("/canary", world.at("absolute")).unwrap();
    symlink("../../../../canary", world.at("dots")).unwrap();

    for path in [
        "/canary",
        "../canary",
        "../../../canary",
        "absolute",
        "dots",
        "./canary",
    ] {
        let content = world.root.read(Path::new(path), 100).unwrap();
        assert_eq!(content, b"inside", "{path}");
    }
}

#[test]
fn links_into_proc_do_not_resolve() {
    let world = world();
    symlink("/proc/self/root/etc", world.at("magic")).unwrap();
    let host = Root::open(Path::new("/")).unwrap();

    let error = host.open_dir(Path::new("/proc/self/root/etc")).unwrap_err();

    assert_eq!(error.errno, Errno::LOOP);
    assert!(
        world
            .root
            .open_dir(Path::new("magic"))
            .unwrap_err()
            .is_not_found()
    );
}

#[test]
fn reading_has_a_cap_and_wants_a_regular_file() {
    let world = world();
    fs::write(world.at("long"), "12345").unwrap();
    world
        .root
        .make_node(Path::new("pipe"), FileType::Fifo, 0o644, 0)
        .unwrap();

    assert_eq!(world.root.read(Path::new("long"), 5).unwrap(), b"12345");
    assert_eq!(
        world.root.read(Path::new("long"), 4).unwrap_err().errno,
        Errno::FBIG
    );
    assert_eq!(
        world.root.read(Path::new("pipe"), 9).unwrap_err().errno,
        Errno::INVAL
    );
    assert_eq!(
        world.root.read(Path::new("/"), 9).unwrap_err().errno,
        Errno::INVAL
    );
}

#[test]
fn directories_are_made_behind_links_inside_the_root_only() {
    let world = world();
    fs::create_dir_all(world.at("usr/lib")).unwrap();
    symlink("usr/lib", world.at("lib")).unwrap();
    symlink("/../../../../", world.at("up")).unwrap();
    symlink("nowhere", world.at("dangling")).unwrap();

    world
        .root
        .create_dir_all(Path::new("/lib/a/b"), 0o755)
        .unwrap();
    world
        .root
        .create_dir_all(Path::new("up/c/d"), 0o755)
        .unwrap();
    let dangling = world.root.create_dir_all(Path::new("dangling/e"), 0o755);

    assert!(world.at("usr/lib/a/b").is_dir());
    assert!(world.at("c/d").is_dir());
    assert!(dangling.is_err());
    world.assert_canary();
}

#[test]
fn the_last_component_is_never_followed_by_a_change() {
    let world = world();
    symlink("../canary", world.at("link")).unwrap();
    let dir = world.root.dir();
    let link = OsStr::new("link");

    assert_eq!(
        world
            .root
            .create_file(Path::new("link"), 0o644)
            .unwrap_err()
            .errno,
        Errno::EXIST
    );
    assert_eq!(dir.set_mode(link, 0o777).unwrap_err().errno, Errno::LOOP);
    dir.set_owner(link, 12, 13).unwrap();
    xattr::set_at(dir, link, OsStr::new("trusted.test"), b"x").unwrap();
    world
        .root
        .hard_link(Path::new("link"), Path::new("twin"))
        .unwrap();
    world.root.remove_all(Path::new("link")).unwrap();

    assert_eq!(fs::symlink_metadata(world.at("twin")).unwrap().uid(), 12);
    assert_eq!(
        fs::metadata(world.outside.path().join("canary"))
            .unwrap()
            .uid(),
        0
    );
    world.assert_canary();
}

#[test]
fn hard_links_do_not_go_through_links() {
    let world = world();
    symlink("/", world.at("self")).unwrap();
    fs::write(world.at("file"), "x").unwrap();

    world
        .root
        .hard_link(Path::new("/file"), Path::new("good"))
        .unwrap();
    let through = world
        .root
        .hard_link(Path::new("self/file"), Path::new("bad"));
    let out = world
        .root
        .hard_link(Path::new("../canary"), Path::new("bad"));

    assert_eq!(through.unwrap_err().errno, Errno::LOOP);
    assert_eq!(out.unwrap_err().errno, Errno::NOENT);
    assert_eq!(fs::metadata(world.at("good")).unwrap().nlink(), 2);
}

#[test]
fn a_deep_tree_with_links_out_is_removed_and_nothing_else() {
    let world = world();
    let mut dir = world.root.dir().try_clone().unwrap();
    for _ in 0..3000 {
        dir.create_dir(OsStr::new("d"), 0o755).unwrap();
        dir = dir.open_dir(OsStr::new("d")).unwrap();
        dir.symlink(OsStr::new("../../../../../canary"), OsStr::new("l"))
            .unwrap();
    }
    drop(dir);

    world.root.remove_all(Path::new("d")).unwrap();
    world.root.remove_all(Path::new("d")).unwrap();

    assert!(world.root.entries(Path::new("/")).unwrap().is_empty());
    world.assert_canary();
}

#[test]
fn modes_keep_their_special_bits() {
    let world = world();
    world.root.create_file(Path::new("su"), 0o4755).unwrap();
    world
        .root
        .make_node(Path::new("null"), FileType::CharacterDevice, 0o666, 0x103)
        .unwrap();

    assert_eq!(world.root.metadata(Path::new("su")).unwrap().mode, 0o4755);
    let null = world.root.link_metadata(Path::new("null")).unwrap();
    assert_eq!(
        (null.kind, null.mode, null.device),
        (FileType::CharacterDevice, 0o666, 0x103)
    );
}

#[test]
fn replace_leaves_one_file_for_the_owner_alone() {
    let world = world();
    let path = world.at("record.json");

    file::replace(&path, b"old").unwrap();
    file::replace(&path, b"new").unwrap();

    assert_eq!(file::read(&path, 10).unwrap(), b"new");
    assert_eq!(file::read(&path, 2).unwrap_err().errno, Errno::FBIG);
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(world.root.entries(Path::new("/")).unwrap().len(), 1);
}

#[test]
fn leftovers_of_a_killed_replace_are_swept() {
    let world = world();
    fs::write(world.at(".gantry-new-1-0-record.json"), "half").unwrap();
    fs::write(world.at("record.json"), "whole").unwrap();

    file::remove_leftovers(&world.at("")).unwrap();

    let entries = world.root.entries(Path::new("/")).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].name, "record.json");
}

#[test]
fn a_lock_is_held_by_one() {
    let world = world();
    let path = world.at("lock");

    let first = file::Lock::try_take(&path).unwrap();
    assert!(first.is_some());
    assert!(file::Lock::try_take(&path).unwrap().is_none());
    drop(first);
    assert!(file::Lock::try_take(&path).unwrap().is_some());
}

#[test]
fn names_are_one_component() {
    let world = world();
    let dir: &Dir = world.root.dir();
    for name in ["", ".", "..", "a/b", "/", "a\0b", &"x".repeat(256)] {
        let error = dir.create_dir(OsStr::new(name), 0o755).unwrap_err();
        assert_eq!(error.errno, Errno::INVAL, "{name:?}");
    }
    dir.create_dir(OsStr::new("..."), 0o755).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_path_makes_anything_outside(parts in prop::collection::vec(
        prop_oneof![Just("..".to_owned()), Just("up".to_owned()), Just(".".to_owned()),
            Just(String::new()), "[a-z\\\\~]{1,8}"], 0..12), absolute: bool) {
        let world = world();
        symlink("../../..", world.at("up")).unwrap();
        let path = format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"));

        let _ = world.root.create_dir_all(Path::new(&path), 0o755);
        let _ = world.root.create_file(Path::new(&path).join("canary").as_path(), 0o644);
        let _ = world.root.remove_all(Path::new(&path));

        world.assert_canary();
    }
}
