//! A build of which nothing changed, by the docker command: this engine beside dockerd.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use docker_free_tests::{Engine, docker};

use crate::docker::Dockerd;
use crate::sample::{Samples, line, times};

const ROUNDS: usize = 20;
/// Steps behind the first, by turns a copy, a variable and a command.
const STEPS: usize = 19;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    let context = engine.scratch().join("context");
    write_context(&context);
    let peer = Dockerd::start(&engine.scratch().join("dockerd"));
    if peer.is_none() {
        line("dockerd", "not installed: docker.io by apt");
    }
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for round in 0..=ROUNDS {
        let mut cold: [Samples; 2] = Default::default();
        let [first, second] = &mut cold;
        let (ours, theirs) = match round {
            0 => (first, second),
            _ => (&mut ours, &mut theirs),
        };
        ours.time(|| build(engine.docker_command(), &context));
        if let Some(peer) = &peer {
            theirs.time(|| build(peer.client(&engine), &context));
        }
    }
    times(
        "nothing changed, 20 steps, this engine (at most 300 ms)",
        &ours,
    );
    if peer.is_some() {
        times("nothing changed, 20 steps, dockerd", &theirs);
    }
}

fn build(mut command: Command, context: &Path) {
    command.env("DOCKER_BUILDKIT", "0");
    command
        .args(["build", "--network", "none", "--tag", "bench"])
        .arg(context);
    docker::run(&mut command, &[]).expect(0);
}

fn write_context(dir: &Path) {
    fs::create_dir_all(dir).expect("the directory is ours");
    let mut dockerfile = "FROM busybox\n".to_owned();
    for step in 0..STEPS {
        let name = format!("file{step}");
        fs::write(dir.join(&name), vec![b'x'; 10_000]).expect("the directory is ours");
        let written = match step % 3 {
            0 => writeln!(dockerfile, "COPY {name} /files/{name}"),
            1 => writeln!(dockerfile, "ENV V{step}={step}"),
            _ => writeln!(dockerfile, "RUN echo {step} > /made{step}"),
        };
        written.expect("a text takes everything");
    }
    fs::write(dir.join("Dockerfile"), dockerfile).expect("the directory is ours");
}
