//! A server of a test's own in front of an engine of a test's own.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::docker;
use crate::engine::Engine;
use crate::need;
use crate::people::Person;
use crate::registry::free_port;
use crate::wait;
use crate::wire::Wire;

/// A running server.
pub struct Server {
    dir: TempDir,
    /// `127.0.0.1:PORT`.
    pub address: String,
    engine_socket: PathBuf,
    process: Option<Child>,
}

impl Server {
    /// Starts a fresh server in front of `engine`.
    pub fn start(engine: &Engine) -> Server {
        Server::before(engine.socket())
    }

    /// Starts a fresh server in front of whatever answers on a socket, or nothing.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn before(engine_socket: PathBuf) -> Server {
        let dir = tempfile::Builder::new()
            .prefix("server-")
            .tempdir()
            .expect("a temporary directory");
        // The server gives up root before it opens its data.
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755))
            .expect("the directory is ours");
        let address = format!("127.0.0.1:{}", free_port());
        let mut server = Server {
            dir,
            address,
            engine_socket,
            process: None,
        };
        server.again();
        server
    }

    /// Starts the server again on the same data and address.
    ///
    /// # Panics
    /// When it does not answer.
    pub fn again(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("the log opens");
        let child = self
            .command("serve")
            .args(["--no-engine", "--listen", &self.address, "--engine-socket"])
            .arg(&self.engine_socket)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("the server was built");
        self.process = Some(child);
        wait::until_true("the server answers", || {
            let ended = self
                .process
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            assert!(ended.is_none(), "the server ended: {}", self.log_text());
            self.wire().send("GET", "/login", &[], &[]).is_ok()
        });
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(need::binary("gantry"));
        command.args(verb.split(' ')).arg("--data").arg(self.data());
        command
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("server.log")
    }

    /// What the server has said.
    pub fn log_text(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    pub fn wire(&self) -> Wire {
        Wire::Tcp(self.address.clone())
    }

    /// The path of the one-time set-up link that the server printed.
    pub fn set_up_path(&self) -> String {
        wait::until("the server prints its set-up link", || {
            let log = self.log_text();
            let at = log.rfind("/setup/")?;
            let link: String = log[at..]
                .chars()
                .take_while(|c| !c.is_whitespace())
                .collect();
            Some(link)
        })
    }

    /// Goes the way of the first person: opens the link and becomes the owner.
    pub fn first_owner(&self) -> Person {
        let path = self.set_up_path();
        let mut owner = Person::stranger(self);
        let fields = [
            ("name", "olga"),
            ("password", PASSWORD),
            ("password_again", PASSWORD),
        ];
        let answer = owner.post(&path, &fields);
        assert!(
            matches!(answer.status, 302 | 303),
            "{} {}",
            answer.status,
            answer.text()
        );
        owner
    }

    /// Runs `gantry admin …` on this server's data.
    pub fn admin(&self, verb: &str, arguments: &[&str], input: &str) -> docker::Outcome {
        docker::run(
            self.command(&format!("admin {verb}")).args(arguments),
            input.as_bytes(),
        )
    }

    /// # Panics
    /// When it does not run.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the server runs").id()
    }

    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    pub fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.process.take() else {
            return;
        };
        // It may have ended by itself.
        let _ = kill_process(Pid::from_child(&child), signal);
        wait::until("the server ends", || child.try_wait().ok().flatten());
    }
}

/// The password of everyone in these tests.
pub const PASSWORD: &str = "correct horse battery staple";

impl Drop for Server {
    fn drop(&mut self) {
        self.end(Signal::KILL);
    }
}
