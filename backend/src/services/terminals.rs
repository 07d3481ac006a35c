//! Terminals: commands with a terminal inside containers, that outlive a lost connection.
//!
//! ```text
//! open ─→ watched ⇄ alone (60 s) ─→ ended        also ended by: its command, the person,
//!                                                 a right that goes, the server's shutdown
//! ```
//!
//! A session belongs to one account. It keeps its last 256 KiB, so that a page that comes back goes
//! on where it was. One page at a time sees it; a second one takes it over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use super::scrollback::Scrollback;
use super::shells::{self, Started};
use super::{Error, Obstacle, Result, Services, audit};
use crate::access::{Permit, container};
use crate::domain::{AccountId, AuditEntry, ContainerId};
use crate::fleet::{AttachedOutput, EngineClient, Input};

pub use super::shells::{OpenError, Size, TerminalRequest};

/// How long a session that nobody sees goes on.
const ALONE: Duration = Duration::from_secs(60);
/// Sessions of one account at once.
const MOST_OF_ONE: usize = 20;
/// Sessions of all at once.
const MOST_OF_ALL: usize = 200;
/// Pieces of output that wait for the browser; the program waits while they do.
const OUTPUT_QUEUE: usize = 32;
/// Pieces of input that wait for the program.
const INPUT_QUEUE: usize = 64;
/// How long the engine may take to say how a command ended.
const LAST_WORD: Duration = Duration::from_secs(2);
/// How long the socket of somebody who may no longer takes to hear of it, at most.
const CUT_LIMIT: Duration = Duration::from_secs(10);

/// The terminals of one server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Terminals(Arc<Mutex<Room>>);

#[derive(Debug, Default)]
struct Room {
    sessions: HashMap<String, Arc<Session>>,
    /// Whose command is being started: it has its place already, however long that takes.
    opening: Vec<AccountId>,
}

/// A place for a session whose command is being started.
#[derive(Debug)]
struct Place {
    terminals: Terminals,
    account: AccountId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let opening = &mut self.terminals.lock().opening;
        if let Some(at) = opening.iter().position(|account| *account == self.account) {
            opening.swap_remove(at);
        }
    }
}

#[derive(Debug)]
struct Session {
    account: AccountId,
    container: ContainerId,
    command: String,
    exec: String,
    input: mpsc::Sender<Typed>,
    desk: Mutex<Desk>,
    /// Told when somebody comes to see it.
    seen: Notify,
    /// Cancelled when the person ends it.
    close: CancellationToken,
}

#[derive(Debug, Default)]
struct Desk {
    scrollback: Scrollback,
    viewer: Option<Viewer>,
}

#[derive(Clone, Debug)]
struct Viewer {
    output: mpsc::Sender<Shown>,
    /// Cancelled when another page takes the session over.
    taken: CancellationToken,
}

#[derive(Debug)]
enum Typed {
    Bytes(Bytes),
    Size(Size),
}

/// What a page sees of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Output.
    Bytes(Bytes),
    /// The command has ended, with this code where the engine could say.
    Ended(Option<i32>),
}

/// A page's hold on a session. Dropping it leaves the session alone, which it bears for a minute.
#[derive(Debug)]
pub struct Terminal {
    /// The session's id, for coming back to it.
    pub session: String,
    /// What runs.
    pub command: String,
    /// Whether it was there before.
    pub is_resumed: bool,
    held: Arc<Session>,
    scrollback: Bytes,
    output: mpsc::Receiver<Shown>,
    taken: CancellationToken,
}

impl Terminal {
    /// Takes what was on the screen before.
    pub fn take_scrollback(&mut self) -> Bytes {
        std::mem::take(&mut self.scrollback)
    }

    /// Returns what comes next; `None` when another page took the session over. Safe to cancel.
    pub async fn next(&mut self) -> Option<Shown> {
        tokio::select! {
            biased;
            () = self.taken.cancelled() => None,
            shown = self.output.recv() => shown,
        }
    }

    /// Returns what is cancelled when another page takes the session over.
    pub fn taken(&self) -> CancellationToken {
        self.taken.clone()
    }

    /// Returns the way in, for whoever listens to the browser.
    pub fn keyboard(&self) -> Keyboard {
        Keyboard(Arc::clone(&self.held))
    }
}

/// The way into a terminal.
#[derive(Clone, Debug)]
pub struct Keyboard(Arc<Session>);

