//! Builds: a Dockerfile is looked at, and built as a job, from files that come by the browser, from an
//! address, or from nothing but itself.
//!
//! **Invariant:** what is sent passes through in pieces; nothing of a context is kept here.

use std::time::Duration;

use engine_api::builds::BuildLine;
pub use engine_api::builds::DockerfileCheck;

pub use super::build_draft::{BuildDraft, TypedBuild};
use super::jobs::{self, JobKind, Order, Reporter};
use super::registry_auth::headers;
pub use super::upload::Upload;
use super::upload::upload;
use super::{Error, Obstacle, Result, Services};
use crate::access::{Permit, image};
use crate::domain::{Credentials, FieldError, JobId, Rule};
use crate::fleet::{BuildOptions, JsonLines};

/// A build that says nothing for so long has shown everything that it said.
const QUIET: Duration = Duration::from_millis(120);

/// Tells what is wrong with a Dockerfile, and its stages. One that is empty is not looked at.
///
/// # Errors
/// When the engine is away, or refuses an option.
pub async fn check(
    services: &Services,
    permit: &Permit<image::Build>,
    draft: &BuildDraft,
) -> Result<DockerfileCheck> {
    let Some(text) = draft.dockerfile.clone() else {
        return Ok(DockerfileCheck::default());
    };
    let query = draft.query_of_check();
    let query: Vec<(&str, &str)> = query
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let client = services.link().client(permit);
    Ok(client.check_dockerfile(&query, text).await?)
}

/// Begins to build; the files of the context, if there are any, follow piece by piece. `kept` are
/// the names and passwords for what the Dockerfile stands on.
///
/// # Errors
/// When there is neither a Dockerfile nor a context, or there are two; when too many jobs go on.
pub async fn build(
    services: &Services,
    permit: &Permit<image::Build>,
    draft: BuildDraft,
    kept: &[(String, Credentials)],
    has_files: bool,
) -> Result<(JobId, Upload)> {
    if has_files && draft.remote.is_some() {
        return Err(FieldError::new("remote", Rule::OneContext).into());
    }
    if !has_files && draft.remote.is_none() && draft.dockerfile.is_none() {
        return Err(FieldError::new("dockerfile", Rule::Required).into());
    }
    let client = services.link().client(permit);
    let (upload, context) = upload();
    let subject = draft.subject();
    let detail = draft.noted();
    let options = BuildOptions {
        query: draft.query(),
        dockerfile: draft.dockerfile,
        auths: headers(kept)?,
    };
    let order = Order {
        kind: JobKind::Build,
        host: permit.place().host.clone(),
        subject,
        detail,
        // Each has files of its own.
        may_join: false,
        work: |reporter: Reporter| async move {
            let build = async {
                let lines = client.build_in_steps(options, context).await?;
                follow(lines, &reporter).await
            };
            reporter.cut(build).await
        },
    };
    let job = jobs::begin(services, permit, order).await?;
    Ok((job, upload))
}

/// Reports the engine's lines until there are no more, or one says that it failed.
async fn follow(mut lines: JsonLines<BuildLine>, reporter: &Reporter) -> Result<()> {
    let mut is_built = false;
    loop {
        match tokio::time::timeout(QUIET, lines.next()).await {
            Ok(line) => match line? {
                Some(line) => {
                    is_built |= line.aux.is_some();
                    reporter.report_build(&line)?;
                }
                None if is_built => return Ok(()),
                None => return Err(Error::InTheWay(Obstacle::BrokenOff)),
            },
            Err(_) => reporter.catch_up(),
        }
    }
}
