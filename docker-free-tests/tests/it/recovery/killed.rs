//! The engine is killed at the worst moment; the containers do not notice.

use docker_free_tests::{Engine, count, need, wait};
use serde_json::{Value, json};

const COUNTING: &str = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.01; done";

fn lines_are_complete(log: &str) {
    for (expected, line) in log.lines().enumerate() {
        assert_eq!(line, format!("line {expected}"), "a line is missing");
    }
}

#[test]
fn a_container_lives_and_logs_through_a_killed_engine() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    engine.run_script("cc", COUNTING);
    let before = engine.until_state("cc", "running");
    wait::until_true("the first lines", || engine.logs("cc").lines().count() > 20);

    engine.kill();
    let pid = before["State"]["Pid"].to_string();
    assert!(
        std::path::Path::new(&format!("/proc/{pid}")).exists(),
        "the container died with the engine"
    );
    engine.again();

    let after = engine.inspect("cc");
    assert_eq!(after["State"]["Pid"], before["State"]["Pid"]);
    assert_eq!(after["State"]["StartedAt"], before["State"]["StartedAt"]);
    let seen = engine.logs("cc").lines().count();
    wait::until_true("lines come on", || {
        engine.logs("cc").lines().count() > seen + 20
    });
    // Everything works on it as before.
    assert_eq!(engine.ok(&["exec", "cc", "echo", "hi"]), "hi");
    assert!(engine.ok(&["stats", "--no-stream", "--format", "{{.PIDs}}", "cc"]) != "0");
    engine.ok(&["stop", "-t", "0", "cc"]);
    assert_eq!(engine.inspect("cc")["State"]["ExitCode"], 137);
    lines_are_complete(&engine.logs("cc"));
    engine.ok(&["start", "cc"]);
    engine.ok(&["rm", "-f", "cc"]);
}

#[test]
fn an_exit_while_the_engine_is_down_is_known_afterwards() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    engine.run_script(
        "cc",
        "trap 'echo last words; exit 23' TERM; echo up; while true; do sleep 0.05; done",
    );
    wait::until_true("it is up", || engine.logs("cc").contains("up"));
    let pid = engine.inspect("cc")["State"]["Pid"].to_string();

    engine.kill();
    docker_free_tests::docker::run(std::process::Command::new("kill").arg(&pid), &[]).expect(0);
    wait::until_true("it ended", || {
        !std::path::Path::new(&format!("/proc/{pid}")).exists()
    });
    engine.again();

    let state = engine.until_state("cc", "exited");
    assert_eq!(state["State"]["ExitCode"], 23);
    assert_ne!(state["State"]["FinishedAt"], "0001-01-01T00:00:00Z");
    assert!(engine.logs("cc").ends_with("last words\n"));
    let wait = engine
        .wire()
        .post("/containers/cc/wait", &Value::Null)
        .expect(200);
    assert_eq!(wait.json()["StatusCode"], 23);
}

#[test]
fn an_engine_that_is_asked_to_stop_leaves_containers_running() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    engine.run_script("cc", COUNTING);
    let pid = engine.until_state("cc", "running")["State"]["Pid"].clone();

    engine.stop();
    engine.again();

    assert_eq!(engine.inspect("cc")["State"]["Pid"], pid);
    assert!(engine.socket().exists());
}

#[test]
fn an_engine_that_stops_leaves_no_control_group_unless_a_container_goes_on_in_it() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    let parents = |engine: &Engine| count::cgroup_parents(engine.cgroup_parent()).len();
    engine.run_script("cc", "sleep 1000");
    engine.until_state("cc", "running");
    let used = parents(&engine);

    engine.stop();
    assert_eq!(parents(&engine), used, "the container goes on in them");
    engine.again();
    engine.wire().delete("/containers/cc?force=1").expect(204);
    engine.stop();

    assert_eq!(parents(&engine), 0);
}

#[test]
fn a_killed_monitor_is_an_exit_with_an_error() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    engine.run_script("cc", "sleep 1000");
    let init = engine.until_state("cc", "running")["State"]["Pid"].to_string();
    let stat = std::fs::read_to_string(format!("/proc/{init}/status")).expect("init lives");
    let parent = stat
        .lines()
        .find_map(|line| line.strip_prefix("PPid:\t"))
        .expect("every process has a parent");
    assert_ne!(
        parent,
        engine.pid().to_string(),
        "the engine itself is the parent"
    );

    docker_free_tests::docker::run(std::process::Command::new("kill").args(["-9", parent]), &[])
        .expect(0);

    let state = engine.until_state("cc", "exited");
    assert_ne!(state["State"]["ExitCode"], 0);
    wait::until_true("no process is left behind", || {
        !std::path::Path::new(&format!("/proc/{init}")).exists()
    });
    engine.ok(&["rm", "cc"]);
    before.holds_again(&engine);
}

#[test]
fn killed_again_and_again_while_containers_come_and_go_nothing_is_half_made() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    let before = engine.count();

    for round in 0..8_u64 {
        let wire = engine.wire();
        let worker = std::thread::spawn(move || {
            for n in 0..50 {
                let body = json!({ "Image": "busybox", "Cmd": ["sleep", "1000"] }).to_string();
                let json = [("Content-Type", "application/json")];
                let path = format!("/containers/create?name=c{round}-{n}");
                let Ok(created) = wire.send("POST", &path, &json, body.as_bytes()) else {
                    return;
                };
                if created.status != 201 {
                    return;
                }
                let started =
                    wire.send("POST", &format!("/containers/c{round}-{n}/start"), &[], &[]);
                let removed = started.and_then(|_| {
                    wire.send(
                        "DELETE",
                        &format!("/containers/c{round}-{n}?force=1"),
                        &[],
                        &[],
                    )
                });
                if removed.is_err() {
                    return;
                }
            }
        });
        // Another moment each time; which step it falls into is chance, eight times.
        std::thread::sleep(std::time::Duration::from_millis(11 + 17 * round));
        engine.kill();
        worker.join().expect("the worker gives up quietly");
        engine.again();
    }

    let left = engine
        .wire()
        .get("/containers/json?all=1")
        .expect(200)
        .json();
    for container in left.as_array().into_iter().flatten() {
        let id = container["Id"].as_str().expect("every container has an id");
        let state = container["State"].as_str().unwrap_or_default();
        assert!(
            matches!(state, "created" | "running" | "exited"),
            "{container}"
        );
        engine
            .wire()
            .delete(&format!("/containers/{id}?force=1"))
            .expect(204);
    }
    before.holds_again(&engine);
}
