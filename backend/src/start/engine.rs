//! Starts `gantry-engine` beside the server when none answers on its socket.
//!
//! The engine is not the server's child in any way that matters: it has its own process group, its
//! log goes to a file beside its socket, and it stays when the server ends, as the containers do.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::error::StartError;

const PATIENCE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(20);

/// Returns whether something accepts connections on the socket.
pub fn answers(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// Starts the engine that lies beside this program and waits until it answers.
///
/// # Errors
/// When it is not there, ends at once, or does not answer in time; its own last words are repeated.
pub fn start(socket: &Path) -> Result<(), StartError> {
    let program = beside_this_program()?;
    let log_path = socket.with_file_name("engine.log");
    let log = open_log(&log_path)?;
    let log_again = log
        .try_clone()
        .map_err(|e| StartError::file("open", &log_path, e))?;
    let mut engine = Command::new(&program)
        .args(["serve", "--socket"])
        .arg(socket)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_again)
        .process_group(0)
        .spawn()
        .map_err(|error| StartError::Engine(format!("{}: {error}", program.display())))?;
    wait(&mut engine, socket, &log_path)
}

fn beside_this_program() -> Result<PathBuf, StartError> {
    let own = std::env::current_exe()
        .map_err(|error| StartError::Engine(format!("this program's path is unknown: {error}")))?;
    let program = own.with_file_name("gantry-engine");
    if program.is_file() {
        return Ok(program);
    }
    Err(StartError::Engine(format!(
        "{} is missing; put both programs in one directory, or start an engine yourself and give \
         --no-engine",
        program.display()
    )))
}

fn open_log(path: &Path) -> Result<File, StartError> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)
            .map_err(|error| StartError::file("make the directory", directory, error))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| StartError::file("open the engine's log", path, error))
}

fn wait(engine: &mut Child, socket: &Path, log: &Path) -> Result<(), StartError> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if answers(socket) {
            return Ok(());
        }
        if let Ok(Some(status)) = engine.try_wait() {
            return Err(StartError::Engine(format!(
                "it ended with {status}: {}",
                last_line(log)
            )));
        }
        sleep(STEP);
    }
    Err(StartError::Engine(format!(
        "it did not answer on {} within {} s; see {}",
        socket.display(),
        PATIENCE.as_secs(),
        log.display()
    )))
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().last().unwrap_or("it said nothing").to_owned()
}
