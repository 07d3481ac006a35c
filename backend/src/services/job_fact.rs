//! What is known of a job.

use jiff::Timestamp;

#[cfg(doc)]
use super::Error;
use super::progress::Progress;
use crate::domain::{AccountId, ContainerId, HostId, JobId};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobKind {
    /// Gets an image from a registry.
    Pull,
    /// Brings an image to a registry.
    Push,
    /// Loads images from an archive.
    Load,
    /// Makes a container anew.
    Edit,
    /// Builds an image.
    Build,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobState {
    /// It goes on.
    Running,
    /// It is done.
    Done,
    /// It failed.
    Failed {
        /// Why, as [`Error::noted`] has it.
        message: String,
    },
    /// Somebody ended it.
    Cancelled {
        /// What came of that, as [`Error::noted`] has it.
        message: String,
    },
}

/// A job, as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobFact {
    /// Its id.
    pub id: JobId,
    /// The host it works on.
    pub host: HostId,
    /// What it does.
    pub kind: JobKind,
    /// To what: the name of an image, an archive or a container.
    pub subject: String,
    /// Whose it is.
    pub account: AccountId,
    /// The name of who began it.
    pub actor: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
    /// The container that it is about, for whoever wants to look at it.
    pub container: Option<ContainerId>,
}

impl JobFact {
    /// Tells whether it goes on.
    pub fn is_running(&self) -> bool {
        self.state == JobState::Running
    }

    pub(super) fn does_the_same(&self, other: &Self) -> bool {
        (self.kind, &self.subject, &self.account) == (other.kind, &other.subject, &other.account)
    }
}
