//! Events: in their order, filtered, from the past and as they come.

use docker_free_tests::{Engine, need};
use serde_json::Value;

fn since_start(engine: &Engine, more: &str) -> Vec<Value> {
    let info = engine.wire().get("/info").expect(200).json();
    let now = info["SystemTime"]
        .as_str()
        .expect("info tells the time")
        .replace('+', "%2B")
        .replace(':', "%3A");
    let text = engine
        .wire()
        .get(&format!("/events?since=0&until={now}{more}"))
        .expect(200)
        .text();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("an event is JSON"))
        .collect()
}

#[test]
fn a_run_is_told_in_order() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let mut live = engine.docker_running(&[
        "events",
        "--format",
        "{{.Type}} {{.Action}} {{.Actor.Attributes.name}}",
    ]);
    engine
        .docker(&[
            "run", "--rm", "--name", "shop", "--label", "app=x", "busybox", "sh", "-c", "exit 3",
        ])
        .expect(3);
    live.until("container destroy shop");

    let all = since_start(&engine, "&filters=%7B%22type%22%3A%5B%22container%22%5D%7D");
    let actions: Vec<&str> = all
        .iter()
        .filter_map(|event| event["Action"].as_str())
        .collect();
    assert_eq!(actions, ["create", "attach", "start", "die", "destroy"]);
    let die = &all[3];
    assert_eq!(die["Actor"]["Attributes"]["exitCode"], "3");
    assert_eq!(die["Actor"]["Attributes"]["app"], "x");
    assert_eq!(die["Actor"]["Attributes"]["image"], "busybox");
    assert_eq!(die["Actor"]["ID"].as_str().map(str::len), Some(64));
    assert!(
        die["timeNano"].as_u64() > Some(0) && die["time"].as_u64() > Some(0),
        "{die}"
    );
    live.kill();
}

#[test]
fn events_are_filtered() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    // A name of hexadecimal digits would choose each container whose id begins with it as well, as
    // with Docker.
    engine.ok(&["run", "--rm", "--name", "shop", "busybox", "true"]);
    engine.ok(&["run", "--rm", "--name", "mail", "busybox", "true"]);
    let filtered = |filters: &str| {
        let encoded: String = filters.bytes().map(|byte| format!("%{byte:02X}")).collect();
        since_start(&engine, &format!("&filters={encoded}"))
    };

    let of_shop = filtered("{\"container\":[\"shop\"]}");
    assert!(
        !of_shop.is_empty()
            && of_shop
                .iter()
                .all(|event| event["Actor"]["Attributes"]["name"] == "shop"),
        "{of_shop:?}"
    );
    let dies = filtered("{\"event\":{\"die\":true}}");
    assert_eq!(dies.len(), 2, "{dies:?}");
    let images = filtered("{\"type\":[\"image\"]}");
    assert!(
        images.iter().any(|event| event["Action"] == "load"),
        "{images:?}"
    );
    assert_eq!(engine.wire().get("/events?since=x").status, 400);
}
