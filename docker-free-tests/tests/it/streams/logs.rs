//! Reading back what a container said: all of it, the end of it, a stretch of it, as it comes.

use docker_free_tests::{Engine, need, wire};
use serde_json::{Value, json};

const BOTH: &str = "stdout=1&stderr=1";

fn read(engine: &Engine, query: &str) -> String {
    let answer = engine
        .wire()
        .get(&format!("/containers/cc/logs?{query}"))
        .expect(200);
    let (out, err) = wire::frames(&answer.body);
    out + &err
}

#[test]
fn lines_are_chosen_by_stream_and_from_the_end() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script(
        "cc",
        "for i in 1 2 3 4 5; do echo out $i; done; echo oops >&2; printf 'no newline'",
    );
    engine.until_state("cc", "exited");

    assert_eq!(
        read(&engine, "stdout=1"),
        "out 1\nout 2\nout 3\nout 4\nout 5\nno newline"
    );
    assert_eq!(read(&engine, "stderr=1"), "oops\n");
    assert_eq!(read(&engine, "stdout=1&tail=2"), "out 5\nno newline");
    assert_eq!(read(&engine, "stdout=1&tail=0"), "");
    assert_eq!(read(&engine, "stdout=1&tail=all").lines().count(), 6);
    let neither = engine.wire().get("/containers/cc/logs").expect(400);
    assert!(
        neither
            .message()
            .contains("you must choose at least one stream"),
        "{}",
        neither.message()
    );
    let wrong = engine
        .wire()
        .get("/containers/cc/logs?stdout=1&since=yesterday");
    assert_eq!(wrong.status, 400, "{}", wrong.text());
}

#[test]
fn times_choose_and_are_shown() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("cc", "for i in 1 2 3; do echo line $i; sleep 0.2; done");
    engine.until_state("cc", "exited");

    let stamped = read(&engine, &format!("{BOTH}&timestamps=1"));
    let lines: Vec<(&str, &str)> = stamped
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    assert_eq!(lines.len(), 3, "{stamped}");
    for (time, _) in &lines {
        assert_eq!(
            (time.len(), time.ends_with('Z')),
            (30, true),
            "{time} has nine digits and Z"
        );
    }
    let second = lines[1].0.replace(':', "%3A");
    assert_eq!(
        read(&engine, &format!("{BOTH}&since={second}")),
        "line 2\nline 3\n"
    );
    assert_eq!(
        read(&engine, &format!("{BOTH}&until={second}")),
        "line 1\nline 2\n"
    );
    assert_eq!(
        engine.ok(&["logs", "--since", "1h", "cc"]),
        "line 1\nline 2\nline 3"
    );
    assert_eq!(engine.ok(&["logs", "--until", "1h", "cc"]), "");
}

#[test]
fn a_follower_sees_every_line_and_then_the_end() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let count = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done";
    let script = format!("echo begin; while [ ! -e /go ]; do sleep 0.05; done; {count}");
    engine.run_script("cc", &script);
    let mut early = engine.docker_running(&["logs", "-f", "cc"]);
    early.until("begin\n");
    engine.ok(&["exec", "cc", "touch", "/go"]);
    early.until("line 0\n");
    let late = engine.docker_running(&["logs", "-f", "cc"]);
    let lines: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
    let expected = format!("begin\n{lines}");

    for follower in [early, late] {
        let (code, text) = follower.finish();
        assert_eq!(code, 0);
        assert!(
            text == expected,
            "{} of {} bytes",
            text.len(),
            expected.len()
        );
    }
    assert!(engine.docker(&["logs", "cc"]).expect(0).out == expected);
    assert_eq!(engine.ok(&["logs", "-n", "1", "cc"]), "line 19999");
}

#[test]
fn a_follower_that_leaves_is_noticed_even_when_nothing_is_said() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("cc", "echo once; sleep 1000");
    let follow = || {
        let path = "/containers/cc/logs?follow=1&stdout=1";
        engine
            .wire()
            .open("GET", path, &[], &[])
            .expect("an answer")
    };
    drop(follow());
    let before = engine.count();

    for _ in 0..50 {
        drop(follow());
    }

    before.holds_again(&engine);
}

#[test]
fn a_log_goes_on_over_a_restart() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("cc", "echo once");
    engine.until_state("cc", "exited");

    engine.ok(&["start", "-a", "cc"]);

    assert_eq!(engine.ok(&["logs", "cc"]), "once\nonce");
}

#[test]
fn very_long_lines_come_back_whole() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script(
        "cc",
        "head -c 300000 /dev/zero | tr '\\0' x; echo; echo end",
    );
    engine.until_state("cc", "exited");

    let text = engine.docker(&["logs", "cc"]).expect(0).out;

    assert_eq!(text.lines().map(str::len).collect::<Vec<_>>(), [300_000, 3]);
    assert_eq!(engine.ok(&["logs", "-n", "1", "cc"]), "end");
}

#[test]
fn a_terminals_log_is_raw() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let id = engine.create(
        "cc",
        &json!({ "Image": "busybox", "Tty": true, "Cmd": ["echo", "hi"] }),
    );
    engine
        .wire()
        .post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);
    engine.until_state("cc", "exited");

    let answer = engine
        .wire()
        .get("/containers/cc/logs?stdout=1")
        .expect(200);

    assert_eq!(answer.text(), "hi\r\n");
    assert_eq!(
        answer.header("content-type"),
        Some("application/vnd.docker.raw-stream")
    );
}
