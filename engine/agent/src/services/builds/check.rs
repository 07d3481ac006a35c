//! A look at a Dockerfile that nobody builds yet.

use std::sync::Arc;

use engine_api::builds::{DockerfileCheck, DockerfileFault, DockerfileStage};
use engine_build::Fault;

use super::request::BuildRequest;
use super::service::{Builds, options};
use crate::services::error::{Result, ServiceError};
use crate::tasks::blocking;

/// Looks that go on at once: the longest file keeps a processor busy for seconds.
pub(super) const CHECKS_MAX: usize = 2;

impl Builds {
    /// Tells what is wrong with a Dockerfile, and its stages.
    ///
    /// # Errors
    /// When the platform is none.
    pub(crate) async fn check(
        &self,
        text: impl AsRef<[u8]> + Send + 'static,
        asked: &BuildRequest,
    ) -> Result<DockerfileCheck> {
        let options = options(asked)?;
        let turn = Arc::clone(&self.checks).acquire_owned().await;
        let turn = turn.map_err(ServiceError::failed("wait for the turn of a Dockerfile"))?;
        Ok(blocking(move || {
            let checked = engine_build::check(text.as_ref(), &options);
            // Whoever asked may have gone; the turn lasts as long as the work.
            drop(turn);
            DockerfileCheck {
                faults: checked.faults.into_iter().map(fault).collect(),
                stages: checked
                    .stages
                    .into_iter()
                    .map(|(name, line)| DockerfileStage { name, line })
                    .collect(),
            }
        })
        .await)
    }
}

fn fault(fault: Fault) -> DockerfileFault {
    DockerfileFault {
        line: fault.span.first_line,
        last_line: fault.span.last_line,
        column: fault.span.column,
        rule: fault.rule.name().to_owned(),
        message: fault.message,
        meant: fault.meant,
    }
}
