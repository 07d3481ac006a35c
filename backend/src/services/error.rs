//! What a service's failure means.

use engine_api::error::ErrorKind;

use crate::access::Refused;
use crate::access::password::HashError;
use crate::access::session::SessionError;
use crate::domain::{FieldError, Rule};
use crate::fleet::ClientError;
use crate::fleet::doctor::Diagnosis;
use crate::store::{SealError, StoreError};

/// The result of a service.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a service did not do what was asked, by what it means to the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The thing is not there, or not for this person; the two look the same.
    #[error("there is no such {kind}")]
    NotFound {
        /// The kind of thing.
        kind: &'static str,
    },
    /// The thing's state, or another thing, stands in the way; the engine's words.
    #[error("{message}")]
    Conflict {
        /// What the engine said.
        message: String,
    },
    /// Something of our own stands in the way.
    #[error("{0:?}")]
    InTheWay(Obstacle),
    /// A field cannot be taken.
    #[error("the field {field} cannot be taken", field = .0.field)]
    Invalid(FieldError),
    /// A container that was made anew did not start, and the old one is back.
    #[error("the container was not changed")]
    WentBack {
        /// Why.
        #[source]
        why: Box<Error>,
        /// Whether the old one is back already.
        is_back: bool,
        /// Whether it ran.
        ran: bool,
    },
    /// The actor may not.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The engine refused what was asked, in its words.
    #[error("{message}")]
    Engine {
        /// What the engine said.
        message: String,
    },
    /// The engine cannot be reached.
    #[error("{0}")]
    Unavailable(Diagnosis),
    /// The change could not be recorded, so it was not made.
    #[error("nothing was changed, because the audit entry could not be written")]
    Audit(#[source] StoreError),
    /// The server itself failed.
    #[error("the server failed")]
    Internal(#[source] anyhow::Error),
}

/// What of our own stands in the way. The words for each are in the message catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Too many terminals are open already.
    TooManyTerminals,
    /// So many jobs go on already.
    TooManyJobs {
        /// How many.
        n: usize,
    },
    /// Somebody cancelled it.
    Cancelled,
    /// The server was shut down meanwhile.
    ShutDown,
    /// The right to it went meanwhile.
    Revoked,
    /// The image has no shell.
    NoShell,
    /// The container does not run.
    NotRunning,
    /// Without its last owner nobody could change anything.
    LastOwner,
    /// It is held still.
    Paused,
    /// It would be taken away when it is stopped.
    GoesWhenStopped,
    /// It is being made anew already.
    EditGoesOn,
    /// It was changed by somebody else since the form was opened.
    ChangedMeanwhile,
    /// It ended as soon as it was started.
    EndedAtOnce {
        /// With which code.
        code: i64,
    },
    /// Its health check says that it is not well.
    Unhealthy,
    /// It was not well when its time for that was over.
    NotHealthy {
        /// How long that was.
        seconds: u64,
    },
    /// The file holds something else than what was read.
    FileChanged,
    /// The file is gone.
    FileGone,
    /// The text is longer than is taken.
    FileTooLarge,
    /// Something has that name already.
    NameTaken,
    /// It is neither a file nor a directory.
    NoFile,
    /// It belongs to the kernel.
    KernelFile,
    /// What was sent ended too early.
    BrokenOff,
    /// The container's root may not be written.
    ReadOnlyRoot,
    /// What is mounted there may not be written.
    ReadOnlyMount,
    /// The registry wants to be left alone for some time.
    RegistryRests {
        /// How long.
        seconds: u64,
    },
    /// Too many checks of tags wait already.
    TooManyChecks,
    /// The key of the kept passwords is gone.
    KeyMissing,
    /// The key of the kept passwords cannot be used.
    KeyUnusable,
    /// The kept password does not open by the key.
    OtherKey,
}

impl Obstacle {
    /// Every obstacle.
    pub const ALL: &[Self] = &[
        Self::TooManyTerminals,
        Self::TooManyJobs { n: 16 },
        Self::Cancelled,
        Self::ShutDown,
        Self::Revoked,
        Self::NoShell,
        Self::NotRunning,
        Self::LastOwner,
        Self::Paused,
        Self::GoesWhenStopped,
        Self::EditGoesOn,
        Self::ChangedMeanwhile,
        Self::EndedAtOnce { code: 1 },
        Self::Unhealthy,
        Self::NotHealthy { seconds: 1 },
        Self::FileChanged,
        Self::FileGone,
        Self::FileTooLarge,
        Self::NameTaken,
        Self::NoFile,
        Self::KernelFile,
        Self::BrokenOff,
        Self::ReadOnlyRoot,
        Self::ReadOnlyMount,
        Self::RegistryRests { seconds: 1 },
        Self::TooManyChecks,
        Self::KeyMissing,
        Self::KeyUnusable,
        Self::OtherKey,
    ];

