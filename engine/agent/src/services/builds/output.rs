//! What a client is told while an image is built: Docker's lines, as they come, at its pace.

use bytes::Bytes;
use engine_api::builds::{BuildLine, BuiltImage};
use engine_api::images::{Progress, ProgressError};
use tokio::sync::mpsc;

use super::executor::Stop;
use crate::services::error::{ServiceError, chain};

/// Lines that wait for a slow client, or for the stage before; a container that says more waits.
const LINES_MAX: usize = 256;

/// The lines, as they come.
pub(crate) type Lines = mpsc::Receiver<Bytes>;

/// Where lines are put in.
#[derive(Clone)]
pub(super) struct Output {
    lines: mpsc::Sender<Bytes>,
    is_quiet: bool,
}

impl Output {
    /// Returns both ends.
    pub(super) fn new(is_quiet: bool) -> (Self, Lines) {
        let (lines, receiver) = mpsc::channel(LINES_MAX);
        (Self { lines, is_quiet }, receiver)
    }

    /// Tells a text of the build or of a container.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn say(&self, text: impl Into<String>) -> Result<(), Stop> {
        if self.is_quiet {
            return self.check();
        }
        self.tell(&BuildLine {
            stream: Some(text.into()),
            ..BuildLine::default()
        })
        .await
    }

    /// Tells a state of a pull.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn progress(&self, line: Progress) -> Result<(), Stop> {
        if self.is_quiet {
            return self.check();
        }
        self.tell(&line.into()).await
    }

    /// Tells the id of what was built, for programs.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn built(&self, id: String) -> Result<(), Stop> {
        if self.is_quiet {
            // The only line that there is then.
            return self
                .tell(&BuildLine {
                    stream: Some(format!("{id}\n")),
                    ..BuildLine::default()
                })
                .await;
        }
        self.tell(&BuildLine {
            aux: Some(BuiltImage { id }),
            ..BuildLine::default()
        })
        .await
    }

    /// Tells why it failed; the last line.
    pub(super) async fn failure(&self, stop: &Stop) {
        let (code, message) = match stop {
            Stop::Gone => return,
            Stop::Exit { code, message } => (Some(*code), message.clone()),
            Stop::Failed(error) => (None, words(error)),
        };
        let line = BuildLine {
            error_detail: Some(ProgressError {
                code,
                message: message.clone(),
            }),
            error: Some(message),
            ..BuildLine::default()
        };
        // Whoever listened may have gone.
        let _ = self.tell(&line).await;
    }

    /// Passes on a line that another output made.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn pass(&self, line: Bytes) -> Result<(), Stop> {
        self.lines.send(line).await.map_err(|_| Stop::Gone)
    }

    /// Waits until nobody listens any more.
    pub(super) async fn gone(&self) {
        self.lines.closed().await;
    }

    fn check(&self) -> Result<(), Stop> {
        if self.lines.is_closed() {
            return Err(Stop::Gone);
        }
        Ok(())
    }

    async fn tell(&self, line: &BuildLine) -> Result<(), Stop> {
        // A line of plain texts and numbers always has a JSON form.
        let mut text = serde_json::to_vec(line).unwrap_or_default();
        text.extend_from_slice(b"\r\n");
        self.pass(text.into()).await
    }
}

fn words(error: &ServiceError) -> String {
    chain(error)
}
