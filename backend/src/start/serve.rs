//! `gantry serve`, from the top: what needs root first, then without it for good.

use std::fs::{File, TryLockError};
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tracing_subscriber::EnvFilter;

use super::config::{Config, ServeOptions, Transport};
use super::error::StartError;
use super::listen::Limits;
use super::privileges::{self, Account};
use super::tls::Pem;
use super::{engine, listen};
use crate::app::App;
use crate::errors;
use crate::store::StoreError;
use crate::tasks::Tasks;

/// How long tasks may take to end after the last connection is gone.
const FAREWELL_TIME: Duration = Duration::from_secs(5);
/// Two carry a server of short requests; what blocks runs elsewhere.
const N_WORKERS: usize = 2;

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// When a step of the start fails; nothing has been served then.
pub fn serve(options: ServeOptions) -> Result<(), StartError> {
    let config = options.complete()?;
    begin_log(&config.log)?;
    let listener = listen::take_port(config.listen)?;
    let given = match &config.transport {
        Transport::GivenCertificate { cert, key } => Some(Pem::read(cert, key)?),
        Transport::Plain | Transport::OwnCertificate => None,
    };
    begin_engine(&config)?;
    step_down(&config)?;
    let _lock = lock(&config.data)?;
    let pem = match config.transport {
        Transport::OwnCertificate => Some(Pem::own(&config.data, config.listen)?),
        Transport::Plain | Transport::GivenCertificate { .. } => given,
    };
    let tls = pem.map(|pem| pem.acceptor()).transpose()?;
    // Only now: the engine and its containers inherit what they found.
    let limits = Limits::of(listen::take_descriptors()?);
    runtime()?.block_on(run(&config, listener, tls, limits))
}

/// Makes the threads that serve.
///
/// # Errors
/// When the kernel gives none.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, StartError> {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(N_WORKERS)
        .thread_keep_alive(Duration::from_secs(2))
        .enable_all()
        .build();
    threads.map_err(|error| StartError::Other(format!("failed to start threads: {error}")))
}

/// Says what went wrong with the database in the words of a start.
pub(super) fn of_store(data: &Path, error: &StoreError) -> StartError {
    match error {
        StoreError::Newer { found, known } => StartError::NewerData {
            path: data.to_owned(),
            found: *found,
            known: *known,
        },
        error => StartError::Other(errors::chain(error)),
    }
}

fn begin_log(filter: &str) -> Result<(), StartError> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| StartError::Usage(format!("--log {filter}: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

fn begin_engine(config: &Config) -> Result<(), StartError> {
    if engine::answers(&config.engine_socket) || !config.start_engine {
        return Ok(());
    }
    if !privileges::is_root() {
        return Err(StartError::NotRoot {
            tried: "starting the engine",
            advice: "run as root, or start gantry-engine yourself and give --no-engine",
        });
    }
    engine::start(&config.engine_socket)
}

/// Hands the data over and becomes the server's own account.
fn step_down(config: &Config) -> Result<(), StartError> {
    if !privileges::is_root() {
        return privileges::prepare_data(&config.data, None);
    }
    let account = Account::find(config.user.as_deref())?;
    privileges::prepare_data(&config.data, Some(account))?;
    privileges::give_up_root(account, Some(&config.engine_socket))
}

/// Takes the lock that tells a second server to stay away; it goes with the process.
fn lock(data: &Path) -> Result<File, StartError> {
    let path = data.join("lock");
    let file = File::create(&path).map_err(|error| StartError::file("open", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StartError::DataInUse {
            path: data.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(StartError::file("lock", path, error)),
    }
}

async fn run(
    config: &Config,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
) -> Result<(), StartError> {
    let tasks = Tasks::default();
    let app = App::open(
        &config.data,
        &config.engine_socket,
        config.front.clone(),
        tasks.clone(),
    )
    .await
    .map_err(|error| of_store(&config.data, &error))?;
    let failed = |error: crate::services::Error| StartError::Other(errors::chain(&error));
    if !config.checks_updates {
        crate::services::updates::turn_off(&app.services);
    }
    app.begin().await.map_err(failed)?;
    let address = match &config.front.public {
        Some(public) => public.to_string(),
        None => address(config.listen, tls.is_some()),
    };
    say(&format!("Gantry listens on {address}"));
    if let Some(path) = app.setup_link().await.map_err(failed)? {
        say(&format!(
            "Nobody has an account yet. Set it up (this link works once):\n\n    {address}{path}\n"
        ));
    }
    end_on_signal(&tasks)?;
    let served = listen::serve(listener, tls, app.router(), &tasks, &app.front, limits).await;
    tasks.end(FAREWELL_TIME).await;
    app.close().await;
    served.map_err(|error| StartError::Other(format!("failed to serve: {error}")))
}

fn end_on_signal(tasks: &Tasks) -> Result<(), StartError> {
    let failed = |error| StartError::Other(format!("failed to wait for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let shutdown = tasks.shutdown();
    tasks.spawn("signals", async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("ending: containers and the engine go on");
        shutdown.cancel();
    });
    Ok(())
}

/// Returns the address that a person can open.
fn address(listen: SocketAddr, has_tls: bool) -> String {
    let scheme = if has_tls { "https" } else { "http" };
    if !listen.ip().is_unspecified() {
        return format!("{scheme}://{listen}");
    }
    let name = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
    format!(
        "{scheme}://{}:{}",
        name.unwrap_or_else(|_| "localhost".to_owned()),
        listen.port()
    )
}

/// Says something to who started the server; a closed standard output is nobody's loss.
pub(super) fn say(line: &str) {
    let _closed = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_on_the_same_data_is_refused() {
        let data = tempfile::tempdir().unwrap();
        let first = lock(data.path()).unwrap();
        let refused = lock(data.path()).unwrap_err();
        assert!(matches!(refused, StartError::DataInUse { .. }), "{refused}");
        drop(first);
        assert!(lock(data.path()).is_ok());
    }

    #[test]
    fn the_address_can_be_opened() {
        let of = |text: &str, tls| address(text.parse().unwrap(), tls);
        assert_eq!(of("127.0.0.1:8440", false), "http://127.0.0.1:8440");
        assert_eq!(of("[::1]:1", true), "https://[::1]:1");
        assert!(!of("0.0.0.0:1", true).contains("0.0.0.0"));
    }
}
