//! The command `gantry`: which verb, with which options; everything else is the library.

use std::io::Write as _;
use std::process::ExitCode;

use backend::start::config::{CommandLine, Verb};
use backend::start::{admin, serve};
use clap::Parser as _;

fn main() -> ExitCode {
    let done = match CommandLine::parse().verb {
        Verb::Serve(options) => serve::serve(options),
        Verb::Admin { verb } => admin::run(&verb),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "gantry: {error}");
            error.code()
        }
    }
}
