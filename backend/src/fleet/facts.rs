//! Facts about a host and what it holds, as last heard.

use std::sync::Arc;

use engine_api::containers::{ContainerState, ContainerSummary};
use engine_api::events::Event;
use engine_api::images::ImageSummary;
use engine_api::ours::StopCause;
use engine_api::system::{Info, Version};
use jiff::Timestamp;

use super::doctor::Diagnosis;
use super::ports::{Published, published};
use crate::domain::{ContainerId, ImageId};

/// A container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerFact {
    /// Its id.
    pub id: ContainerId,
    /// Its name, without Docker's slash.
    pub name: String,
    /// Where it is in its life.
    pub phase: Phase,
    /// The engine's line for lists.
    pub summary: ContainerSummary,
    /// The engine's account of its state: exit code, times, whether memory ran out.
    pub state: ContainerState,
    /// Memory it may use, in bytes; 0 for no limit.
    pub memory_limit_bytes: i64,
    /// Processor time it may use, in billionths of a core; 0 for no limit.
    pub nano_cpus: i64,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Whether its last end was one that somebody asked for.
    pub was_asked: bool,
    /// The ports of the host that are its own while it runs; that it wants, while it rests.
    pub published: Vec<Published>,
}

/// Where a container is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It runs.
    Running,
    /// It runs and is held still.
    Paused,
    /// It ended and is started again.
    Restarting,
    /// It is being taken away.
    Removing,
    /// It was made and never started.
    Created,
    /// It ended.
    Exited,
    /// It could not be taken away whole.
    Dead,
}

impl Phase {
    /// Every phase.
    pub const ALL: &[Self] = &[
        Self::Running,
        Self::Paused,
        Self::Restarting,
        Self::Removing,
        Self::Created,
        Self::Exited,
        Self::Dead,
    ];

    /// Returns Docker's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Created => "created",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }

    /// Returns the phase of Docker's word; an unknown word is read as dead.
    pub fn of(word: &str) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|phase| phase.as_str() == word)
            .unwrap_or(Self::Dead)
    }

    /// Tells whether there are processes.
    pub const fn is_alive(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Restarting)
    }
}

impl ContainerFact {
    /// Joins the engine's line and its account of the state; `None` when the id is none.
    pub fn new(
        summary: ContainerSummary,
        inspected: &engine_api::containers::Container,
    ) -> Option<Self> {
        let id: ContainerId = summary.id.parse().ok()?;
        let name = summary
            .names
            .first()
            .map_or("", |name| name.trim_start_matches('/'));
        let host = inspected.host_config();
        Some(Self {
            published: published(&summary, &host),
            name: if name.is_empty() {
                id.short().to_owned()
            } else {
                name.to_owned()
            },
            id,
            phase: Phase::of(&inspected.state.status),
            state: inspected.state.clone(),
            memory_limit_bytes: host.memory,
            nano_cpus: host.nano_cpus,
            tty: inspected.config.tty,
            was_asked: inspected
                .gantry
                .last_stop
                .as_ref()
                .is_some_and(|stop| stop.cause == StopCause::Asked),
            summary,
        })
    }
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFact {
    /// Its id.
    pub id: ImageId,
    /// What people call it, without the placeholders for "no name".
    pub tags: Vec<String>,
    /// The engine's line for lists.
    pub summary: ImageSummary,
}

impl ImageFact {
    /// Reads the engine's line; `None` when the id is none.
    pub fn new(summary: ImageSummary) -> Option<Self> {
        let id = summary.id.parse().ok()?;
        let tags = summary
            .repo_tags
            .iter()
            .filter(|tag| *tag != "<none>:<none>")
            .cloned()
            .collect();
        Some(Self { id, tags, summary })
    }

    /// Returns its first tag, or the short form of its id.
    pub fn name(&self) -> &str {
        self.tags
            .first()
            .map_or_else(|| self.id.short(), String::as_str)
    }
}

/// Something that happened on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFact {
    /// When.
    pub at: Timestamp,
    /// The engine's own words.
    pub event: Event,
}

impl EventFact {
    /// Reads an event.
    pub fn new(event: Event) -> Self {
        let at = Timestamp::from_nanosecond(i128::from(event.time_nano))
            .or_else(|_| Timestamp::from_second(event.time))
            .unwrap_or_default();
        Self { at, event }
    }
}

/// A host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostFact {
    /// Whether its engine answers.
    pub state: HostState,
    /// What it and its machine can do; as last heard.
    pub info: Option<Arc<Info>>,
    /// Which engine it is; as last heard.
    pub version: Option<Arc<Version>>,
}

/// Whether a host's engine answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostState {
    /// Nobody has tried yet.
    #[default]
    Unknown,
    /// It answers.
    Online {
        /// Since when.
        since: Timestamp,
    },
    /// It does not; what is shown is what was last heard.
    Offline {
        /// Since when.
        since: Timestamp,
        /// Why, and what to do.
        diagnosis: Diagnosis,
    },
}

impl HostState {
    /// Tells whether the engine answers.
    pub const fn is_online(&self) -> bool {
        matches!(self, Self::Online { .. })
    }
}
