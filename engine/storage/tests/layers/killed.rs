//! Killed at any moment, the store holds a layer whole or not at all.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use engine_storage::{Layers, Limits};

use crate::archive::{Tar, diff_id, limits, names, world};

const STORE: &str = "GANTRY_TEST_KILLED_STORE";

fn layer(n: usize) -> Vec<u8> {
    (0..60)
        .fold(Tar::new(), |tar, m| {
            tar.file(&format!("d{m}/f{n}"), &"x".repeat(5000))
        })
        .bytes()
}

/// Not a test of its own: what the killed process does.
#[test]
fn the_process_that_is_killed() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the test tells its child what to do"
    )]
    let Ok(store) = env::var(STORE) else {
        return;
    };
    let layers = Layers::open(store.as_ref(), Limits { ..limits() }).unwrap();
    println!("open");
    for n in 0.. {
        let archive = layer(n);
        layers.apply(diff_id(&archive), &archive[..]).unwrap();
        println!("+");
        if n > 2 {
            layers
                .remove_unless(diff_id(&layer(n - 2)), || false)
                .unwrap();
        }
    }
}

#[test]
fn a_store_that_is_killed_has_whole_layers_and_no_leftovers() {
    let world = world();
    let path = world.outside.path().join("layers");
    let mut n_found = 0;
    for round in 0..12 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "killed::the_process_that_is_killed",
                "--nocapture",
            ])
            .env(STORE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Only from here on is there something to interrupt.
        let mut output = child.stdout.take().unwrap();
        // At least so much is done; what comes next is broken off somewhere.
        let n_done = usize::try_from(round % 4).unwrap();
        let mut seen = String::new();
        while !seen.contains("open") || seen.matches('+').count() < n_done {
            let mut byte = [0];
            output.read_exact(&mut byte).unwrap();
            seen.push(char::from(byte[0]));
        }
        thread::sleep(Duration::from_micros(round * 7919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();

        let layers = Layers::open(&path, limits()).unwrap();
        assert!(names(&path.join("tmp")).is_empty());
        assert_eq!(names(&path).len(), layers.list().len() + 1);
        for (diff_id, layer) in layers.list() {
            n_found += 1;
            let dir = layers.paths(&[diff_id]).unwrap().remove(0);
            assert_eq!(layer.n_entries, 60);
            assert_eq!(names(&dir).len(), 60);
            for name in names(&dir) {
                let inside = dir.join(&name);
                let file = inside.join(&names(&inside)[0]);
                assert_eq!(fs::metadata(file).unwrap().len(), 5000);
            }
            layers.remove_unless(diff_id, || false).unwrap();
        }
    }
    assert!(n_found > 0, "no round got as far as one layer");
}
