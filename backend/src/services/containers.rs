//! Containers: lists from the index, details from the engine, changes with a permit and an entry.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use engine_api::containers::{Container, CreateBody, Top};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use super::history::History;
use super::{Error, Obstacle, Result, Services, audit, drafts, masking};
use crate::access::{Permission, Permit, container, policy};
use crate::domain::{ContainerId, ContainerPlace, Rule};
use crate::fleet::doctor::Diagnosis;
pub use crate::fleet::{ContainerFact, RemoveOptions};
use crate::fleet::{ContainerQuery, Index, Page, Sort};

/// How long an answer waits for the index to hear of what was just made.
const NEWS_PATIENCE: Duration = Duration::from_secs(2);

/// A container with everything that one page about it shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the index knows.
    pub fact: Arc<ContainerFact>,
    /// What the engine knows, with the values of its environment masked; `None` while it is away.
    pub detail: Option<Container>,
}

/// Returns a page of the list; by use it is ordered as far as that is known.
pub fn list(
    services: &Services,
    _permit: &Permit<container::List>,
    query: &ContainerQuery,
) -> Page<ContainerFact> {
    let weight: fn(&History) -> Option<f64> = match query.sort {
        Sort::Cpu => |history| Some(history.newest()?.cpu_percent),
        #[expect(clippy::cast_precision_loss, reason = "compared, not shown")]
        Sort::Memory => |history| Some(history.newest()?.memory_bytes as f64),
        _ => return services.index().containers(query),
    };
    services.index().weighed_containers(query, |fact| {
        let read = || services.samplers().read(&fact.id, weight);
        fact.phase.is_alive().then(read).flatten()
    })
}

/// Returns the containers that ended last and that fit.
pub fn ended_last(
    services: &Services,
    _permit: &Permit<container::List>,
    most: usize,
    fits: impl Fn(&ContainerFact) -> bool,
) -> Vec<Arc<ContainerFact>> {
    services.index().ended_last(most, fits)
}

/// Returns one container. While the engine is away the index alone answers.
///
/// # Errors
/// [`Error::NotFound`] when it is gone.
pub async fn show(services: &Services, permit: &Permit<container::View>) -> Result<Shown> {
    let id = &permit.place().id;
    let fact = services
        .index()
        .container(id)
        .ok_or(Error::NotFound { kind: "container" })?;
    let detail = match services.link().client(permit).container(id.as_str()).await {
        Ok(mut container) => {
            masking::environment(container.config.env.as_deref_mut().unwrap_or_default());
            Some(container)
        }
        Err(error) if error.is_unreachable() => None,
        Err(error) => return Err(of_container(error.into())),
    };
    Ok(Shown { fact, detail })
}

/// Returns everything the engine knows, with values that may be secret masked.
///
/// # Errors
/// When it is gone or the engine is away.
pub async fn inspect(services: &Services, permit: &Permit<container::Inspect>) -> Result<Value> {
    let mut value = document(services, permit).await?;
    masking::document(&mut value);
    Ok(value)
}

/// Returns everything the engine knows, as it is. The audit notes who asked.
///
/// # Errors
/// When it is gone or the engine is away.
pub async fn reveal(services: &Services, permit: &Permit<container::Reveal>) -> Result<Value> {
    let (rooms, held) = (services.clone(), permit.clone());
    audit::bracket(services, permit, String::new(), async move {
        document(&rooms, &held).await
    })
    .await
}

async fn document<P>(services: &Services, permit: &Permit<P>) -> Result<Value>
where
    P: Permission<Place = crate::domain::ContainerPlace>,
{
    let client = services.link().client(permit);
    let container = client
        .container(permit.place().id.as_str())
        .await
        .map_err(|e| of_container(e.into()))?;
    serde_json::to_value(container).map_err(|error| Error::Internal(error.into()))
}

/// Returns the processes of a container.
///
/// # Errors
/// When it is gone, does not run, or the engine is away.
pub async fn processes(services: &Services, permit: &Permit<container::Processes>) -> Result<Top> {
    let client = services.link().client(permit);
    let top = client.container_top(permit.place().id.as_str(), None).await;
    top.map_err(|error| of_container(error.into()))
}

/// A container that was made just now.
#[derive(Debug)]
pub struct Created {
    /// Its id.
    pub id: ContainerId,
    /// What the engine warned of.
    pub warnings: Vec<String>,
    /// Why it did not start, when it was to start and did not.
    pub not_started: Option<Error>,
}

