//! A build from its plan to its image: stages side by side, told in the order of the plan.

use std::sync::Arc;

use engine_build::Plan;
use futures_util::future::try_join_all;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit, watch};

use super::ending;
use super::output::{Lines, Output};
use super::request::{BuildRequest, EPOCH};
use super::service::Builds;
use super::stage::{self, Built};
use super::told;
use crate::faults;
use crate::records::BuildDir;
use crate::services::error::ServiceError;
use crate::tasks::blocking;

/// Stages that are built at once.
const STAGES_MAX: usize = 2;

/// Why a build ended before its image was there.
#[derive(Debug)]
pub(super) enum Stop {
    /// Nobody waits for it any more, or the engine ends.
    Gone,
    /// A command in it failed.
    Exit { code: i32, message: String },
    /// Something else did.
    Failed(ServiceError),
}

impl From<ServiceError> for Stop {
    fn from(error: ServiceError) -> Self {
        Self::Failed(error)
    }
}

/// A build that was understood and not begun.
pub(crate) struct Build {
    pub(super) request: BuildRequest,
    pub(super) plan: Plan,
    pub(super) names: Vec<engine_images::Reference>,
    pub(super) epoch: Option<i64>,
    pub(super) dir: Arc<BuildDir>,
    pub(super) permit: OwnedSemaphorePermit,
}

/// What the stages of a build share.
pub(super) struct Work {
    pub(super) builds: Arc<Builds>,
    pub(super) request: BuildRequest,
    pub(super) plan: Plan,
    pub(super) epoch: Option<i64>,
    pub(super) dir: Arc<BuildDir>,
    /// What came of each stage, once it is done.
    stages: Vec<watch::Sender<Option<Arc<Built>>>>,
    n_begun: watch::Sender<usize>,
    turns: Semaphore,
}

impl Work {
    /// Waits for a stage; those that it needs were begun before it.
    ///
    /// # Errors
    /// When the build ends before.
    pub(super) async fn stage(&self, place: usize) -> Result<Arc<Built>, Stop> {
        let mut built = self.stages[place].subscribe();
        match built.wait_for(Option::is_some).await {
            Ok(built) => built.clone().ok_or(Stop::Gone),
            Err(_) => Err(Stop::Gone),
        }
    }

    /// Waits until a stage may begin. They begin in their order, so that the one that is told now is
    /// never kept waiting by one that waits to be told.
    async fn turn(&self, place: usize) -> Result<SemaphorePermit<'_>, Stop> {
        let mut n_begun = self.n_begun.subscribe();
        let is_next = n_begun.wait_for(|n_begun| *n_begun == place).await;
        is_next.map_err(|_| Stop::Gone)?;
        let turn = self.turns.acquire().await.map_err(|_| Stop::Gone)?;
        self.n_begun.send_replace(place + 1);
        Ok(turn)
    }
}

/// Builds, tells everything, and cleans up.
pub(super) async fn run(builds: Arc<Builds>, build: Build, output: Output) {
    let Build {
        request,
        plan,
        names,
        epoch,
        dir,
        permit,
    } = build;
    let work = Arc::new(Work {
        stages: plan
            .stages
            .iter()
            .map(|_| watch::Sender::new(None))
            .collect(),
        builds: Arc::clone(&builds),
        request,
        plan,
        epoch,
        dir: Arc::clone(&dir),
        n_begun: watch::Sender::new(0),
        turns: Semaphore::new(STAGES_MAX),
    });
    // Dropped, everything that goes on breaks off; what is left of it is noted in the directory.
    let done = tokio::select! {
        biased;
        done = to_image(&work, names, &output) => done,
        () = output.gone() => Err(Stop::Gone),
        () = builds.tasks.stopping() => Err(Stop::Failed(ServiceError::Unavailable(
            "the engine is stopping".to_owned(),
        ))),
    };
    builds.end_steps(&dir).await;
    drop(work);
    blocking(move || drop(dir)).await;
    if let Err(stop) = &done {
        tracing::info!(?stop, "a build ended without an image");
        output.failure(stop).await;
    }
    drop(permit);
}

async fn to_image(
    work: &Arc<Work>,
    names: Vec<engine_images::Reference>,
    output: &Output,
) -> Result<(), Stop> {
    output.plan(|| told::steps(work)).await?;
    for told in &work.plan.globals {
        output.begin(told, n_steps(work)).await?;
        output.end(&Ok::<(), Stop>(())).await?;
    }
    let channels = work.plan.stages.iter();
    let channels = channels.map(|_| output.of_stage());
    let (sides, told): (Vec<Output>, Vec<Option<Lines>>) = channels.unzip();
    let telling = tell_in_order(told, output);
    let building = async {
        let stages = sides.into_iter().enumerate().map(|(place, side)| {
            let work = Arc::clone(work);
            async move { one_stage(&work, place, side).await }
        });
        try_join_all(stages).await
    };
    let (built, told) = tokio::join!(building, telling);
    let built = built?.pop().ok_or_else(|| {
        Stop::Failed(ServiceError::BadRequest(
            "the Dockerfile has no stage to build".to_owned(),
        ))
    })?;
    told?;
    let labels = &work.request.labels;
    let built = match labels.is_empty() {
        true => built,
        false => ending::with_labels(work, &built, output).await?,
    };
    let unconsumed = &work.plan.unconsumed;
    let unconsumed: Vec<&str> = unconsumed
        .iter()
        .map(String::as_str)
        .filter(|name| *name != EPOCH)
        .collect();
    if !unconsumed.is_empty() {
        let names = unconsumed.join(" ");
        let text = format!("[Warning] One or more build-args [{names}] were not consumed\n");
        output.say(text).await?;
    }
    faults::point("build.built");
    let familiar: Vec<String> = names.iter().map(|name| name.familiar()).collect();
    let draft = match work.request.squash {
        true => ending::squashed(work, &built).await?,
        false => built.draft.clone(),
    };
    let id = work.builds.list(draft, names).await?;
    faults::point("build.listed");
    output.built(id.to_string()).await?;
    output
        .chat(format!("Successfully built {}\n", id.short()))
        .await?;
    for name in familiar {
        output.chat(format!("Successfully tagged {name}\n")).await?;
    }
    Ok(())
}

/// The number behind the slash: labels that were asked for are a step of their own.
pub(super) fn n_steps(work: &Work) -> usize {
    work.plan.n_steps + usize::from(!work.request.labels.is_empty())
}

/// Each stage after the one before, however they are built: a stage that is ahead waits.
async fn tell_in_order(told: Vec<Option<Lines>>, output: &Output) -> Result<(), Stop> {
    for mut lines in told.into_iter().flatten() {
        while let Some(line) = lines.recv().await {
            output.pass(line).await?;
        }
    }
    Ok(())
}

async fn one_stage(work: &Arc<Work>, place: usize, side: Output) -> Result<Arc<Built>, Stop> {
    for needed in &work.plan.stages[place].needs {
        work.stage(*needed).await?;
    }
    let turn = work.turn(place).await?;
    let built = Arc::new(stage::build(work, place, &side).await?);
    drop(turn);
    work.stages[place].send_replace(Some(Arc::clone(&built)));
    Ok(built)
}
