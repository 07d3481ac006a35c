//! An engine for one test: started, given an image, stopped, and searched for leftovers.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use engine_api::containers::{ContainerConfig, CreateBody, HostConfig};
use engine_api::execs::{ExecCreateBody, ExecStartBody};
use engine_api::frame::Stream;
use engine_client::stream::Output;
use engine_client::upgrade::AttachedOutput;
use engine_client::{EngineClient, LogOptions, RemoveOptions};
use engine_sys::namespace::{self, Namespaces};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything that is waited for may take, on a machine that is emulated too.
const PATIENCE: Duration = Duration::from_secs(60);

const BUSYBOX: &str = "/usr/bin/busybox";

pub(crate) struct Rig {
    pub(crate) client: EngineClient,
    pub(crate) dir: tempfile::TempDir,
    engine: Option<Child>,
    cgroup_parent: String,
    /// Where the next engine dies.
    fault: Option<String>,
    /// Further words of its command.
    words: Vec<String>,
}

/// Gives this thread, and what it begins from now on, a network of its own: bridges, ports and rules
/// of one test are never another's.
pub(crate) fn own_network() {
    thread_local! {
        static IS_OWN: Cell<bool> = const { Cell::new(false) };
    }
    if !IS_OWN.replace(true) {
        namespace::unshare(Namespaces::NETWORK).unwrap();
        namespace::raise_loopback().unwrap();
    }
}

impl Rig {
    /// Starts an engine that has no image but its own.
    pub(crate) async fn bare() -> Self {
        Self::bare_with(&[]).await
    }

    /// Starts an engine whose files lie on another disk, that has `busybox`.
    pub(crate) async fn within(disk: &Path) -> Self {
        Self::bare_within(disk, &[]).await.with_busybox().await
    }

    async fn bare_with(words: &[&str]) -> Self {
        Self::bare_within(Path::new("/tmp"), words).await
    }

    async fn bare_within(disk: &Path, words: &[&str]) -> Self {
        own_network();
        let dir = tempfile::Builder::new()
            .prefix("ga")
            .tempdir_in(disk)
            .unwrap();
        let name = dir
            .path()
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let client = EngineClient::unix(dir.path().join("s"));
        let cgroup_parent = format!("gantry-test-{}", name.replace('.', "_"));
        let mut rig = Self {
            client,
            dir,
            engine: None,
            cgroup_parent,
            fault: None,
            words: words.iter().map(ToString::to_string).collect(),
        };
        rig.start().await;
        rig
    }

    /// Starts an engine that has `busybox`.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// Starts an engine with further words in its command, that has `busybox`.
    pub(crate) async fn with(words: &[&str]) -> Self {
        Self::bare_with(words).await.with_busybox().await
    }

    async fn with_busybox(self) -> Self {
        let rig = self;
        let archive = futures_util::stream::once(async { Ok(busybox()) });
        let mut progress = rig
            .client
            .import_image("busybox", "latest", archive)
            .await
            .unwrap();
        while let Some(line) = progress.next().await.unwrap() {
            assert_eq!(line.error, None);
        }
        rig
    }

    /// Starts an engine that dies at a place.
    pub(crate) async fn start_to_die_at(&mut self, place: &str) {
        self.fault = Some(place.to_owned());
        self.start().await;
        self.fault = None;
    }

    /// Waits until the engine has died by itself.
    pub(crate) async fn died(&mut self) {
        let mut engine = self.engine.take().unwrap();
        until("the engine has died", async || {
            engine.try_wait().unwrap().is_some()
        })
        .await;
    }

