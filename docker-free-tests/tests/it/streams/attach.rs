//! Attaching: both directions, both streams, half-closes, keys that let go.

use std::io::{Read, Write};

use docker_free_tests::{Engine, docker, need, wire};
use serde_json::{Value, json};

#[test]
fn a_pipe_goes_through_a_container_without_losing_a_byte() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let text: String = (0..200_000).map(|n| format!("line {n}\n")).collect();
    let mut command = engine.docker_command();
    command.args(["run", "--rm", "-i", "busybox", "cat"]);

    let outcome = docker::run(&mut command, text.as_bytes()).expect(0);

    assert_eq!(outcome.out.len(), text.len());
    assert!(outcome.out == text, "the bytes are others");
    let mut count = engine.docker_command();
    count.args(["run", "--rm", "-i", "busybox", "wc", "-c"]);
    assert_eq!(
        docker::run(&mut count, text.as_bytes())
            .expect(0)
            .out
            .trim(),
        text.len().to_string()
    );
}

#[test]
fn the_two_outputs_stay_apart() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    let outcome = engine
        .docker(&[
            "run",
            "--rm",
            "busybox",
            "sh",
            "-c",
            "echo out; echo err >&2; exit 4",
        ])
        .expect(4);

    assert_eq!(
        (outcome.out.as_str(), outcome.err.as_str()),
        ("out\n", "err\n")
    );
}

#[test]
fn output_before_the_attach_is_seen_only_when_asked_for() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let body = json!({
        "Image": "busybox", "OpenStdin": true, "StdinOnce": true, "AttachStdin": true,
        "Cmd": ["sh", "-c", "echo early; read line; echo got $line"],
    });
    let id = engine.create("cc", &body);
    engine
        .wire()
        .post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);
    docker_free_tests::wait::until_true("the early line", || engine.logs(&id).contains("early"));

    let attach = |logs: u8| {
        format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1&stderr=1&logs={logs}")
    };
    let mut with_logs = engine.wire().upgrade(&attach(1), &Value::Null);
    let mut without = engine.wire().upgrade(&attach(0), &Value::Null);
    without
        .get_mut()
        .write_all(b"hello\n")
        .expect("the stream takes input");
    let (mut all, mut rest) = (Vec::new(), Vec::new());
    with_logs
        .read_to_end(&mut all)
        .expect("the stream ends with the container");
    without
        .read_to_end(&mut rest)
        .expect("the stream ends with the container");

    assert_eq!(wire::frames(&all).0, "early\ngot hello\n");
    assert_eq!(wire::frames(&rest).0, "got hello\n");
}

/// Reads frames from a stream until so many lines are whole; gives the lines.
fn lines(stream: &mut impl Read, wanted: usize) -> Vec<String> {
    let (mut text, mut n_lines) = (Vec::new(), 0);
    while n_lines < wanted {
        let mut header = [0; 8];
        if stream.read_exact(&mut header).is_err() {
            break;
        }
        let [_, _, _, _, length @ ..] = header;
        let mut payload = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut payload).expect("a frame is whole");
        n_lines += payload.iter().filter(|byte| **byte == b'\n').count();
        text.extend(payload);
    }
    let text = String::from_utf8(text).expect("the lines are text");
    text.lines().take(wanted).map(str::to_owned).collect()
}

#[test]
fn a_replay_and_the_stream_that_follows_it_miss_no_line_and_double_none() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    // Many short writes: each moment of attaching falls between two of them, or into one.
    let counting = "i=0; while [ $i -lt 60000 ]; do echo $i; i=$((i+1)); done; read x";
    let body = json!({ "Image": "busybox", "OpenStdin": true, "Cmd": ["sh", "-c", counting] });
    let id = engine.create("cc", &body);
    let start = format!("/containers/{id}/start");
    engine.wire().post(&start, &Value::Null).expect(204);

    for round in 0..12 {
        let begun = engine.logs(&id).lines().count();
        let path = format!("/containers/{id}/attach?stream=1&stdout=1&stderr=1&logs=1");
        let mut stream = engine.wire().upgrade(&path, &Value::Null);
        let seen = lines(&mut stream, (begun + 500).min(60_000));
        for (number, line) in seen.iter().enumerate() {
            assert_eq!(
                *line,
                number.to_string(),
                "round {round} behind {begun} lines"
            );
        }
    }
    // All of it, and then its end.
    let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1&logs=1");
    let mut stream = engine.wire().upgrade(&path, &Value::Null);
    assert_eq!(lines(&mut stream, 60_000).len(), 60_000);
    let answered = stream.get_mut().write_all(b"\n");
    answered.expect("the stream takes input");
    assert_eq!(lines(&mut stream, 1), Vec::<String>::new());
}

