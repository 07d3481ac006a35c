//! Many at once.

use std::collections::HashSet;

use docker_free_tests::{Engine, need};
use serde_json::{Value, json};

#[test]
fn a_hundred_containers_at_once_all_live_and_leave() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();

    let ids: HashSet<String> = std::thread::scope(|scope| {
        let engine = &engine;
        let workers: Vec<_> = (0..10)
            .map(|worker| {
                scope.spawn(move || {
                    (0..10)
                        .map(|n| {
                            let code = worker * 10 + n;
                            let body = json!({ "Image": "busybox", "Cmd": ["sh", "-c", format!("exit {code}")] });
                            let id = engine.create(&format!("c{code}"), &body);
                            let wire = engine.wire();
                            wire.post(&format!("/containers/{id}/start"), &Value::Null).expect(204);
                            let ended = wire.post(&format!("/containers/{id}/wait"), &Value::Null).expect(200);
                            assert_eq!(ended.json()["StatusCode"], code);
                            id
                        })
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no worker panics"))
            .collect()
    });

    assert_eq!(ids.len(), 100);
    for id in &ids {
        engine
            .wire()
            .delete(&format!("/containers/{id}"))
            .expect(204);
    }
    before.holds_again(&engine);
}

#[test]
fn one_name_asked_for_ten_times_at_once_is_given_once() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let engine = &engine;
        let tries: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(move || {
                    engine
                        .wire()
                        .post(
                            "/containers/create?name=one",
                            &json!({ "Image": "busybox" }),
                        )
                        .status
                })
            })
            .collect();
        tries
            .into_iter()
            .map(|attempt| attempt.join().expect("no try panics"))
            .collect()
    });

    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(
        engine
            .wire()
            .get("/containers/json?all=1")
            .json()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}
