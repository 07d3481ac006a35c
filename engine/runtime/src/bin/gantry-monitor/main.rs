//! The program that stays with one container: `gantry-monitor <bundle's data> <bundle's run>`.
//!
//! The engine starts it with the control socket as standard input; see `engine_runtime::monitor`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(data), Some(run), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return ExitCode::from(2);
    };
    engine_runtime::monitor::run(&engine_runtime::Bundle::new(data, run))
}
