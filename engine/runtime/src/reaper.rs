//! The tiny init: starts one program, hands every signal on to it, and takes the ends of processes
//! that nobody else waits for.
//!
//! A program that is the first process of its container has two duties it does not know of:
//! nothing is done by a signal it did not ask for, and the orphans of all others are its children.
//! This stands in for it. It ends with the program's code, and the kernel ends the rest.

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::process::{Command, ExitCode};

use engine_sys::process::{self, End};
use engine_sys::signal::{self, Signals};

const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;
const FAILED: u8 = 128;
/// The number of a namespace's first process, to whom orphans come by themselves.
const FIRST: i32 = 1;

/// Runs a program as the first process of a container.
pub fn run(words: &[OsString]) -> ExitCode {
    match stand_in(words) {
        Ok(code) => ExitCode::from(code),
        Err((code, message)) => {
            // Nobody is left to tell when the error stream is gone.
            let _ = writeln!(std::io::stderr(), "docker-init: {message}");
            ExitCode::from(code)
        }
    }
}

fn stand_in(words: &[OsString]) -> Result<u8, (u8, String)> {
    let failed = |error: engine_sys::SysError| (FAILED, crate::chain(&error));
    let Some((program, arguments)) = words.split_first() else {
        return Err((FAILED, "no program is given".to_owned()));
    };
    if process::own_pid() != FIRST {
        // It lives among the processes of others, and is the parent of its own orphans all the same.
        process::adopt_orphans().map_err(failed)?;
    }
    let mut signals = Signals::take_over().map_err(failed)?;
    let mut command = Command::new(program);
    signal::let_through(command.args(arguments));
    let child = command.spawn().map_err(|error| {
        let code = match error.kind() {
            ErrorKind::NotFound => NOT_FOUND,
            _ => NOT_EXECUTABLE,
        };
        (code, format!("exec {}: {error}", program.to_string_lossy()))
    })?;
    let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
    let pidfd = process::open(pid).map_err(failed)?;
    loop {
        let arrived = signals.next().map_err(failed)?;
        if arrived.is_child {
            while let Some((ended, end)) = process::reap().map_err(failed)? {
                if ended == pid {
                    return Ok(code(end));
                }
            }
        } else if !arrived.is_of_terminal {
            // It may have ended in this moment; its end is on its way then.
            let _ = process::signal(&pidfd, arrived.number);
        }
    }
}

fn code(end: End) -> u8 {
    let code = match end {
        End::Exited(code) => code,
        End::Killed(signal) => 128 + signal,
    };
    u8::try_from(code & 0xff).unwrap_or(FAILED)
}
