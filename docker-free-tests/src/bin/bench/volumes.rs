//! A volume's files: a directory of ten thousand names, a large file in and an archive out.

use docker_free_tests::Engine;
use docker_free_tests::wire::Wire;
use serde_json::json;

use crate::sample::{Samples, line, times};

const N_FILES: usize = 10_000;
const ROUNDS: usize = 50;
const UPLOAD_BYTES: usize = 512 << 20;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    let wire = engine.wire();
    wire.post("/volumes/create", &json!({ "Name": "many" }))
        .expect(201);
    let data = engine.data().join("volumes/many/_data");
    for n in 0..N_FILES {
        std::fs::write(data.join(format!("file-{n:05}")), "x").expect("a file is written");
    }
    let (mut by_name, mut by_size) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        by_name.time(|| list(&wire, "name"));
        by_size.time(|| list(&wire, "-size"));
    }
    times(
        "list 10,000 files by name, 100 of them shown (at most 100)",
        &by_name,
    );
    times(
        "list 10,000 files by size, 100 of them shown (at most 100)",
        &by_size,
    );
    upload(&wire);
}

fn list(wire: &Wire, sort: &str) {
    let path = format!("/gantry/volumes/many/files?path=/&limit=100&sort={sort}");
    let listed = wire.get(&path).expect(200).json();
    assert_eq!(listed["Total"], N_FILES);
}

fn upload(wire: &Wire) {
    let body = vec![7; UPLOAD_BYTES];
    let mut sent = Samples::default();
    for _ in 0..3 {
        sent.time(|| {
            let put = "/gantry/volumes/many/file?path=/big";
            let answer = wire.send("PUT", put, &[], &body);
            answer.expect("the file is taken").expect(204);
        });
    }
    let megabytes = (UPLOAD_BYTES / 1_000_000) as f64;
    let rate = megabytes / (sent.percentile_ms(50) / 1_000.0);
    line(
        "upload of 512 MiB, synced (at least 200 MB/s)",
        &format!("{rate:.0} MB/s"),
    );
}