/// Creates a container and, when asked, starts it. The two are two changes: each has its own entry,
/// and one that was made and does not start is there.
///
/// # Errors
/// When the name is taken, the image is not there, or an option is refused: with the field.
pub async fn create(
    services: &Services,
    permit: &Permit<container::Create>,
    name: Option<String>,
    body: CreateBody,
    and_start: bool,
) -> Result<Created> {
    let (rooms, held) = (services.clone(), permit.clone());
    // In one task: whoever leaves between the two changes still gets what was asked for.
    let both = services.tasks().finish("create", async move {
        let shown_name = name.clone();
        let (id, warnings) = create_only(&rooms, &held, name, body, and_start).await?;
        let not_started = match and_start {
            true => start_new(&rooms, &held, &id, shown_name).await.err(),
            false => None,
        };
        Ok(Created {
            id,
            warnings,
            not_started,
        })
    });
    let both = both.await;
    let created = both.unwrap_or_else(|error| Err(Error::Internal(error.into())))?;
    until(services, |index| index.container(&created.id).is_some()).await;
    Ok(created)
}

pub(super) async fn create_only(
    services: &Services,
    permit: &Permit<container::Create>,
    name: Option<String>,
    body: CreateBody,
    and_start: bool,
) -> Result<(ContainerId, Vec<String>)> {
    let client = services.link().client(permit);
    let shown_name = name.as_deref().unwrap_or("");
    let detail = format!(
        "name={shown_name} image={} start={and_start}",
        body.config.image
    );
    audit::bracket(services, permit, detail, async move {
        let answer = client
            .create_container(name.as_deref(), &body)
            .await
            .map_err(|error| match error.kind() {
                Some(_) => of_create(error.into()),
                // Not a refusal: whether there is one now nobody said.
                None => Error::Unavailable(Diagnosis::of(&error)),
            })?;
        let id: ContainerId = answer
            .id
            .parse()
            .map_err(|error: crate::domain::IdError| Error::Internal(error.into()))?;
        Ok((id, answer.warnings))
    })
    .await
}

/// Starts a container that the index may not have heard of yet.
async fn start_new(
    services: &Services,
    permit: &Permit<container::Create>,
    id: &ContainerId,
    name: Option<String>,
) -> Result<()> {
    let place = ContainerPlace {
        host: permit.place().host.clone(),
        id: id.clone(),
        name: name.unwrap_or_else(|| id.short().to_owned()),
    };
    let permit = policy::permit(permit.actor(), place, services.watchtower())?;
    start(services, &permit).await
}

/// Waits until the index has heard of a change, so that the page that is drawn next shows it: there
/// need not be a script to mend it.
pub(super) async fn until(services: &Services, is_known: impl Fn(&Index) -> bool) {
    let mut changes = services.index().watch();
    let heard = async {
        while !is_known(services.index()) {
            // Changes that were missed are looked for as well; a closed index never changes.
            if let Err(RecvError::Closed) = changes.recv().await {
                return;
            }
        }
    };
    // It is done in any case; when the news is late, the list will have it a moment later.
    let _ = tokio::time::timeout(NEWS_PATIENCE, heard).await;
}

/// What the engine refuses at a create is said beside the field it is about.
pub(super) fn of_create(error: Error) -> Error {
    match error {
        Error::Conflict { .. } => Error::field("name", Rule::Taken),
        Error::NotFound { .. } => Error::field("image", Rule::NoSuchImage),
        Error::Engine { message } => {
            Error::field(drafts::field_of(&message), Rule::Engine { message })
        }
        other => other,
    }
}

/// Starts a container.
///
/// # Errors
/// When it is gone, cannot start, or the engine is away.
pub async fn start(services: &Services, permit: &Permit<container::Start>) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let started_at = |index: &Index| {
        let fact = index.container(&permit.place().id)?;
        Some(fact.state.started_at.clone())
    };
    let before = started_at(services.index());
    audit::bracket(services, permit, String::new(), async move {
        client
            .start_container(id.as_str())
            .await
            .map_err(|error| of_container(error.into()))
    })
    .await?;
    // It may have ended again already.
    until(services, |index| {
        is_alive(index, permit) || started_at(index) != before
    })
    .await;
    Ok(())
}

fn is_alive<P>(index: &Index, permit: &Permit<P>) -> bool
where
    P: Permission<Place = crate::domain::ContainerPlace>,
{
    let fact = index.container(&permit.place().id);
    fact.is_some_and(|fact| fact.phase.is_alive())
}

/// Stops a container, by force after its own patience.
///
/// # Errors
/// When it is gone or the engine is away.
pub async fn stop(services: &Services, permit: &Permit<container::Stop>) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    audit::bracket(services, permit, String::new(), async move {
        client
            .stop_container(id.as_str(), None)
            .await
            .map_err(|error| of_container(error.into()))
    })
    .await?;
    until(services, |index| !is_alive(index, permit)).await;
    Ok(())
}

