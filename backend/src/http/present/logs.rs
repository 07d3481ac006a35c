//! Logs as windows: of one container, of several.

use std::sync::Arc;

use frontend::pages::{ContainerLogs, MergedLogs};
use frontend::parts::{LogSource, LogWindow, Tab};
use frontend::paths;
use frontend::shell::Section;

use super::{Reader, containers, details, exits};
use crate::access::PermissionId;
use crate::fleet::ContainerFact;

/// Names that are offered to be put beside the others.
const MOST_OFFERED: usize = 200;

/// Returns the tab of one container's log.
pub fn one(reader: &Reader, fact: &ContainerFact, last_lines: &[String]) -> ContainerLogs {
    let id = fact.id.as_str();
    let may_take = reader.may(PermissionId::ContainerDownloadLogs);
    ContainerLogs {
        shell: details::shell(reader, fact, Tab::Logs),
        header: containers::header(reader, fact, Tab::Logs),
        notice: None,
        window: LogWindow {
            words: reader.words,
            sources: vec![source(reader, fact, None)],
            last_lines: last_lines.iter().map(|line| plain(line)).collect(),
            download: may_take.then(|| paths::ContainerLogsDownload(id).to_string()),
            merge: Some(paths::Logs::of([id])),
        },
    }
}

/// Returns the page of several logs; `all` are the containers that could be there.
pub fn merged(
    reader: &Reader,
    facts: &[Arc<ContainerFact>],
    all: &[Arc<ContainerFact>],
) -> MergedLogs {
    let is_here = |fact: &&Arc<ContainerFact>| facts.iter().any(|here| here.id == fact.id);
    let others = all.iter().filter(|fact| !is_here(fact));
    let title = reader.words.n("log-title", facts.len() as u64);
    let sources = facts.iter().map(|fact| {
        let rest = facts.iter().filter(|other| other.id != fact.id);
        let rest = paths::Logs::of(rest.map(|other| other.id.as_str()));
        source(reader, fact, (facts.len() > 1).then_some(rest))
    });
    MergedLogs {
        shell: reader.shell(Section::Containers, title.clone()),
        title,
        ids: facts.iter().map(|fact| fact.id.to_string()).collect(),
        others: others
            .take(MOST_OFFERED)
            .map(|fact| fact.name.clone())
            .collect(),
        window: LogWindow {
            words: reader.words,
            sources: sources.collect(),
            last_lines: Vec::new(),
            download: None,
            merge: None,
        },
    }
}

fn source(reader: &Reader, fact: &ContainerFact, without: Option<String>) -> LogSource {
    let id = fact.id.as_str();
    LogSource {
        name: fact.name.clone(),
        path: paths::ContainerLogs(id).to_string(),
        socket: paths::LiveLogs(id).to_string(),
        state: exits::badge(reader, fact),
        without,
    }
}

/// Takes the escapes of terminals out of a line.
pub fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' && rest.next_if_eq(&'[').is_some() {
            let _end = rest.find(|character| ('@'..='~').contains(character));
        } else if !character.is_control() || character == '\t' {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_loses_its_colours_and_controls() {
        assert_eq!(
            plain("\u{1b}[1;31mred\u{1b}[0m\tend\u{7}\u{1b}"),
            "red\tend"
        );
    }
}
