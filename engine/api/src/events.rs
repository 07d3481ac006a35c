//! Facts that come up from an engine: what happened to which thing.
#![expect(missing_docs, reason = "fields carry Docker's own names and meanings")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Something that happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Kind of thing: `container`, `image`, `network`, `volume`, `daemon`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// What happened, as `start`; an exec's action carries the command after a colon.
    #[serde(rename = "Action")]
    pub action: String,
    #[serde(rename = "Actor")]
    pub actor: Actor,
    #[serde(default)]
    pub scope: String,
    /// Seconds since the epoch.
    pub time: i64,
    /// Nanoseconds since the epoch; unique and rising within one journal.
    #[serde(rename = "timeNano")]
    pub time_nano: i64,
}

/// The thing it happened to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Actor {
    #[serde(rename = "ID")]
    pub id: String,
    /// Labels of the thing, its `name` and `image`, and what belongs to the action (`exitCode` …).
    #[serde(rename = "Attributes")]
    pub attributes: BTreeMap<String, String>,
}

/// An event as versions before 1.52 write it, with its former names beside the newer ones.
#[derive(Serialize)]
pub struct WireEvent<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'e str>,
    #[serde(flatten)]
    event: &'e Event,
}

impl<'e> From<&'e Event> for WireEvent<'e> {
    fn from(event: &'e Event) -> Self {
        let known = matches!(event.kind.as_str(), "container" | "image");
        let image = || event.actor.attributes.get("image").map(String::as_str);
        Self {
            status: known.then_some(event.action.as_str()),
            id: known.then_some(event.actor.id.as_str()),
            from: if event.kind == "container" {
                image()
            } else {
                None
            },
            event,
        }
    }
}

/// The keys that `filters` of events may hold.
pub const FILTERS: &[&str] = &[
    "config",
    "container",
    "daemon",
    "event",
    "image",
    "label",
    "network",
    "node",
    "plugin",
    "scope",
    "secret",
    "service",
    "type",
    "volume",
];