    /// Returns the obstacle's key in the message catalogue.
    pub const fn key(self) -> &'static str {
        match self {
            Self::TooManyTerminals => "obstacle-too-many-terminals",
            Self::TooManyJobs { .. } => "obstacle-too-many-jobs",
            Self::Cancelled => "obstacle-cancelled",
            Self::ShutDown => "obstacle-shut-down",
            Self::Revoked => "obstacle-revoked",
            Self::NoShell => "terminal-no-shell",
            Self::NotRunning => "terminal-not-running",
            Self::LastOwner => "obstacle-last-owner",
            Self::Paused => "obstacle-paused",
            Self::GoesWhenStopped => "obstacle-goes-when-stopped",
            Self::EditGoesOn => "obstacle-edit-goes-on",
            Self::ChangedMeanwhile => "obstacle-changed-meanwhile",
            Self::EndedAtOnce { .. } => "obstacle-ended-at-once",
            Self::Unhealthy => "obstacle-unhealthy",
            Self::NotHealthy { .. } => "obstacle-not-healthy",
            Self::FileChanged => "obstacle-file-changed",
            Self::FileGone => "obstacle-file-gone",
            Self::FileTooLarge => "obstacle-file-too-large",
            Self::NameTaken => "obstacle-name-taken",
            Self::NoFile => "obstacle-no-file",
            Self::KernelFile => "obstacle-kernel-file",
            Self::BrokenOff => "obstacle-broken-off",
            Self::ReadOnlyRoot => "obstacle-read-only-root",
            Self::ReadOnlyMount => "obstacle-read-only-mount",
            Self::RegistryRests { .. } => "obstacle-registry-rests",
            Self::TooManyChecks => "obstacle-too-many-checks",
            Self::KeyMissing => "obstacle-key-missing",
            Self::KeyUnusable => "obstacle-key-unusable",
            Self::OtherKey => "obstacle-other-key",
        }
    }

    fn name(self) -> Option<String> {
        match self {
            Self::TooManyJobs { n } => Some(n.to_string()),
            Self::EndedAtOnce { code } => Some(code.to_string()),
            Self::NotHealthy { seconds } | Self::RegistryRests { seconds } => {
                Some(seconds.to_string())
            }
            _ => None,
        }
    }
}

impl Error {
    /// Returns the failure as it is kept in the audit and told to people: the engine's own words, or
    /// a key of the message catalogue with what its words name, as `rule-number least=0 most=9`.
    /// Whoever shows it finds the words in the language of whoever reads.
    pub fn noted(&self) -> String {
        let named = |key: &str, name: Option<&str>| match name {
            Some(name) => format!("{key} name={name}"),
            None => key.to_owned(),
        };
        match self {
            Self::Conflict { message }
            | Self::Engine { message }
            | Self::Invalid(FieldError {
                rule: Rule::Engine { message },
                ..
            }) => message.clone(),
            Self::WentBack { why, is_back, ran } => {
                let key = match (is_back, ran) {
                    (true, true) => "edit-went-back-running",
                    (true, false) => "edit-went-back",
                    (false, _) => "edit-goes-back",
                };
                named(key, Some(&why.noted()))
            }
            Self::InTheWay(obstacle) => named(obstacle.key(), obstacle.name().as_deref()),
            Self::Invalid(field) => {
                let values = field.rule.values();
                let values = values
                    .iter()
                    .map(|(name, value)| format!(" {name}={value}"));
                format!("{}{}", field.rule.key(), values.collect::<String>())
            }
            Self::Unavailable(diagnosis) => named(
                &format!("{}.text", diagnosis.key()),
                Some(diagnosis.subject()),
            ),
            Self::NotFound { .. } => "problem-not-found.text".to_owned(),
            Self::Refused(_) => "problem-not-allowed.text".to_owned(),
            Self::Audit(_) => "problem-audit.text".to_owned(),
            Self::Internal(_) => "problem-internal.text".to_owned(),
        }
    }

    /// Returns the same failure in words, for a second place that tells it.
    pub(super) fn echo(&self) -> Self {
        Self::Engine {
            message: self.noted(),
        }
    }

    /// Names a field and the rule it breaks.
    pub const fn field(field: &'static str, rule: Rule) -> Self {
        Self::Invalid(FieldError::new(field, rule))
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Invalid(error)
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        Self::InTheWay(match error {
            SealError::KeyMissing => Obstacle::KeyMissing,
            SealError::KeyUnusable => Obstacle::KeyUnusable,
            SealError::OtherKey => Obstacle::OtherKey,
        })
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<HashError> for Error {
    fn from(error: HashError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        if error.is_unreachable() {
            return Self::Unavailable(Diagnosis::of(&error));
        }
        let message = crate::errors::chain(&error);
        match error.kind() {
            Some(ErrorKind::NotFound) => Self::NotFound { kind: "thing" },
            Some(ErrorKind::Conflict) => Self::Conflict { message },
            _ => Self::Engine { message },
        }
    }
}
