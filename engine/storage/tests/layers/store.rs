//! The store itself: who waits for whom, what is left, what is found again.

use std::fs;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use engine_storage::{ApplyError, Layers, Snapshot, StoreError};

use crate::archive::{Tar, diff_id, limits, names, world};

#[test]
fn a_layer_is_unpacked_once_however_many_ask() {
    struct Watched<'a>(&'a [u8], &'a AtomicUsize);
    impl Read for Watched<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.read(buffer)
        }
    }
    let world = world();
    let archive = Tar::new().file("a", "x").bytes();
    let (barrier, n_read) = (Barrier::new(8), AtomicUsize::new(0));

    let n_readers = thread::scope(|scope| {
        let asks: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mine = AtomicUsize::new(0);
                    barrier.wait();
                    world
                        .layers
                        .apply(diff_id(&archive), Watched(&archive, &mine))
                        .unwrap();
                    n_read.fetch_add(mine.load(Ordering::Relaxed).min(1), Ordering::Relaxed);
                })
            })
            .collect();
        asks.into_iter().for_each(|ask| ask.join().unwrap());
        n_read.load(Ordering::Relaxed)
    });

    assert_eq!(n_readers, 1);
    world.assert_clean(1);
}

#[test]
fn a_source_that_fails_leaves_nothing_and_the_next_try_works() {
    struct Cancelled;
    impl Read for Cancelled {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("cancelled"))
        }
    }
    let world = world();
    let archive = Tar::new().file("a", &"x".repeat(200_000)).bytes();

    let source = archive[..100_000].chain(Cancelled);
    assert!(world.layers.apply(diff_id(&archive), source).is_err());

    world.assert_clean(0);
    world.apply(&archive).unwrap();
}

#[test]
fn layers_are_found_again_and_leftovers_swept() {
    let world = world();
    let archive = Tar::new().file("a", "x").bytes();
    let layer = world.apply(&archive).unwrap();
    let path = world.outside.path().join("layers");
    fs::create_dir_all(path.join("tmp/5/diff/deep")).unwrap();
    let damaged = path.join("00".repeat(32));
    fs::create_dir_all(damaged.join("diff")).unwrap();

    let again = Layers::open(&path, limits()).unwrap();

    assert_eq!(again.list(), [(diff_id(&archive), layer)]);
    assert!(names(&path.join("tmp")).is_empty());
}

#[test]
fn a_damaged_layer_is_missing_until_it_is_applied_again() {
    let world = world();
    let archive = Tar::new().file("a", "x").bytes();
    world.apply(&archive).unwrap();
    let path = world.outside.path().join("layers");
    fs::write(path.join(diff_id(&archive).hex()).join("layer.json"), "").unwrap();

    let again = Layers::open(&path, limits()).unwrap();
    let error = again.paths(&[diff_id(&archive)]).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error}");

    again.apply(diff_id(&archive), &archive[..]).unwrap();
    assert_eq!(again.paths(&[diff_id(&archive)]).unwrap().len(), 1);
}

#[test]
fn a_layer_whose_digest_comes_out_at_the_end_is_kept_or_never_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("layers");
    let layers = Arc::new(Layers::open(&path, limits()).unwrap());
    let archive = Tar::new().file("a", "x").bytes();
    let unpack = || layers.unpack_new(&archive[..]).unwrap();
    let nothing_is_left = || names(&path.join("tmp")).is_empty();

    drop(unpack());
    let error = unpack().keep(diff_id(b"something else")).unwrap_err();
    assert!(matches!(error, ApplyError::WrongDigest { .. }), "{error}");
    let half = layers.unpack_new(&archive[..700]).unwrap_err();
    assert!(half.to_string().contains("the new layer"), "{half}");
    assert!(layers.list().is_empty() && nothing_is_left());

    let kept = unpack().keep(diff_id(&archive)).unwrap();
    assert_eq!(unpack().keep(diff_id(&archive)).unwrap(), kept);
    assert_eq!(layers.list(), [(diff_id(&archive), kept)]);
    assert!(nothing_is_left());
    let again = Layers::open(&path, limits()).unwrap();
    assert_eq!(again.list(), layers.list());
}

#[test]
fn a_removed_layer_is_gone() {
    let world = world();
    let archive = Tar::new().file("a/b/c", "x").bytes();
    world.apply(&archive).unwrap();

    world
        .layers
        .remove_unless(diff_id(&archive), || false)
        .unwrap();
    world
        .layers
        .remove_unless(diff_id(&archive), || false)
        .unwrap();

    world.assert_clean(0);
    assert_eq!(world.layers.layer(diff_id(&archive)), None);
}

#[test]
fn a_layer_that_somebody_needs_stays() {
    let world = world();
    let archive = Tar::new().file("a", "x").bytes();
    world.apply(&archive).unwrap();
    world
        .layers
        .remove_unless(diff_id(&archive), || true)
        .unwrap();
    assert_eq!(world.layers.paths(&[diff_id(&archive)]).unwrap().len(), 1);
}

#[test]
fn paths_are_top_first_and_each_once() {
    let world = world();
    let (a, b) = (
        Tar::new().file("a", "").bytes(),
        Tar::new().file("b", "").bytes(),
    );
    world.apply(&a).unwrap();
    world.apply(&b).unwrap();
    let (a, b) = (diff_id(&a), diff_id(&b));

    let paths = world.layers.paths(&[a, b, a]).unwrap();

    assert_eq!(paths.len(), 2);
    assert!(paths[0].to_str().unwrap().contains(&a.hex()));
}

#[test]
fn a_snapshot_is_made_measured_and_removed() {
    let world = world();
    let lower = world.unpacked(
        Tar::new()
            .entry("./", b'5', "", "", |header| header.set_mode(0o700))
            .file("a", "x"),
    );
    let container = world.outside.path().join("layers/tmp/container");
    fs::create_dir(&container).unwrap();
    let snapshot = Snapshot::at(&container);

    snapshot.create(&[lower]).unwrap();
    fs::write(snapshot.upper().join("new"), "12345").unwrap();
    fs::hard_link(snapshot.upper().join("new"), snapshot.upper().join("twin")).unwrap();

    let usage = snapshot.usage().unwrap();
    assert_eq!((usage.size_bytes, usage.n_inodes), (5, 1));
    let upper = fs::metadata(snapshot.upper()).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&upper) & 0o7777, 0o700);
    snapshot.remove().unwrap();
    snapshot.remove().unwrap();
    assert!(names(&container).is_empty());
}
