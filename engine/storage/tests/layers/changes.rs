//! Whatever a container does to its files, the layer that is written of it makes them again.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use engine_storage::{
    Access, DiffId, LayerOptions, Layers, Limits, Merged, Snapshot, TreeRoot, pack_contents,
};
use engine_tar::Digest;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Act {
    Write(String, u8),
    Mkdir(String),
    Remove(String),
    Symlink(String),
    Link(String, String),
    Rename(String, String),
    Mode(String, u32),
}

fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![Just("a"), Just("b"), Just("c")];
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (path(), any::<u8>()).prop_map(|(path, content)| Act::Write(path, content)),
        3 => path().prop_map(Act::Mkdir),
        2 => path().prop_map(Act::Remove),
        1 => path().prop_map(Act::Symlink),
        1 => (path(), path()).prop_map(|(from, to)| Act::Link(from, to)),
        2 => (path(), path()).prop_map(|(from, to)| Act::Rename(from, to)),
        1 => (path(), prop_oneof![Just(0o700), Just(0o4711)]).prop_map(|(path, mode)| Act::Mode(path, mode)),
    ]
}

/// Does what can be done; what cannot be done changes nothing.
fn play(root: &TreeRoot, acts: &[Act]) {
    for act in acts {
        let _ = match act {
            Act::Write(path, content) => root.remove_all(Path::new(path)).and_then(|()| {
                let mut file = root.create_file(Path::new(path), 0o644)?;
                file.write_all(&[*content]).unwrap();
                Ok(())
            }),
            Act::Mkdir(path) => root.create_dir_all(Path::new(path), 0o755).map(drop),
            Act::Remove(path) => root.remove_all(Path::new(path)),
            Act::Symlink(path) => root.symlink(OsStr::new("../a"), Path::new(path)),
            Act::Link(from, to) => root.hard_link(Path::new(from), Path::new(to)),
            Act::Rename(from, to) => rename(root, from, to),
            Act::Mode(path, mode) => root
                .parent(Path::new(path))
                .and_then(|(dir, name)| dir.set_mode(&name, *mode)),
        };
    }
}

fn rename(root: &TreeRoot, from: &str, to: &str) -> Result<(), engine_sys::SysError> {
    let (from, name) = root.parent(Path::new(from))?;
    let (to, new_name) = root.parent(Path::new(to))?;
    from.rename(&name, &to, &new_name)
}

pub(crate) fn merged(dir: &Path, lowers: &[PathBuf]) -> Merged {
    std::fs::create_dir(dir).unwrap();
    let snapshot = Snapshot::at(dir);
    snapshot.create(lowers).unwrap();
    Merged {
        snapshot,
        lowers: lowers.to_vec(),
        binds: Vec::new(),
        users: None,
    }
}

fn all(merged: &Merged) -> Vec<u8> {
    let read = |root: &TreeRoot| pack_contents(root, None, Vec::new()).unwrap();
    merged.with(Access::Read, read).unwrap()
}

/// The paths that a layer brings.
fn paths_of(archive: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap();
    let path = |entry: tar::Entry<'_, _>| entry.path().unwrap().display().to_string();
    let mut paths: Vec<String> = entries.map(|entry| path(entry.unwrap())).collect();
    paths.sort();
    paths
}

#[test]
fn what_was_made_to_mount_on_is_no_part_of_a_layer() {
    let world = tempfile::tempdir().unwrap();
    let bottom = world.path().join("bottom");
    std::fs::create_dir_all(bottom.join("tmp")).unwrap();
    let container = merged(&world.path().join("one"), std::slice::from_ref(&bottom));
    let made = |root: &TreeRoot| {
        root.create_dir_all(Path::new("closed"), 0o700).unwrap();
        for dir in [
            "closed/dir",
            "way/to/dir",
            "used/dir",
            "dir",
            "full",
            "other",
        ] {
            root.create_dir_all(Path::new(dir), 0o755).unwrap();
        }
        root.create_file(Path::new("tmp/file"), 0o755).unwrap();
        for (path, content) in [("used/own", "own"), ("full/in", ""), ("written", "x")] {
            let mut file = root.create_file(Path::new(path), 0o644).unwrap();
            file.write_all(content.as_bytes()).unwrap();
        }
    };
    let write = Access::Write {
        readonly_root: false,
    };
    container.with(write, made).unwrap();
    let points = [
        "/closed/dir",
        "/way/to/dir",
        "/used/dir",
        "/dir",
        "/tmp/file",
        "/full",
        "/written",
        "/none",
    ];
    let options = LayerOptions {
        mount_points: points.into_iter().map(PathBuf::from).collect(),
        ..LayerOptions::default()
    };

    let snapshot = &container.snapshot;
    let archive = snapshot.write_layer_with(&container.lowers, &options, Vec::new());

    let expected = [
        "closed/", "full/", "full/in", "other/", "used/", "used/own", "written",
    ];
    assert_eq!(paths_of(&archive.unwrap()), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_written_layer_makes_the_same_files(
        base in prop::collection::vec(act(), 0..15),
        acts in prop::collection::vec(act(), 0..15),
    ) {
        let world = tempfile::tempdir().unwrap();
        let bottom = world.path().join("bottom");
        std::fs::create_dir(&bottom).unwrap();
        play(&TreeRoot::open(&bottom).unwrap(), &base);
        let container = merged(&world.path().join("one"), std::slice::from_ref(&bottom));
        let untouched = all(&container);
        let write = Access::Write { readonly_root: false };
        container.with(write, |root| play(root, &acts)).unwrap();

        let archive = container.snapshot.write_layer(&container.lowers, Vec::new()).unwrap();
        let changes = container.snapshot.changes(&container.lowers).unwrap();
        let layers = Layers::open(&world.path().join("layers"), Limits::default()).unwrap();
        let diff_id = DiffId::from(Digest::of(&archive));
        layers.apply(diff_id, archive.as_slice()).unwrap();
        let mut lowers = layers.paths(&[diff_id]).unwrap();
        lowers.push(bottom);
        let again = merged(&world.path().join("two"), &lowers);

        let expected = all(&container);
        prop_assert!(all(&again) == expected, "not the same files after {:?}", changes);
        prop_assert!(!changes.is_empty() || expected == untouched);
        prop_assert!(again.snapshot.changes(&lowers).unwrap().is_empty());
    }
}
