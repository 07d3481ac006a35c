//! The output of a container as its log keeps it, read when somebody asks for more.
//!
//! Nothing runs while nobody reads: each piece is read on a thread that may block, only when the
//! last one has been taken. Following waits for the kernel to say that the log has grown.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine_api::frame;
use engine_runtime::log::{Entry, Line, Position, Query, Reader, Stream};
use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::io::unix::AsyncFd;
use tokio::sync::watch;
use tokio::time::Instant;

use super::limits;
use super::registry::Containers;
use super::view::View;
use crate::clock::timestamp;
use crate::services::error::{Result, ServiceError};
use crate::tasks::{Watched, blocking, watched};

/// About how much is read at once.
const PIECE_BYTES: usize = 256 << 10;

/// How often a follower looks whom the kernel does not tell.
const LOOK_PERIOD: Duration = Duration::from_millis(100);

/// What to read of a log, and how to show it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogQuery {
    pub(crate) follow: bool,
    pub(crate) stdout: bool,
    pub(crate) stderr: bool,
    pub(crate) since_ns: Option<i64>,
    pub(crate) until_ns: Option<i64>,
    pub(crate) timestamps: bool,
    pub(crate) details: bool,
    /// Only the last so many lines.
    pub(crate) tail: Option<u64>,
    /// Nothing behind this place.
    pub(crate) end: Option<Position>,
}

/// The output, piece by piece; dropping it ends everything.
pub(crate) struct LogChunks {
    /// Away while a piece is being read.
    reader: Option<Reader>,
    style: Style,
    watch: watch::Receiver<Arc<View>>,
    growth: Option<Growth>,
    ends_at: Option<Instant>,
    over: bool,
}

#[derive(Debug, Clone, Copy)]
struct Style {
    framed: bool,
    timestamps: bool,
    details: bool,
    tells_losses: bool,
}

impl Containers {
    /// Begins to read a container's log.
    ///
    /// Returns the pieces, and whether they are raw because the container has a terminal.
    ///
    /// # Errors
    /// When it is not there, or no stream is chosen.
    pub(crate) async fn logs(&self, reference: &str, query: LogQuery) -> Result<(LogChunks, bool)> {
        let handle = self.find(reference)?;
        if !query.stdout && !query.stderr {
            let message = "Bad parameters: you must choose at least one stream";
            return Err(ServiceError::BadRequest(message.to_owned()));
        }
        if limits::keeps_no_log(&handle.view().record.host_config) {
            let message = "configured logging driver does not support reading";
            return Err(ServiceError::NotImplemented(message.to_owned()));
        }
        let tty = handle.view().record.config.tty;
        let dir = self.site.bundle(&handle.id).log();
        // Watched before the first read: what is written between the two is not missed.
        let growth = query.follow.then(|| Growth::watch(&dir)).flatten();
        let wanted = Query {
            stdout: query.stdout,
            stderr: query.stderr,
            since_ns: query.since_ns.map(|ns| u64::try_from(ns).unwrap_or(0)),
            until_ns: query.until_ns.map(|ns| u64::try_from(ns).unwrap_or(0)),
            tail: query.tail,
            end: query.end,
        };
        let reader = blocking(move || Reader::open(&dir, wanted))
            .await
            .map_err(ServiceError::failed("open the container's log"))?;
        let now_ns = self.site.clock.now_ns();
        let left =
            |until_ns: i64| Duration::from_nanos(u64::try_from(until_ns - now_ns).unwrap_or(0));
        let chunks = LogChunks {
            reader: Some(reader),
            style: Style {
                framed: !tty,
                timestamps: query.timestamps,
                details: query.details,
                tells_losses: query.stderr,
            },
            watch: handle.watch(),
            growth,
            ends_at: query
                .until_ns
                .map(|until_ns| Instant::now() + left(until_ns)),
            over: false,
        };
        Ok((chunks, tty))
    }
}

