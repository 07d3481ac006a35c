//! Facts come up: the lists once, then the events, then what each event changed.
//!
//! ```text
//! connect ─→ events since the last one ─→ lists ─→ index ─→ follow ─┐
//!    ↑                                                              │ the stream broke
//!    └────────────── wait, longer each time, with jitter ←──────────┘ or no answer to a ping
//! ```
//!
//! The event stream is opened before the lists are read, so that nothing falls between the two.
//! While the engine is away the index keeps what was last heard, and says since when.

use std::collections::BTreeSet;
use std::time::Duration;

use engine_api::events::Event;
use engine_api::filter::Filters;
use engine_client::stream::JsonLines;
use engine_client::{ClientError, EngineClient, EventOptions, ListOptions};
use futures_util::StreamExt;
use tokio::time::Instant;

use super::doctor::Diagnosis;
use super::facts::{ContainerFact, EventFact, HostFact, HostState, ImageFact};
use super::index::Index;
use super::link::Link;
use super::networks::NetworkFact;
use crate::clock::Clock;

const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Events that come within this time are answered by one look.
const GATHER: Duration = Duration::from_millis(30);
/// With more than this many containers to look at, the whole list is cheaper.
const MANY: usize = 40;
/// Containers that are looked at side by side.
const SIDE_BY_SIDE: usize = 8;
/// How far back the first look at the events goes.
const PAST_HOURS: i64 = 24;

/// How often an engine that says nothing is asked whether it is there, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    /// The time between two questions.
    pub every: Duration,
    /// The time for an answer.
    pub patience: Duration,
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(10),
            patience: Duration::from_secs(5),
        }
    }
}

