//! A client that does not read costs nobody anything.

use docker_free_tests::count::own_kib;
use docker_free_tests::{Engine, need, wait};
use serde_json::{Value, json};

#[test]
fn a_log_reader_that_sleeps_keeps_memory_flat_and_the_container_going() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    // 200 MB of 96-byte lines, then a word that says it is through.
    let line = "x".repeat(95);
    let script = format!("yes {line} | head -c 200000000; echo; echo done");
    let body = json!({ "Image": "busybox", "Cmd": ["sh", "-c", script] });
    engine.create("cc", &body);
    let sleepers: Vec<_> = (0..3)
        .map(|_| {
            engine
                .wire()
                .open("GET", "/containers/cc/logs?follow=1&stdout=1", &[], &[])
                .expect("an answer")
        })
        .collect();
    let before = own_kib(engine.pid());

    engine
        .wire()
        .post("/containers/cc/start", &Value::Null)
        .expect(204);
    let mut highest = before;
    wait::until("the container is through", || {
        highest = highest.max(own_kib(engine.pid()));
        (engine.inspect("cc")["State"]["Status"] == "exited").then_some(())
    });

    assert_eq!(engine.inspect("cc")["State"]["ExitCode"], 0);
    assert!(
        highest < before + 16 * 1024,
        "the engine grew from {before} to {highest} KiB"
    );
    let tail = engine
        .wire()
        .get("/containers/cc/logs?stdout=1&tail=1")
        .expect(200);
    assert_eq!(docker_free_tests::wire::frames(&tail.body).0, "done\n");
    drop(sleepers);
}

#[test]
fn an_attached_client_that_sleeps_does_not_stop_the_others() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("cc", "sleep 1000");
    let open = || {
        engine
            .wire()
            .open("GET", "/events", &[], &[])
            .expect("an answer")
    };
    let sleeping: Vec<_> = (0..20).map(|_| open()).collect();
    let before = own_kib(engine.pid());

    for n in 0..300 {
        let name = format!("/containers/cc/rename?name=cc{n}");
        let name = if n == 0 {
            name
        } else {
            name.replace("/cc/", &format!("/cc{}/", n - 1))
        };
        engine.wire().post(&name, &Value::Null).expect(204);
    }

    assert!(own_kib(engine.pid()) < before + 16 * 1024);
    drop(sleeping);
}
