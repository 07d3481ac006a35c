//! An engine of a test's own: its data, socket and control groups, from the built binary, to be
//! killed and started again; and the docker command that speaks to it.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::count::{self, Count};
use crate::docker::{self, Outcome, Running};
use crate::wait;
use crate::wire::Wire;
use crate::{images, need};

static ENGINES: AtomicU32 = AtomicU32::new(0);

/// Options that keep engines of one machine apart in its network.
fn network(number: u32) -> [String; 4] {
    let pid = std::process::id();
    let subnet = (pid.wrapping_mul(31) + number) % 256;
    [
        "--bridge".to_owned(),
        format!("gt{pid}-{number}"),
        "--default-address-pool".to_owned(),
        format!("base=10.{subnet}.0.0/16,size=20"),
    ]
}

/// A running engine and everything that is its own.
pub struct Engine {
    dir: TempDir,
    data: PathBuf,
    cgroup_parent: String,
    /// A bridge and addresses that no other engine of this machine has.
    network: [String; 4],
    options: Vec<String>,
    process: Option<Child>,
}

impl Engine {
    /// Starts a fresh engine.
    pub fn start() -> Engine {
        Engine::with(&[])
    }

    /// Starts a fresh engine with more options.
    pub fn with(options: &[&str]) -> Engine {
        let mut engine = Engine::prepared(options);
        engine.again();
        engine
    }

    /// Starts a fresh engine that holds the busybox image.
    pub fn with_busybox() -> Engine {
        let engine = Engine::start();
        engine.load(&images::busybox());
        engine
    }

    /// Starts an engine whose data lies in `data`.
    pub fn with_data_in(data: &Path) -> Engine {
        let mut engine = Engine::prepared(&[]);
        engine.data = data.to_owned();
        engine.again();
        engine
    }

    /// Everything that an engine needs, before it is started.
    ///
    /// # Panics
    /// When there is no room for a temporary directory.
    pub fn prepared(options: &[&str]) -> Engine {
        let dir = tempfile::Builder::new()
            .prefix("gantry-")
            .tempdir()
            .expect("a temporary directory");
        let number = ENGINES.fetch_add(1, Ordering::Relaxed);
        Engine {
            data: dir.path().join("data"),
            cgroup_parent: format!("gantry-test-{}-{number}", std::process::id()),
            network: network(number),
            dir,
            options: options.iter().map(|option| (*option).to_owned()).collect(),
            process: None,
        }
    }

