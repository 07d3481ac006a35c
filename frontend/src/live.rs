//! The words that pages and server say to each other over WebSockets.
//!
//! Four sockets, all below `/live` (patterns in [`crate::paths`]):
//!
//! - [`crate::paths::LivePage`] – one per tab, shared by everything on the page. The tab says what it
//!   looks at ([`FromPage`]), the server sends changed fragments ([`ToPage`]). Text messages, JSON.
//! - [`crate::paths::LiveLogs`] – one per open log. Query: [`LogsQuery`]. The server sends [`ToLogs`],
//!   as text messages; the page only ever closes.
//! - [`crate::paths::LiveStats`] – one per open statistics tab. The server sends one [`StatsSample`] a
//!   second (history of up to an hour first), as text messages.
//! - [`crate::paths::LiveTerminal`] – one per terminal. Query: [`TerminalQuery`]. *Binary messages are
//!   bytes of the terminal, both ways; text messages are JSON* ([`FromTerminal`], [`ToTerminal`]).
//!
//! **Invariant:** a fragment inside [`ToPage`] is the part the page was first drawn with, so a page
//! after a hundred changes equals the page after a reload. What no fragment is sent of stands in a
//! `<live-part id=…>` that is on its page always, with or without something in it: it is swapped when
//! the page is fetched again ([`ToPage::Stale`]).

use serde::{Deserialize, Serialize};

/// What a tab tells the shared socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromPage {
    /// Replaces what this tab looks at. A hidden tab closes its socket instead of watching nothing.
    ///
    /// Topics: `containers` (rows that come and go), `row:<container id>` (that row, its usage too),
    /// `container:<container id>:<tab>` (the header of one container, with that tab lit), `images`,
    /// `networks` (also who is in them, and ports), `events`,
    /// `jobs` (the tray), `job:<job id>` (that job's panel), `overview`. Unknown topics are ignored.
    Watch {
        /// All topics of the tab.
        topics: Vec<String>,
    },
}

/// What the shared socket tells a tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToPage {
    /// Swap the element with this DOM id; nothing happens when it is not on the page.
    Replace {
        /// The DOM id, also the id of the fragment's outermost element.
        id: String,
        /// One element.
        html: String,
    },
    /// A new member of the list with this DOM id (a `tbody` or `ol`). Waits behind "3 new".
    Add {
        /// DOM id of the list.
        list: String,
        /// DOM id of the new member; a member already there is swapped.
        id: String,
        /// One element.
        html: String,
    },
    /// The thing is gone; its element fades and leaves.
    Remove {
        /// The DOM id.
        id: String,
    },
    /// Changes were missed (a slow tab, a restarted engine): fetch the page again and swap its parts.
    Stale,
    /// The session has ended; the tab goes to the log-in page.
    SignedOut,
}

/// Query of the log socket and of the log download.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LogsQuery {
    /// `out`, `err`, or empty for both.
    pub stream: String,
    /// How many of the last lines to begin with; empty for 1,000. `all` for everything.
    pub tail: String,
    /// Only lines from here on: a relative time such as `15m`, or RFC 3339.
    pub since: String,
    /// Only lines before this; a log with an end is not followed.
    pub until: String,
}

/// What the log socket says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToLogs {
    /// Some lines, oldest first. At most 1,000 a message.
    Lines {
        /// `(stream 1|2, nanoseconds since 1970 as text, the line without its newline)`
        lines: Vec<(u8, String, String)>,
    },
    /// The reader was too slow; this many lines were left out here.
    Skipped {
        /// Number of lines.
        count: u64,
    },
    /// Everything there is has been sent and nothing will follow (stopped container, or `until`).
    End,
    /// The log cannot be read; a sentence for people.
    Failed {
        /// What happened and what to do.
        message: String,
    },
}

/// One second of one container. Rates are per second, since the sample before.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StatsSample {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// Per cent of one core.
    pub cpu_percent: f64,
    /// Per cent of the time in which the container was held back by its limit.
    pub throttled_percent: f64,
    /// Memory in use without the file cache.
    pub memory_bytes: u64,
    /// File cache.
    pub cache_bytes: u64,
    /// Memory limit, 0 for none.
    pub memory_limit_bytes: u64,
    /// Bytes received a second, all interfaces; absent without a network of its own.
    pub received_bytes: Option<u64>,
    /// Bytes sent a second.
    pub sent_bytes: Option<u64>,
    /// Bytes read from block devices a second.
    pub read_bytes: u64,
    /// Bytes written to block devices a second.
    pub written_bytes: u64,
    /// Processes and threads.
    pub pids: u64,
}

/// Query of the terminal socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TerminalQuery {
    /// Take up the terminal with this id again (after a reload or a lost connection).
    pub session: String,
    /// The command, split like a shell line; empty for the best shell that the image has.
    pub command: String,
    /// User, empty for the container's own.
    pub user: String,
    /// Working directory, empty for the container's own.
    pub workdir: String,
    /// Size at the start.
    pub rows: u16,
    /// Size at the start.
    pub cols: u16,
}

/// Text messages of a terminal, page to server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromTerminal {
    /// The window has a new size.
    Resize {
        /// Lines.
        rows: u16,
        /// Columns.
        cols: u16,
    },
    /// Answered by [`ToTerminal::Pong`] at once; measures latency.
    Ping {
        /// Any number, given back.
        n: u32,
    },
    /// End the command now (hang up), not only this connection.
    Close,
}

/// Text messages of a terminal, server to page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToTerminal {
    /// The first message. What follows in binary is the kept scrollback, then what is new.
    Ready {
        /// Id for taking it up again.
        session: String,
        /// What runs, for the title line.
        command: String,
        /// True when an earlier terminal was taken up.
        resumed: bool,
    },
    /// Answer to a ping.
    Pong {
        /// The number of the ping.
        n: u32,
    },
    /// The command has ended; the socket closes after this.
    Exited {
        /// Its exit code.
        code: i64,
    },
    /// It cannot be opened.
    Failed {
        /// `no_shell`, `not_running`, `not_found`, `refused` or `unavailable`.
        reason: String,
        /// A sentence for people, in their language.
        message: String,
    },
}