    /// Starts the engine's process and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("log"))
            .unwrap();
        let mut command = self.command();
        if let Some(place) = &self.fault {
            command.env("GANTRY_ENGINE_FAULT", place);
        }
        let engine = command.stderr(log).spawn().unwrap();
        self.engine = Some(engine);
        let deadline = Instant::now() + PATIENCE;
        while self.client.ping().await.is_err() {
            assert!(
                Instant::now() < deadline,
                "the engine does not answer:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns the command that starts this engine.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantry-engine"));
        command
            .args([
                "serve",
                "--log",
                "debug",
                "--cgroup-parent",
                &self.cgroup_parent,
            ])
            .arg("--socket")
            .arg(self.path("s"))
            .arg("--data")
            .arg(self.path("d"))
            .arg("--run")
            .arg(self.path("r"))
            .args(&self.words)
            .stdout(Stdio::null());
        command
    }

    /// Returns the engine's process id.
    pub(crate) fn engine_pid(&self) -> u32 {
        self.engine.as_ref().unwrap().id()
    }

    /// Returns the command that checks this engine's data.
    pub(crate) fn check_command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gantry-engine"));
        command
            .args(["check", "--log", "warn"])
            .arg("--data")
            .arg(self.path("d"))
            .arg("--run")
            .arg(self.path("r"));
        command
    }

    /// Reads a limit of a container's control group, by its file in version 1 and 2.
    pub(crate) fn limit(&self, id: &str, legacy: &str, unified: &str) -> String {
        let root = Path::new("/sys/fs/cgroup");
        let group = format!("{}/{id}", self.cgroup_parent);
        let (controller, file) = legacy.split_once('/').unwrap();
        let legacy = root.join(controller).join(&group).join(file);
        let text = fs::read_to_string(legacy)
            .or_else(|_| fs::read_to_string(root.join(&group).join(unified)));
        text.unwrap().trim().to_owned()
    }

    /// Ends the engine's process by a signal and waits for it.
    pub(crate) fn signal_engine(&mut self, signal: Signal) {
        let mut engine = self.engine.take().unwrap();
        kill(Pid::from_raw(i32::try_from(engine.id()).unwrap()), signal).unwrap();
        engine.wait().unwrap();
    }

    /// Creates a container of busybox and returns its id.
    pub(crate) async fn create(&self, name: &str, script: &str) -> String {
        self.create_with(
            name,
            script,
            ContainerConfig::default(),
            HostConfig::default(),
        )
        .await
    }

    pub(crate) async fn create_with(
        &self,
        name: &str,
        script: &str,
        config: ContainerConfig,
        host_config: HostConfig,
    ) -> String {
        let config = ContainerConfig {
            image: "busybox".to_owned(),
            cmd: Some(vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]),
            ..config
        };
        let body = CreateBody {
            config,
            host_config,
            ..CreateBody::default()
        };
        self.client
            .create_container(Some(name), &body)
            .await
            .unwrap()
            .id
    }

    /// Creates a container of an image; a script is run by its shell.
    pub(crate) async fn create_image(
        &self,
        name: &str,
        image: &str,
        script: Option<&str>,
        config: ContainerConfig,
    ) -> String {
        let words = script.map(|script| vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()]);
        let config = ContainerConfig {
            image: image.to_owned(),
            cmd: words,
            ..config
        };
        let body = CreateBody {
            config,
            ..CreateBody::default()
        };
        let created = self.client.create_container(Some(name), &body).await;
        created.unwrap().id
    }

    /// Creates and starts a container of busybox.
    pub(crate) async fn run(&self, name: &str, script: &str) -> String {
        let id = self.create(name, script).await;
        self.client.start_container(&id).await.unwrap();
        id
    }

    /// Runs a script beside a container's program and returns what it wrote.
    pub(crate) async fn exec_text(&self, id: &str, script: &str) -> String {
        let body = ExecCreateBody {
            attach_stdout: true,
            attach_stderr: true,
            cmd: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
            ..ExecCreateBody::default()
        };
        let exec = self.client.create_exec(id, &body).await.unwrap();
        let start = ExecStartBody::default();
        let started = self.client.start_exec(&exec, &start).await.unwrap();
        let (out, err) = read_all(started.output).await;
        out + &err
    }

    /// Does to the containers of a stopped engine what a reboot does: no process is left, no
    /// monitor had time for a last word, and everything passing is gone.
    pub(crate) async fn reboot(&self) {
        let pids_of = |group: &Path| -> Vec<i32> {
            let pids = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            pids.lines().filter_map(|pid| pid.parse().ok()).collect()
        };
        // One that has ended already is as good.
        let end = |pid| {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        };
        let inside: Vec<i32> = self.cgroups().iter().flat_map(|g| pids_of(g)).collect();
        for pid in &inside {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t"));
            let parent = parent.and_then(|pid| pid.parse::<i32>().ok());
            let name = parent.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/comm")).ok());
            if name.is_some_and(|name| name.trim() == "gantry-monitor") {
                end(parent.unwrap());
            }
        }
        inside.into_iter().for_each(end);
        until("nothing of the containers is left", async || {
            let groups = self.cgroups();
            groups
                .iter()
                .rev()
                .all(|group| fs::remove_dir(group).is_ok())
        })
        .await;
        fs::remove_dir_all(self.path("r")).unwrap();
    }

    /// Reads a container's whole log, both streams.
    pub(crate) async fn logs(&self, id: &str, options: LogOptions) -> String {
        let options = LogOptions {
            stdout: true,
            stderr: true,
            ..options
        };
        let mut stream = self.client.container_logs(id, &options).await.unwrap();
        let mut text = Vec::new();
        while let Some(output) = stream.next().await.unwrap() {
            text.extend_from_slice(&output.bytes);
        }
        String::from_utf8(text).unwrap()
    }

    /// Removes every container, stops the engine, and looks for leftovers.
    pub(crate) async fn end(mut self) {
        let all = engine_client::ListOptions {
            all: true,
            ..Default::default()
        };
        for container in self.client.containers(&all).await.unwrap() {
            let force = RemoveOptions {
                force: true,
                volumes: true,
            };
            self.client
                .remove_container(&container.id, force)
                .await
                .unwrap();
        }
        self.signal_engine(Signal::SIGTERM);
        assert_eq!(
            names_in(&self.path("d/containers")),
            Vec::<String>::new(),
            "directories"
        );
        assert_eq!(
            names_in(&self.path("r/containers")),
            Vec::<String>::new(),
            "passing files"
        );
        assert_eq!(
            names_in(&self.path("r/told")),
            Vec::<String>::new(),
            "marks"
        );
        assert_eq!(
            self.cgroup_parents(),
            Vec::<PathBuf>::new(),
            "control groups"
        );
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
        let ours = self.dir.path().to_string_lossy().into_owned();
        assert!(!mounts.contains(&ours), "mounts");
        assert!(!self.path("s").exists(), "socket");
        // A monitor ends a moment after its container.
        until("no process of it is left", async || {
            !is_named_by_a_process(&ours)
        })
        .await;
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Returns the parents of this engine's control groups, in every hierarchy.
    fn cgroup_parents(&self) -> Vec<PathBuf> {
        let roots = fs::read_dir("/sys/fs/cgroup")
            .unwrap()
            .flatten()
            .map(|entry| entry.path());
        roots
            .chain([PathBuf::from("/sys/fs/cgroup")])
            .map(|root| root.join(&self.cgroup_parent))
            .filter(|path| path.is_dir())
            .collect()
    }

    /// Returns the control groups of this engine's containers.
    fn cgroups(&self) -> Vec<PathBuf> {
        let parents = self.cgroup_parents().into_iter();
        parents
            .flat_map(|parent| {
                names_in(&parent)
                    .into_iter()
                    .map(move |name| parent.join(name))
            })
            .filter(|path| path.is_dir())
            .collect()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            // A test that failed: show why, and leave nothing running.
            let _ = engine.kill();
            let _ = engine.wait();
            std::io::Write::write_all(&mut std::io::stderr(), self.log().as_bytes()).unwrap();
        }
        for group in self.cgroups() {
            let pids = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
            for pid in pids.lines().filter_map(|pid| pid.parse().ok()) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        // A group empties a moment after its last process is killed.
        let deadline = Instant::now() + Duration::from_secs(10);
        for group in self.cgroups().into_iter().chain(self.cgroup_parents()) {
            while fs::remove_dir(&group).is_err() && group.exists() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Waits until something is so.
pub(crate) async fn until<F: AsyncFnMut() -> bool>(what: &str, mut is_so: F) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "it never came to be that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Reads a stream to its end; both streams apart.
pub(crate) async fn read_all(mut output: AttachedOutput) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let Some(Output { stream, bytes }) = output.next().await.unwrap() {
        match stream {
            Stream::Stderr => err.extend_from_slice(&bytes),
            _ => out.extend_from_slice(&bytes),
        }
    }
    (
        String::from_utf8(out).unwrap(),
        String::from_utf8(err).unwrap(),
    )
}

/// Reads until what came so far holds a text.
pub(crate) async fn read_until(output: &mut AttachedOutput, text: &str) -> String {
    let mut all = String::new();
    while !all.contains(text) {
        let next = tokio::time::timeout(PATIENCE, output.next()).await;
        let piece = next.unwrap_or_else(|_| panic!("{text:?} never came, only {all:?}"));
        let Some(piece) = piece.unwrap() else {
            panic!("{text:?} never came, only {all:?}")
        };
        all.push_str(&String::from_utf8_lossy(&piece.bytes));
    }
    all
}

/// Makes the archive of a root file system out of Debian's static busybox.
fn busybox() -> Bytes {
    assert!(
        Path::new(BUSYBOX).exists(),
        "this test needs Debian's busybox-static"
    );
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    for dir in ["bin", "etc", "tmp", "root"] {
        fs::create_dir(path(dir)).unwrap();
    }
    fs::copy(BUSYBOX, path("bin/busybox")).unwrap();
    let applets = Command::new(BUSYBOX).arg("--list").output().unwrap();
    for applet in String::from_utf8(applets.stdout).unwrap().lines() {
        if applet != "busybox" {
            symlink("busybox", path("bin").join(applet)).unwrap();
        }
    }
    let users = "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/:/bin/sh\n";
    fs::write(path("etc/passwd"), users).unwrap();
    fs::write(path("etc/group"), "root:x:0:\nweb:x:1000:\n").unwrap();
    let tar = Command::new("tar")
        .arg("-C")
        .arg(root.path())
        .args(["-c", "."])
        .output()
        .unwrap();
    assert!(tar.status.success());
    tar.stdout.into()
}

/// Says whether a word of some process's command has the text in it.
fn is_named_by_a_process(text: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut commands =
        processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok());
    commands.any(|command| String::from_utf8_lossy(&command).contains(text))
}

fn names_in(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.path().is_dir() || !entry.path().starts_with("/sys"))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
