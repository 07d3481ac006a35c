//! The first process of a container made with `--init`: `docker-init -- <program> <arguments>…`.
//!
//! It is mounted into the container read-only; see `engine_runtime::reaper`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut words: Vec<_> = std::env::args_os().skip(1).collect();
    if words.first().is_some_and(|word| word == "--") {
        words.remove(0);
    }
    engine_runtime::reaper::run(&words)
}
