//! The command `gantry-engine`: which role, with which settings; everything else is the library.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use engine_agent::config::Settings;
use engine_agent::engine::{self, VERSION};
use engine_agent::preflight::StartError;

/// Heaps of the C library: one for each worker.
const HEAPS: i32 = 2;

/// The exit code of a check that leaves damage.
const DAMAGED: u8 = 8;

/// Gantry's engine: runs containers and answers the Docker Engine API on a local socket.
///
/// Exit codes: 0 ended when asked to, 1 a step failed, 2 wrong settings, 3 not root, 4 the kernel
/// lacks something, 5 another engine runs on the data, 6 another engine answers on the socket,
/// 7 the data is from a newer engine, 8 `check` found damage that it could not repair.
#[derive(Debug, Parser)]
#[command(name = "gantry-engine", version = VERSION, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Serve the API until interrupted; containers go on running after that.
    Serve(Box<Settings>),
    /// Check the data of an engine that does not run, and repair what can be repaired.
    Check(Box<Settings>),
    /// Take out of the host's network what an engine that does not run has made there: bridges, and
    /// the firewall's table.
    LeaveNetwork(Box<Settings>),
    /// Say which version this is.
    Version,
}

fn main() -> ExitCode {
    let result = match Command::parse().role {
        Role::Serve(settings) => serve(*settings),
        Role::Check(settings) => check(*settings),
        Role::LeaveNetwork(settings) => leave_network(*settings),
        Role::Version => {
            use std::io::Write;
            // A closed standard output is nobody's loss.
            let _ = writeln!(std::io::stdout(), "gantry-engine {VERSION}");
            Ok(ExitCode::SUCCESS)
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            use std::io::Write;
            let text = error.in_one_line();
            let _ = writeln!(std::io::stderr(), "gantry-engine: {text}");
            error.exit_code()
        }
    }
}

fn serve(settings: Settings) -> Result<ExitCode, StartError> {
    let config = settings.resolve()?;
    engine_sys::memory::limit_heaps(HEAPS);
    threads()?.block_on(engine::serve(config))?;
    Ok(ExitCode::SUCCESS)
}

fn check(settings: Settings) -> Result<ExitCode, StartError> {
    use std::io::Write;
    let config = settings.resolve()?;
    let report = threads()?.block_on(engine_agent::check::run(&config))?;
    // A closed standard output is nobody's loss.
    let _ = writeln!(std::io::stdout(), "{report}");
    Ok(match report.damaged.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(DAMAGED),
    })
}

fn leave_network(settings: Settings) -> Result<ExitCode, StartError> {
    use std::io::Write;
    let n_links = engine_agent::leave::run(&settings.resolve()?)?;
    // A closed standard output is nobody's loss.
    let _ = writeln!(
        std::io::stdout(),
        "removed {n_links} links and the firewall's table"
    );
    Ok(ExitCode::SUCCESS)
}

fn threads() -> Result<tokio::runtime::Runtime, StartError> {
    // Two workers carry an API of short requests; few small stacks keep an idle engine small.
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(64)
        .thread_keep_alive(Duration::from_secs(2))
        .thread_stack_size(1 << 20)
        // Threads that may block end when a busy moment is over; its memory goes with them.
        .on_thread_stop(engine_sys::memory::trim_heaps)
        .enable_all()
        .build()
        .map_err(StartError::Threads)
}
