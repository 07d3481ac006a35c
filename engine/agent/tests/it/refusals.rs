//! What bad input gets: Docker's status and a sentence that names what was wrong.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use crate::rig::{Rig, until};

/// Sends raw bytes and returns the whole answer.
fn raw(rig: &Rig, request: &str) -> String {
    let mut stream = UnixStream::connect(rig.path("s")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(rig: &Rig, path: &str) -> String {
    raw(
        rig,
        &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
    )
}

fn post(rig: &Rig, path: &str, body: &str) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    raw(rig, &format!("{head}{body}"))
}

fn status(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .unwrap_or(0)
}

#[tokio::test]
async fn every_answer_carries_dockers_headers_and_errors_are_json() {
    let rig = Rig::bare().await;
    for (path, code) in [
        ("/_ping", 200),
        ("/v1.51/nothing", 404),
        ("/v1.99/info", 400),
    ] {
        let answer = get(&rig, path);
        assert_eq!(status(&answer), code, "{answer}");
        let lower = answer.to_lowercase();
        for header in [
            "api-version: 1.51",
            "ostype: linux",
            "docker-experimental: true",
            "server: docker/",
        ] {
            assert!(lower.contains(header), "{header} is missing in {answer}");
        }
    }
    assert!(get(&rig, "/nothing").ends_with("{\"message\":\"page not found\"}"));
    assert_eq!(status(&get(&rig, "/services")), 503);
    assert_eq!(status(&get(&rig, "//info")), 301);
    assert_eq!(status(&get(&rig, "/containers/%2e%2e/json")), 400);
    assert_eq!(status(&post(&rig, "/v1.51/auth", "[")), 400);
    let head = raw(
        &rig,
        "HEAD /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    assert!(
        head.to_lowercase().contains("content-length: 0") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    rig.end().await;
}

#[tokio::test]
async fn bodies_that_two_readers_could_read_differently_are_refused() {
    let rig = Rig::bare().await;
    for body in [
        "",
        "{",
        "[]",
        r#"{"Image":"a","Image":"b"}"#,
        r#"{"Image":"gantry/hello"}{}"#,
        r#"{"Image":"gantry/hello","HostConfig":{"Links":["a:b"]}}"#,
        r#"{"Image":"gantry/hello","HostConfig":{"privileged":true}}"#,
        r#"{"Image":"gantry/hello","HostConfig":{"Memory":"much"}}"#,
        r#"{"Image":"gantry/hello","HostConfig":{"Memory":99999999999999999999}}"#,
    ] {
        let answer = post(&rig, "/containers/create", body);
        assert_eq!(status(&answer), 400, "{body}: {answer}");
        assert!(answer.contains("{\"message\":\""), "{answer}");
    }
    let head = "POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let huge = raw(&rig, &format!("{head}Content-Length: {}\r\n\r\n", 9 << 20));
    assert_eq!(status(&huge), 413);
    rig.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_in_dockers_words() {
    let rig = Rig::bare().await;
    for (path, says) in [
        ("/containers/nobody/json", "No such container: nobody"),
        (
            "/containers/nobody/logs?stdout=1",
            "No such container: nobody",
        ),
        ("/exec/nobody/json", "No such exec instance: nobody"),
        ("/networks/nobody", "network nobody not found"),
    ] {
        let answer = get(&rig, path);
        assert_eq!(status(&answer), 404, "{answer}");
        assert!(answer.contains(says), "{answer}");
    }
    let answer = post(&rig, "/containers/create", r#"{"Image":"nobody"}"#);
    assert!(
        status(&answer) == 404 && answer.contains("No such image: nobody"),
        "{answer}"
    );
    let answer = get(
        &rig,
        "/containers/json?filters=%7B%22colour%22%3A%5B%22red%22%5D%7D",
    );
    assert!(
        status(&answer) == 400 && answer.contains("invalid filter 'colour'"),
        "{answer}"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_second_engine_names_what_is_in_its_way() {
    let rig = Rig::bare().await;
    let second = rig.command().stderr(Stdio::piped()).output().unwrap();
    assert_eq!(second.status.code(), Some(5));
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(
        text.contains("another engine runs on the data in"),
        "{text}"
    );

    let elsewhere = rig.path("elsewhere");
    let third = rig.command().arg("--data").arg(&elsewhere).output();
    // The flag is there twice; clap says so with the code of wrong settings.
    assert_eq!(third.unwrap().status.code(), Some(2));
    rig.end().await;
}

#[tokio::test]
async fn an_id_cannot_be_taken_as_a_name() {
    let rig = Rig::new().await;
    let victim = rig.create("victim", "true").await;
    let other = rig.create("other", "true").await;
    for taken in [victim.clone(), "ab".repeat(32)] {
        let refused = rig.client.rename_container(&other, &taken).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains("cannot be a name"), "{refused}");
    }
    assert_eq!(rig.client.container(&victim).await.unwrap().id, victim);
    rig.end().await;
}

#[tokio::test]
async fn a_key_in_other_letters_is_no_way_to_be_somebody_else() {
    let rig = Rig::new().await;
    let id = rig.run("runs", "sleep 1000").await;
    let body = r#"{"Cmd":["id"],"user":"nobody"}"#;
    let refused = post(&rig, &format!("/containers/{id}/exec"), body);
    assert_eq!(status(&refused), 400);
    assert!(
        refused.contains("the key user is written User"),
        "{refused}"
    );
    rig.end().await;
}

#[tokio::test]
async fn clients_that_stop_in_the_middle_of_an_archive_hold_nobody_up() {
    let rig = Rig::new().await;
    let head = "POST /images/load HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n";
    let stalled: Vec<UnixStream> = (0..64)
        .map(|_| {
            let mut stream = UnixStream::connect(rig.path("s")).unwrap();
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    // Each is read on a thread of its own; asking before would take the turn of one of them.
    let threads = format!("/proc/{}/task", rig.engine_pid());
    let n_reading = || {
        let threads = fs::read_dir(&threads).unwrap().flatten();
        let names = threads.map(|thread| fs::read_to_string(thread.path().join("comm")));
        names
            .filter(|name| name.as_ref().is_ok_and(|name| name.trim() == "load"))
            .count()
    };
    until("all are being read", async || n_reading() == 64).await;

    let refused = post(&rig, "/images/load", "");
    assert_eq!(status(&refused), 503);
    assert!(
        refused.contains("64 archives are being read already"),
        "{refused}"
    );
    let id = rig.run("runs", "sleep 1000").await;
    assert_eq!(rig.exec_text(&id, "echo served").await, "served\n");
    drop(stalled);
    rig.end().await;
}