impl Keyboard {
    /// Types; waits while the program does not read. False when the session has ended.
    pub async fn type_in(&self, bytes: Bytes) -> bool {
        self.0.input.send(Typed::Bytes(bytes)).await.is_ok()
    }

    /// Says that the window has a new size. False when the session has ended.
    pub async fn resize(&self, size: Size) -> bool {
        self.0.input.send(Typed::Size(size)).await.is_ok()
    }

    /// Ends the command.
    pub fn close(&self) {
        self.0.close.cancel();
    }
}

impl Terminals {
    fn lock(&self) -> MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place, before anything is started for it: none when there are too many, of one
    /// account or of all.
    fn place(&self, account: &AccountId) -> Option<Place> {
        let mut room = self.lock();
        let sessions = room.sessions.values().map(|session| &session.account);
        let all = sessions.chain(&room.opening);
        let own = all.filter(|one| *one == account).count();
        if own >= MOST_OF_ONE || room.sessions.len() + room.opening.len() >= MOST_OF_ALL {
            return None;
        }
        room.opening.push(account.clone());
        Some(Place {
            terminals: self.clone(),
            account: account.clone(),
        })
    }
}

impl Session {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the session to a page; the page before it is told.
    fn show(self: &Arc<Self>, id: &str, is_resumed: bool) -> Terminal {
        let (sender, output) = mpsc::channel(OUTPUT_QUEUE);
        let taken = CancellationToken::new();
        let viewer = Viewer {
            output: sender,
            taken: taken.clone(),
        };
        let scrollback = {
            let mut desk = self.desk();
            if let Some(before) = desk.viewer.replace(viewer) {
                before.taken.cancel();
            }
            desk.scrollback.all()
        };
        self.seen.notify_one();
        Terminal {
            session: id.to_owned(),
            command: self.command.clone(),
            is_resumed,
            held: Arc::clone(self),
            scrollback,
            output,
            taken,
        }
    }

    fn viewer(&self) -> Option<Viewer> {
        self.desk().viewer.clone()
    }
}

/// Opens a terminal: starts the command that was asked for, or the best shell that starts.
///
/// # Errors
/// When nothing starts; the reasons are told apart.
pub async fn open(
    services: &Services,
    permit: &Permit<container::Exec>,
    request: TerminalRequest,
) -> Result<Terminal, OpenError> {
    let account = permit.actor().account.id.clone();
    let Some(place) = services.terminals().place(&account) else {
        return Err(Error::InTheWay(Obstacle::TooManyTerminals).into());
    };
    let client = services.link().client(permit);
    let container = permit.place().id.clone();
    let asked = request.command.join(" ");
    let detail = format!(
        "command={} user={}",
        if asked.is_empty() { "shell" } else { &asked },
        request.user
    );
    let (number, begun) = audit::begin(services, permit, detail).await?;
    let started = match shells::start(&client, container.as_str(), &request).await {
        Ok(started) => started,
        Err(error) => {
            audit::complete(services, number, begun, Some(&error.meaning())).await;
            return Err(error);
        }
    };
    let (input, typed) = mpsc::channel(INPUT_QUEUE);
    let session = Arc::new(Session {
        account,
        container,
        command: started.command.join(" "),
        exec: started.exec.clone(),
        input,
        desk: Mutex::default(),
        seen: Notify::new(),
        close: CancellationToken::new(),
    });
    let id = crate::ids::secret();
    services
        .terminals()
        .lock()
        .sessions
        .insert(id.clone(), Arc::clone(&session));
    drop(place);
    let terminal = session.show(&id, false);
    let work = Work {
        services: services.clone(),
        client,
        session,
        id,
        number,
        begun,
    };
    let revoked = permit.revoked();
    services
        .tasks()
        .finish("terminal", work.run(started, typed, revoked));
    Ok(terminal)
}

/// Comes back to a session of one's own.
///
/// # Errors
/// [`Error::NotFound`] when it has ended, or is somebody else's, or in another container.
pub fn resume(
    services: &Services,
    permit: &Permit<container::Exec>,
    id: &str,
) -> Result<Terminal, OpenError> {
    let found = services.terminals().lock().sessions.get(id).cloned();
    let is_own = |session: &Arc<Session>| {
        session.account == permit.actor().account.id && session.container == permit.place().id
    };
    match found.filter(is_own) {
        Some(session) => Ok(session.show(id, true)),
        None => Err(Error::NotFound { kind: "terminal" }.into()),
    }
}

