//! Waiting for the end of a container.

use std::sync::Arc;

use engine_api::containers::{WaitAnswer, WaitCondition};
use tokio::sync::watch;

use super::registry::Containers;
use super::view::View;
use crate::services::error::Result;

/// A wait that has begun: whatever happens from now on counts.
pub(crate) struct Wait {
    watch: watch::Receiver<Arc<View>>,
    condition: WaitCondition,
    n_exits: u64,
    was_up: bool,
}

impl Containers {
    /// Begins to wait.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn wait(&self, reference: &str, condition: WaitCondition) -> Result<Wait> {
        let handle = self.find(reference)?;
        let watch = handle.watch();
        let (n_exits, was_up) = {
            let view = watch.borrow();
            (view.n_exits, view.is_up())
        };
        Ok(Wait {
            watch,
            condition,
            n_exits,
            was_up,
        })
    }
}

impl Wait {
    /// Waits to the end.
    pub(crate) async fn end(mut self) -> WaitAnswer {
        let (condition, n_exits, was_up) = (self.condition, self.n_exits, self.was_up);
        // An error means that the owner is gone; the last view says how it ended.
        let _ = self
            .watch
            .wait_for(|view| holds(view, condition, n_exits, was_up))
            .await;
        let view = self.watch.borrow();
        WaitAnswer {
            status_code: i64::from(view.last_code),
            error: None,
        }
    }
}

/// One that its policy starts again counts as up; who waits for its end is told each time, as
/// Docker does.
fn holds(view: &View, condition: WaitCondition, n_exits: u64, was_up: bool) -> bool {
    match condition {
        WaitCondition::NotRunning => {
            let has_ended = was_up && view.n_exits > n_exits;
            !view.is_up() || has_ended || view.gone
        }
        WaitCondition::NextExit => view.n_exits > n_exits || view.gone,
        WaitCondition::Removed => view.gone,
    }
}
