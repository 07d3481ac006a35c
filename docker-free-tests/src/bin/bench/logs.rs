//! A gigabyte of 96-byte lines through the log, beside the same writer into a bare pipe; reading it
//! back; and the memory of an engine whose reader sleeps.

use std::io::{BufRead as _, Read as _};
use std::process::{Command, Stdio};
use std::time::Instant;

use docker_free_tests::images::{Image, Layer, busybox_layer};
use docker_free_tests::{Engine, need};
use serde_json::{Value, json};

use crate::memory::pss_kib;
use crate::sample::line;

const FILE_BYTES: usize = 64 * 1024 * 1024;
const FILES: usize = 16;
const ROUNDS: usize = 3;

pub(crate) fn measure() {
    let engine = Engine::start();
    let mut text = format!("{}\n", "x".repeat(95))
        .repeat(FILE_BYTES / 96)
        .into_bytes();
    text.truncate(FILE_BYTES / 96 * 96);
    let bytes = text.len() * FILES;
    let lines = engine.scratch().join("lines");
    std::fs::write(&lines, &text).expect("the directory is ours");
    let layer = Layer::new().file("lines", 0o644, &text).tar();
    engine.load(&Image::new("writer", vec![busybox_layer(), layer]).archive());
    let script =
        |file: &str| format!("for i in $(seq {FILES}); do dd if={file} bs=64k 2>/dev/null; done");

    let (mut pipe, mut ours, mut back) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut grown = 0;
    for round in 0..ROUNDS {
        pipe = pipe.max(rate(bytes, || {
            bare_pipe(&script(&lines.display().to_string()));
        }));
        let name = format!("w{round}");
        let body = json!({
            "Image": "writer", "Cmd": ["sh", "-c", script("/lines")],
            "HostConfig": { "LogConfig": { "Type": "", "Config": { "max-size": "2g" } } },
        });
        engine.create(&name, &body);
        // One viewer that never reads.
        let sleeper = engine.wire().open(
            "GET",
            &format!("/containers/{name}/logs?follow=1&stdout=1"),
            &[],
            &[],
        );
        let before = pss_kib(engine.pid());
        ours = ours.max(rate(bytes, || {
            engine
                .wire()
                .post(&format!("/containers/{name}/start"), &Value::Null)
                .expect(204);
            engine
                .wire()
                .post(&format!("/containers/{name}/wait"), &Value::Null)
                .expect(200);
        }));
        grown = grown.max(pss_kib(engine.pid()).saturating_sub(before));
        drop(sleeper);
        let mut read = 0;
        let rate = rate(bytes, || read = read_back(&engine, &name));
        assert!(read >= bytes, "{read} of {bytes} bytes came back");
        back = back.max(rate);
        engine
            .wire()
            .delete(&format!("/containers/{name}"))
            .expect(204);
    }
    line(
        "1 GB of 96-byte lines into the log (at least 200)",
        &format!("{ours:.0} MB/s"),
    );
    line(
        "the same writer into a bare pipe",
        &format!("{pipe:.0} MB/s"),
    );
    line("ours / bare pipe", &format!("{:.2}", ours / pipe));
    line("reading it back (at least 300)", &format!("{back:.0} MB/s"));
    line(
        "engine grew by, with a viewer that sleeps",
        &format!("{grown} KiB"),
    );
    line("dockerd's json-file here", "41 MB/s in, 15 MB/s back");
}

fn rate(bytes: usize, work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a gigabyte fits a float well enough"
    )]
    let megabytes = bytes as f64 / 1e6;
    megabytes / begin.elapsed().as_secs_f64()
}

fn bare_pipe(script: &str) {
    let mut child = Command::new(need::program("busybox"))
        .args(["sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .expect("busybox runs");
    let mut pipe = child.stdout.take().expect("stdout was piped");
    let mut buffer = vec![0; 64 * 1024];
    while pipe.read(&mut buffer).is_ok_and(|length| length > 0) {}
    child.wait().expect("the child is ours");
}

fn read_back(engine: &Engine, name: &str) -> usize {
    let path = format!("/containers/{name}/logs?stdout=1");
    let mut open = engine
        .wire()
        .open("GET", &path, &[], &[])
        .expect("an answer");
    let mut total = 0;
    // Chunk heads and frame heads are counted with the text: a few bytes in 64 KiB.
    while let Ok(bytes) = open.stream.fill_buf() {
        let length = bytes.len();
        if length == 0 {
            break;
        }
        total += length;
        open.stream.consume(length);
        // The last chunk of a body that ends is five bytes.
        if length == 5 {
            break;
        }
    }
    total
}
