//! What a client is told while an image is built: Docker's lines, as they come, at its pace.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use engine_api::builds::{BuildLine, BuildMark, BuildStep, BuiltImage, StepState};
use engine_api::images::{Progress, ProgressError};
use engine_build::Told;
use tokio::sync::mpsc;
use tokio::time::Instant;

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
    /// The step that goes on, where whoever listens wants it told with each line.
    going: Option<Arc<Mutex<Going>>>,
}

/// The step that goes on.
#[derive(Clone, Copy)]
struct Going {
    /// 0 before the first.
    number: usize,
    begun: Instant,
    is_cached: bool,
}

impl Going {
    fn new(number: usize) -> Self {
        Self {
            number,
            begun: Instant::now(),
            is_cached: false,
        }
    }
}

impl Output {
    /// Returns both ends.
    pub(super) fn new(is_quiet: bool, is_marked: bool) -> (Self, Lines) {
        let (lines, receiver) = mpsc::channel(LINES_MAX);
        let going = is_marked.then(|| Arc::new(Mutex::new(Going::new(0))));
        let output = Self {
            lines,
            is_quiet,
            going,
        };
        (output, receiver)
    }

    /// Returns the output of one stage: with steps told, the same one with steps of its own; else
    /// another one, whose lines wait for their turn.
    pub(super) fn of_stage(&self) -> (Self, Option<Lines>) {
        if self.going.is_none() {
            let (side, lines) = Self::new(self.is_quiet, false);
            return (side, Some(lines));
        }
        let side = Self {
            going: Some(Arc::new(Mutex::new(Going::new(0)))),
            ..self.clone()
        };
        (side, None)
    }

    /// Tells what will be done, where that is wanted.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn plan(&self, steps: impl FnOnce() -> Vec<BuildStep>) -> Result<(), Stop> {
        if self.going.is_none() {
            return Ok(());
        }
        self.mark(BuildMark {
            steps: steps(),
            ..BuildMark::default()
        })
        .await
    }

    /// Begins a step.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn begin(&self, told: &Told, n_steps: usize) -> Result<(), Stop> {
        if self.going.is_none() {
            let (number, text) = (told.number, &told.text);
            return self
                .say(format!("Step {number}/{n_steps} : {text}\n"))
                .await;
        }
        if let Some(mut going) = self.going() {
            *going = Going::new(told.number);
        }
        self.stands(StepState::Begun, None).await
    }

    /// Says that the step that goes on was done before.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn cached(&self) -> Result<(), Stop> {
        if let Some(mut going) = self.going() {
            going.is_cached = true;
        }
        self.chat(" ---> Using cache\n").await
    }

    /// Ends the step that goes on, one way or the other.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn end<T>(&self, done: &Result<T, Stop>) -> Result<(), Stop> {
        let Some(going) = self.going().map(|going| *going) else {
            return Ok(());
        };
        let state = match done {
            Ok(_) if going.is_cached => StepState::Cached,
            Ok(_) => StepState::Done,
            Err(_) => StepState::Failed,
        };
        let took_ms = u64::try_from(going.begun.elapsed().as_millis()).ok();
        self.stands(state, took_ms).await
    }

    /// Tells in words what marks tell too.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn chat(&self, text: impl Into<String>) -> Result<(), Stop> {
        match self.going {
            Some(_) => self.check(),
            None => self.say(text).await,
        }
    }

    async fn stands(&self, state: StepState, took_ms: Option<u64>) -> Result<(), Stop> {
        let step = self.going().map(|going| going.number);
        self.mark(BuildMark {
            step,
            state: Some(state),
            took_ms,
            ..BuildMark::default()
        })
        .await
    }

    async fn mark(&self, mark: BuildMark) -> Result<(), Stop> {
        let line = BuildLine {
            gantry: Some(Box::new(mark)),
            ..BuildLine::default()
        };
        self.tell(line).await
    }

    fn going(&self) -> Option<MutexGuard<'_, Going>> {
        let going = self.going.as_ref()?;
        Some(going.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells a text of the build or of a container.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn say(&self, text: impl Into<String>) -> Result<(), Stop> {
        if self.is_quiet {
            return self.check();
        }
        self.tell(BuildLine {
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
        self.tell(line.into()).await
    }

    /// Tells the id of what was built, for programs.
    ///
    /// # Errors
    /// When nobody listens any more.
    pub(super) async fn built(&self, id: String) -> Result<(), Stop> {
        if self.is_quiet {
            // The only line that there is then.
            return self
                .tell(BuildLine {
                    stream: Some(format!("{id}\n")),
                    ..BuildLine::default()
                })
                .await;
        }
        self.tell(BuildLine {
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
        let _ = self.tell(line).await;
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

    async fn tell(&self, mut line: BuildLine) -> Result<(), Stop> {
        if line.gantry.is_none() {
            let number = self.going().map(|going| going.number);
            line.gantry = number.filter(|number| *number > 0).map(|number| {
                Box::new(BuildMark {
                    step: Some(number),
                    ..BuildMark::default()
                })
            });
        }
        // A line of plain texts and numbers always has a JSON form.
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.extend_from_slice(b"\r\n");
        self.pass(text.into()).await
    }
}

fn words(error: &ServiceError) -> String {
    chain(error)
}
