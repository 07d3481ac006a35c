//! Jobs: long work at an engine that goes on while people look elsewhere.
//!
//! ```text
//! begin ─→ running ─→ done
//!             ├─────→ failed
//!             └─────→ cancelled      the work is dropped, and with it the engine's connection
//! ```
//!
//! A job's progress is folded line by line into a [`JobFact`]; whoever watches hears the job's id, at
//! most ten times a second, and looks at the fact.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Error, Result, Services, audit};
use crate::access::{Permission, Permit, job};
use crate::domain::{AccountId, HostId, HostPlace, JobId};

pub use super::progress::{Layer, Progress, Step};

/// Ended jobs that are kept to be looked at.
const MOST_ENDED: usize = 50;
/// Jobs that may go on at once.
const MOST_RUNNING: usize = 16;
/// Announcements that a slow watcher may be behind.
const MOST_CHANGES: usize = 256;
/// The least time between two announcements of mere progress.
const BETWEEN: Duration = Duration::from_millis(100);

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Gets an image from a registry.
    Pull,
    /// Loads images from an archive.
    Load,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It goes on.
    Running,
    /// It is done.
    Done,
    /// It failed.
    Failed {
        /// Why, in the engine's words.
        message: String,
    },
    /// Somebody ended it.
    Cancelled,
}

/// A job, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFact {
    /// Its id.
    pub id: JobId,
    /// The host it works on.
    pub host: HostId,
    /// What it does.
    pub kind: JobKind,
    /// To what: an image's name, or an archive's.
    pub subject: String,
    /// Whose it is.
    pub account: AccountId,
    /// The name of who began it.
    pub actor: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
}

impl JobFact {
    /// Tells whether it goes on.
    pub fn is_running(&self) -> bool {
        self.state == JobState::Running
    }
}

struct Job {
    fact: Mutex<JobFact>,
    cancel: CancellationToken,
    announced_at: Mutex<Option<Instant>>,
}

impl Job {
    fn lock(&self) -> MutexGuard<'_, JobFact> {
        self.fact.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The jobs of one server, the oldest first. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    all: Arc<Mutex<VecDeque<Arc<Job>>>>,
    changes: broadcast::Sender<JobId>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            all: Arc::default(),
            changes: broadcast::channel(MOST_CHANGES).0,
        }
    }
}

impl Jobs {
    /// Finds a job.
    pub fn find(&self, id: &JobId) -> Option<JobFact> {
        self.job(id).map(|job| job.lock().clone())
    }