/// How a session came to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The command ended.
    Over,
    /// Nobody looked for too long, or the server stops.
    Closed,
    /// The person may no longer.
    Revoked,
}

/// The task of one session.
struct Work {
    services: Services,
    client: EngineClient,
    session: Arc<Session>,
    id: String,
    number: i64,
    begun: AuditEntry,
}

impl Work {
    async fn run(
        self,
        started: Started,
        mut typed: mpsc::Receiver<Typed>,
        revoked: impl Future<Output = ()>,
    ) {
        let (mut input, mut output) = started.attached.split();
        let shutdown = self.services.tasks().shutdown();
        let end = tokio::select! {
            () = self.show_output(&mut output) => End::Over,
            never = self.type_in(&mut input, &mut typed) => match never {},
            () = self.left_alone() => End::Closed,
            () = self.session.close.cancelled() => End::Closed,
            () = revoked => End::Revoked,
            () = shutdown.cancelled() => End::Closed,
        };
        if end != End::Over {
            // The engine hangs up when the connection goes.
            let _closed = tokio::time::timeout(LAST_WORD, input.close()).await;
        }
        drop((input, output));
        let code = match end {
            End::Over => self.exit_code().await,
            End::Closed | End::Revoked => None,
        };
        self.services.terminals().lock().sessions.remove(&self.id);
        if let Some(viewer) = self.session.viewer() {
            // A page that reads nothing for so long has gone.
            if end == End::Revoked {
                // Its socket is about to be cut for the same reason, and says so; a command that
                // ended would be another story.
                let _cut = tokio::time::timeout(CUT_LIMIT, viewer.output.closed()).await;
            } else {
                let word = viewer.output.send(Shown::Ended(code));
                let _told = tokio::time::timeout(LAST_WORD, word).await;
            }
        }
        self.session.desk().viewer = None;
        audit::complete(&self.services, self.number, self.begun, None).await;
    }

    /// Passes output on until the command ends. A page that is slow holds the program up, as a
    /// terminal does; while nobody looks, the scrollback alone takes it.
    async fn show_output(&self, output: &mut AttachedOutput) {
        while let Ok(Some(piece)) = output.next().await {
            let viewer = {
                let mut desk = self.session.desk();
                desk.scrollback.push(&piece.bytes);
                desk.viewer.clone()
            };
            if let Some(viewer) = viewer {
                // Whoever took the session over has the piece in the scrollback, and does not wait
                // for a page whose connection is dead.
                let shown = viewer.output.send(Shown::Bytes(piece.bytes));
                let _shown = viewer.taken.run_until_cancelled(shown).await;
            }
        }
    }

    /// Passes on what is typed, for as long as the session lives.
    async fn type_in(
        &self,
        input: &mut Input,
        typed: &mut mpsc::Receiver<Typed>,
    ) -> std::convert::Infallible {
        while let Some(typed) = typed.recv().await {
            match typed {
                Typed::Bytes(bytes) => {
                    if input.write(&bytes).await.is_err() {
                        break;
                    }
                }
                Typed::Size(size) => {
                    let resized = self
                        .client
                        .resize_exec(&self.session.exec, size.rows, size.columns)
                        .await;
                    if let Err(error) = resized {
                        tracing::debug!(error = crate::errors::chain(&error), "no new size");
                    }
                }
            }
        }
        // The end of the output says when the session is over.
        std::future::pending().await
    }

    /// Returns when nobody has looked for too long.
    async fn left_alone(&self) {
        loop {
            let seen = self.session.seen.notified();
            if let Some(viewer) = self.session.viewer() {
                tokio::select! {
                    () = seen => continue,
                    () = viewer.output.closed() => {}
                }
            }
            let seen = self.session.seen.notified();
            if self
                .session
                .viewer()
                .is_some_and(|viewer| !viewer.output.is_closed())
            {
                continue;
            }
            if tokio::time::timeout(ALONE, seen).await.is_err() {
                return;
            }
        }
    }

    async fn exit_code(&self) -> Option<i32> {
        let asked = tokio::time::timeout(LAST_WORD, self.client.exec(&self.session.exec)).await;
        asked.ok()?.ok()?.exit_code
    }
}
