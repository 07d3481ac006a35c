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
}

impl Containers {
    /// Begins to wait.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn wait(&self, reference: &str, condition: WaitCondition) -> Result<Wait> {
        let handle = self.find(reference)?;
        let n_exits = handle.view().n_exits;
        Ok(Wait {
            watch: handle.watch(),
            condition,
            n_exits,
        })
    }
}

impl Wait {
    /// Waits to the end.
    pub(crate) async fn end(mut self) -> WaitAnswer {
        let (condition, n_exits) = (self.condition, self.n_exits);
        // An error means that the owner is gone; the last view says how it ended.
        let _ = self
            .watch
            .wait_for(|view| holds(view, condition, n_exits))
            .await;
        let view = self.watch.borrow();
        WaitAnswer {
            status_code: i64::from(view.exit_code()),
            error: None,
        }
    }
}

fn holds(view: &View, condition: WaitCondition, n_exits: u64) -> bool {
    match condition {
        WaitCondition::NotRunning => !view.is_running() || view.gone,
        WaitCondition::NextExit => view.n_exits > n_exits || view.gone,
        WaitCondition::Removed => view.gone,
    }
}