/// Keeps the index in step with the engine, for as long as it is polled.
pub async fn run(link: Link, index: Index, clock: Clock, pulse: Pulse) {
    let client = link.looking().clone();
    let mut wait = FIRST_WAIT;
    loop {
        let begun = Instant::now();
        let ended = tokio::select! {
            ended = follow(&client, &index, &clock) => ended,
            error = silence(&client, pulse) => Err(error),
        };
        let diagnosis = match ended {
            // The engine ended the stream: it is stopping.
            Ok(()) => Diagnosis::NobodyListens {
                address: client.address(),
            },
            Err(error) => Diagnosis::of(&error),
        };
        if begun.elapsed() > LONGEST_WAIT {
            // It was there for a while: look again soon.
            wait = FIRST_WAIT;
        }
        mark_offline(&index, &clock, diagnosis);
        tokio::time::sleep(wait + jitter(wait)).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Asks now and then whether the engine is there; returns when it does not answer. An engine that
/// hangs breaks no connection: its event stream just says nothing more.
async fn silence(client: &EngineClient, pulse: Pulse) -> ClientError {
    loop {
        tokio::time::sleep(pulse.every).await;
        match tokio::time::timeout(pulse.patience, client.ping()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(_) => return ClientError::Timeout(pulse.patience),
        }
    }
}

fn mark_offline(index: &Index, clock: &Clock, diagnosis: Diagnosis) {
    let since = match index.host().state {
        HostState::Offline { since, .. } => since,
        HostState::Unknown | HostState::Online { .. } => {
            // Once, not at each try.
            tracing::warn!("{diagnosis}");
            clock.now()
        }
    };
    index.put_state(HostState::Offline { since, diagnosis });
}

/// Up to half as long again, so that many servers do not knock at one moment.
fn jitter(wait: Duration) -> Duration {
    let random = crate::ids::unique().as_bytes()[15];
    wait * u32::from(random) / 512
}

/// Reads everything and then follows until the stream ends or breaks.
async fn follow(client: &EngineClient, index: &Index, clock: &Clock) -> Result<(), ClientError> {
    let version = client.version().await?;
    let mut events = client.events(&since(index, clock)).await?;
    let info = client.info().await?;
    let containers = all_containers(client).await?;
    let images = all_images(client).await?;
    let host = HostFact {
        state: HostState::Online { since: clock.now() },
        info: Some(info.into()),
        version: Some(version.into()),
    };
    tracing::info!(
        n_containers = containers.len(),
        n_images = images.len(),
        "the engine answers"
    );
    index.put_networks(all_networks(client).await?);
    index.replace(host, containers, images);

    while let Some(first) = events.next().await? {
        let gathered = gather(first, &mut events).await?;
        take_in(client, index, gathered).await?;
    }
    Ok(())
}

fn since(index: &Index, clock: &Clock) -> EventOptions {
    let nano = index.last_event_nano().unwrap_or_else(|| {
        (clock.now().as_second() - PAST_HOURS * 3600)
            .max(0)
            .saturating_mul(1_000_000_000)
    });
    let since = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    EventOptions {
        since: Some(since),
        ..EventOptions::default()
    }
}

/// Waits a moment for what comes with the first event.
async fn gather(first: Event, events: &mut JsonLines<Event>) -> Result<Vec<Event>, ClientError> {
    let mut gathered = vec![first];
    let deadline = Instant::now() + GATHER;
    while gathered.len() < 1_000 {
        match tokio::time::timeout_at(deadline, events.next()).await {
            Ok(Ok(Some(event))) => gathered.push(event),
            Ok(Ok(None)) | Err(_) => break,
            Ok(Err(error)) => return Err(error),
        }
    }
    Ok(gathered)
}

/// Notes the events and looks at what they changed.
async fn take_in(
    client: &EngineClient,
    index: &Index,
    events: Vec<Event>,
) -> Result<(), ClientError> {
    let mut containers = BTreeSet::new();
    let (mut images, mut networks) = (false, false);
    for event in events {
        match event.kind.as_str() {
            "container" if !event.action.starts_with("exec_") => {
                containers.insert(event.actor.id.clone());
            }
            "image" => images = true,
            "network" => {
                networks = true;
                // Who was connected or disconnected has other addresses now.
                containers.extend(event.actor.attributes.get("container").cloned());
            }
            _ => {}
        }
        index.put_event(EventFact::new(event));
    }
    if images {
        index.put_images(all_images(client).await?);
    }
    if networks {
        index.put_networks(all_networks(client).await?);
    }
    if containers.len() > MANY {
        let all = all_containers(client).await?;
        let host = index.host();
        let known = all_images(client).await?;
        index.replace(host, all, known);
        return Ok(());
    }
    for id in containers {
        look_at(client, index, &id).await?;
    }
    Ok(())
}

/// Looks at one container again.
async fn look_at(client: &EngineClient, index: &Index, id: &str) -> Result<(), ClientError> {
    let filters = Filters::default().with("id", id);
    let options = ListOptions {
        all: true,
        filters,
        ..ListOptions::default()
    };
    let summary = client
        .containers(&options)
        .await?
        .into_iter()
        .find(|found| found.id == id);
    let fact = match summary {
        Some(summary) => inspected(client, summary).await?,
        None => None,
    };
    match (fact, id.parse()) {
        (Some(fact), _) => index.put_container(fact),
        (None, Ok(id)) => index.remove_container(&id),
        (None, Err(_)) => {}
    }
    Ok(())
}

async fn all_containers(client: &EngineClient) -> Result<Vec<ContainerFact>, ClientError> {
    let list = client
        .containers(&ListOptions {
            all: true,
            ..ListOptions::default()
        })
        .await?;
    let mut looks = futures_util::stream::iter(list)
        .map(|summary| inspected(client, summary))
        .buffer_unordered(SIDE_BY_SIDE);
    let mut found = Vec::new();
    while let Some(fact) = looks.next().await {
        found.extend(fact?);
    }
    Ok(found)
}

/// Joins a line of the list with the container's own account; `None` when it has gone meanwhile.
async fn inspected(
    client: &EngineClient,
    summary: engine_api::containers::ContainerSummary,
) -> Result<Option<ContainerFact>, ClientError> {
    match client.container(&summary.id).await {
        Ok(container) => Ok(ContainerFact::new(summary, &container)),
        Err(ClientError::Refused { status: 404, .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn all_networks(client: &EngineClient) -> Result<Vec<NetworkFact>, ClientError> {
    let list = client.networks().await?;
    Ok(list.into_iter().filter_map(NetworkFact::new).collect())
}

async fn all_images(client: &EngineClient) -> Result<Vec<ImageFact>, ClientError> {
    let list = client.images(&Filters::default()).await?;
    Ok(list.into_iter().filter_map(ImageFact::new).collect())
}
