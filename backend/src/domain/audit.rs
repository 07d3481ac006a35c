//! Audit entries: who did what, to which thing, from where, and how it ended.

use std::net::IpAddr;

use jiff::Timestamp;

use super::{AccountId, PlaceRef, RequestId};

/// Who is named in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditActor {
    /// A person with an account.
    Account {
        /// The account's id.
        id: AccountId,
        /// Its name at the time.
        name: String,
    },
    /// Somebody who has not shown who they are, with the name they claimed.
    Unknown {
        /// The name as typed, cut to a sane length.
        claimed: String,
    },
    /// The operator at the server's own command line.
    Operator,
    /// The server itself.
    Server,
}

/// How an action ended, or that it has only begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Written before the action, and completed by a second row.
    Begun,
    /// It was done.
    Done,
    /// It was tried and failed.
    Failed,
    /// It was not allowed.
    Refused,
    /// The server ended in the middle of it.
    Interrupted,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &[Self] = &[
        Self::Begun,
        Self::Done,
        Self::Failed,
        Self::Refused,
        Self::Interrupted,
    ];

    /// Returns the word the database uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
        }
    }

    /// Returns the outcome of that word.
    pub fn of(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|outcome| outcome.as_str() == text)
    }
}

/// An entry about to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: AuditActor,
    /// From which address; none at the command line.
    pub address: Option<IpAddr>,
    /// The request it belongs to.
    pub request: Option<RequestId>,
    /// What, as a permission's name: `container.start`.
    pub action: &'static str,
    /// To what.
    pub place: PlaceRef,
    /// How it ended.
    pub outcome: Outcome,
    /// What else belongs to it, in plain words or numbers; never a secret.
    pub detail: String,
}

/// An entry as it is read back: an action and its end in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number; they rise without gaps.
    pub number: i64,
    /// When it began.
    pub at: Timestamp,
    /// When it ended, if it took a second row to say so.
    pub ended_at: Option<Timestamp>,
    /// The actor's account, when there is one.
    pub account: Option<String>,
    /// The actor's name, or the name claimed.
    pub actor: String,
    /// `account`, `unknown`, `operator` or `server`.
    pub actor_kind: String,
    /// From which address.
    pub address: Option<String>,
    /// The request it belongs to.
    pub request: Option<String>,
    /// What, as `container.start`.
    pub action: String,
    /// The kind of thing it was done to.
    pub place_kind: String,
    /// The thing's id.
    pub place_id: String,
    /// The thing's name at the time.
    pub place_name: String,
    /// How it ended; [`Outcome::Begun`] while it goes on.
    pub outcome: Outcome,
    /// What was asked for.
    pub detail: String,
    /// What came of it, as an error's sentence.
    pub result: String,
}
