//! What a build fetches from the net.

use std::sync::Arc;

use super::executor::Stop;
use super::service::Builds;
use super::stage::Stage;
use crate::records::BuildDir;
use crate::services::error::{Result, ServiceError};

/// A file that was fetched.
pub(super) struct Fetched {
    /// The directory of the build that it lies in.
    pub(super) dir: String,
    pub(super) name: String,
}

/// Fetches a file that `ADD` names.
pub(super) async fn fetch(
    _stage: &Stage<'_>,
    url: &str,
    _checksum: Option<&str>,
) -> Result<Fetched, Stop> {
    Err(Stop::Failed(ServiceError::BadRequest(format!(
        "ADD failed: {url} is not fetched by this engine yet: fetch it and add the file"
    ))))
}

/// Fetches the context.
pub(super) async fn context(_builds: &Builds, _dir: &Arc<BuildDir>, remote: &str) -> Result<()> {
    Err(ServiceError::BadRequest(format!(
        "remote contexts are not supported yet: fetch {remote} and send it"
    )))
}
