//! Joining the streams of a container.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdStream;

use engine_runtime::AttachStreams;
use engine_runtime::log::Position;
use tokio::net::UnixStream;

use super::command::{Client, Command};
use super::logs::{LogChunks, LogQuery};
use super::registry::Containers;
use crate::ids;
use crate::services::error::{Result, ServiceError};

/// Which streams a client wants.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Streams {
    pub(crate) stdin: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
}

/// A joined client: our end of the socket whose far end the monitor holds.
pub(crate) struct Attachment {
    pub(crate) socket: UnixStream,
    /// Raw bytes both ways; else what comes out is framed.
    pub(crate) tty: bool,
    /// Whether input goes anywhere.
    pub(crate) stdin: bool,
    /// What was said before, if it was asked for: the socket goes on exactly behind it, so that
    /// nothing is missed between the two and nothing told twice.
    pub(crate) replay: Option<LogChunks>,
}

impl From<Streams> for AttachStreams {
    fn from(streams: Streams) -> Self {
        Self {
            stdin: streams.stdin,
            stdout: streams.stdout,
            stderr: streams.stderr,
        }
    }
}

impl Containers {
    /// Joins a client to a container's streams, now or as soon as it starts.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) async fn attach(
        &self,
        reference: &str,
        streams: Streams,
        replays: bool,
    ) -> Result<Attachment> {
        let handle = self.find(reference)?;
        let config = &handle.view().record.config;
        let stdin = streams.stdin && config.open_stdin;
        let (socket, far) = pair()?;
        let client = Client {
            id: ids::stream_id(),
            streams: Streams { stdin, ..streams }.into(),
            socket: far,
        };
        let log_end = handle
            .ask(|reply| Command::Attach { client, reply })
            .await?;
        self.tell(&handle, "attach", []);
        let replay = match replays {
            true => Some(self.output_until(reference, streams, log_end).await?),
            false => None,
        };
        Ok(Attachment {
            socket,
            tty: config.tty,
            stdin,
            replay,
        })
    }

    /// Returns what the log holds so far, as the stream would have carried it.
    ///
    /// # Errors
    /// When the container is not there.
    pub(crate) async fn former_output(
        &self,
        reference: &str,
        streams: Streams,
    ) -> Result<LogChunks> {
        self.output_until(reference, streams, None).await
    }

    async fn output_until(
        &self,
        reference: &str,
        streams: Streams,
        end: Option<Position>,
    ) -> Result<LogChunks> {
        let query = LogQuery {
            stdout: streams.stdout,
            stderr: streams.stderr,
            end,
            ..LogQuery::default()
        };
        let (chunks, _) = self.logs(reference, query).await?;
        Ok(chunks)
    }
}

/// Makes a pair of connected sockets: one for this process, one to give away.
///
/// # Errors
/// When there are no descriptors left.
pub(crate) fn pair() -> Result<(UnixStream, OwnedFd)> {
    let step = "make a stream";
    let (near, far) = StdStream::pair().map_err(ServiceError::failed(step))?;
    near.set_nonblocking(true)
        .map_err(ServiceError::failed(step))?;
    let near = UnixStream::from_std(near).map_err(ServiceError::failed(step))?;
    Ok((near, far.into()))
}
