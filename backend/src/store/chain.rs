//! The hash that ties an audit entry to the one before it.

use sha2::{Digest, Sha256};

use crate::domain::{AuditActor, AuditEntry};
use crate::{clock, ids};

/// An entry as the texts of its columns, in the order of the table.
pub(super) struct Columns {
    pub at: String,
    pub actor_kind: &'static str,
    pub account_id: Option<String>,
    pub actor: String,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub action: String,
    pub place_kind: String,
    pub place_id: String,
    pub place_name: String,
    pub outcome: String,
    pub detail: String,
}

impl From<&AuditEntry> for Columns {
    fn from(entry: &AuditEntry) -> Self {
        let (actor_kind, account_id, actor) = match &entry.actor {
            AuditActor::Account { id, name } => ("account", Some(id.to_string()), name.clone()),
            AuditActor::Unknown { claimed } => ("unknown", None, claimed.clone()),
            AuditActor::Operator => ("operator", None, String::new()),
            AuditActor::Server => ("server", None, String::new()),
        };
        Self {
            at: clock::text(entry.at),
            actor_kind,
            account_id,
            actor,
            address: entry.address.map(|address| address.to_string()),
            request_id: entry.request.as_ref().map(ToString::to_string),
            action: entry.action.to_owned(),
            place_kind: entry.place.kind.to_owned(),
            place_id: entry.place.id.clone(),
            place_name: entry.place.name.clone(),
            outcome: entry.outcome.as_str().to_owned(),
            detail: entry.detail.clone(),
        }
    }
}

/// Returns the hash of an entry that follows the one with `previous`.
///
/// Each text goes in with its length before it, so that no two rows read the same.
pub(super) fn hash(previous: &str, opens: Option<i64>, columns: &Columns) -> String {
    let opens = opens.map(|number| number.to_string());
    let texts = [
        Some(previous),
        opens.as_deref(),
        Some(columns.at.as_str()),
        Some(columns.actor_kind),
        columns.account_id.as_deref(),
        Some(columns.actor.as_str()),
        columns.address.as_deref(),
        columns.request_id.as_deref(),
        Some(columns.action.as_str()),
        Some(columns.place_kind.as_str()),
        Some(columns.place_id.as_str()),
        Some(columns.place_name.as_str()),
        Some(columns.outcome.as_str()),
        Some(columns.detail.as_str()),
    ];
    let mut digest = Sha256::new();
    for text in texts {
        match text {
            Some(text) => {
                digest.update((text.len() as u64).to_be_bytes());
                digest.update(text.as_bytes());
            }
            None => digest.update(u64::MAX.to_be_bytes()),
        }
    }
    ids::base64(&digest.finalize())
}
