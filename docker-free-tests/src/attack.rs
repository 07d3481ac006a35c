//! What attack tests have in common: a program of attempts, a canary, how often a race is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::engine::Engine;
use crate::images::{Image, Layer, busybox_layer};
use crate::{docker, need};

/// How often a race is tried: `GANTRY_RACE_TRIES`, or as often as a normal run has time for.
pub fn tries(normal: usize) -> usize {
    let asked = std::env::var_os("GANTRY_RACE_TRIES");
    asked
        .and_then(|text| text.to_str()?.parse().ok())
        .unwrap_or(normal)
}

/// Loads `probe`: busybox, and the program of attempts in `/bin/probe`.
///
/// # Panics
/// When the compiler or the engine refuses it.
pub fn load_probe(engine: &Engine) {
    let program = engine.scratch().join("probe");
    let mut cc = Command::new(need::program("cc"));
    cc.args(["-static", "-O1", "-Wall", "-Werror", "-o"])
        .arg(&program);
    cc.arg(need::file("probes/probe.c"));
    docker::run(&mut cc, &[]).expect(0);
    let bytes = fs::read(&program).expect("it was just made");
    let layer = Layer::new().file("bin/probe", 0o755, &bytes).tar();
    engine.load(&Image::new("probe", vec![busybox_layer(), layer]).archive());
}

/// A directory of the host that nobody may change, and the way to it that a container would try.
#[derive(Debug)]
pub struct Canary {
    dir: PathBuf,
    before: String,
}

impl Canary {
    /// # Panics
    /// When the directory cannot be made.
    pub fn below(dir: &Path) -> Canary {
        let dir = dir.join("canary");
        fs::create_dir(&dir).expect("the directory is ours");
        fs::write(dir.join("bird"), "alive").expect("the directory is ours");
        let before = state(&dir);
        Canary { dir, before }
    }

    /// The path of the canary, as a link that climbs out of any root has it.
    pub fn climb(&self) -> String {
        format!(
            "{}{}",
            "../".repeat(24),
            self.dir.display().to_string().trim_start_matches('/')
        )
    }

    /// # Panics
    /// When anything of it has changed.
    #[track_caller]
    pub fn lives(&self) {
        assert_eq!(state(&self.dir), self.before, "the canary was touched");
    }
}

/// Everything that is seen of a directory, and the mounts of the host.
fn state(dir: &Path) -> String {
    let mut seen: Vec<String> = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let content = fs::read_to_string(entry.path()).unwrap_or_default();
        seen.push(format!("{}: {content}", entry.path().display()));
    }
    seen.sort();
    let name = dir.display().to_string();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    seen.extend(
        mounts
            .lines()
            .filter(|line| line.contains(&name))
            .map(str::to_owned),
    );
    seen.join("\n")
}

/// Starts a container of the probe that exchanges two names of a shared directory for ever.
///
/// # Panics
/// When it does not start to.
pub fn swap(engine: &Engine, name: &str, shared: &Path, first: &str, second: &str) {
    let at = |name: &str| format!("/shared/{name}");
    let body = json!({
        "Image": "probe",
        "Cmd": ["probe", "swap", at(first), at(second)],
        "HostConfig": { "Binds": [format!("{}:/shared", shared.display())] },
    });
    engine.create(name, &body);
    let start = format!("/containers/{name}/start");
    engine.wire().post(&start, &Value::Null).expect(204);
    crate::wait::until_true("names are swapped", || {
        engine.logs(name).contains("swapping")
    });
}