    fn job(&self, id: &JobId) -> Option<Arc<Job>> {
        self.lock().iter().find(|job| job.lock().id == *id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job, unless too many go on; the oldest ended ones make room.
    fn add(&self, fact: JobFact) -> Result<Arc<Job>> {
        let job = Arc::new(Job {
            fact: Mutex::new(fact),
            cancel: CancellationToken::new(),
            announced_at: Mutex::default(),
        });
        let mut all = self.lock();
        let n_running = all.iter().filter(|job| job.lock().is_running()).count();
        if n_running >= MOST_RUNNING {
            let message = format!("{n_running} jobs go on already; wait for one or cancel it");
            return Err(Error::Conflict { message });
        }
        while all.len() - n_running >= MOST_ENDED {
            let Some(oldest) = all.iter().position(|job| !job.lock().is_running()) else {
                break;
            };
            all.remove(oldest);
        }
        all.push_back(Arc::clone(&job));
        Ok(job)
    }

    /// Says that a job is different.
    fn announce(&self, job: &Job) {
        *job.announced_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let id = job.lock().id.clone();
        // Nobody watching is no failure.
        let _n_watchers = self.changes.send(id);
    }

    /// Says that a job is further, unless that was said a moment ago.
    fn announce_progress(&self, job: &Job) {
        let last = *job
            .announced_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if last.is_none_or(|last| last.elapsed() >= BETWEEN) {
            self.announce(job);
        }
    }
}

/// Where the work of a job reports how far it is.
#[derive(Clone)]
pub(super) struct Reporter {
    jobs: Jobs,
    job: Arc<Job>,
}

impl Reporter {
    /// Takes in one line of the engine's progress.
    ///
    /// # Errors
    /// When the line says that the work failed.
    pub(super) fn report(&self, line: &engine_api::images::Progress) -> Result<()> {
        let taken = self.job.lock().progress.take_in(line);
        self.jobs.announce_progress(&self.job);
        taken.map_err(|message| Error::Engine { message })
    }
}

/// Returns the jobs, the newest first.
pub fn list(services: &Services, _permit: &Permit<job::List>) -> Vec<JobFact> {
    services
        .jobs()
        .lock()
        .iter()
        .rev()
        .map(|job| job.lock().clone())
        .collect()
}

/// Returns one job.
///
/// # Errors
/// [`Error::NotFound`] when it was forgotten meanwhile.
pub fn show(services: &Services, permit: &Permit<job::View>) -> Result<JobFact> {
    services
        .jobs()
        .find(&permit.place().id)
        .ok_or(Error::NotFound { kind: "job" })
}

/// Hears which jobs are different, from now on.
pub fn watch(services: &Services, _permit: &Permit<job::List>) -> broadcast::Receiver<JobId> {
    services.jobs().changes.subscribe()
}

/// Ends a job; nothing happens if it has ended.
///
/// # Errors
/// [`Error::NotFound`] when it was forgotten meanwhile.
pub async fn cancel(services: &Services, permit: &Permit<job::Cancel>) -> Result<()> {
    let job = services
        .jobs()
        .job(&permit.place().id)
        .ok_or(Error::NotFound { kind: "job" })?;
    let subject = job.lock().subject.clone();
    audit::bracket(services, permit, subject, async move {
        job.cancel.cancel();
        Ok(())
    })
    .await
}

/// Returns the job that does the same already, if one goes on.
pub(super) fn running(services: &Services, kind: JobKind, subject: &str) -> Option<JobId> {
    let all = services.jobs().lock();
    let same = |fact: &JobFact| fact.is_running() && fact.kind == kind && fact.subject == subject;
    all.iter()
        .map(|job| job.lock())
        .find(|fact| same(fact))
        .map(|fact| fact.id.clone())
}

/// Begins a job between two audit entries; `work` is polled in a task of its own until it ends, is
/// cancelled, or the server shuts down.
pub(super) async fn begin<P, W, F>(
    services: &Services,
    permit: &Permit<P>,
    kind: JobKind,
    subject: String,
    work: W,
) -> Result<JobId>
where
    P: Permission<Place = HostPlace>,
    W: FnOnce(Reporter) -> F,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let fact = JobFact {
        id: JobId::unique(),
        host: permit.place().host.clone(),
        kind,
        subject: subject.clone(),
        account: permit.actor().account.id.clone(),
        actor: permit.actor().account.name.to_string(),
        started_at: services.clock().now(),
        ended_at: None,
        state: JobState::Running,
        progress: Progress::default(),
    };
    let id = fact.id.clone();
    let (number, begun) = audit::begin(services, permit, subject).await?;
    let job = match services.jobs().add(fact) {
        Ok(job) => job,
        Err(error) => {
            audit::complete(services, number, begun, Some(&error)).await;
            return Err(error);
        }
    };
    services.jobs().announce(&job);
    let work = work(Reporter {
        jobs: services.jobs().clone(),
        job: Arc::clone(&job),
    });
    let rooms = services.clone();
    services.tasks().finish("job", async move {
        let shutdown = rooms.tasks().shutdown();
        let result = tokio::select! {
            result = work => result,
            () = job.cancel.cancelled() => Err(cancelled()),
            () = shutdown.cancelled() => {
                Err(Error::Conflict { message: "the server was shut down".to_owned() })
            }
        };
        end(&rooms, &job, result.as_ref().err());
        audit::complete(&rooms, number, begun, result.as_ref().err()).await;
    });
    Ok(id)
}

fn cancelled() -> Error {
    Error::Conflict {
        message: "the job was cancelled".to_owned(),
    }
}

fn end(services: &Services, job: &Job, failure: Option<&Error>) {
    {
        let mut fact = job.lock();
        fact.ended_at = Some(services.clock().now());
        fact.state = match failure {
            None => JobState::Done,
            Some(_) if job.cancel.is_cancelled() => JobState::Cancelled,
            Some(error) => JobState::Failed {
                message: crate::errors::chain(error),
            },
        };
        if failure.is_none() {
            fact.progress.finish();
        }
    }
    services.jobs().announce(job);
}
