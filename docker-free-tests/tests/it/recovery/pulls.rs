//! A pull whose engine is killed: the image is there whole or not at all, and nothing is left.

use std::process::Command;

use docker_free_tests::fault::{Lie, LyingRegistry};
use docker_free_tests::images::{Image, Layer, busybox_layer};
use docker_free_tests::{Engine, Running, need, wait};

/// An image of three layers, the last of which takes a moment.
fn image() -> Image {
    let noise: Vec<u8> = (0..4_u32 << 20)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let shelf = Layer::new().file("shelf", 0o644, b"full").tar();
    let store = Layer::new().file("store", 0o644, &noise).tar();
    Image::new("app", vec![busybox_layer(), shelf, store])
}

/// Begins to pull, without waiting for the end.
fn pulling(engine: &Engine, name: &str) -> Running {
    engine.docker_running(&["pull", "-q", name])
}

/// What must hold after every crash: listed is whole, not listed is gone, and a pull works.
fn is_whole_or_gone(engine: &Engine, name: &str, before: &docker_free_tests::Count) -> bool {
    let listed = engine.docker(&["image", "inspect", name]).code == 0;
    if !listed {
        before.holds_again(engine);
        engine.ok(&["pull", "-q", name]);
    }
    let script = "cat /shelf; wc -c < /store";
    let said = engine.ok(&["run", "--rm", name, "sh", "-c", script]);
    assert_eq!(said, format!("full{}", 16 << 20));
    engine.ok(&["rmi", "-f", name]);
    before.holds_again(engine);
    listed
}

#[test]
fn an_engine_killed_in_the_middle_of_a_download_leaves_nothing_of_it() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let mut engine = Engine::start();
    let before = engine.count();
    let slow = LyingRegistry::serve(&image(), Lie::Stalled);
    let fast = LyingRegistry::serve(&image(), Lie::None);

    let client = pulling(&engine, &slow.name);
    wait::until_true("half of it is here", || {
        engine.count().entries.len() > before.entries.len()
    });
    engine.kill();
    client.kill();
    engine.again();

    assert_ne!(engine.docker(&["image", "inspect", &slow.name]).code, 0);
    before.holds_again(&engine);
    assert!(!is_whole_or_gone(&engine, &fast.name, &before));
}

#[test]
fn an_engine_killed_before_each_kind_of_step_of_a_pull_has_the_image_whole_or_not() {
    if !need::all(&["docker", "busybox", "strace"]) {
        return;
    }
    let mut engine = Engine::start();
    let before = engine.count();
    let registry = LyingRegistry::serve(&image(), Lie::None);
    let steps = [
        ("mkdir,mkdirat", 1),
        ("mkdir,mkdirat", 3),
        ("fsync,fdatasync,syncfs", 1),
        ("fsync,fdatasync,syncfs", 2),
        ("rename,renameat,renameat2", 1),
        ("rename,renameat,renameat2", 2),
        ("symlink,symlinkat", 40),
        ("linkat", 1),
        ("unlink,unlinkat", 1),
        ("pwrite64,write", 30),
        ("fchownat,fchown", 20),
    ];
    let mut n_whole = 0;

    for (calls, nth) in steps {
        // Each thread counts by itself, so this is some such step, and never the same for long.
        let mut tracer = Command::new(need::program("strace"));
        tracer.args([
            "-f",
            "-q",
            "-o",
            "/dev/null",
            "-e",
            &format!("trace={calls}"),
        ]);
        tracer.args(["-e", &format!("inject={calls}:signal=KILL:when={nth}")]);
        tracer.args(["-p", &engine.pid().to_string()]);
        let tracer = Running::start(&mut tracer);
        let traced = format!("/proc/{}/status", engine.pid());
        wait::until_true("the engine is traced", || {
            let status = std::fs::read_to_string(&traced).unwrap_or_default();
            !status.contains("TracerPid:\t0\n")
        });
        pulling(&engine, &registry.name).finish();
        engine.kill();
        tracer.kill();
        engine.again();
        n_whole += usize::from(is_whole_or_gone(&engine, &registry.name, &before));
    }
    assert!(n_whole < steps.len(), "no step was killed");
}
