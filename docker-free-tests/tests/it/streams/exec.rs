//! A second process in a container: its streams, its code, its terminal, its ways to fail.

use std::io::Read;

use docker_free_tests::{Engine, attack, docker, need, wait, wire};
use serde_json::{Value, json};

fn exec(engine: &Engine, container: &str, body: &Value) -> String {
    let answer = engine
        .wire()
        .post(&format!("/containers/{container}/exec"), body)
        .expect(201);
    answer.json()["Id"]
        .as_str()
        .expect("an exec has an id")
        .to_owned()
}

#[test]
fn a_command_runs_with_its_streams_and_its_code() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&["run", "-d", "--name", "cc", "busybox", "sleep", "1000"]);

    let both = engine
        .docker(&["exec", "cc", "sh", "-c", "echo out; echo err >&2; exit 9"])
        .expect(9);
    assert_eq!((both.out.as_str(), both.err.as_str()), ("out\n", "err\n"));
    let mut piped = engine.docker_command();
    piped.args(["exec", "-i", "cc", "tr", "a-z", "A-Z"]);
    assert_eq!(docker::run(&mut piped, b"shout").expect(0).out, "SHOUT");
    let set = engine.ok(&[
        "exec",
        "-e",
        "A=b",
        "-w",
        "/tmp",
        "-u",
        "ann",
        "cc",
        "sh",
        "-c",
        "echo $A $(pwd) $(id -un)",
    ]);
    assert_eq!(set, "b /tmp ann");
    engine.ok(&["exec", "-d", "cc", "touch", "/tmp/made"]);
    wait::until_true("the detached command ran", || {
        engine.docker(&["exec", "cc", "ls", "/tmp/made"]).code == 0
    });
}

#[test]
fn a_missing_program_is_127_and_a_forbidden_one_126() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&["run", "-d", "--name", "cc", "busybox", "sleep", "1000"]);

    let missing = engine.docker(&["exec", "cc", "no-such-shell"]).expect(127);
    assert!((missing.out + &missing.err).contains("no-such-shell"));
    engine.docker(&["exec", "cc", "/etc/passwd"]).expect(126);
    let nobody = engine.docker(&["exec", "-u", "nobody-here", "cc", "true"]);
    assert!(matches!(nobody.code, 1 | 126), "{}", nobody.code);
    let now = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970");
    let until = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
    let filter = "%7B%22event%22%3A%5B%22exec_die%22%5D%7D";
    let path = format!("/events?since=1&until={until}&filters={filter}");
    let told = engine.wire().get(&path).expect(200).text();
    let code = |line: &str| {
        let event: Value = serde_json::from_str(line).expect("an event is JSON");
        event["Actor"]["Attributes"]["exitCode"].clone()
    };
    let codes: Vec<Value> = told.lines().map(code).collect();
    assert_eq!(
        codes,
        ["127", "126", "126"],
        "of execs that could not begin"
    );
    assert!((nobody.out + &nobody.err).contains("nobody-here"));
    assert_eq!(engine.inspect("cc")["State"]["Running"], true);
}

#[test]
fn an_exec_is_followed_by_its_id() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let container = engine.run_script("cc", "sleep 1000");
    let body = json!({ "Cmd": ["sh", "-c", "echo $((6 * 7)); exit 3"], "AttachStdout": true });
    let id = exec(&engine, "cc", &body);

    let ready = engine
        .wire()
        .get(&format!("/exec/{id}/json"))
        .expect(200)
        .json();
    assert_eq!(ready["Running"], false);
    assert_eq!(ready["ExitCode"], Value::Null);
    assert_eq!(ready["ContainerID"], container.as_str());
    assert_eq!(ready["ProcessConfig"]["entrypoint"], "sh");
    let start = format!("/exec/{id}/start");
    let mut stream = engine
        .wire()
        .upgrade(&start, &json!({ "Detach": false, "Tty": false }));
    let mut bytes = Vec::new();
    stream
        .read_to_end(&mut bytes)
        .expect("the stream ends with the command");
    // The code is there as soon as the stream has ended: the docker command asks at once.
    let ended = engine
        .wire()
        .get(&format!("/exec/{id}/json"))
        .expect(200)
        .json();

    assert_eq!(wire::frames(&bytes).0, "42\n");
    assert_eq!(
        (&ended["ExitCode"], &ended["Running"]),
        (&json!(3), &json!(false))
    );
    let again = engine
        .wire()
        .post(&start, &json!({ "Detach": false, "Tty": false }));
    assert_eq!(again.status, 409, "{}", again.text());
}

#[test]
fn a_stopped_container_takes_no_commands() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.create("cc", &json!({ "Image": "busybox" }));

    let answer = engine
        .wire()
        .post("/containers/cc/exec", &json!({ "Cmd": ["true"] }))
        .expect(409);
    assert!(
        answer.message().contains("is not running"),
        "{}",
        answer.message()
    );
    engine
        .wire()
        .post("/containers/ghost/exec", &json!({ "Cmd": ["true"] }))
        .expect(404);
    engine
        .wire()
        .post("/exec/0000/start", &json!({}))
        .expect(404);
    engine.run_script("dd", "sleep 1000");
    let empty = engine
        .wire()
        .post("/containers/dd/exec", &json!({ "Cmd": [] }))
        .expect(400);
    assert!(
        empty.message().to_lowercase().contains("cmd") || empty.message().contains("command"),
        "{}",
        empty.message()
    );
}

#[test]
fn a_terminal_of_its_own_follows_the_window() {
    if !need::all(&["docker", "busybox", "script"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&["run", "-d", "--name", "cc", "busybox", "sleep", "1000"]);
    let body = json!({
        "Cmd": ["sh", "-c", "read x; stty size"], "Tty": true, "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
    });
    let id = exec(&engine, "cc", &body);
    let mut stream = engine
        .wire()
        .upgrade(&format!("/exec/{id}/start"), &json!({ "Tty": true }));

    engine
        .wire()
        .post(&format!("/exec/{id}/resize?h=44&w=132"), &Value::Null)
        .expect(200);
    std::io::Write::write_all(stream.get_mut(), b"\n").expect("the stream takes input");

    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .expect("the stream ends with the command");
    assert!(text.contains("44 132\r\n"), "{text:?}");
}

#[test]
fn commands_end_with_their_container_and_leave_nothing() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    engine.ok(&["run", "-d", "--name", "cc", "busybox", "sleep", "1000"]);
    let mut first = engine.docker_running(&["exec", "cc", "sh", "-c", "echo up; sleep 1000"]);
    first.until("up");

    engine.ok(&["kill", "cc"]);
    let (code, _) = first.finish();

    assert_eq!(code, 137);
    engine.ok(&["rm", "cc"]);
    before.holds_again(&engine);
}

#[test]
fn a045_a_thousand_cut_streams_cost_nothing() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("cc", "sleep 1000");
    let attach = || {
        engine.wire().upgrade(
            "/containers/cc/attach?stream=1&stdout=1&stdin=1",
            &Value::Null,
        )
    };
    drop(attach());
    let before = engine.count();

    for n in 0..attack::tries(300) {
        drop(attach());
        let path = format!("/containers/cc/resize?h={}&w=80", n % 500 + 1);
        for _ in 0..5 {
            engine.wire().post(&path, &Value::Null);
        }
    }

    before.holds_again(&engine);
    assert_eq!(engine.inspect("cc")["State"]["Running"], true);
}