impl LogChunks {
    /// Returns the next piece; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<Result<Vec<u8>>> {
        while !self.over {
            // Looked at before reading: what is written before the end is read after it.
            let lives = self.watch.borrow_and_update().phase.is_live();
            let goes_on = self.growth.is_some() && lives;
            let mut reader = self.reader.take()?;
            let style = self.style;
            let (reader, piece) = blocking(move || {
                let piece = read_piece(&mut reader, style, !goes_on);
                (reader, piece)
            })
            .await;
            let is_past_until = reader.is_past_until();
            self.reader = Some(reader);
            match piece {
                Ok(piece) if !piece.is_empty() => return Some(Ok(piece)),
                Ok(_) if goes_on && !is_past_until => self.grown().await,
                Ok(_) => self.over = true,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }

    /// Waits until there is more, the container ends, or `until` comes.
    async fn grown(&mut self) {
        let Some(growth) = &self.growth else { return };
        let until = async {
            match self.ends_at {
                Some(moment) => tokio::time::sleep_until(moment).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = growth.next() => {}
            // An error means that the container is gone.
            changed = self.watch.changed() => self.over |= changed.is_err(),
            () = until => self.over = true,
        }
    }
}

/// Reads lines until the piece is full or the log has no more.
fn read_piece(reader: &mut Reader, style: Style, is_final: bool) -> Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE_BYTES / 4);
    while piece.len() < PIECE_BYTES {
        let entry = reader
            .next()
            .map_err(ServiceError::failed("read the container's log"))?;
        match entry {
            Some(Entry::Line(line)) => write(&mut piece, style, line),
            Some(Entry::Lost { unix_ns, bytes }) if style.tells_losses => {
                let text = match bytes {
                    Some(bytes) => format!("gantry: {bytes} bytes of output are missing here"),
                    None => "gantry: output is missing here, it was rotated away".to_owned(),
                };
                let text = text.as_bytes();
                write(
                    &mut piece,
                    style,
                    Line {
                        stream: Stream::Stderr,
                        unix_ns,
                        text,
                        partial: false,
                    },
                );
            }
            Some(Entry::Lost { .. }) => {}
            None => {
                if is_final && piece.is_empty() {
                    while let Some(line) = reader.finish() {
                        write(&mut piece, style, line);
                    }
                }
                break;
            }
        }
    }
    Ok(piece)
}

fn write(piece: &mut Vec<u8>, style: Style, line: Line<'_>) {
    let stamp = if style.timestamps {
        stamp(line.unix_ns)
    } else {
        String::new()
    };
    let details: &[u8] = if style.details { b" " } else { b"" };
    let newline: &[u8] = if line.partial { b"" } else { b"\n" };
    if style.framed {
        let n_bytes = stamp.len() + details.len() + line.text.len() + newline.len();
        let stream = match line.stream {
            Stream::Stdout => frame::Stream::Stdout,
            Stream::Stderr => frame::Stream::Stderr,
        };
        // A line is at most 16 KiB.
        let n_bytes = u32::try_from(n_bytes).unwrap_or(u32::MAX);
        piece.extend_from_slice(&frame::header(stream, n_bytes));
    }
    piece.extend_from_slice(stamp.as_bytes());
    piece.extend_from_slice(details);
    piece.extend_from_slice(line.text);
    piece.extend_from_slice(newline);
}

fn stamp(unix_ns: u64) -> String {
    format!("{:.9} ", timestamp(super::view::as_i64(unix_ns)))
}

/// How a follower learns that files of a log were written or made.
enum Growth {
    /// The kernel says so.
    Told(AsyncFd<Watched<Notices>>),
    /// It says nothing more to this user, who watches too much already: one looks again and again.
    Looked,
}

impl Growth {
    /// Watches a log; `None` when there is none yet, so that there is nothing to follow.
    fn watch(dir: &Path) -> Option<Self> {
        match Notices::of(dir).map(|notices| notices.map(watched)) {
            Ok(Some(Ok(notices))) => Some(Self::Told(notices)),
            Ok(None) => None,
            refused => {
                let error = match refused {
                    Ok(Some(Err(error))) => error.to_string(),
                    Err(errno) => errno.to_string(),
                    Ok(_) => String::new(),
                };
                tracing::debug!(error, "a log is looked at again and again");
                Some(Self::Looked)
            }
        }
    }

    /// Waits until there may be more.
    async fn next(&self) {
        match self {
            Self::Told(notices) => {
                if let Ok(mut ready) = notices.readable().await {
                    notices.get_ref().drain();
                    ready.clear_ready();
                }
            }
            Self::Looked => tokio::time::sleep(LOOK_PERIOD).await,
        }
    }
}

/// The kernel's words.
struct Notices(Inotify);

impl Notices {
    /// Asks for them; `None` when the directory is not there.
    fn of(dir: &Path) -> nix::Result<Option<Self>> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        let growth = AddWatchFlags::IN_MODIFY | AddWatchFlags::IN_CREATE;
        match inotify.add_watch(dir, growth) {
            Err(Errno::ENOENT) => Ok(None),
            Err(errno) => Err(errno),
            Ok(_) => Ok(Some(Self(inotify))),
        }
    }

    fn drain(&self) {
        while self.0.read_events().is_ok_and(|events| !events.is_empty()) {}
    }
}

impl AsFd for Notices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
