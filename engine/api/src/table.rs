//! The table of every operation of the Docker Engine API and what becomes of it here.

use std::fmt::Write as _;

use crate::operation::{self, Effect, Shape};
use crate::ours::PATH_PREFIX;

/// What becomes of an operation that is not in the list of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Elsewhere {
    /// Answered with a refusal and its reason.
    Refused(&'static str),
    /// Answered like any path that is not there.
    Absent,
}

use Elsewhere::{Absent, Refused};

const NO_SWARM: &str = "503: this engine is no swarm manager";

/// Every other operation of the Docker Engine API 1.51.
const OTHERS: &[(&str, &str, Elsewhere)] = &[
    ("POST", "/build", Absent),
    ("POST", "/build/cancel", Absent),
    ("GET", "/configs", Refused(NO_SWARM)),
    ("POST", "/configs/create", Refused(NO_SWARM)),
    ("GET", "/configs/{id}", Refused(NO_SWARM)),
    ("DELETE", "/configs/{id}", Refused(NO_SWARM)),
    ("POST", "/configs/{id}/update", Refused(NO_SWARM)),
    ("GET", "/containers/{id}/attach/ws", Absent),
    ("GET", "/containers/{id}/checkpoints", Absent),
    ("POST", "/containers/{id}/checkpoints", Absent),
    (
        "DELETE",
        "/containers/{id}/checkpoints/{checkpoint}",
        Absent,
    ),
    ("POST", "/containers/{id}/pause", Absent),
    ("POST", "/containers/{id}/unpause", Absent),
    ("POST", "/containers/{id}/update", Absent),
    ("POST", "/networks/create", Absent),
    ("DELETE", "/networks/{id}", Absent),
    ("POST", "/networks/{id}/connect", Absent),
    ("POST", "/networks/{id}/disconnect", Absent),
    ("GET", "/nodes", Refused(NO_SWARM)),
    ("GET", "/nodes/{id}", Refused(NO_SWARM)),
    ("DELETE", "/nodes/{id}", Refused(NO_SWARM)),
    ("POST", "/nodes/{id}/update", Refused(NO_SWARM)),
    ("POST", "/plugins/create", Absent),
    ("GET", "/plugins/privileges", Absent),
    ("POST", "/plugins/pull", Absent),
    ("GET", "/plugins/{name}/json", Absent),
    ("DELETE", "/plugins/{name}", Absent),
    ("POST", "/plugins/{name}/disable", Absent),
    ("POST", "/plugins/{name}/enable", Absent),
    ("POST", "/plugins/{name}/push", Absent),
    ("POST", "/plugins/{name}/set", Absent),
    ("POST", "/plugins/{name}/upgrade", Absent),
    ("GET", "/secrets", Refused(NO_SWARM)),
    ("POST", "/secrets/create", Refused(NO_SWARM)),
    ("GET", "/secrets/{id}", Refused(NO_SWARM)),
    ("DELETE", "/secrets/{id}", Refused(NO_SWARM)),
    ("POST", "/secrets/{id}/update", Refused(NO_SWARM)),
    ("GET", "/services", Refused(NO_SWARM)),
    ("POST", "/services/create", Refused(NO_SWARM)),
    ("GET", "/services/{id}", Refused(NO_SWARM)),
    ("DELETE", "/services/{id}", Refused(NO_SWARM)),
    ("POST", "/services/{id}/update", Refused(NO_SWARM)),
    ("GET", "/services/{id}/logs", Refused(NO_SWARM)),
    ("POST", "/session", Absent),
    ("GET", "/swarm", Refused(NO_SWARM)),
    ("POST", "/swarm/init", Refused(NO_SWARM)),
    ("POST", "/swarm/join", Refused(NO_SWARM)),
    ("POST", "/swarm/leave", Refused(NO_SWARM)),
    ("POST", "/swarm/unlock", Refused(NO_SWARM)),
    ("GET", "/swarm/unlockkey", Refused(NO_SWARM)),
    ("POST", "/swarm/update", Refused(NO_SWARM)),
    ("GET", "/tasks", Refused(NO_SWARM)),
    ("GET", "/tasks/{id}", Refused(NO_SWARM)),
    ("GET", "/tasks/{id}/logs", Refused(NO_SWARM)),
    ("PUT", "/volumes/{name}", Absent),
];

/// Returns the table as the text of `OPERATIONS.md`.
pub fn markdown() -> String {
    let mut rows: Vec<(&str, &str, String)> = Vec::new();
    for operation in operation::ALL {
        let way = format!("{}, {}", effect(operation.effect), shape(operation.shape));
        let state = if operation.path.starts_with(PATH_PREFIX) {
            format!("Gantry's own: {way}; see `ours.rs`")
        } else {
            format!("supported: {way}")
        };
        rows.push((operation.path, operation.method.as_str(), state));
    }
    for (method, path, state) in OTHERS {
        let is_ours = |o: &&operation::Operation| o.path == *path && o.method.as_str() == *method;
        if operation::ALL.iter().any(|operation| is_ours(&operation)) {
            continue;
        }
        let state = match state {
            Refused(why) => format!("refused ({why})"),
            Absent => "absent (404)".to_owned(),
        };
        rows.push((path, method, state));
    }
    rows.sort();
    let n_supported = rows.iter().filter(|row| row.2.starts_with("supp")).count();
    let n_own = rows
        .iter()
        .filter(|row| row.2.starts_with("Gantry"))
        .count();
    let mut text = format!(
        "# Operations of the Docker Engine API\n\n\
         Printed from `operation.rs`; `GANTRY_GOLDEN=write cargo test -p engine-api` writes it anew.\n\
         {n_supported} of {} operations are supported. What an operation does for an option that has no\n\
         effect is in `options.rs`: it refuses it by name.\n\n\
         | operation | state |\n|---|---|\n",
        rows.len() - n_own
    );
    for (path, method, state) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{method} {path}` | {state} |");
    }
    text
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "reads",
        Effect::Operate => "operates",
        Effect::Change => "changes",
        Effect::Destroy => "destroys",
    }
}

fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::Json => "JSON",
        Shape::Stream => "a stream",
        Shape::Upgrade => "an upgraded connection",
    }
}
