//! The docker command against this engine and against dockerd, where Debian's is installed.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use docker_free_tests::wire::Wire;
use docker_free_tests::{Engine, docker, images, need, wait};
use rustix::process::{Pid, Signal, kill_process};

use crate::lifecycle;
use crate::sample::{Samples, line, times};

const ROUNDS: usize = 20;
const RUN: [&str; 6] = ["run", "--rm", "--network", "none", "busybox", "true"];

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    let Some(peer) = Dockerd::start(&engine.scratch().join("dockerd")) else {
        line("dockerd", "not installed: docker.io by apt");
        return;
    };
    let (ours_wire, their_wire) = (engine.wire(), Wire::unix(&peer.socket));
    let mut samples: [Samples; 4] = Default::default();
    for round in 0..ROUNDS + 2 {
        let mut cold: [Samples; 4] = Default::default();
        let [ours, theirs, our_api, their_api] = if round < 2 { &mut cold } else { &mut samples };
        ours.time(|| engine.docker(&RUN).expect(0));
        theirs.time(|| docker::run(peer.client(&engine).args(RUN), &[]).expect(0));
        our_api.time(|| lifecycle::once(&ours_wire));
        their_api.time(|| lifecycle::once(&their_wire));
    }
    let [ours, theirs, our_api, their_api] = &samples;
    times("docker run --rm, this engine", ours);
    times("docker run --rm, dockerd", theirs);
    let ratio =
        |a: &Samples, b: &Samples| format!("{:.1}", b.percentile_ms(50) / a.percentile_ms(50));
    line("dockerd / ours (at least 8)", &ratio(ours, theirs));
    times("the same by the API, this engine", our_api);
    times("the same by the API, dockerd", their_api);
    line("dockerd / ours (at least 20)", &ratio(our_api, their_api));
}

/// A dockerd of our own that changes nothing of the network.
pub(crate) struct Dockerd {
    process: Child,
    socket: PathBuf,
}

impl Dockerd {
    /// Starts it below `dir`, in a network of its own; `None` where it is not installed.
    pub(crate) fn start(dir: &Path) -> Option<Self> {
        let mut command = Command::new("unshare");
        command.args(["--net", "--"]).arg(need::find("dockerd")?);
        let peer = Self::started(command, dir);
        peer.load(&images::busybox());
        Some(peer)
    }

    /// The same where registries on loopback can be reached, without any image.
    pub(crate) fn start_in_this_network(dir: &Path) -> Option<Self> {
        let program = need::find("dockerd")?;
        Some(Self::started(Command::new(program), dir))
    }

    fn started(mut command: Command, dir: &Path) -> Self {
        fs::create_dir_all(dir).expect("the directory is ours");
        let socket = dir.join("d.sock");
        let log = fs::File::create(dir.join("log")).expect("the directory is ours");
        command.args(["--bridge", "none", "--iptables=false", "--ip6tables=false"]);
        command.arg("--ip-forward=false");
        command
            .arg("--host")
            .arg(format!("unix://{}", socket.display()));
        for (option, name) in [
            ("--data-root", "data"),
            ("--exec-root", "exec"),
            ("--pidfile", "pid"),
        ] {
            command.arg(option).arg(dir.join(name));
        }
        let process = command
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("unshare is part of the system");
        let wire = Wire::unix(&socket);
        wait::until_true("dockerd answers", || {
            wire.send("GET", "/_ping", &[], &[])
                .is_ok_and(|answer| answer.status == 200)
        });
        Self { process, socket }
    }

    pub(crate) fn wire(&self) -> Wire {
        Wire::unix(&self.socket)
    }

    pub(crate) fn load(&self, archive: &[u8]) {
        let tar = [("Content-Type", "application/x-tar")];
        let answer = self.wire().send("POST", "/images/load", &tar, archive);
        answer.expect("an answer").expect(200);
    }

    /// The docker command for it.
    pub(crate) fn client(&self, engine: &Engine) -> Command {
        let mut command = engine.docker_command();
        command.env("DOCKER_HOST", format!("unix://{}", self.socket.display()));
        command
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        // It ends its containerd too.
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}
