//! The program that stays with one container: `gantry-monitor <bundle's data> <bundle's run>`.
//!
//! The engine starts it with the control socket as standard input; see `engine_runtime::monitor`.

use std::process::ExitCode;

use engine_runtime::users;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == users::HOLD)
    {
        return users::hold();
    }
    let (Some(data), Some(run), None) = (arguments.next(), arguments.next(), arguments.next())
    else {
        return ExitCode::from(2);
    };
    engine_runtime::monitor::run(&engine_runtime::Bundle::new(data, run))
}