/// Stops a container and starts it.
///
/// # Errors
/// When it is gone, cannot start, or the engine is away.
pub async fn restart(services: &Services, permit: &Permit<container::Restart>) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    audit::bracket(services, permit, String::new(), async move {
        client
            .restart_container(id.as_str(), None)
            .await
            .map_err(|error| of_container(error.into()))
    })
    .await
}

/// Holds every process of a container still.
///
/// # Errors
/// When it is gone, does not run, is held already, or the engine is away.
pub async fn pause(services: &Services, permit: &Permit<container::Pause>) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    audit::bracket(services, permit, String::new(), async move {
        client
            .pause_container(id.as_str())
            .await
            .map_err(|error| of_container(error.into()))
    })
    .await
}

/// Lets a container that is held still go on.
///
/// # Errors
/// When it is gone, is not held, or the engine is away.
pub async fn unpause(services: &Services, permit: &Permit<container::Pause>) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    audit::bracket(services, permit, "unpause".to_owned(), async move {
        client
            .unpause_container(id.as_str())
            .await
            .map_err(|error| of_container(error.into()))
    })
    .await
}

/// Sends a signal, KILL if none is named.
///
/// # Errors
/// When it is gone, does not run, or there is no such signal.
pub async fn kill(
    services: &Services,
    permit: &Permit<container::Kill>,
    signal: Option<String>,
) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let detail = format!("signal={}", signal.as_deref().unwrap_or("KILL"));
    audit::bracket(services, permit, detail, async move {
        let done = client.kill_container(id.as_str(), signal.as_deref()).await;
        done.map_err(|error| of_container(error.into()))
    })
    .await
}

/// Gives a container another name.
///
/// # Errors
/// With the field: the name may be taken or malformed.
pub async fn rename(
    services: &Services,
    permit: &Permit<container::Rename>,
    name: &str,
) -> Result<()> {
    let name: engine_api::id::ContainerName = match name.trim() {
        "" => return Err(Error::field("name", Rule::Required)),
        name => name.parse().map_err(|_| Error::field("name", Rule::Name))?,
    };
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    audit::bracket(services, permit, format!("to={name}"), async move {
        match client
            .rename_container(id.as_str(), name.as_str())
            .await
            .map_err(Error::from)
        {
            Err(Error::Conflict { .. }) => Err(Error::field("name", Rule::Taken)),
            done => done.map_err(of_container),
        }
    })
    .await
}

/// Removes a container; one that runs only by force.
///
/// # Errors
/// When it is gone, or runs and is not to be killed.
pub async fn remove(
    services: &Services,
    permit: &Permit<container::Remove>,
    options: RemoveOptions,
) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let detail = format!("force={} volumes={}", options.force, options.volumes);
    audit::bracket(services, permit, detail, async move {
        let done = client.remove_container(id.as_str(), options).await;
        done.map_err(|error| of_container(error.into()))
    })
    .await?;
    until(services, |index| {
        index.container(&permit.place().id).is_none()
    })
    .await;
    Ok(())
}

/// Changes side by side at one moment.
const SIDE_BY_SIDE: usize = 8;

/// Does one thing to many containers, a few side by side, and returns what came of each, in order.
/// A stop may take ten seconds: fifty one after the other would take as long as nobody waits.
///
/// It goes on when the browser leaves; what was not begun when the right to it went is left undone.
pub async fn each<P, A, W>(
    services: &Services,
    permits: Vec<Permit<P>>,
    act: A,
) -> Vec<(Permit<P>, Result<()>)>
where
    P: Permission + 'static,
    A: Fn(Services, Permit<P>) -> W + Send + 'static,
    W: Future<Output = Result<()>> + Send + 'static,
{
    let names = permits.clone();
    let rooms = services.clone();
    let shutdown = services.tasks().shutdown();
    let changes = futures_util::stream::iter(permits).map(move |permit| {
        let acting = act(rooms.clone(), permit.clone());
        let shutdown = shutdown.clone();
        async move {
            if shutdown.is_cancelled() {
                return Err(Error::InTheWay(Obstacle::ShutDown));
            }
            if !permit.holds().await {
                return Err(Error::InTheWay(Obstacle::Revoked));
            }
            acting.await
        }
    });
    let changes = changes.buffered(SIDE_BY_SIDE).collect::<Vec<_>>();
    let task = services.tasks().finish("many changes", changes);
    let lost = |error: tokio::task::JoinError| {
        tracing::error!(
            error = crate::errors::chain(&error),
            "many changes were lost"
        );
        Vec::new()
    };
    let results = task.await.unwrap_or_else(lost);
    names.into_iter().zip(results).collect()
}

pub(super) fn of_container(error: Error) -> Error {
    match error {
        Error::NotFound { .. } => Error::NotFound { kind: "container" },
        other => other,
    }
}
