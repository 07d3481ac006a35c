//! The steps by which a container is made anew, each of which leaves its way back.

use std::time::Duration;

use tokio::sync::oneshot;

use super::apply::Order;
use super::back::{self, Reservation};
use super::proof::{self, Proof};
use super::rights::Rights;
use crate::access::{Permit, container, policy};
use crate::domain::{ContainerId, ContainerPlace, Rule};
use crate::fleet::doctor::Diagnosis;
use crate::fleet::{ContainerFact, Phase, RemoveOptions};
use crate::services::jobs::Reporter;
use crate::services::{Error, Obstacle, Result, Services, containers};
use crate::store::edits::EditRow;

/// How many digits of its id tell two edits of one name apart.
const MARK: usize = 4;
/// The keys of what is said with a name or a time.
const OLD_STAYS: &str = "edit-old-stays";
const AT_MOST: &str = "edit-step-at-most";

/// An edit that makes a container anew, and what it works with.
pub(super) struct Edit {
    pub(super) services: Services,
    pub(super) permit: Permit<container::Edit>,
    pub(super) order: Order,
    pub(super) reporter: Reporter,
}

/// The new container, which stands aside yet.
struct Made {
    row: EditRow,
    reservation: Reservation,
    rights: Rights,
    id: ContainerId,
    proof: Proof,
    warnings: Vec<String>,
}

/// Makes a container anew. As long as nothing was touched a refusal goes to whoever waits for it.
///
/// # Errors
/// [`Error::WentBack`] when the new container did not prove itself, or the job was to end.
pub(super) async fn walk(edit: Edit, refused: oneshot::Sender<Error>) -> Result<()> {
    edit.reporter.is_about(&edit.permit.place().id);
    let mut made = match make(&edit).await {
        Ok(made) => made,
        Err(error) => {
            let echo = error.echo();
            if refused.send(error).is_ok() {
                edit.reporter.withdraw();
            }
            return Err(echo);
        }
    };
    drop(refused);
    if let Err(error) = replace(&edit, &made).await {
        return Err(go_back(&edit, &made, error).await);
    }
    made.row.proved = true;
    made.reservation.advance(&made.row).await?;
    edit.reporter.is_about(&made.id);
    clear(&edit, &made).await
}

/// Makes the new container under a name of its own; nothing is touched by that.
async fn make(edit: &Edit) -> Result<Made> {
    let Edit {
        services,
        permit,
        order,
        reporter,
    } = edit;
    reporter.tell(|progress| progress.stages.plan(&["edit-step-create"]));
    enter(edit, "edit-step-create")?;
    let fact = services.index().container(&permit.place().id);
    let fact = fact.ok_or(Error::NotFound { kind: "container" })?;
    look_first(services, &fact, order)?;
    let rights = Rights::ask(services, permit)?;
    let mut row = row_of(&fact, order);
    let reservation = Reservation::make(services, &row).await?;
    let fresh = Some(row.fresh.clone());
    let body = order.plan.draft.body();
    let made = containers::create_only(services, &rights.create, fresh, body, row.ran).await;
    let (id, warnings) = match made {
        Ok(made) => made,
        // There may be one whose id nobody heard: the row stays until it is looked for by its name.
        Err(error) if may_be_done(&error) => return Err(error),
        Err(error) => {
            // Nothing was touched yet.
            reservation.end(&row).await?;
            return Err(error);
        }
    };
    row.made = Some(id.to_string());
    let new = match services.link().client(permit).container(id.as_str()).await {
        Ok(new) => new,
        Err(error) => {
            // What it has to show is not known; nothing is stopped yet.
            lead_back(edit, &reservation, &row).await;
            return Err(error.into());
        }
    };
    Ok(Made {
        row,
        reservation,
        rights,
        id,
        proof: Proof::of(&new),
        warnings,
    })
}

/// Tells whether what was asked for may have been done although it failed: the answer was lost.
const fn may_be_done(error: &Error) -> bool {
    match error {
        Error::Unavailable(why) => matches!(
            why,
            Diagnosis::TooSlow | Diagnosis::Strange { .. } | Diagnosis::Broken { .. }
        ),
        Error::Internal(_) => true,
        _ => false,
    }
}

fn enter(edit: &Edit, stage: &'static str) -> Result<()> {
    edit.reporter.may_go_on()?;
    edit.reporter.tell(|progress| progress.stages.enter(stage));
    Ok(())
}

