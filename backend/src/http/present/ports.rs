//! The host's ports: who listens where.

use frontend::pages::{ListenerRow, NetworksTab, Ports};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Badge, Empty, Field, Kind, Tone};

use super::fields::field;
use super::{Reader, exits, networks};
use crate::fleet::Listener;

/// Returns the page; `free` is the first port that is free from `from` on.
pub fn page(reader: &Reader, listeners: &[Listener], from: u16, free: Option<u16>) -> Ports {
    let words = reader.words;
    let mut shell = reader.shell(Section::Networks, words.t("ports"));
    shell.topics = "jobs networks".to_owned();
    Ports {
        shell,
        tabs: networks::tabs(reader, NetworksTab::Ports),
        from: Field {
            kind: Kind::Number,
            value: from.to_string(),
            hint: words.t("ports-from-hint"),
            ..field(words, "from", "ports-from")
        },
        free: match free {
            Some(port) => words.named("ports-free", &port.to_string()),
            None => words.t("ports-free-none"),
        },
        rows: listeners.iter().map(|one| row(reader, one)).collect(),
        empty: listeners.is_empty().then(|| Empty {
            words,
            icon: "network",
            title: words.t("ports-none"),
            text: words.t("ports-none-text"),
            action: None,
            command: "docker run -d -p 8080:80 nginx:1.29".to_owned(),
        }),
    }
}

fn row(reader: &Reader, listener: &Listener) -> ListenerRow {
    let words = reader.words;
    let published = &listener.published;
    let rivals = listener.rivals.join(", ");
    ListenerRow {
        port: published
            .port
            .map_or_else(|| words.t("port-any"), |port| port.to_string()),
        protocol: published.protocol.clone(),
        address: published
            .address
            .map_or_else(|| words.t("port-all"), |address| address.to_string()),
        container: listener.container.name.clone(),
        path: paths::Container(listener.container.id.as_str()).to_string(),
        state: exits::badge(reader, &listener.container),
        inner: published.inner.to_string(),
        conflict: (!rivals.is_empty()).then(|| Badge {
            tone: Tone::Warn,
            icon: "triangle-alert",
            word: words.named("port-conflict-with", &rivals),
        }),
    }
}
