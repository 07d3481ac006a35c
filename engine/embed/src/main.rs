//! `embed PACKAGE PROGRAM`: builds one embedded program and prints where it lies, for scripts.

use std::path::Path;
use std::process::ExitCode;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command for scripts"
)]
fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(package), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: embed PACKAGE PROGRAM");
        return ExitCode::FAILURE;
    };
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match engine_embed::build(&workspace, &package, &program) {
        Ok(path) => {
            println!("{}", path.display());
            ExitCode::SUCCESS
        }
        Err(said) => {
            eprintln!("{said}");
            ExitCode::FAILURE
        }
    }
}
