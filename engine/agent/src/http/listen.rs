//! The local socket: its rights, and an accept loop that neither spins nor gives up.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::fs::Mode;
use tokio::net::{UnixListener, UnixStream};

use super::Door;
use super::asker::PeerUser;
use super::hangup::Hangup;
use crate::tasks::Tasks;

/// How long a client may take to send the head of a request; kept-alive connections that say
/// nothing for so long are closed, and clients dial again.
const HEAD_DEADLINE: Duration = Duration::from_secs(300);

/// Most bytes of a request's head.
const HEAD_MAX_BYTES: usize = 64 << 10;

/// Most connections at once; each may hold two or three descriptors.
const CONNECTIONS_MAX: usize = 4096;

/// How long to wait before accepting again when the kernel has no descriptor to give.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Why the socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// An engine answers there already.
    #[error("the socket {0} is in use: another engine answers on it")]
    InUse(PathBuf),
    /// Something else is at that path.
    #[error("{0} exists and is not a socket")]
    NotASocket(PathBuf),
    /// A step failed.
    #[error("failed to {step} {path}")]
    Io {
        /// What was tried.
        step: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Opens the socket, for root and one group alone; a socket nobody answers on is replaced.
///
/// # Errors
/// When another engine answers there, or the path is something else.
pub fn bind(path: &Path, group: u32) -> Result<UnixListener, ListenError> {
    let failed = |step| {
        let path = path.to_owned();
        move |source| ListenError::Io { step, path, source }
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed("make the directory of"))?;
    }
    refuse_occupied(path)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("clear the way for")(error));
        }
        _ => {}
    }
    // Made for root's group, then given to the one that may: others could never connect.
    let mask = rustix::process::umask(Mode::from_raw_mode(0o117));
    let listener = UnixListener::bind(path);
    rustix::process::umask(mask);
    let listener = listener.map_err(failed("bind"))?;
    std::os::unix::fs::lchown(path, None, Some(group))
        .map_err(failed("give the group of --socket-group the socket"))?;
    Ok(listener)
}

fn refuse_occupied(path: &Path) -> Result<(), ListenError> {
    use std::os::unix::fs::FileTypeExt;
    match std::fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(meta) if !meta.file_type().is_socket() => {
            return Err(ListenError::NotASocket(path.to_owned()));
        }
        Ok(_) => {}
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(ListenError::InUse(path.to_owned())),
        Err(_) => Ok(()),
    }
}

/// Accepts connections until the engine stops.
pub async fn accept(listener: UnixListener, door: Door, tasks: Tasks) {
    let slots = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = std::sync::Arc::clone(&slots).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let door = door.clone();
                tasks.spawn("connection", async move {
                    serve(stream, door).await;
                    drop(slot);
                });
            }
            Err(error) => {
                // No descriptors left, most likely: those in use go on, the queue waits.
                tracing::warn!(%error, "failed to accept a connection");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
            }
        }
    }
}

async fn serve(stream: UnixStream, door: Door) {
    let hangup = match Hangup::of(&stream) {
        Ok(hangup) => hangup,
        Err(error) => {
            tracing::warn!(%error, "failed to watch a connection");
            return;
        }
    };
    let peer = stream.peer_cred().ok().map(|peer| PeerUser(peer.uid()));
    let door = {
        let hangup = hangup.clone();
        hyper::service::service_fn(move |mut request| {
            request.extensions_mut().insert(hangup.clone());
            if let Some(peer) = peer {
                request.extensions_mut().insert(peer);
            }
            hyper::service::Service::call(&door, request)
        })
    };
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_buf_size(HEAD_MAX_BYTES)
        .half_close(true)
        .serve_connection(TokioIo::new(stream), door)
        .with_upgrades();
    let served = tokio::select! {
        served = served => served,
        // Whatever the client waited for ends with it: a log that is followed, a pull.
        () = hangup.wait() => return,
    };
    if let Err(error) = served {
        // A client that went away; nobody has to act.
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[tokio::test]
    async fn the_socket_is_for_root_and_one_group_and_a_second_engine_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        let group = 64_440;
        let listener = bind(&path, group).unwrap();
        let made = std::fs::metadata(&path).unwrap();
        assert_eq!(made.permissions().mode() & 0o777, 0o660);
        assert_eq!((made.uid(), made.gid()), (0, group));
        assert!(matches!(bind(&path, group), Err(ListenError::InUse(_))));

        drop(listener);
        assert!(bind(&path, group).is_ok(), "a dead socket is replaced");
    }

    #[tokio::test]
    async fn what_is_not_a_socket_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine.sock");
        std::fs::write(&path, "precious").unwrap();
        assert!(matches!(bind(&path, 0), Err(ListenError::NotASocket(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    }
}
