//! Logs: a container's lines, as fast as their reader takes them.
//!
//! ```text
//! engine ─→ pump ─→ waiting (at most 4,000 lines or 2 MiB) ─→ reader
//! ```
//!
//! What was written before the reader came waits for the reader: the engine reads it from files, so
//! nobody is held up. What is written while they read does not wait; when there is no room it is
//! counted, and the reader learns how much it missed. Dropping the reader ends the pump, and with it
//! the engine's work.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_util::task::AbortOnDropHandle;

use super::containers::of_container;
use super::held::cut_off;
use super::log_lines::{Joiner, Waiting};
use super::{Error, Result, Services, audit};
use crate::access::{Permit, container};
use crate::domain::{FieldError, Rule};
use crate::fleet::{ClientError, LogOptions, OutputStream};

pub use super::log_lines::{Item, Line};

/// How many of the last lines a log begins with unless somebody asks for another number.
const USUAL_TAIL: u64 = 1_000;
/// A line that has begun and does not end within this time is shown: it is a prompt.
const PROMPT: Duration = Duration::from_millis(500);

/// A page does not wait longer for the last lines of a log.
pub const PAGE_PATIENCE: Duration = Duration::from_millis(500);

/// Which streams of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Streams {
    /// Both.
    #[default]
    Both,
    /// Ordinary output.
    Output,
    /// Error output.
    Errors,
}

/// Which lines of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogsRequest {
    /// From which streams.
    pub streams: Streams,
    /// Only the last so many of those that are there already; `None` for all.
    pub tail: Option<u64>,
    /// Only from then on.
    pub since: Option<Timestamp>,
    /// Only until then; such a log is not followed.
    pub until: Option<Timestamp>,
}

impl LogsRequest {
    /// Reads what was typed: `out` or `err`; a number or `all`; `15m` or RFC 3339.
    ///
    /// # Errors
    /// With the field that cannot be read.
    pub fn parse(
        [stream, tail, since, until]: [&str; 4],
        now: Timestamp,
    ) -> Result<Self, FieldError> {
        let streams = match stream {
            "" => Streams::Both,
            "out" => Streams::Output,
            "err" => Streams::Errors,
            _ => return Err(FieldError::new("stream", Rule::Choice)),
        };
        let most = i64::MAX;
        let tail = match tail.trim() {
            "" => Some(USUAL_TAIL),
            "all" => None,
            text => Some(
                text.parse()
                    .map_err(|_| FieldError::new("tail", Rule::Number { least: 0, most }))?,
            ),
        };
        Ok(Self {
            streams,
            tail,
            since: moment("since", since, now)?,
            until: moment("until", until, now)?,
        })
    }

    fn options(&self, follow: bool) -> LogOptions {
        LogOptions {
            follow,
            stdout: self.streams != Streams::Errors,
            stderr: self.streams != Streams::Output,
            since: self.since.map(epoch),
            until: self.until.map(epoch),
            timestamps: true,
            tail: self.tail,
        }
    }
}

/// Reads a moment: an age such as `90s`, `15m`, `2h`, `7d`, or RFC 3339.
fn moment(
    field: &'static str,
    text: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, FieldError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    age(text)
        .and_then(|age| now.checked_sub(age).ok())
        .or_else(|| text.parse().ok())
        .map(Some)
        .ok_or_else(|| FieldError::new(field, Rule::Moment))
}

fn age(text: &str) -> Option<SignedDuration> {
    let unit = text.chars().next_back().filter(char::is_ascii_alphabetic)?;
    let number: i64 = text[..text.len() - 1].parse().ok().filter(|n| *n >= 0)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    number.checked_mul(seconds).map(SignedDuration::from_secs)
}

fn epoch(moment: Timestamp) -> String {
    let nano = moment.as_nanosecond().max(0);
    format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000)
}

/// The lines of one reader.
#[derive(Debug)]
pub struct LogStream {
    desk: Arc<Desk>,
    _pump: AbortOnDropHandle<()>,
}

