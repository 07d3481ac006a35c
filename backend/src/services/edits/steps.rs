//! The steps of an edit, each of which leaves its way back.

use std::time::Duration;

use engine_api::containers::{UpdateBody, WaitCondition};

use super::back::{self, Reservation};
use super::plan::Plan;
use crate::access::{Permission, Permit, container, policy};
use crate::domain::{ContainerId, ContainerPlace, HostPlace, Rule};
use crate::fleet::{ContainerFact, EngineClient, Phase, RemoveOptions};
use crate::services::drafts::{Draft, Way};
use crate::services::{Error, Obstacle, Result, Services, audit, containers};
use crate::store::edits::EditRow;

/// How long a new container must run before the old one goes.
const PROOF: Duration = Duration::from_secs(3);
/// How many digits of its id tell two edits of one name apart.
const MARK: usize = 4;

/// What was decided on a plan.
#[derive(Clone, Debug)]
pub struct Order {
    /// The plan.
    pub plan: Plan,
    /// Whether the old container stays, stopped, when it is made anew.
    pub keeps_old: bool,
}

/// What an edit came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The container as it is now: another one, when it was made anew.
    pub id: Option<ContainerId>,
    /// Its name.
    pub name: String,
    /// What the engine warned of.
    pub warnings: Vec<String>,
    /// The name of the old container, when it is still there.
    pub old: Option<String>,
}

/// Does what a plan says. It goes on when the browser leaves.
///
/// # Errors
/// With the field where a name is taken or the engine refuses an option; [`Error::WentBack`] when the
/// new container did not start and the old one is back.
pub async fn apply(
    services: &Services,
    permit: &Permit<container::Edit>,
    order: Order,
) -> Result<Done> {
    let fields: Vec<_> = order.plan.changes.iter().map(|c| c.field).collect();
    let (rooms, held) = (services.clone(), permit.clone());
    let (how, fields) = (&order.plan.way, fields.join(","));
    let detail = match how {
        Way::Anew => format!("anew fields={fields}"),
        _ => format!("in-place fields={fields}"),
    };
    audit::bracket(services, permit, detail, async move {
        match order.plan.way.clone() {
            Way::Same => in_place(&rooms, &held, &order.plan.draft, None).await,
            Way::InPlace(body) => in_place(&rooms, &held, &order.plan.draft, Some(&body)).await,
            Way::Anew => anew(&rooms, &held, order).await,
        }
    })
    .await
}

async fn in_place(
    services: &Services,
    permit: &Permit<container::Edit>,
    draft: &Draft,
    body: Option<&UpdateBody>,
) -> Result<Done> {
    let place = permit.place();
    let name = draft.name().unwrap_or(&place.name).to_owned();
    let rename = permit_for::<container::Rename>(services, permit, place.clone())?;
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
    Ok(Done {
        id: None,
        name,
        warnings,
        old: None,
    })
}

async fn anew(services: &Services, permit: &Permit<container::Edit>, order: Order) -> Result<Done> {
    let place = permit.place();
    let fact = services.index().container(&place.id);
    let fact = fact.ok_or(Error::NotFound { kind: "container" })?;
    look_first(services, &fact, &order)?;
    let rights = Rights::ask(services, permit)?;
    let unique = crate::ids::unique().simple().to_string();
    let mark = &unique[unique.len() - MARK..];
    let new_name = order.plan.draft.name().unwrap_or(&fact.name).to_owned();
    let mut row = EditRow {
        old: place.id.to_string(),
        aside: marked(&fact.name, &format!("-before-edit-{mark}")),
        fresh: marked(&new_name, &format!("-edit-{mark}")),
        name: fact.name.clone(),
        new_name,
        made: None,
        ran: fact.phase.is_alive(),
        keeps_old: order.keeps_old,
        proved: false,
    };
    let reservation = Reservation::make(services, &row).await?;
    let fresh = Some(row.fresh.clone());
    let body = order.plan.draft.body();
    let made = containers::create_only(services, &rights.create, fresh, body, row.ran).await;
    let (id, warnings) = match made {
        Ok(made) => made,
        Err(error) => {
            // Nothing was touched yet.
            reservation.end(&row).await?;
            return Err(error);
        }
    };
    row.made = Some(id.to_string());
    let replaced = async {
        reservation.advance(&row).await?;
        replace(services, &rights, &row, &id).await
    };
    if let Err(error) = replaced.await {
        return Err(went_back(&reservation, &row, permit, services, error).await);
    }
    row.proved = true;
    reservation.advance(&row).await?;
    let old = match row.keeps_old {
        true => Some(row.aside.clone()),
        false => remove(services, &rights.remove)
            .await
            .err()
            .map(|_| row.aside.clone()),
    };
    reservation.end(&row).await?;
    containers::until(services, |index| {
        index
            .container(&id)
            .is_some_and(|fact| fact.name == row.new_name)
    })
    .await;
    Ok(Done {
        id: Some(id),
        name: row.new_name,
        warnings,
        old,
    })
}

