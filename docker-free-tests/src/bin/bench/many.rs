//! A host with many containers: started at once, resting, listed, watched, and found again by a new
//! engine.

use std::io::BufRead as _;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use docker_free_tests::wire::Wire;
use docker_free_tests::{Engine, wait};
use serde_json::{Value, json};

use crate::memory::{pss_kib, ticks};
use crate::sample::{Samples, line, times};

const AT_ONCE: usize = 200;
const IDLE: usize = 1000;
const WATCHED: usize = 500;
const LOOK: Duration = Duration::from_secs(20);

pub(crate) fn measure() {
    let mut engine = Engine::with_busybox();
    let wire = engine.wire();

    let first: Vec<String> = (0..AT_ONCE).map(|_| create(&wire)).collect();
    let took = all_at_once(&wire, &first);
    let figure = format!("{:.2} s", took.as_secs_f64());
    line("200 started at once (at most 5 s)", &figure);

    for _ in AT_ONCE..IDLE {
        start(&wire, &create(&wire));
    }
    resting(&engine);
    line(
        "engine with 1,000 containers (at most 61,440)",
        &format!("{} KiB", pss_kib(engine.pid())),
    );
    line("its load (at most 1 % of a core)", &load(&engine));
    let mut lists = Samples::default();
    for _ in 0..50 {
        lists.time(|| assert_eq!(n_running(&wire), IDLE));
    }
    times("the list of 1,000 (at most 20)", &lists);

    let watchers = watch(&wire);
    line("its load, 500 watched (at most 3 %)", &load(&engine));
    drop(watchers);

    engine.kill();
    let began = Instant::now();
    engine.again();
    wait::until_true("all are there again", || n_running(&wire) == IDLE);
    let figure = format!("{:.2} s", began.elapsed().as_secs_f64());
    line("found again by a new engine (at most 3 s)", &figure);
}

fn create(wire: &Wire) -> String {
    let body = json!({ "Image": "busybox", "Cmd": ["sleep", "1000000"],
        "HostConfig": { "NetworkMode": "none" } });
    let created = wire.post("/containers/create", &body).expect(201).json();
    created["Id"].as_str().unwrap_or_default().to_owned()
}

fn start(wire: &Wire, id: &str) {
    wire.post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);
}

fn all_at_once(wire: &Wire, ids: &[String]) -> Duration {
    let together = Barrier::new(ids.len() + 1);
    thread::scope(|scope| {
        for id in ids {
            scope.spawn(|| {
                together.wait();
                start(wire, id);
            });
        }
        together.wait();
        Instant::now()
    })
    .elapsed()
}

fn n_running(wire: &Wire) -> usize {
    let list = wire.get("/containers/json").expect(200).json();
    list.as_array().map_or(0, Vec::len)
}

/// Waits until the engine does nothing.
fn resting(engine: &Engine) {
    wait::until_true("the engine rests", || {
        let before = ticks(engine.pid());
        thread::sleep(Duration::from_secs(1));
        ticks(engine.pid()) <= before + 2
    });
}

/// What the engine uses of a core; a clock tick is a hundredth of a second.
fn load(engine: &Engine) -> String {
    let before = ticks(engine.pid());
    thread::sleep(LOOK);
    let used = ticks(engine.pid()) - before;
    let percent = f64::from(u32::try_from(used).unwrap_or(u32::MAX)) / LOOK.as_secs_f64();
    format!("{percent:.1} %")
}

/// Streams of 500 containers' figures, all of which have begun.
fn watch(wire: &Wire) -> Vec<docker_free_tests::wire::Open> {
    let list = wire.get("/containers/json").expect(200).json();
    let ids = list.as_array().into_iter().flatten().take(WATCHED);
    let mut watchers: Vec<_> = ids
        .filter_map(|one| one["Id"].as_str())
        .map(|id| {
            let path = format!("/containers/{id}/stats?stream=1");
            wire.open("GET", &path, &[], &[]).expect("a stream")
        })
        .collect();
    assert_eq!(watchers.len(), WATCHED);
    for watcher in &mut watchers {
        let mut first = String::new();
        watcher.stream.read_line(&mut first).expect("a first line");
        assert_ne!(first, "");
    }
    watchers
}
