//! A trivial container from nothing to nothing: by the API here, by `runc run` there, of the same
//! root file system, one after the other.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use docker_free_tests::wire::Wire;
use docker_free_tests::{Engine, docker, images, need};
use serde_json::{Value, json};

use crate::sample::{Samples, line, times};

const ROUNDS: usize = 100;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    let bundle = engine.scratch().join("bundle");
    let peer = need::find("runc").inspect(|_| prepare(&bundle));
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let wire = engine.wire();
    for round in 0..ROUNDS + 5 {
        // The first rounds warm the page cache and are not counted.
        let mut cold = Samples::default();
        let counted = round >= 5;
        let samples = if counted { &mut ours } else { &mut cold };
        samples.time(|| once(&wire));
        if let Some(runc) = &peer {
            let samples = if counted { &mut theirs } else { &mut cold };
            samples.time(|| run(runc, &bundle, round));
        }
    }
    times("create + start + wait + remove by the API", &ours);
    if peer.is_some() {
        times("runc run of the same files", &theirs);
        let ratio = ours.percentile_ms(50) / theirs.percentile_ms(50);
        line("ours / runc (at most 0.33)", &format!("{ratio:.2}"));
    }
}

/// One life, from nothing to nothing.
pub(crate) fn once(wire: &Wire) {
    let body =
        json!({ "Image": "busybox", "Cmd": ["true"], "HostConfig": { "NetworkMode": "none" } });
    let created = wire.post("/containers/create", &body).expect(201).json();
    let id = created["Id"].as_str().unwrap_or_default();
    wire.post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);
    wire.post(&format!("/containers/{id}/wait"), &Value::Null)
        .expect(200);
    wire.delete(&format!("/containers/{id}")).expect(204);
}

/// A bundle for runc: busybox unpacked, the default settings, no terminal, `true`.
fn prepare(bundle: &Path) {
    let root = bundle.join("rootfs");
    fs::create_dir_all(&root).expect("the directory is ours");
    let layer = bundle.join("layer.tar");
    fs::write(&layer, images::busybox_layer()).expect("the directory is ours");
    docker::run(
        Command::new("tar")
            .arg("-xf")
            .arg(&layer)
            .arg("-C")
            .arg(&root),
        &[],
    )
    .expect(0);
    docker::run(
        Command::new(need::program("runc"))
            .arg("spec")
            .current_dir(bundle),
        &[],
    )
    .expect(0);
    let file = bundle.join("config.json");
    let text = fs::read(&file).expect("runc wrote it");
    let mut config: Value = serde_json::from_slice(&text).expect("runc writes JSON");
    config["process"]["terminal"] = json!(false);
    config["process"]["args"] = json!(["true"]);
    // runc asks for a limit that this machine may not allow to be raised.
    config["process"]["rlimits"] = json!([]);
    fs::write(&file, config.to_string()).expect("the directory is ours");
}

fn run(runc: &Path, bundle: &Path, round: usize) {
    let status = Command::new(runc)
        .args([
            "run",
            &format!("gantry-bench-{}-{round}", std::process::id()),
        ])
        .current_dir(bundle)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "runc run failed"
    );
}
