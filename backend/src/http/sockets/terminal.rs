//! The socket of a terminal. Binary messages are its bytes, text messages are about it.

use std::time::Duration;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::response::Response;
use frontend::Words;
use frontend::live::{FromTerminal, TerminalQuery, ToTerminal};
use tokio::sync::mpsc;

use super::sentence;
use crate::access::{Permit, container};
use crate::app::App;
use crate::domain::Rule;
use crate::http::Result;
use crate::http::extract::Visit;
use crate::http::wire::{self, Cut, Gone, Incoming, Inlet, Outlet};
use crate::services::terminals::{
    self, Keyboard, OpenError, Shown, Size, Terminal, TerminalRequest,
};
use crate::services::{self, Error};

/// A paste is one message.
const MOST_BYTES: usize = 1 << 20;
/// Answers to pings that wait.
const PONGS: usize = 8;
/// How long a page may take to hear that another one has its session.
const TAKEN_WORD: Duration = Duration::from_secs(2);
/// What a shell says whose terminal was hung up: 128 and the signal's number.
const HUNG_UP: i64 = 129;

pub(super) async fn open(
    permit: Permit<container::Exec>,
    State(app): State<App>,
    visit: Visit,
    Query(query): Query<TerminalQuery>,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    let Some(command) = shlex::split(&query.command) else {
        return Err(Error::field("command", Rule::CommandLine).into());
    };
    let request = TerminalRequest {
        command,
        user: query.user,
        directory: query.workdir,
        size: Size::new(query.rows, query.cols),
    };
    let words = sentence::words(permit.actor(), &visit);
    let session = query.session;
    Ok(wire::accept(
        upgrade,
        MOST_BYTES,
        async move |outlet, inlet| {
            let opened = match session.as_str() {
                "" => terminals::open(&app.services, &permit, request).await,
                id => terminals::resume(&app.services, &permit, id),
            };
            serve(&app, &permit, words, opened, outlet, inlet).await;
        },
    ))
}

async fn serve(
    app: &App,
    permit: &Permit<container::Exec>,
    words: Words,
    opened: Result<Terminal, OpenError>,
    mut outlet: Outlet,
    mut inlet: Inlet,
) {
    let terminal = match opened {
        Ok(terminal) => terminal,
        Err(error) => {
            let _told = outlet.json(&failed(words, error)).await;
            outlet.close(None).await;
            return;
        }
    };
    let (pong, pongs) = mpsc::channel(PONGS);
    let (keyboard, taken) = (terminal.keyboard(), terminal.taken());
    let gone_when_taken = async {
        taken.cancelled().await;
        tokio::time::sleep(TAKEN_WORD).await;
    };
    // Two ways that never wait for each other: what is typed gets through while output floods.
    let cut = tokio::select! {
        _ = show(terminal, words, pongs, &mut outlet) => None,
        cut = wire::cut(app, permit.revoked(), listen(&keyboard, &pong, &mut inlet)) => Some(cut),
        () = gone_when_taken => Some(Cut::Gone),
    };
    outlet.close(cut).await;
}

/// Passes on what the terminal shows until its command ends or another page takes it over.
async fn show(
    mut terminal: Terminal,
    words: Words,
    mut pongs: mpsc::Receiver<u32>,
    outlet: &mut Outlet,
) -> Result<(), Gone> {
    let ready = ToTerminal::Ready {
        session: terminal.session.clone(),
        command: terminal.command.clone(),
        resumed: terminal.is_resumed,
    };
    outlet.json(&ready).await?;
    let scrollback = terminal.take_scrollback();
    if !scrollback.is_empty() {
        outlet.bytes(scrollback).await?;
    }
    loop {
        let next = async {
            tokio::select! {
                biased;
                Some(n) = pongs.recv() => Next::Pong(n),
                shown = terminal.next() => Next::Shown(shown),
            }
        };
        match outlet.wait(next).await? {
            Next::Pong(n) => outlet.json(&ToTerminal::Pong { n }).await?,
            Next::Shown(Some(Shown::Bytes(bytes))) => outlet.bytes(bytes).await?,
            Next::Shown(Some(Shown::Ended(code))) => {
                let code = code.map_or(HUNG_UP, i64::from);
                return outlet.json(&ToTerminal::Exited { code }).await;
            }
            Next::Shown(None) => return outlet.json(&taken(words)).await,
        }
    }
}

enum Next {
    Pong(u32),
    Shown(Option<Shown>),
}

/// Takes what the page sends until it has gone, or sends what is no message.
async fn listen(keyboard: &Keyboard, pong: &mpsc::Sender<u32>, inlet: &mut Inlet) {
    while let Some(incoming) = inlet.next().await {
        let text = match incoming {
            Incoming::Bytes(bytes) => {
                if !keyboard.type_in(bytes).await {
                    // The command has ended: the other way says so.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            Incoming::Text(text) => text,
        };
        match serde_json::from_str(&text) {
            Ok(FromTerminal::Resize { rows, cols }) => {
                keyboard.resize(Size::new(rows, cols)).await;
            }
            // Who asks faster than it is answered is not answered.
            Ok(FromTerminal::Ping { n }) => drop(pong.try_send(n)),
            Ok(FromTerminal::Close) => keyboard.close(),
            Err(_) => return,
        }
    }
}

/// Said before the socket closes, so that two tabs do not take the session from each other for ever.
fn taken(words: Words) -> ToTerminal {
    let message = words.t("terminal-taken");
    ToTerminal::Failed {
        reason: "refused".to_owned(),
        message,
    }
}

fn failed(words: Words, error: OpenError) -> ToTerminal {
    let (reason, message) = match error {
        OpenError::NoShell => ("no_shell", words.t("terminal-no-shell")),
        OpenError::NotRunning => ("not_running", words.t("terminal-not-running")),
        OpenError::NotStarted { message } => {
            ("refused", words.named("terminal-not-started", &message))
        }
        OpenError::Service(Error::NotFound { .. }) => ("not_found", words.t("terminal-gone")),
        OpenError::Service(error) => (reason(&error), sentence::of(words, error)),
    };
    ToTerminal::Failed {
        reason: reason.to_owned(),
        message,
    }
}

fn reason(error: &services::Error) -> &'static str {
    match error {
        Error::Unavailable(_) | Error::Internal(_) | Error::Audit(_) => "unavailable",
        _ => "refused",
    }
}
