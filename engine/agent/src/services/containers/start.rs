//! From a record to a program that runs: files, work order, monitor, go.

use std::io;
use std::time::Duration;

use std::os::fd::AsFd;

use engine_runtime::{Control, Event, ExitRecord, Request, TerminalSize};

use super::command::{Client, Command};
use super::registry::{Containers, Site};
use super::sharing::Purpose;
use super::{networking, restarts, running, spec, storage, volumes};
use crate::faults;
use crate::records::{ContainerRecord, ContainerStore};
use crate::services::error::{Result, ServiceError, chain};
use crate::services::networks::Reserved;

/// How long a program may take from "go" to its first instruction.
const GO_LIMIT: Duration = Duration::from_secs(30);

/// Exit codes of starts that fail, as Docker gives them.
pub(super) const NOT_STARTED: i32 = 128;
const NOT_EXECUTABLE: i32 = 126;
const NOT_FOUND: i32 = 127;

/// A program that runs.
pub(super) struct Launched {
    pub(super) control: Control,
    pub(super) pid: i32,
    pub(super) started_at_unix_ns: u64,
    /// What the monitor said besides; it may even have ended already.
    pub(super) events: Vec<Event>,
}

/// A start that failed; nothing of it is left.
pub(super) struct StartFailure {
    message: String,
    exit_code: i32,
    /// The monitor did not say that it has undone everything: it may live, and run the program.
    may_run: bool,
}

impl StartFailure {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            exit_code: NOT_STARTED,
            may_run: false,
        }
    }

    fn of(error: &engine_runtime::Error) -> Self {
        Self {
            // What the monitor says of itself is true: it has undone everything.
            may_run: !matches!(error, engine_runtime::Error::Setup(_)),
            ..Self::new(chain(error))
        }
    }

    pub(super) fn exit_record(&self, now_ns: u64) -> ExitRecord {
        ExitRecord {
            code: self.exit_code,
            finished_at_unix_ns: now_ns,
            error: Some(self.message.clone()),
            ..ExitRecord::default()
        }
    }

    /// A program that is not there or not executable is the caller's mistake; clients make their
    /// own exit code of the words.
    pub(super) fn into_error(self) -> ServiceError {
        let message = format!("failed to start the container: {}", self.message);
        match self.exit_code {
            NOT_FOUND | NOT_EXECUTABLE => ServiceError::BadRequest(message),
            _ => ServiceError::Failed {
                step: "start the container".to_owned(),
                source: self.message.into(),
            },
        }
    }
}

impl Containers {
    /// Starts a container.
    ///
    /// # Errors
    /// [`ServiceError::NotModified`] when it runs; else why it cannot.
    pub(crate) async fn start(&self, reference: &str) -> Result<()> {
        self.find(reference)?
            .ask(|reply| Command::Start { reply })
            .await
    }
}

/// Starts the program of a container, with the clients that wait for it already joined.
///
/// Blocks; all waits have limits.
pub(super) fn launch(
    site: &Site,
    record: &ContainerRecord,
    clients: Vec<Client>,
    size: Option<TerminalSize>,
) -> Result<Launched, StartFailure> {
    let bundle = site.bundle(&record.id);
    let failed = |error: &dyn std::error::Error| StartFailure::new(chain(error));
    storage::keep(site, record).map_err(|e| failed(&e))?;
    let mut order = spec::work_order(site, record, size, Purpose::Start).map_err(|e| failed(&e))?;
    let reserved = site.networks.reserve(record).map_err(|e| failed(&e))?;
    spec::write_etc(site, record).map_err(|e| failed(&e))?;
    let using = volumes::Using::begin(site, record).map_err(|e| failed(&e))?;
    let held = spec::hold_sources(site, record, &mut order).map_err(|e| failed(&e))?;
    let bytes = serde_json::to_vec(&order).map_err(|e| failed(&e))?;
    // That it was started is known by it; without a policy nobody acts on that after a power cut.
    let has_policy = restarts::has_policy(&record.host_config);
    let written = if has_policy {
        ContainerStore::write_lasting(&bundle.spec(), &bytes)
    } else {
        ContainerStore::write_passing(&bundle.spec(), &bytes)
    };
    written.map_err(|e| failed(&e))?;
    faults::point("start.spec");
    match std::fs::remove_file(bundle.exit()) {
        // The end of the life before, back after a power cut, would be taken for this one's.
        Ok(()) if has_policy => {
            ContainerStore::make_lasting(&bundle.exit()).map_err(|e| failed(&e))?;
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&error)),
        _ => {}
    }

    running::remember(site, &record.id).map_err(|e| failed(&e))?;
    faults::point("start.marked");
    let launched = site
        .launcher
        .launch(&bundle)
        .map_err(|e| StartFailure::of(&e))
        .inspect(|_| faults::point("start.launched"))
        .and_then(|control| {
            join(site, record, &reserved, &control)?;
            Ok(control)
        })
        .and_then(|control| go(control, clients));
    // Until here: what is open keeps its number.
    drop(held);
    if let Err(failure) = &launched {
        if failure.may_run {
            end_half_started(site, record);
        }
        running::forget(site, &record.id);
        // The monitor writes this itself once it has come so far; before, it is on us.
        if let Ok(bytes) = serde_json::to_vec(&failure.exit_record(0)) {
            let _ = ContainerStore::write_passing(&bundle.exit(), &bytes);
        }
    }
    if let Ok(launched) = &launched {
        reserved.keep();
        using.keep();
        running::note(site, &record.id, launched.pid, launched.started_at_unix_ns);
    }
    launched
}

/// Joins the container to its networks, before its program begins.
fn join(
    site: &Site,
    record: &ContainerRecord,
    reserved: &Reserved<'_>,
    control: &Control,
) -> Result<(), StartFailure> {
    if record.networks.is_empty() {
        return Ok(());
    }
    let failed = |error: ServiceError| StartFailure {
        // Its monitor waits for a word that will not come.
        may_run: true,
        ..StartFailure::new(chain(&error))
    };
    let pid = control.state().init_pid;
    let namespace = networking::namespace(site, record, pid).map_err(failed)?;
    site.networks
        .attach(reserved, record, &namespace)
        .map_err(failed)
}

/// Ends what a start that failed has left: a program that runs later would be nobody's.
fn end_half_started(site: &Site, record: &ContainerRecord) {
    if let Err(error) = site.launcher.kill_leftovers(&site.bundle(&record.id)) {
        tracing::error!(
            container.id = record.id.as_str(),
            reason = chain(&error),
            "failed to end a container whose start failed"
        );
    }
}

fn go(control: Control, clients: Vec<Client>) -> Result<Launched, StartFailure> {
    let failed = |error: engine_runtime::Error| StartFailure::of(&error);
    for Client {
        id,
        streams,
        socket,
    } in clients
    {
        control
            .send(&Request::Attach { id, streams }, &[socket.as_fd()])
            .map_err(failed)?;
    }
    control.send(&Request::Start, &[]).map_err(failed)?;
    faults::point("start.sent");
    let mut events = Vec::new();
    loop {
        match control.receive_within(GO_LIMIT).map_err(failed)? {
            Event::Started {
                pid,
                started_at_unix_ns,
            } => {
                faults::point("start.running");
                return Ok(Launched {
                    control,
                    pid,
                    started_at_unix_ns,
                    events,
                });
            }
            Event::StartFailed { message, exit_code } => {
                return Err(StartFailure {
                    message,
                    exit_code,
                    may_run: false,
                });
            }
            other => events.push(other),
        }
    }
}
