//! Whether a container that was started goes on and is well; and what it said when not.

use std::time::Duration;

use engine_api::containers::{Container, HealthConfig, WaitAnswer, WaitCondition};

use crate::access::{Permit, container, policy};
use crate::domain::{ContainerId, ContainerPlace};
use crate::fleet::{ClientError, EngineClient};
use crate::services::jobs::LastWords;
use crate::services::{Error, Obstacle, Result, Services, logs};

/// How long a new container without a health check must run before the old one goes.
const RUN: Duration = Duration::from_secs(3);
/// How long the engine may be behind the last look that it grants.
const SLACK: Duration = Duration::from_secs(5);
/// The time between two questions for the health.
const BETWEEN: Duration = Duration::from_millis(250);
/// The last lines of a log that are quoted, and the characters of each.
const MOST_LINES: u64 = 20;
const MOST_CHARACTERS: usize = 500;
/// How long the way back waits for them.
const WORDS_PATIENCE: Duration = Duration::from_secs(5);
/// Docker's defaults.
const USUAL_SPAN: Duration = Duration::from_secs(30);
const USUAL_RETRIES: u32 = 3;

/// What a new container has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// That it goes on.
    Runs,
    /// That it is healthy within that time.
    Healthy(Duration),
}

impl Proof {
    /// Returns what a container has to show.
    pub(super) fn of(container: &Container) -> Self {
        let health = container.config.healthcheck.as_ref();
        let is_looked_after = |health: &&HealthConfig| {
            let test = health.test.as_deref().unwrap_or_default();
            test.first().is_some_and(|word| word != "NONE")
        };
        match health.filter(is_looked_after) {
            Some(health) => Self::Healthy(longest(health)),
            None => Self::Runs,
        }
    }

    /// Waits for it.
    ///
    /// # Errors
    /// When the container ends, is unwell, or does not become well in its time.
    pub(super) async fn wait(self, client: &EngineClient, id: &ContainerId) -> Result<()> {
        let end = client.wait_container(id.as_str(), WaitCondition::NotRunning);
        match self {
            Self::Runs => match tokio::time::timeout(RUN, end).await {
                Err(_still_runs) => Ok(()),
                Ok(end) => ended(end),
            },
            Self::Healthy(bound) => tokio::select! {
                end = end => ended(end),
                well = until_well(client, id) => well,
                () = tokio::time::sleep(bound) => Err(Error::InTheWay(Obstacle::NotHealthy {
                    seconds: bound.as_secs(),
                })),
            },
        }
    }
}

/// The time in which a check has said the one or the other: all that does not count yet, and then as
/// many looks as may fail one after the other.
fn longest(health: &HealthConfig) -> Duration {
    let span = |nanoseconds: i64, usual| match u64::try_from(nanoseconds) {
        Ok(0) | Err(_) => usual,
        Ok(nanoseconds) => Duration::from_nanos(nanoseconds),
    };
    let retries = u32::try_from(health.retries).unwrap_or(u32::MAX);
    let retries = if retries == 0 { USUAL_RETRIES } else { retries };
    let one = span(health.interval, USUAL_SPAN).saturating_add(span(health.timeout, USUAL_SPAN));
    span(health.start_period, Duration::ZERO)
        .saturating_add(one.saturating_mul(retries))
        .saturating_add(SLACK)
}

fn ended(end: std::result::Result<WaitAnswer, ClientError>) -> Result<()> {
    Err(Error::InTheWay(Obstacle::EndedAtOnce {
        code: end?.status_code,
    }))
}

async fn until_well(client: &EngineClient, id: &ContainerId) -> Result<()> {
    loop {
        let state = client.container(id.as_str()).await?.state;
        match state.health.as_ref().map(|health| health.status.as_str()) {
            Some("healthy") => return Ok(()),
            Some("unhealthy") => return Err(Error::InTheWay(Obstacle::Unhealthy)),
            _ => tokio::time::sleep(BETWEEN).await,
        }
    }
}

/// Returns what a container said last, while it is still there to be asked: as much as can be had.
pub(super) async fn last_words(
    services: &Services,
    permit: &Permit<container::Edit>,
    place: ContainerPlace,
) -> LastWords {
    let client = services.link().client(permit);
    let Ok(container) = client.container(place.id.as_str()).await else {
        return LastWords::default();
    };
    let stop = container.gantry.last_stop;
    let health = container
        .state
        .health
        .and_then(|health| health.log.into_iter().last());
    let health = health.or_else(|| stop.as_ref().and_then(|stop| stop.last_health.clone()));
    let kept = stop.map(|stop| stop.last_lines).unwrap_or_default();
    let mut lines: Vec<_> = kept.into_iter().map(|line| line.text).collect();
    let reads = policy::permit::<container::Logs>(permit.actor(), place, services.watchtower());
    if let (true, Ok(reads)) = (lines.is_empty(), reads) {
        lines = logs::last_lines(services, &reads, MOST_LINES, WORDS_PATIENCE).await;
    }
    let n_over = lines
        .len()
        .saturating_sub(usize::try_from(MOST_LINES).unwrap_or(0));
    let cut = |line: String| line.chars().take(MOST_CHARACTERS).collect();
    LastWords {
        probe: health.map_or_else(String::new, |health| cut(health.output.trim().to_owned())),
        lines: lines.into_iter().skip(n_over).map(cut).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(test: &[&str], [interval, timeout, start_period, retries]: [i64; 4]) -> Proof {
        let second = 1_000_000_000;
        let mut container = Container::default();
        container.config.healthcheck = Some(HealthConfig {
            test: Some(test.iter().map(|word| (*word).to_owned()).collect()),
            interval: interval * second,
            timeout: timeout * second,
            start_period: start_period * second,
            retries,
            ..HealthConfig::default()
        });
        Proof::of(&container)
    }

    #[test]
    fn a_health_check_has_the_time_that_it_asks_for_itself() {
        let healthy = |seconds| Proof::Healthy(Duration::from_secs(seconds));
        assert_eq!(Proof::of(&Container::default()), Proof::Runs);
        assert_eq!(proof(&["NONE"], [0; 4]), Proof::Runs);
        assert_eq!(proof(&[], [0; 4]), Proof::Runs);
        assert_eq!(proof(&["CMD", "true"], [0; 4]), healthy(185));
        assert_eq!(proof(&["CMD", "true"], [2, 1, 10, 4]), healthy(27));
        assert_eq!(proof(&["CMD", "true"], [-1, -1, -1, -1]), {
            Proof::Healthy(USUAL_SPAN.saturating_mul(2).saturating_mul(u32::MAX) + SLACK)
        });
    }
}