/// Where the pump lays lines down and the reader picks them up.
#[derive(Debug, Default)]
struct Desk {
    tray: Mutex<Tray>,
    laid: Notify,
    picked: Notify,
}

#[derive(Debug, Default)]
struct Tray {
    waiting: Waiting,
    end: Option<std::result::Result<(), ClientError>>,
}

impl Desk {
    fn tray(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn room(&self) {
        loop {
            let picked = self.picked.notified();
            if !self.tray().waiting.is_full() {
                return;
            }
            picked.await;
        }
    }

    async fn lay(&self, lines: &mut Vec<Line>, live_from: i128) {
        for line in lines.drain(..) {
            if line.nano < live_from {
                self.laid.notify_one();
                self.room().await;
            }
            self.tray().waiting.push(line);
        }
        self.laid.notify_one();
    }
}

impl LogStream {
    /// Returns what comes next; `None` when nothing will follow. Safe to cancel.
    ///
    /// # Errors
    /// When the engine went away, after everything that had come before.
    pub async fn next(&mut self) -> Result<Option<Item>> {
        loop {
            let laid = self.desk.laid.notified();
            {
                let mut tray = self.desk.tray();
                if let Some(item) = tray.waiting.pop() {
                    drop(tray);
                    self.desk.picked.notify_one();
                    return Ok(Some(item));
                }
                match tray.end.take() {
                    None => {}
                    Some(end) => {
                        tray.end = Some(Ok(()));
                        return end.map(|()| None).map_err(Error::from);
                    }
                }
            }
            laid.await;
        }
    }
}

/// Reads a container's log, and goes on as it is written unless the request has an end.
///
/// # Errors
/// When the container is gone or the engine is away.
pub async fn follow(
    services: &Services,
    permit: &Permit<container::Logs>,
    request: &LogsRequest,
) -> Result<LogStream> {
    let live_from = services.clock().now().as_nanosecond();
    let client = services.link().client(permit);
    let options = request.options(request.until.is_none());
    let output = client
        .container_logs(permit.place().id.as_str(), &options)
        .await
        .map_err(|error| of_container(error.into()))?;
    let desk = Arc::new(Desk::default());
    let pump = services
        .tasks()
        .spawn("log", pump(output, Arc::clone(&desk), live_from));
    Ok(LogStream {
        desk,
        _pump: AbortOnDropHandle::new(pump),
    })
}

/// The last lines of a log as plain text, for a page that is drawn once. Nothing when the engine is
/// away or slow: the page says so elsewhere.
pub async fn last_lines(
    services: &Services,
    permit: &Permit<container::Logs>,
    most: u64,
    patience: Duration,
) -> Vec<String> {
    let request = LogsRequest {
        tail: Some(most),
        until: Some(services.clock().now()),
        ..LogsRequest::default()
    };
    let mut lines = Vec::new();
    let reading = async {
        let mut log = follow(services, permit, &request).await?;
        while let Some(item) = log.next().await? {
            if let Item::Lines(more) = item {
                lines.extend(more.into_iter().map(|line| line.text));
            }
        }
        Result::<()>::Ok(())
    };
    let _late_or_away = tokio::time::timeout(patience, reading).await;
    lines
}

async fn pump(mut output: OutputStream, desk: Arc<Desk>, live_from: i128) {
    let mut joiner = Joiner::default();
    let mut lines = Vec::new();
    let end = loop {
        let piece = if joiner.is_open() {
            tokio::time::timeout(PROMPT, output.next()).await
        } else {
            Ok(output.next().await)
        };
        match piece {
            Ok(Ok(Some(piece))) => {
                joiner.push(piece.stream, &piece.bytes, |line| lines.push(line));
            }
            Err(_) => joiner.flush(|line| lines.push(line)),
            Ok(Ok(None)) => break Ok(()),
            Ok(Err(error)) => break Err(error),
        }
        desk.lay(&mut lines, live_from).await;
    };
    joiner.flush(|line| lines.push(line));
    desk.lay(&mut lines, live_from).await;
    desk.tray().end = Some(end);
    desk.laid.notify_one();
}

/// Takes a container's log away as text, each line with its time. The audit notes who did.
///
/// # Errors
/// When the container is gone or the engine is away; later failures break the stream.
pub async fn download(
    services: &Services,
    permit: &Permit<container::DownloadLogs>,
    request: &LogsRequest,
) -> Result<impl Stream<Item = std::io::Result<Bytes>> + Send + 'static> {
    let client = services.link().client(permit);
    let options = request.options(false);
    let id = permit.place().id.clone();
    let output = audit::bracket(services, permit, String::new(), async move {
        let output = client.container_logs(id.as_str(), &options).await;
        output.map_err(|error| of_container(error.into()))
    })
    .await?;
    let pieces = futures_util::stream::unfold(Some((output, Joiner::default())), async |state| {
        let (mut output, mut joiner) = state?;
        let mut text = String::new();
        match output.next().await {
            Ok(Some(piece)) => {
                joiner.push(piece.stream, &piece.bytes, |line| {
                    write_line(&mut text, &line);
                });
                Some((Ok(Bytes::from(text)), Some((output, joiner))))
            }
            Ok(None) => {
                joiner.flush(|line| write_line(&mut text, &line));
                Some((Ok(Bytes::from(text)), None))
            }
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    Ok(cut_off(pieces, permit.revoked()))
}

fn write_line(text: &mut String, line: &Line) {
    use std::fmt::Write as _;

    if let Ok(moment) = Timestamp::from_nanosecond(line.nano) {
        // Writing into a string cannot fail.
        let _written = write!(text, "{moment:.9} ");
    }
    text.push_str(&line.text);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-01T12:00:00Z";

    fn parse(fields: [&str; 4]) -> Result<LogsRequest, FieldError> {
        LogsRequest::parse(fields, NOW.parse().unwrap())
    }

    #[test]
    fn what_is_typed_becomes_a_request() {
        let usual = parse(["", "", "", ""]).unwrap();
        assert_eq!((usual.streams, usual.tail), (Streams::Both, Some(1_000)));
        let some = parse(["err", "all", "15m", "2026-03-01T11:59:00Z"]).unwrap();
        assert_eq!((some.streams, some.tail), (Streams::Errors, None));
        assert_eq!(some.since, Some("2026-03-01T11:45:00Z".parse().unwrap()));
        let options = some.options(true);
        assert_eq!(options.until.as_deref(), Some("1772366340.000000000"));
        assert!(options.stderr && !options.stdout);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (fields, field) in [
            (["both", "", "", ""], "stream"),
            (["", "-1", "", ""], "tail"),
            (["", "many", "", ""], "tail"),
            (["", "", "yesterday", ""], "since"),
            (["", "", "", "-5m"], "until"),
            (["", "", "9999999999999999d", ""], "since"),
            (["", "", "é", ""], "since"),
        ] {
            assert_eq!(parse(fields).unwrap_err().field, field, "{fields:?}");
        }
    }

    #[tokio::test]
    async fn the_past_waits_for_its_reader_and_the_present_does_not() {
        let desk = Arc::new(Desk::default());
        let line = |nano| Line {
            is_error: false,
            nano,
            text: "x".to_owned(),
        };
        let mut present: Vec<_> = (0..10_000).map(|_| line(100)).collect();
        desk.lay(&mut present, 100).await;
        assert!(
            desk.tray().waiting.is_full(),
            "the present fills the desk and is not held up"
        );

        let mut past = vec![line(99)];
        let held = tokio::time::timeout(Duration::from_millis(20), desk.lay(&mut past, 100)).await;
        assert!(held.is_err(), "the past waits for room");

        while desk.tray().waiting.pop().is_some() {}
        desk.picked.notify_one();
        desk.lay(&mut vec![line(99)], 100).await;
        assert!(desk.tray().waiting.pop().is_some());
    }
}
