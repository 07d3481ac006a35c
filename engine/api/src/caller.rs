//! Who is asking: travels with every call from the server to an engine.

use serde::{Deserialize, Serialize};

/// The header that carries a [`Caller`] as JSON.
pub const HEADER: &str = "x-gantry-caller";

/// The person and the decision behind a call; a call on the local socket without one is the
/// operator's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Caller {
    /// Name of the account.
    pub actor: String,
    /// The request at the server that led here; the same in its audit.
    pub request_id: String,
    /// The permission that allowed it, as `container.start`.
    pub permission: String,
    /// The place the permission is valid for, as `container/<id>`.
    pub scope: String,
}
