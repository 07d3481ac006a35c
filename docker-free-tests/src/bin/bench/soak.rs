//! Ten thousand lives, and what has grown by them.

use std::fs;

use docker_free_tests::{Engine, wait};

use crate::lifecycle;
use crate::memory::pss_kib;
use crate::sample::line;

const LIVES: usize = 10_000;
const LOOKS: usize = 5;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    let wire = engine.wire();
    // The pools and caches fill.
    for _ in 0..LIVES / 20 {
        lifecycle::once(&wire);
    }
    // What was removed last is deleted behind its answer.
    let is_swept = |entry: &String| !entry.starts_with("containers/.removing-");
    wait::until_true("what the first lives left is deleted", || {
        engine.count().entries.iter().all(is_swept)
    });
    let before = engine.count();
    show(&engine, 0);
    for look in 1..=LOOKS {
        for _ in 0..LIVES / LOOKS {
            lifecycle::once(&wire);
        }
        show(&engine, look * LIVES / LOOKS);
    }
    before.holds_again(&engine);
    line("mounts, groups, processes, files", "as before");
}

fn show(engine: &Engine, lives: usize) {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", engine.pid())).map_or(0, Iterator::count);
    let figure = format!("{} KiB, {descriptors} descriptors", pss_kib(engine.pid()));
    line(&format!("after {lives} lives"), &figure);
}
