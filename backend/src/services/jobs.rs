//! Jobs: long work at an engine that goes on while people look elsewhere.
//!
//! ```text
//! begin ─→ running ─→ done
//!             ├─────→ failed
//!             └─────→ cancelled      by the work itself: [`Reporter::cut`] drops what may be dropped, and
//!                                    with it the engine's connection; what may not leads back first
//! ```
//!
//! A job's progress is folded line by line into a [`JobFact`]; whoever watches hears the job's id, at
//! most ten times a second, and looks at the fact.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Error, Obstacle, Result, Services, audit};
use crate::access::{Permission, Permit, container, job};
use crate::domain::{ContainerId, HostId, JobId, Outcome};

pub use super::build_steps::{BuildStep, BuildStepState, BuildSteps};
pub use super::job_fact::{JobFact, JobKind, JobState};
pub use super::progress::{LastWords, Layer, Progress, Step};
pub use super::stages::{Stage, StageState, Stages};

/// Ended jobs that are kept to be looked at.
const MOST_ENDED: usize = 50;
/// Jobs that may go on at once.
const MOST_RUNNING: usize = 16;
/// Announcements that a slow watcher may be behind.
const MOST_CHANGES: usize = 256;
/// The least time between two announcements of mere progress.
const BETWEEN: Duration = Duration::from_millis(100);

struct Job {
    fact: Mutex<JobFact>,
    cancel: CancellationToken,
    announced_at: Mutex<Option<Instant>>,
    /// Whether something was not announced yet.
    is_behind: AtomicBool,
}

impl Job {
    fn lock(&self) -> MutexGuard<'_, JobFact> {
        self.fact.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of a job that was to be added.
enum Added {
    New(Arc<Job>),
    Joined(JobId),
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

    /// Returns how many go on.
    pub fn n_running(&self) -> usize {
        let all = self.lock();
        all.iter().filter(|job| job.lock().is_running()).count()
    }

    fn job(&self, id: &JobId) -> Option<Arc<Job>> {
        self.lock().iter().find(|job| job.lock().id == *id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Job>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job, unless one that may be joined does the same or too many go on; the oldest ended
    /// ones make room.
    fn add(&self, fact: JobFact, may_join: bool) -> Result<Added> {
        let mut all = self.lock();
        let mut n_running = 0;
        for job in all.iter() {
            let other = job.lock();
            if may_join && other.is_running() && other.does_the_same(&fact) {
                return Ok(Added::Joined(other.id.clone()));
            }
            n_running += usize::from(other.is_running());
        }
        if n_running >= MOST_RUNNING {
            return Err(Error::InTheWay(Obstacle::TooManyJobs { n: n_running }));
        }
        while all.len() - n_running >= MOST_ENDED {
            let Some(oldest) = all.iter().position(|job| !job.lock().is_running()) else {
                break;
            };
            all.remove(oldest);
        }
        let job = Arc::new(Job {
            fact: Mutex::new(fact),
            cancel: CancellationToken::new(),
            announced_at: Mutex::default(),
            is_behind: AtomicBool::new(false),
        });
        all.push_back(Arc::clone(&job));
        Ok(Added::New(job))
    }

    /// Forgets a job that never began.
    fn forget(&self, job: &Arc<Job>) {
        self.lock().retain(|other| !Arc::ptr_eq(other, job));
    }

    /// Says that a job is different.
    fn announce(&self, job: &Job) {
        *job.announced_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        job.is_behind.store(false, Ordering::Relaxed);
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
        } else {
            job.is_behind.store(true, Ordering::Relaxed);
        }
    }
}

/// Where the work of a job reports how far it is.
#[derive(Clone)]
pub(super) struct Reporter {
    jobs: Jobs,
    job: Arc<Job>,
    shutdown: CancellationToken,
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

    /// Takes in one line of a build.
    ///
    /// # Errors
    /// When the line says that the build failed.
    pub(super) fn report_build(&self, line: &engine_api::builds::BuildLine) -> Result<()> {
        let taken = self.job.lock().progress.take_in_build(line);
        self.jobs.announce_progress(&self.job);
        taken.map_err(|message| Error::Engine { message })
    }

    /// Announces what was not, because something else had been a moment before.
    pub(super) fn catch_up(&self) {
        if self.job.is_behind.load(Ordering::Relaxed) {
            self.jobs.announce(&self.job);
        }
    }

