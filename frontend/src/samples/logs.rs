//! Logs: one, and three as one.

use super::container_header;
use crate::pages::{ContainerLogs, MergedLogs};
use crate::parts::{LogSource, LogWindow, Tab};
use crate::paths;
use crate::shell::Shell;
use crate::ui::{Badge, Tone};
use crate::words::Words;

/// A container's log.
pub fn container_logs(shell: Shell) -> ContainerLogs {
    let header = container_header(shell.words, 0, Tab::Logs);
    let last_lines = (0..40)
        .map(|n| format!("10.0.0.{n} GET /products/{n} 200 {n} ms"))
        .collect();
    let window = LogWindow {
        words: shell.words,
        sources: vec![source(shell.words, "shop-web-1", &header.id)],
        last_lines,
        download: Some(paths::ContainerLogsDownload(&header.id).to_string()),
        merge: Some(paths::Logs::of([header.id.as_str()])),
    };
    ContainerLogs {
        header,
        notice: None,
        window,
        shell,
    }
}

/// Three logs as one.
pub fn merged_logs(shell: Shell) -> MergedLogs {
    let words = shell.words;
    let names = ["shop-web-1", "shop-worker-1", "postgres"];
    let sources = names.iter().map(|name| LogSource {
        without: Some(paths::Logs::of(["aa", "bb"])),
        ..source(words, name, name)
    });
    MergedLogs {
        title: words.n("log-title", 3),
        ids: names.map(str::to_owned).into(),
        others: vec!["redis".to_owned()],
        window: LogWindow {
            words,
            sources: sources.collect(),
            last_lines: Vec::new(),
            download: None,
            merge: None,
        },
        shell,
    }
}

fn source(words: Words, name: &str, id: &str) -> LogSource {
    LogSource {
        name: name.to_owned(),
        path: paths::ContainerLogs(id).to_string(),
        socket: paths::LiveLogs(id).to_string(),
        state: Badge {
            tone: Tone::Running,
            icon: "circle-play",
            word: words.t("state-running"),
        },
        without: None,
    }
}
