//! The docker command against an engine of ours: a client that nobody here wrote.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::wait::{self, PATIENCE};

/// How a finished command went.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A command that goes on: its lines as they come, its standard input.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    output: Receiver<Vec<u8>>,
    seen: String,
    name: String,
}

impl Outcome {
    /// # Panics
    /// When the code is another one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Outcome {
        assert_eq!(
            self.code, code,
            "stdout: {}\nstderr: {}",
            self.out, self.err
        );
        self
    }
}

/// Runs a command to its end, with `input` on its standard input.
///
/// # Panics
/// When it cannot be started, or does not end.
pub fn run(command: &mut Command, input: &[u8]) -> Outcome {
    let name = format!("{command:?}");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let out = collect(child.stdout.take());
    let err = collect(child.stderr.take());
    let mut stdin = child.stdin.take().expect("stdin was piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A program that ends without reading its input is no failure of ours.
        let _ = stdin.write_all(&input);
    });
    let status = wait_or_kill(&mut child, &name);
    writer.join().expect("the writer does not panic");
    Outcome {
        code: status.code().unwrap_or(-1),
        out: out.join().expect("the reader does not panic"),
        err: err.join().expect("the reader does not panic"),
    }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    let mut pipe = pipe.expect("the pipe was asked for");
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before a broken pipe still counts.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn wait_or_kill(child: &mut Child, name: &str) -> std::process::ExitStatus {
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("the child is ours") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{name} did not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Running {
    /// Starts a command whose stdout and stderr are read as one.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(command: &mut Command) -> Running {
        let name = format!("{command:?}");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let (sender, output) = channel();
        let out = child.stdout.take().expect("stdout was piped");
        let err = child.stderr.take().expect("stderr was piped");
        let pipes: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(err)];
        for pipe in pipes {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut pipe = BufReader::new(pipe);
                while let Ok(bytes) = pipe.fill_buf() {
                    let length = bytes.len();
                    if length == 0 || sender.send(bytes.to_vec()).is_err() {
                        break;
                    }
                    pipe.consume(length);
                }
            });
        }
        Running {
            stdin: child.stdin.take(),
            child,
            output,
            seen: String::new(),
            name,
        }
    }

    /// Waits until the output holds `text`; gives all that was seen.
    ///
    /// # Panics
    /// When the command ends or patience does first.
    #[track_caller]
    pub fn until(&mut self, text: &str) -> &str {
        let deadline = Instant::now() + PATIENCE;
        while !self.seen.contains(text) {
            match self
                .output
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("{}: no {text:?} in {:?}", self.name, self.seen)
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("{}: ended without {text:?}: {:?}", self.name, self.seen)
                }
            }
        }
        &self.seen
    }

    /// Forgets what was seen, so that the next wait is for something new.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    /// # Panics
    /// When nobody reads any more.
    pub fn type_in(&mut self, text: &str) {
        let stdin = self.stdin.as_mut().expect("the input was closed already");
        stdin
            .write_all(text.as_bytes())
            .expect("the command reads its input");
        stdin.flush().expect("the command reads its input");
    }

    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end; gives its code and all output that was not forgotten.
    ///
    /// # Panics
    /// When it does not end.
    pub fn finish(mut self) -> (i32, String) {
        let name = self.name.clone();
        let status = wait_or_kill(&mut self.child, &name);
        // The readers end with the pipes; a grandchild that keeps one open is not waited for.
        while let Ok(bytes) = self.output.recv_timeout(Duration::from_secs(2)) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        (status.code().unwrap_or(-1), std::mem::take(&mut self.seen))
    }

    /// Ends it at once.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        wait::until("a killed command ends", || {
            self.child.try_wait().ok().flatten()
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
