//! How containers end, in the codes that scripts rely on, and how one waits for it.

use docker_free_tests::{Engine, need};
use serde_json::{Value, json};

#[test]
fn exit_codes_are_dockers() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let run = |arguments: &[&str]| {
        let mut all = vec!["run", "--rm"];
        all.extend(arguments);
        engine.docker(&all)
    };

    assert_eq!(run(&["busybox", "true"]).code, 0);
    assert_eq!(run(&["busybox", "sh", "-c", "exit 42"]).code, 42);
    assert_eq!(
        run(&["busybox", "sh", "-c", "kill -15 $$; sleep 5; exit 9"]).code,
        9
    );

    let missing = run(&["busybox", "/no/such/program"]).expect(127);
    assert!(missing.err.contains("/no/such/program"), "{}", missing.err);
    let not_executable = run(&["busybox", "/etc/passwd"]).expect(126);
    assert!(
        not_executable.err.contains("permission denied"),
        "{}",
        not_executable.err
    );
    let folder = run(&["busybox", "/etc"]).expect(126);
    assert!(folder.err.contains("/etc"), "{}", folder.err);

    let refused = run(&["--memory", "1k", "busybox", "true"]).expect(125);
    assert!(refused.err.contains("memory"), "{}", refused.err);
    let absent = run(&["127.0.0.1:1/no/image", "true"]).expect(125);
    assert!(absent.err.contains("127.0.0.1:1"), "{}", absent.err);
    assert_eq!(engine.ok(&["ps", "-aq"]), "", "--rm left something");
}

#[test]
fn a_killed_container_says_by_which_signal() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("aa", "trap 'exit 7' USR1; while true; do sleep 0.1; done");
    engine.run_script("bb", "sleep 1000");

    engine.ok(&["kill", "-s", "USR1", "aa"]);
    assert_eq!(engine.ok(&["wait", "aa"]), "7");
    engine.ok(&["kill", "bb"]);
    assert_eq!(engine.ok(&["wait", "bb"]), "137");

    let again = engine.docker(&["kill", "bb"]).expect(1);
    assert!(again.err.contains("is not running"), "{}", again.err);
    let status = engine
        .wire()
        .post("/containers/bb/kill", &Value::Null)
        .status;
    assert_eq!(status, 409);
    let nonsense = engine
        .wire()
        .post("/containers/bb/kill?signal=NONSENSE", &Value::Null)
        .expect(400);
    assert!(
        nonsense.message().contains("NONSENSE"),
        "{}",
        nonsense.message()
    );
}

#[test]
fn each_wait_condition_ends_at_its_moment() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let id = engine.create(
        "ww",
        &json!({ "Image": "busybox", "Cmd": ["sh", "-c", "exit 5"] }),
    );
    let wait = |condition: &str| {
        let path = format!("/containers/{id}/wait?condition={condition}");
        // The head of the answer comes at once: the client starts the container only after it.
        let open = engine
            .wire()
            .open("POST", &path, &[], &[])
            .expect("an answer");
        assert_eq!(open.status, 200);
        open
    };

    let created = wait("not-running").whole("POST").expect("the end").json();
    assert_eq!(created["StatusCode"], 0, "a created container does not run");
    let next_exit = wait("next-exit");
    let removed = wait("removed");
    engine
        .wire()
        .post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);
    assert_eq!(
        next_exit.whole("POST").expect("the end").json()["StatusCode"],
        5
    );
    assert_eq!(
        wait("not-running").whole("POST").expect("the end").json()["StatusCode"],
        5
    );
    engine
        .wire()
        .delete(&format!("/containers/{id}"))
        .expect(204);
    assert_eq!(
        removed.whole("POST").expect("the end").json()["StatusCode"],
        5
    );

    engine
        .wire()
        .post(&format!("/containers/{id}/wait"), &Value::Null)
        .expect(404);
    let other = engine.create("xx", &json!({ "Image": "busybox" }));
    let path = format!("/containers/{other}/wait?condition=whenever");
    let refused = engine.wire().post(&path, &Value::Null).expect(400);
    assert!(
        refused.message().contains("whenever"),
        "{}",
        refused.message()
    );
}

#[test]
fn stop_waits_as_long_as_it_was_told_and_no_longer() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script(
        "gentle",
        "trap 'echo bye; exit 0' TERM; while true; do sleep 0.05; done",
    );
    engine.run_script("deaf", "trap '' TERM; while true; do sleep 0.05; done");

    engine.ok(&["stop", "-t", "20", "gentle"]);
    assert_eq!(engine.inspect("gentle")["State"]["ExitCode"], 0);
    assert!(engine.logs("gentle").contains("bye"));
    engine.ok(&["stop", "-t", "1", "deaf"]);
    assert_eq!(engine.inspect("deaf")["State"]["ExitCode"], 137);

    // Once more is nothing to do: 304.
    let answer = engine.wire().post("/containers/deaf/stop", &Value::Null);
    assert_eq!((answer.status, answer.body.len()), (304, 0));
    engine.ok(&["start", "deaf"]);
    assert_eq!(
        engine
            .wire()
            .post("/containers/deaf/start", &Value::Null)
            .status,
        304
    );
}

#[test]
fn a_container_out_of_memory_says_so() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    let script = "x=a; while true; do x=$x$x; done";
    let outcome = engine.docker(&[
        "run", "--name", "hungry", "--memory", "16m", "busybox", "sh", "-c", script,
    ]);

    assert_eq!(outcome.code, 137, "{}", outcome.err);
    assert_eq!(engine.inspect("hungry")["State"]["OOMKilled"], true);
    assert_eq!(
        engine
            .docker(&["run", "--memory", "64m", "busybox", "true"])
            .code,
        0
    );
}
