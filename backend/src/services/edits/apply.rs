//! What was decided on a plan, and its beginning.

use std::time::Duration;

use engine_api::containers::UpdateBody;
use tokio::sync::oneshot;

use super::plan::Plan;
use super::steps::{self, Edit};
use crate::access::{Permit, container, policy};
use crate::domain::JobId;
use crate::services::drafts::{Draft, Way};
use crate::services::jobs::{self, JobKind, Reporter};
use crate::services::{Result, Services, audit, containers};

/// As long as an answer waits for the engine's word on a new definition, to be said beside its field;
/// whoever waits longer finds it on the job's page.
const WORD_PATIENCE: Duration = Duration::from_secs(2);

/// What was decided on a plan.
#[derive(Clone, Debug)]
pub struct Order {
    /// The plan.
    pub plan: Plan,
    /// Whether the old container stays, stopped, when it is made anew.
    pub keeps_old: bool,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It is done.
    InPlace {
        /// The container's name, as it is now.
        name: String,
        /// What the engine warned of.
        warnings: Vec<String>,
    },
    /// The new container is made, and all else is a job.
    Begun(JobId),
}

/// Does what a plan says. It goes on when the browser leaves.
///
/// # Errors
/// With the field where a name is taken or the engine refuses an option; nothing was touched then.
pub async fn apply(
    services: &Services,
    permit: &Permit<container::Edit>,
    order: Order,
) -> Result<Applied> {
    let fields: Vec<_> = order.plan.changes.iter().map(|c| c.field).collect();
    let fields = fields.join(",");
    let body = match &order.plan.way {
        Way::Anew => return anew(services, permit, order, fields).await,
        Way::InPlace(body) => Some(body.clone()),
        Way::Same => None,
    };
    let (rooms, held) = (services.clone(), permit.clone());
    let detail = format!("in-place fields={fields}");
    audit::bracket(services, permit, detail, async move {
        in_place(&rooms, &held, &order.plan.draft, body.as_deref()).await
    })
    .await
}

async fn anew(
    services: &Services,
    permit: &Permit<container::Edit>,
    order: Order,
    fields: String,
) -> Result<Applied> {
    let (refused, word) = oneshot::channel();
    let (rooms, held) = (services.clone(), permit.clone());
    let job = jobs::Order {
        kind: JobKind::Edit,
        host: permit.place().host.clone(),
        subject: permit.place().name.clone(),
        detail: format!("anew fields={fields}"),
        may_join: false,
        work: move |reporter: Reporter| {
            let edit = Edit {
                services: rooms,
                permit: held,
                order,
                reporter,
            };
            steps::walk(edit, refused)
        },
    };
    let job = jobs::begin(services, permit, job).await?;
    match tokio::time::timeout(WORD_PATIENCE, word).await {
        Ok(Ok(refusal)) => Err(refusal),
        // It is made, or that takes its time.
        Ok(Err(_)) | Err(_) => Ok(Applied::Begun(job)),
    }
}

async fn in_place(
    services: &Services,
    permit: &Permit<container::Edit>,
    draft: &Draft,
    body: Option<&UpdateBody>,
) -> Result<Applied> {
    let place = permit.place();
    let name = draft.name().unwrap_or(&place.name).to_owned();
    let rename =
        policy::permit::<container::Rename>(permit.actor(), place.clone(), services.watchtower())?;
    if name != place.name {
        containers::rename(services, &rename, &name).await?;
    }
    let client = services.link().client(permit);
    let mut warnings = Vec::new();
    if let Some(body) = body {
        match client.update_container(place.id.as_str(), body).await {
            Ok(answer) => warnings = answer.warnings,
            Err(error) => {
                if name != place.name {
                    containers::rename(services, &rename, &place.name).await?;
                }
                return Err(containers::of_create(error.into()));
            }
        }
    }
    containers::until(services, |index| {
        index
            .container(&place.id)
            .is_none_or(|fact| fact.name == name)
    })
    .await;
    Ok(Applied::InPlace { name, warnings })
}
