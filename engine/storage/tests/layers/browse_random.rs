//! Whatever layers lie over each other, what is told of them is what the kernel's overlay shows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_storage::{Access, Mark, Stack, StackQuery, TreeRoot};
use proptest::prelude::*;

use crate::archive::{Tar, diff_id, world};
use crate::changes::merged;

/// What there is: each directory, and the names in it with their lengths; none for a directory.
type Tree = BTreeMap<PathBuf, BTreeMap<String, Option<u64>>>;

fn entry() -> impl Strategy<Value = (u8, String)> {
    let part = prop_oneof![Just("a"), Just("b"), Just("c")];
    let path = prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"));
    let kind = prop_oneof![
        4 => Just(b'0'),
        4 => Just(b'5'),
        1 => Just(b'2'),
        3 => Just(b'w'),
        2 => Just(b'o'),
    ];
    (kind, path)
}

fn tar(entries: &[(u8, String)]) -> Vec<u8> {
    let whiteout = |path: &str| match path.rsplit_once('/') {
        Some((above, name)) => format!("{above}/.wh.{name}"),
        None => format!(".wh.{path}"),
    };
    let add = |tar: Tar, (at, (kind, path)): (usize, &(u8, String))| match kind {
        b'0' => tar.file(path, &"x".repeat(at + 1)),
        b'5' => tar.dir(path),
        b'2' => tar.symlink(path, "../a"),
        b'w' => tar.file(&whiteout(path), ""),
        _ => tar.file(&format!("{path}/.wh..wh..opq"), ""),
    };
    entries.iter().enumerate().fold(Tar::new(), add).bytes()
}

/// What the kernel shows of layers, given top first.
fn shown(dir: &Path, lowers: &[PathBuf]) -> Tree {
    let mut tree = Tree::new();
    let read = |root: &TreeRoot| walk(root, Path::new("/"), &mut tree);
    merged(dir, lowers).with(Access::Read, read).unwrap();
    tree
}

fn walk(root: &TreeRoot, path: &Path, tree: &mut Tree) {
    let mut names = BTreeMap::new();
    for entry in root.entries(path).unwrap() {
        let inside = path.join(&entry.name);
        // The kernel lists a whiteout in a directory of one layer, and then finds nothing there.
        let Ok(metadata) = root.link_metadata(&inside) else {
            continue;
        };
        let is_directory = root.open_dir_without_links(&inside).is_ok();
        let size = (!is_directory).then_some(metadata.size_bytes);
        names.insert(entry.name.into_string().unwrap(), size);
        if is_directory {
            walk(root, &inside, tree);
        }
    }
    tree.insert(path.to_owned(), names);
}

/// Compares what is told after a layer with what the kernel shows after it and before it.
fn check(stack: &Stack, layer: usize, now: &Tree, before: &Tree) {
    let query = StackQuery {
        limit: 100,
        ..StackQuery::default()
    };
    let none = BTreeMap::new();
    for (path, names) in now {
        let was = before.get(path).unwrap_or(&none);
        let listed = stack
            .locate(path, layer)
            .unwrap()
            .list(&query, || false)
            .unwrap();
        let mut told = BTreeMap::new();
        for entry in listed.entries {
            let name = entry.entry.name.into_string().unwrap();
            let expected = match (was.contains_key(&name), names.contains_key(&name)) {
                (false, true) => &[Mark::Added][..],
                (true, false) => &[Mark::Removed],
                _ => &[Mark::Changed, Mark::Unchanged],
            };
            assert!(
                expected.contains(&entry.mark),
                "{path:?} {name}: {:?}",
                entry.mark
            );
            if entry.mark != Mark::Removed {
                let is_directory = entry.entry.kind == engine_storage::FoundKind::Directory;
                let size = entry.entry.metadata.size_bytes;
                told.insert(name, (!is_directory).then_some(size));
            }
        }
        assert_eq!(&told, names, "{path:?} after layer {layer}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn what_is_told_of_layers_is_what_the_overlay_shows(
        layers in prop::collection::vec(prop::collection::vec(entry(), 0..10), 1..5),
    ) {
        let world = world();
        let archives = layers.iter().map(|entries| tar(entries));
        // Some say what no layer may: a file in a file.
        let archives = archives.filter(|archive| world.apply(archive).is_ok());
        let diff_ids: Vec<_> = archives.map(|archive| diff_id(&archive)).collect();
        let stack = world.layers.stack(&diff_ids).unwrap();
        let mut before = Tree::new();
        for layer in 0..diff_ids.len() {
            let lowers = world.layers.paths(&diff_ids[..=layer]).unwrap();
            let now = shown(&world.outside.path().join(format!("m{layer}")), &lowers);
            check(&stack, layer, &now, &before);
            before = now;
        }

        for n_below in (0..=diff_ids.len()).filter(|_| !diff_ids.is_empty()) {
            let archive = stack.write_squashed(n_below, None, Vec::new()).unwrap();
            world.apply(&archive).unwrap();
            let mut squashed = diff_ids[..n_below].to_vec();
            squashed.push(diff_id(&archive));
            let lowers = world.layers.paths(&squashed).unwrap();
            let now = shown(&world.outside.path().join(format!("s{n_below}")), &lowers);
            prop_assert_eq!(&now, &before, "{} layers below", n_below);
        }

        let totals = stack.totals(|| false).unwrap();
        let is_file = |size: &&Option<u64>| size.is_some();
        let n_files: usize = before.values().map(|names| names.values().filter(is_file).count()).sum();
        prop_assert_eq!(totals.n_files, n_files as u64);
        let held: u64 = totals.layers.iter().map(|layer| layer.held_bytes).sum();
        let wasted: u64 = totals.layers.iter().map(|layer| layer.wasted_bytes).sum();
        let links = 4; // The length of a link is no content.
        let seen: u64 = before.values().flat_map(BTreeMap::values).flatten().copied().sum();
        prop_assert!(seen >= held - wasted && (seen - (held - wasted)).is_multiple_of(links));
    }
}