    /// Starts the engine again on the same data and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub fn again(&mut self) {
        assert!(self.process.is_none(), "the engine runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("the log opens");
        let child = self
            .command()
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("the engine was built");
        self.process = Some(child);
        wait::until_true("the engine answers its ping", || {
            let ended = self
                .process
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "the engine ended: {}", self.log_text());
            self.wire()
                .send("GET", "/_ping", &[], &[])
                .is_ok_and(|answer| answer.status == 200)
        });
    }

    /// Takes what the engine made out of the machine's network.
    fn leave_network(&self) {
        let mut command = Command::new(need::binary("gantry-engine"));
        command.arg("leave-network");
        command.arg("--data").arg(&self.data);
        command.arg("--run").arg(self.run_dir());
        command.arg("--socket").arg(self.socket());
        command.args(&self.network);
        // Without its data, which a test may have taken away, it made nothing that lasts.
        let _ = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }

    /// The command line of this engine.
    pub fn command(&self) -> Command {
        let mut command = Command::new(need::binary("gantry-engine"));
        command.arg("serve");
        command.arg("--socket").arg(self.socket());
        command.arg("--data").arg(&self.data);
        command.arg("--run").arg(self.run_dir());
        command.arg("--cgroup-parent").arg(&self.cgroup_parent);
        command.args(&self.network);
        command.args(&self.options);
        // Of its own group, so that a test's interrupt is not the engine's.
        command.process_group(0);
        command
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("engine.sock")
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn run_dir(&self) -> PathBuf {
        self.dir.path().join("run")
    }

    /// A directory of this engine's for whatever a test needs.
    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }

    pub fn cgroup_parent(&self) -> &str {
        &self.cgroup_parent
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("engine.log")
    }

    /// What the engine has said.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// # Panics
    /// When it does not run.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the engine runs").id()
    }

    /// Kills the engine as a crash would.
    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    /// Asks the engine to stop and waits for it.
    pub fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.process.take() else {
            return;
        };
        let pid = Pid::from_child(&child);
        // It may have ended by itself.
        let _ = kill_process(pid, signal);
        wait::until("the engine ends", || child.try_wait().ok().flatten());
    }

    /// Ends the engine, its monitors and its containers at once and forgets what lay in memory, as
    /// a power cut does.
    ///
    /// # Panics
    /// When one of them does not go.
    pub fn lose_power(&mut self) {
        self.end(Signal::KILL);
        let dir = self.dir.path().display().to_string();
        wait::until_true("everything is dead", || {
            let alive = count::processes(&self.cgroup_parent, &dir);
            for pid in alive.iter().filter_map(|pid| i32::try_from(*pid).ok()) {
                // It may have followed another one already.
                let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
            }
            alive.is_empty()
        });
        count::remove_cgroups(&self.cgroup_parent);
        let gone = fs::remove_dir_all(self.run_dir());
        gone.expect("the directory is ours");
    }

    /// The engine's socket, spoken to without any client.
    pub fn wire(&self) -> Wire {
        Wire::unix(&self.socket())
    }

    /// The docker command, ready for its arguments.
    pub fn docker_command(&self) -> Command {
        let mut command = Command::new(need::program("docker"));
        command.env("DOCKER_HOST", format!("unix://{}", self.socket().display()));
        command.env("DOCKER_CONFIG", self.dir.path().join("docker-config"));
        command.env_remove("DOCKER_CONTEXT");
        command
    }

    /// Runs a docker command to its end.
    pub fn docker(&self, arguments: &[&str]) -> Outcome {
        docker::run(self.docker_command().args(arguments), &[])
    }

    /// Runs a docker command that must succeed; gives what it printed, without the last newline.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> String {
        self.docker(arguments).expect(0).out.trim_end().to_owned()
    }

    /// Starts a docker command that goes on.
    pub fn docker_running(&self, arguments: &[&str]) -> Running {
        Running::start(self.docker_command().args(arguments))
    }

    /// Starts a docker command on a terminal of its own.
    pub fn docker_on_a_terminal(&self, arguments: &[&str]) -> Running {
        let docker = self.docker_command();
        let words: Vec<String> =
            std::iter::once(docker.get_program().to_string_lossy().into_owned())
                .chain(
                    arguments
                        .iter()
                        .map(|argument| format!("'{}'", argument.replace('\'', "'\\''"))),
                )
                .collect();
        let mut command = Command::new(need::program("script"));
        command.args(["-qefc", &words.join(" "), "/dev/null"]);
        for (name, value) in docker.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("TERM", "xterm").env("SHELL", "/bin/sh");
        Running::start(&mut command)
    }

    /// Loads an archive by the API.
    ///
    /// # Panics
    /// When the engine refuses it.
    pub fn load(&self, archive: &[u8]) {
        let tar = [("Content-Type", "application/x-tar")];
        let answer = self
            .wire()
            .send("POST", "/images/load", &tar, archive)
            .expect("an answer");
        let text = answer.expect(200).text();
        assert!(!text.contains("errorDetail"), "{text}");
    }

    /// Creates a container by the API and gives its id.
    ///
    /// # Panics
    /// When the engine refuses it.
    pub fn create(&self, name: &str, body: &Value) -> String {
        let answer = self
            .wire()
            .post(&format!("/containers/create?name={name}"), body)
            .expect(201);
        answer.json()["Id"]
            .as_str()
            .expect("create answers an id")
            .to_owned()
    }

    /// Creates and starts a busybox container that runs `script`.
    pub fn run_script(&self, name: &str, script: &str) -> String {
        let id = self.create(
            name,
            &json!({ "Image": "busybox", "Cmd": ["sh", "-c", script] }),
        );
        self.wire()
            .post(&format!("/containers/{id}/start"), &Value::Null)
            .expect(204);
        id
    }

    /// What inspect says.
    pub fn inspect(&self, container: &str) -> Value {
        self.wire()
            .get(&format!("/containers/{container}/json"))
            .expect(200)
            .json()
    }

    /// The id of an image.
    ///
    /// # Panics
    /// When it is not here.
    pub fn inspect_image(&self, name: &str) -> String {
        let answer = self.wire().get(&format!("/images/{name}/json")).expect(200);
        let id = answer.json()["Id"].as_str().map(str::to_owned);
        id.expect("an image has an id")
    }

    /// Waits until the container is in the state.
    pub fn until_state(&self, container: &str, state: &str) -> Value {
        wait::until(&format!("{container} is {state}"), || {
            let inspect = self.inspect(container);
            (inspect["State"]["Status"] == state).then_some(inspect)
        })
    }

    /// All output of a container so far, both streams as one text.
    pub fn logs(&self, container: &str) -> String {
        let path = format!("/containers/{container}/logs?stdout=1&stderr=1");
        let body = self.wire().get(&path).expect(200).body;
        let (out, err) = crate::wire::frames(&body);
        out + &err
    }

    /// What this engine holds in the kernel and on the disk.
    pub fn count(&self) -> Count {
        Count::of(self)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end(Signal::KILL);
        let dir = self.dir.path().display().to_string();
        for pid in count::processes(&self.cgroup_parent, &dir) {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                // It may have followed another one already.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        count::remove_cgroups(&self.cgroup_parent);
        self.leave_network();
        if std::thread::panicking() {
            say(&self.log_text());
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "a failed test shows what the engine said"
)]
fn say(log: &str) {
    let tail: Vec<&str> = log.lines().rev().take(30).collect();
    for line in tail.iter().rev() {
        eprintln!("engine: {line}");
    }
}