fn row_of(fact: &ContainerFact, order: &Order) -> EditRow {
    let unique = crate::ids::unique().simple().to_string();
    let mark = &unique[unique.len() - MARK..];
    let new_name = order.plan.draft.name().unwrap_or(&fact.name).to_owned();
    EditRow {
        old: fact.id.to_string(),
        aside: marked(&fact.name, &format!("-before-edit-{mark}")),
        fresh: marked(&new_name, &format!("-edit-{mark}")),
        name: fact.name.clone(),
        new_name,
        made: None,
        ran: fact.phase.is_alive(),
        keeps_old: order.keeps_old,
        proved: false,
    }
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

/// Puts the new container in the old one's place. A step that has begun is not cut; only the wait for
/// the new one is.
async fn replace(edit: &Edit, made: &Made) -> Result<()> {
    let (services, row, rights) = (&edit.services, &made.row, &made.rights);
    plan(edit, made);
    made.reservation.advance(row).await?;
    if row.ran {
        enter(edit, "edit-step-stop")?;
        containers::stop(services, &rights.stop).await?;
    }
    enter(edit, "edit-step-rename")?;
    containers::rename(services, &rights.rename, &row.aside).await?;
    let new = |name: &str| place_of(edit, &made.id, name);
    let actor = edit.permit.actor();
    let rename = policy::permit(actor, new(&row.fresh), services.watchtower())?;
    containers::rename(services, &rename, &row.new_name).await?;
    if row.ran {
        enter(edit, "edit-step-start")?;
        let start = policy::permit(actor, new(&row.new_name), services.watchtower())?;
        containers::start(services, &start).await?;
        enter(edit, wait_stage(made.proof))?;
        if let Proof::Healthy(bound) = made.proof {
            let note = format!("{AT_MOST} name={}", words_of(bound));
            edit.reporter.tell(|progress| progress.stages.note(note));
        }
        let client = services.link().client(&start);
        edit.reporter
            .cut(made.proof.wait(&client, &made.id))
            .await?;
    }
    edit.reporter.may_go_on()
}

/// Names the steps that are to come.
fn plan(edit: &Edit, made: &Made) {
    let row = &made.row;
    let mut keys = Vec::new();
    keys.extend(row.ran.then_some("edit-step-stop"));
    keys.push("edit-step-rename");
    keys.extend(row.ran.then_some("edit-step-start"));
    keys.extend(row.ran.then(|| wait_stage(made.proof)));
    keys.extend((!row.keeps_old).then_some("edit-step-remove"));
    edit.reporter.tell(|progress| progress.stages.plan(&keys));
}

const fn wait_stage(proof: Proof) -> &'static str {
    match proof {
        Proof::Runs => "edit-step-runs",
        Proof::Healthy(_) => "edit-step-healthy",
    }
}

/// A time as `docker` writes it.
fn words_of(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

fn place_of(edit: &Edit, id: &ContainerId, name: &str) -> ContainerPlace {
    ContainerPlace {
        host: edit.permit.place().host.clone(),
        id: id.clone(),
        name: name.to_owned(),
    }
}

/// Takes the old container away, unless it shall stay, and says what there is to say.
async fn clear(edit: &Edit, made: &Made) -> Result<()> {
    let (services, row) = (&edit.services, &made.row);
    let mut stays = row.keeps_old;
    if !row.keeps_old {
        edit.reporter
            .tell(|progress| progress.stages.enter("edit-step-remove"));
        let removed = containers::remove(services, &made.rights.remove, RemoveOptions::default());
        stays = removed.await.is_err();
    }
    edit.reporter.tell(|progress| {
        if stays {
            progress.note(&format!("{OLD_STAYS} name={}", row.aside));
        }
        for warning in &made.warnings {
            progress.note(warning);
        }
    });
    made.reservation.end(row).await?;
    containers::until(services, |index| {
        let fact = index.container(&made.id);
        fact.is_some_and(|fact| fact.name == row.new_name)
    })
    .await;
    Ok(())
}

/// Leads back, and says what came of it. What does not come back now is mended later.
async fn go_back(edit: &Edit, made: &Made, why: Error) -> Error {
    let (services, row) = (&edit.services, &made.row);
    let is_ours = matches!(
        why,
        Error::InTheWay(Obstacle::Cancelled | Obstacle::ShutDown)
    );
    edit.reporter.tell(|progress| progress.stages.fail());
    if !is_ours {
        let place = place_of(edit, &made.id, &row.new_name);
        let words = proof::last_words(services, &edit.permit, place).await;
        edit.reporter.tell(|progress| progress.last_words = words);
    }
    edit.reporter
        .tell(|progress| progress.stages.enter("edit-step-back"));
    let is_back = lead_back(edit, &made.reservation, row).await;
    containers::until(services, |index| {
        let fact = index.container(&edit.permit.place().id);
        !is_back || fact.is_some_and(|f| f.name == row.name && f.phase.is_alive() == row.ran)
    })
    .await;
    if is_back {
        edit.reporter.tell(|progress| progress.stages.finish());
    }
    Error::WentBack {
        why: Box::new(why),
        is_back,
        ran: row.ran,
    }
}

/// Walks the way back, and says whether it has come to its end.
async fn lead_back(edit: &Edit, reservation: &Reservation, row: &EditRow) -> bool {
    let client = edit.services.link().client(&edit.permit);
    match back::go_back(&client, row).await {
        Ok(()) => reservation.end(row).await.is_ok(),
        Err(error) => {
            let error = crate::errors::chain(&error);
            tracing::warn!(error, name = row.name, "an edit's way back is tried again");
            false
        }
    }
}
