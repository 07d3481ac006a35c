//! A trivial command in a running container, by the API.

use std::io::Read as _;

use docker_free_tests::wire::Wire;
use docker_free_tests::{Engine, docker};
use serde_json::{Value, json};

use crate::sample::{Samples, line, times};

const ROUNDS: usize = 200;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    engine.run_script("cc", "sleep 100000");
    let wire = engine.wire();
    let (mut ours, mut command, mut client) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..10 {
        once(&wire);
    }
    for round in 0..ROUNDS {
        ours.time(|| once(&wire));
        if round % 10 == 0 {
            command.time(|| engine.docker(&["exec", "cc", "true"]).expect(0));
            client.time(|| docker::run(engine.docker_command().arg("--version"), &[]).expect(0));
        }
    }
    times("exec of true by the API (at most 5)", &ours);
    times("docker exec, client and all", &command);
    times("docker --version, the client alone", &client);
    line("dockerd here, by its own client", "66 ms");
}

fn once(wire: &Wire) {
    let body = json!({ "Cmd": ["true"], "AttachStdout": true });
    let created = wire.post("/containers/cc/exec", &body).expect(201).json();
    let id = created["Id"].as_str().unwrap_or_default();
    let mut stream = wire.upgrade(&format!("/exec/{id}/start"), &json!({}));
    let mut output = Vec::new();
    stream
        .read_to_end(&mut output)
        .expect("the stream ends with the command");
    let ended = wire.get(&format!("/exec/{id}/json")).expect(200).json();
    assert_eq!(ended["ExitCode"], Value::from(0));
}