#[test]
fn whoever_waits_for_the_next_start_gets_the_last_runs_output_once() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let id = engine.run_script("cc", "echo one; echo two >&2; printf three");
    engine.until_state(&id, "exited");

    let path = format!("/containers/{id}/attach?stream=1&stdout=1&stderr=1&logs=1");
    let mut stream = engine.wire().upgrade(&path, &Value::Null);
    let start = format!("/containers/{id}/start");
    engine.wire().post(&start, &Value::Null).expect(204);
    let mut all = Vec::new();
    stream
        .read_to_end(&mut all)
        .expect("the stream ends with the container");

    let (out, err) = wire::frames(&all);
    assert_eq!(
        (out.as_str(), err.as_str()),
        ("one\nthreeone\nthree", "two\ntwo\n")
    );
}

#[test]
fn closing_ones_input_closes_the_containers() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let body = json!({
        "Image": "busybox", "OpenStdin": true, "StdinOnce": true, "Cmd": ["sh", "-c", "cat; echo end"],
    });
    let id = engine.create("cc", &body);
    let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1");
    let mut stream = engine.wire().upgrade(&path, &Value::Null);
    engine
        .wire()
        .post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);

    stream
        .get_mut()
        .write_all(b"some words\n")
        .expect("the stream takes input");
    stream
        .get_ref()
        .finish_writing()
        .expect("half of it closes");

    let mut bytes = Vec::new();
    stream
        .read_to_end(&mut bytes)
        .expect("the stream ends with the container");
    assert_eq!(wire::frames(&bytes).0, "some words\nend\n");
    engine.until_state(&id, "exited");
}

#[test]
fn the_detach_keys_let_go_and_the_process_stays() {
    if !need::all(&["docker", "busybox", "script"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let mut terminal =
        engine.docker_on_a_terminal(&["run", "-it", "--name", "cc", "busybox", "sh"]);
    terminal.until("#");
    terminal.type_in("echo $((40 + 2))\n");
    terminal.until("42");

    terminal.type_in("\u{10}\u{11}");
    let (code, output) = terminal.finish();

    assert_eq!(code, 0, "{output}");
    assert_eq!(engine.inspect("cc")["State"]["Running"], true);
    let mut again = engine.docker_on_a_terminal(&["attach", "cc"]);
    // A shell draws its prompt when somebody presses return.
    again.type_in("\necho $((1000 + 1))\n");
    again.until("1001");
    again.type_in("exit 6\n");
    assert_eq!(again.finish().0, 6);
}

#[test]
fn what_cannot_be_attached_says_so_before_the_upgrade() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let headers = [("Connection", "Upgrade"), ("Upgrade", "tcp")];

    let path = "/containers/ghost/attach?stream=1&stdout=1";
    let answer = engine
        .wire()
        .send("POST", path, &headers, &[])
        .expect("an answer")
        .expect(404);

    assert_eq!(answer.message(), "No such container: ghost");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    // Without an upgrade the answer is the plain stream.
    engine.run_script("cc", "echo plain");
    engine.until_state("cc", "exited");
    let plain = engine.wire().send(
        "POST",
        "/containers/cc/attach?logs=1&stdout=1&stream=0",
        &[],
        &[],
    );
    let plain = plain.expect("an answer").expect(200);
    assert_eq!(
        plain.header("content-type"),
        Some("application/vnd.docker.multiplexed-stream")
    );
    assert_eq!(wire::frames(&plain.body).0, "plain\n");
}

#[test]
fn a_terminal_has_the_size_it_was_told() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let body = json!({ "Image": "busybox", "Tty": true, "OpenStdin": true, "Cmd": ["sh", "-c", "read x; stty size"] });
    let id = engine.create("cc", &body);
    let path = format!("/containers/{id}/attach?stream=1&stdin=1&stdout=1");
    let mut stream = engine.wire().upgrade(&path, &Value::Null);
    engine
        .wire()
        .post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);

    engine
        .wire()
        .post(&format!("/containers/{id}/resize?h=33&w=111"), &Value::Null)
        .expect(200);
    stream
        .get_mut()
        .write_all(b"\n")
        .expect("the stream takes input");

    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .expect("the stream ends with the container");
    assert!(text.contains("33 111\r\n"), "{text:?}");
    let late = engine
        .wire()
        .post(&format!("/containers/{id}/resize?h=1&w=1"), &Value::Null);
    assert!(matches!(late.status, 409 | 500), "{}", late.text());
    let wrong = engine
        .wire()
        .post(&format!("/containers/{id}/resize?h=tall&w=1"), &Value::Null)
        .expect(400);
    assert!(wrong.message().contains("tall"), "{}", wrong.message());
}