    /// Does a part of the work that may be dropped at any moment: when somebody cancels the job, or
    /// the server shuts down.
    ///
    /// # Errors
    /// Those of the work, or what ended it.
    pub(super) async fn cut<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            result = work => result,
            () = self.job.cancel.cancelled() => Err(Error::InTheWay(Obstacle::Cancelled)),
            () = self.shutdown.cancelled() => Err(Error::InTheWay(Obstacle::ShutDown)),
        }
    }

    /// Refuses to go on when the job shall end; asked before each part that may not be cut.
    ///
    /// # Errors
    /// With what ends it.
    pub(super) fn may_go_on(&self) -> Result<()> {
        if self.job.cancel.is_cancelled() {
            return Err(Error::InTheWay(Obstacle::Cancelled));
        }
        if self.shutdown.is_cancelled() {
            return Err(Error::InTheWay(Obstacle::ShutDown));
        }
        Ok(())
    }

    /// Says what is different.
    pub(super) fn tell(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.job.lock().progress);
        self.jobs.announce(&self.job);
    }

    /// Says which container the job is about.
    pub(super) fn is_about(&self, id: &ContainerId) {
        self.job.lock().container = Some(id.clone());
    }

    /// Takes the job off the list: whoever began it has been told already that it came to nothing.
    pub(super) fn withdraw(&self) {
        self.jobs.forget(&self.job);
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

/// Returns the edit of a container that goes on.
pub fn edit_of(services: &Services, permit: &Permit<container::View>) -> Option<JobFact> {
    let all = services.jobs().lock();
    let mut facts = all.iter().map(|job| job.lock().clone());
    facts.find(|fact| {
        let is_its = fact.container.as_ref() == Some(&permit.place().id);
        is_its && fact.kind == JobKind::Edit && fact.is_running()
    })
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

/// What a job is to do.
pub(super) struct Order<W> {
    /// Which kind of work.
    pub(super) kind: JobKind,
    /// Where.
    pub(super) host: HostId,
    /// To what.
    pub(super) subject: String,
    /// What the audit notes of it.
    pub(super) detail: String,
    /// Whether one of the same person that does the same will do.
    pub(super) may_join: bool,
    /// The work; it looks itself whether it shall end before its time.
    pub(super) work: W,
}

/// Begins a job between two audit entries, in a task of its own: a browser that goes away now leaves
/// neither an entry without an end nor a job without an entry.
pub(super) async fn begin<P, W, F>(
    services: &Services,
    permit: &Permit<P>,
    order: Order<W>,
) -> Result<JobId>
where
    P: Permission,
    W: FnOnce(Reporter) -> F + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let fact = JobFact {
        id: JobId::unique(),
        host: order.host,
        kind: order.kind,
        subject: order.subject,
        account: permit.actor().account.id.clone(),
        actor: permit.actor().account.name.to_string(),
        started_at: services.clock().now(),
        ended_at: None,
        state: JobState::Running,
        progress: Progress::default(),
        container: None,
    };
    let job = match services.jobs().add(fact, order.may_join)? {
        Added::New(job) => job,
        Added::Joined(id) => return Ok(id),
    };
    let begun = audit::entry(services, permit, Outcome::Begun, order.detail);
    let (told, begins) = oneshot::channel();
    let rooms = services.clone();
    services.tasks().finish("job", async move {
        let (number, begun) = match audit::open(&rooms, begun).await {
            Ok(open) => open,
            Err(error) => {
                rooms.jobs().forget(&job);
                let _nobody_waits = told.send(Err(error));
                return;
            }
        };
        rooms.jobs().announce(&job);
        let id = job.lock().id.clone();
        let _nobody_waits = told.send(Ok(id));
        let reporter = Reporter {
            jobs: rooms.jobs().clone(),
            job: Arc::clone(&job),
            shutdown: rooms.tasks().shutdown(),
        };
        let result = (order.work)(reporter).await;
        end(&rooms, &job, result.as_ref().err());
        audit::complete(&rooms, number, begun, result.as_ref().err()).await;
    });
    let lost = |error: oneshot::error::RecvError| Error::Internal(error.into());
    begins.await.map_err(lost)?
}

fn end(services: &Services, job: &Job, failure: Option<&Error>) {
    {
        let mut fact = job.lock();
        fact.ended_at = Some(services.clock().now());
        fact.state = match failure {
            None => JobState::Done,
            Some(error) if job.cancel.is_cancelled() => JobState::Cancelled {
                message: error.noted(),
            },
            Some(error) => JobState::Failed {
                message: error.noted(),
            },
        };
        match failure {
            None => fact.progress.finish(),
            Some(_) => fact.progress.fail(),
        }
    }
    services.jobs().announce(job);
}