/// What would make the way back impossible is refused before the first step.
fn look_first(services: &Services, fact: &ContainerFact, order: &Order) -> Result<()> {
    let new_name = order.plan.draft.name().unwrap_or(&fact.name);
    let is_taken = new_name != fact.name && services.index().find_container(new_name).is_some();
    match fact.phase {
        _ if is_taken => Err(Error::field("name", Rule::Taken)),
        Phase::Paused => Err(Error::InTheWay(Obstacle::Paused)),
        phase if phase.is_alive() && order.plan.stored.goes_when_it_ends() => {
            Err(Error::InTheWay(Obstacle::GoesWhenStopped))
        }
        _ => Ok(()),
    }
}

/// A name with a mark at its end; cut where it would be too long for a name.
fn marked(name: &str, mark: &str) -> String {
    let most = 128 - mark.len();
    let end = name.len().min(most);
    format!("{}{mark}", &name[..end])
}

/// Every permit that the steps need, asked for before the first.
struct Rights {
    create: Permit<container::Create>,
    stop: Permit<container::Stop>,
    start: Permit<container::Start>,
    rename: Permit<container::Rename>,
    remove: Permit<container::Remove>,
}

impl Rights {
    fn ask(services: &Services, permit: &Permit<container::Edit>) -> Result<Self> {
        let place = permit.place();
        let host = HostPlace {
            host: place.host.clone(),
        };
        Ok(Self {
            create: policy::permit(permit.actor(), host, services.watchtower())?,
            stop: permit_for(services, permit, place.clone())?,
            start: permit_for(services, permit, place.clone())?,
            rename: permit_for(services, permit, place.clone())?,
            remove: permit_for(services, permit, place.clone())?,
        })
    }
}

fn permit_for<P>(
    services: &Services,
    permit: &Permit<container::Edit>,
    place: ContainerPlace,
) -> Result<Permit<P>>
where
    P: Permission<Place = ContainerPlace>,
{
    Ok(policy::permit(
        permit.actor(),
        place,
        services.watchtower(),
    )?)
}

/// Puts the new container in the old one's place.
async fn replace(
    services: &Services,
    rights: &Rights,
    row: &EditRow,
    id: &ContainerId,
) -> Result<()> {
    let new = |name: &str| ContainerPlace {
        host: rights.stop.place().host.clone(),
        id: id.clone(),
        name: name.to_owned(),
    };
    let actor = rights.create.actor();
    if row.ran {
        containers::stop(services, &rights.stop).await?;
    }
    containers::rename(services, &rights.rename, &row.aside).await?;
    let rename = policy::permit(actor, new(&row.fresh), services.watchtower())?;
    containers::rename(services, &rename, &row.new_name).await?;
    if row.ran {
        // Held to the end: what the place is must not change the right.
        let start = policy::permit(
            rights.start.actor(),
            new(&row.new_name),
            services.watchtower(),
        )?;
        containers::start(services, &start).await?;
        stays(&services.link().client(&start), id).await?;
    }
    Ok(())
}

/// Waits whether a container that was started goes on.
async fn stays(client: &EngineClient, id: &ContainerId) -> Result<()> {
    let end = client.wait_container(id.as_str(), WaitCondition::NotRunning);
    match tokio::time::timeout(PROOF, end).await {
        Err(_still_runs) => Ok(()),
        Ok(Ok(end)) => Err(Error::InTheWay(Obstacle::EndedAtOnce {
            code: end.status_code,
        })),
        Ok(Err(error)) => Err(error.into()),
    }
}

async fn remove(services: &Services, permit: &Permit<container::Remove>) -> Result<()> {
    containers::remove(services, permit, RemoveOptions::default()).await
}

/// Leads back, and says what came of it. What does not come back now is mended later.
async fn went_back(
    reservation: &Reservation,
    row: &EditRow,
    permit: &Permit<container::Edit>,
    services: &Services,
    why: Error,
) -> Error {
    let client = services.link().client(permit);
    let is_back = match back::go_back(&client, row).await {
        Ok(()) => reservation.end(row).await.is_ok(),
        Err(error) => {
            let error = crate::errors::chain(&error);
            tracing::warn!(error, name = row.name, "an edit's way back is tried again");
            false
        }
    };
    containers::until(services, |index| {
        let fact = index.container(&permit.place().id);
        !is_back || fact.is_some_and(|f| f.name == row.name && f.phase.is_alive() == row.ran)
    })
    .await;
    Error::WentBack {
        why: Box::new(why),
        is_back,
        ran: row.ran,
    }
}
