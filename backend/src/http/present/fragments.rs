//! Changes as parts: what a tab looks at, and the elements it is sent.

use std::collections::HashSet;
use std::sync::Arc;

use frontend::Template;
use frontend::live::ToPage;
use frontend::parts::{ContainerRow, Tab};

use super::{Reader, containers, jobs, loads, records};
use crate::domain::{ContainerId, JobId};
use crate::fleet::{Change, ContainerFact, EventFact};

use crate::services::jobs::JobFact;
use crate::services::metrics::Load;

/// More topics than any page has.
const MOST_TOPICS: usize = 600;

/// What a tab looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    /// Rows of containers that come and go.
    pub containers: bool,
    /// These rows, and what they use.
    pub rows: HashSet<ContainerId>,
    /// One container's head, with its tab.
    pub head: Option<(ContainerId, Tab)>,
    /// The list of images.
    pub images: bool,
    /// Networks, who is in them, and ports.
    pub networks: bool,
    /// Events as they happen.
    pub events: bool,
    /// The tray of jobs.
    pub jobs: bool,
    /// One job's panel.
    pub job: Option<JobId>,
    /// The first page.
    pub overview: bool,
}

impl Topics {
    /// Reads a tab's topics; unknown ones are left out.
    pub fn of(words: &[String]) -> Self {
        let mut topics = Self::default();
        for word in words.iter().take(MOST_TOPICS) {
            let mut parts = word.split(':');
            let (kind, id, tab) = (parts.next(), parts.next(), parts.next());
            if kind == Some("job") {
                topics.job = id.and_then(|id| id.parse().ok());
                continue;
            }
            let id = id.and_then(|id| id.parse::<ContainerId>().ok());
            match (kind.unwrap_or_default(), id) {
                ("containers", None) => topics.containers = true,
                ("images", None) => topics.images = true,
                ("networks", None) => topics.networks = true,
                ("events", None) => topics.events = true,
                ("jobs", None) => topics.jobs = true,
                ("overview", None) => topics.overview = true,
                ("row", Some(id)) => {
                    topics.rows.insert(id);
                }
                ("container", Some(id)) => {
                    topics.head = Some((id, Tab::of(tab.unwrap_or_default())));
                }
                _ => {}
            }
        }
        topics
    }

    /// Tells whether the page has to be fetched again after a change.
    pub fn is_stale_after(&self, change: &Change) -> bool {
        match change {
            Change::All | Change::Host => {
                self.containers
                    || self.overview
                    || self.images
                    || self.networks
                    || self.events
                    || self.head.is_some()
            }
            Change::Images => self.images || self.overview,
            Change::Networks => self.networks || self.head.is_some(),
            Change::ContainerGone(id) => {
                self.overview
                    || self.networks
                    || self.head.as_ref().is_some_and(|(head, _)| head == id)
            }
            Change::Container { .. } => self.overview || self.networks,
            Change::Event(_) => self.overview,
        }
    }
}

/// Returns what a container's change means for a tab.
pub fn container(
    reader: &Reader,
    topics: &Topics,
    fact: &Arc<ContainerFact>,
    is_new: bool,
    lately: &[Load],
) -> Vec<ToPage> {
    let mut messages = Vec::new();
    let is_row = topics.rows.contains(&fact.id);
    if is_row || (topics.containers && is_new) {
        let id = ContainerRow::dom_id(fact.id.as_str());
        let html = draw(&containers::row(reader, fact, lately));
        messages.push(match is_row {
            true => ToPage::Replace { id, html },
            false => ToPage::Add {
                list: "container-rows".to_owned(),
                id,
                html,
            },
        });
    }
    if let Some((id, tab)) = &topics.head
        && *id == fact.id
    {
        messages.push(ToPage::Replace {
            id: "container-header".to_owned(),
            html: draw(&containers::header(reader, fact, *tab)),
        });
    }
    messages
}

/// Returns an event as a new row.
pub fn event(reader: &Reader, fact: &EventFact) -> ToPage {
    let row = records::event(reader, fact);
    ToPage::Add {
        list: "event-rows".to_owned(),
        id: format!("event-{}", row.number),
        html: draw(&row),
    }
}

/// Returns the tray of jobs.
pub fn tray(reader: &Reader, all: &[JobFact]) -> ToPage {
    ToPage::Replace {
        id: "jobs".to_owned(),
        html: draw(&jobs::tray(reader, all)),
    }
}

/// Returns one job's panel.
pub fn job(reader: &Reader, fact: &JobFact) -> ToPage {
    ToPage::Replace {
        id: format!("job-panel-{}", fact.id),
        html: draw(&jobs::panel(reader, fact)),
    }
}

/// Returns the two cells of a row.
pub fn load(reader: &Reader, id: &ContainerId, lately: &[Load]) -> Vec<ToPage> {
    if lately.is_empty() {
        return Vec::new();
    }
    let cells = loads::cells(reader, id.as_str(), lately);
    let replace = |cell: &frontend::parts::LoadCell| ToPage::Replace {
        id: cell.dom_id.clone(),
        html: draw(cell),
    };
    cells.iter().map(replace).collect()
}

fn draw(part: &impl Template) -> String {
    part.render().unwrap_or_else(|error| {
        tracing::error!(
            error = crate::errors::chain(&error),
            "a part cannot be drawn"
        );
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_and_strange_ones_left_out() {
        let id = "ab".repeat(32);
        let words = [
            "jobs".to_owned(),
            "containers".to_owned(),
            format!("row:{id}"),
            format!("container:{id}:logs"),
            "row:../../etc".to_owned(),
            "job:../../etc".to_owned(),
            "nothing".to_owned(),
        ];
        let topics = Topics::of(&words);
        assert!(topics.jobs && topics.containers && !topics.images);
        assert_eq!((topics.rows.len(), &topics.job), (1, &None));
        assert_eq!(topics.head, Some((id.parse().unwrap(), Tab::Logs)));
        let job = JobId::unique();
        assert_eq!(Topics::of(&[format!("job:{job}")]).job, Some(job));
    }
}
