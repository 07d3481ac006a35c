//! Known options that have no effect yet are refused by name when they are set; their defaults and
//! unknown fields are taken.

use docker_free_tests::{Engine, need};
use serde_json::{Value, json};

/// A host setting that this engine, or this host, cannot honour, and the words that name it.
fn without_effect() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        (
            "PortBindings",
            json!({ "80/icmp": [{ "HostPort": "8080" }] }),
            "80/icmp",
        ),
        ("NetworkMode", json!("bridge-of-mine"), "bridge-of-mine"),
        ("Links", json!(["other:alias"]), "Links"),
        ("PidMode", json!("container:nobody"), "nobody"),
        ("IpcMode", json!("ours"), "IPC mode"),
        ("UsernsMode", json!("remapped"), "UsernsMode"),
        ("CpusetCpus", json!("0-9999"), "cpus"),
        ("Runtime", json!("kata"), "runtime name: kata"),
        ("Isolation", json!("hyperv"), "Isolation"),
        ("Sysctls", json!({ "vm.swappiness": "1" }), "vm.swappiness"),
        ("StorageOpt", json!({ "quality": "1" }), "StorageOpt"),
        (
            "LogConfig",
            json!({ "Type": "syslog", "Config": {} }),
            "LogConfig",
        ),
        ("Binds", json!(["a:/data"]), "volume name is too short"),
        (
            "DeviceRequests",
            json!([{ "Driver": "nvidia", "Count": 1 }]),
            "device driver \"nvidia\"",
        ),
    ]
}

#[test]
fn an_option_without_effect_is_refused_by_its_name() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    let mut ignored = Vec::new();

    for (name, value, words) in without_effect() {
        let body = json!({ "Image": "busybox", "HostConfig": { name: value } });
        let answer = engine.wire().post("/containers/create", &body);
        let refused = matches!(answer.status, 400 | 404 | 501);
        if !refused || !answer.message().contains(words) {
            ignored.push(format!("{name}: {} {}", answer.status, answer.text()));
        }
    }

    assert!(ignored.is_empty(), "{ignored:#?}");
    before.holds_again(&engine);
}

#[test]
fn defaults_and_unknown_fields_are_taken() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    // What the docker command sends for a plain `docker create busybox`.
    let body = json!({
        "Image": "busybox", "NewField2031": 1, "Volumes": {}, "StopSignal": "SIGTERM", "OnBuild": null,
        "HostConfig": {
            "Binds": null, "PortBindings": {}, "RestartPolicy": { "Name": "no", "MaximumRetryCount": 0 },
            "NetworkMode": "default", "Privileged": false, "ConsoleSize": [24, 80], "Dns": [], "DnsOptions": [],
            "LogConfig": { "Type": "", "Config": {} }, "PidMode": "", "IpcMode": "", "Isolation": "",
            "BlkioWeight": 0, "Devices": [], "MemorySwappiness": -1, "OomKillDisable": false, "NewField2031": "x",
        },
        "NetworkingConfig": { "EndpointsConfig": { "default": {} } },
    });

    engine
        .wire()
        .post("/containers/create?name=plain", &body)
        .expect(201);
}

#[test]
fn a_wrong_value_names_its_field() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let wire = engine.wire();
    let table = [
        (json!({ "Image": "busybox", "Cmd": 7 }), "Cmd"),
        (json!({ "Image": "busybox", "Env": ["=b"] }), "=b"),
        (
            json!({ "Image": "busybox", "WorkingDir": "relative" }),
            "relative",
        ),
        (
            json!({ "Image": "busybox", "HostConfig": { "Memory": -5 } }),
            "emory",
        ),
        (
            json!({ "Image": "busybox", "HostConfig": { "Memory": "much" } }),
            "Memory",
        ),
        (
            json!({ "Image": "busybox", "HostConfig": { "CapAdd": ["FLY"] } }),
            "FLY",
        ),
        (
            json!({ "Image": "busybox", "StopSignal": "SIGNONSENSE" }),
            "SIGNONSENSE",
        ),
        (json!({ "Image": "Not An Image" }), "Not An Image"),
        (json!({}), "mage"),
    ];

    for (body, word) in table {
        let answer = wire.post("/containers/create", &body);
        assert_eq!(answer.status, 400, "{body}: {}", answer.text());
        assert!(
            answer.message().contains(word),
            "{body}: {}",
            answer.message()
        );
    }
    let json = [("Content-Type", "application/json")];
    for broken in ["{", "[]", "{\"Image\":\"busybox\"} extra", ""] {
        let answer = wire
            .send("POST", "/containers/create", &json, broken.as_bytes())
            .expect("an answer");
        assert_eq!(answer.status, 400, "{broken}: {}", answer.text());
        assert!(!answer.message().is_empty(), "{broken}");
    }
    assert_eq!(wire.get("/containers/json?all=1").json(), json!([]));
}
