//! Asking the index: which things, in which order, which page.

use std::cmp::Ordering;
use std::sync::Arc;

use super::facts::{ContainerFact, EventFact, ImageFact, Phase};

/// The rows of one page, and how many there are in all.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<Arc<T>>,
    /// How many fit the filter.
    pub n_matching: usize,
    /// How many there are without it.
    pub n_all: usize,
    /// Which page this is, from 1.
    pub number: usize,
    /// How many pages there are; at least 1.
    pub n_pages: usize,
}

/// Rows on a page, unless somebody asks for another number.
pub(super) const PAGE_ROWS: usize = 50;
const MOST_ROWS: usize = 500;

impl<T> Page<T> {
    pub(super) fn cut(matching: Vec<Arc<T>>, n_all: usize, number: usize, rows: usize) -> Self {
        let rows = if rows == 0 {
            PAGE_ROWS
        } else {
            rows.min(MOST_ROWS)
        };
        let n_matching = matching.len();
        let n_pages = n_matching.div_ceil(rows).max(1);
        let number = number.clamp(1, n_pages);
        let rows = matching
            .into_iter()
            .skip((number - 1) * rows)
            .take(rows)
            .collect();
        Self {
            rows,
            n_matching,
            n_all,
            number,
            n_pages,
        }
    }
}

/// What a list is sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The name.
    #[default]
    Name,
    /// Where it is in its life: what runs first.
    State,
    /// The image's name.
    Image,
    /// When it was made.
    Created,
    /// How large it is.
    Size,
    /// The share of a processor it used last.
    Cpu,
    /// The memory it used last.
    Memory,
}

impl Sort {
    /// Returns the order of that word; the default one for an unknown word.
    pub fn of(word: &str) -> Self {
        match word {
            "state" => Self::State,
            "image" => Self::Image,
            "created" => Self::Created,
            "size" => Self::Size,
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            _ => Self::Name,
        }
    }

    /// Returns the word in the URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::State => "state",
            Self::Image => "image",
            Self::Created => "created",
            Self::Size => "size",
            Self::Cpu => "cpu",
            Self::Memory => "memory",
        }
    }
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The least first.
    #[default]
    Ascending,
    /// The greatest first.
    Descending,
}

impl Direction {
    pub(super) const fn apply(self, order: Ordering) -> Ordering {
        match self {
            Self::Ascending => order,
            Self::Descending => order.reverse(),
        }
    }
}

/// Which containers. The filter holds plain words, each of which the name, id, image or command
/// must contain, and `state:`, `name:`, `image:`, `label:key[=value]`, `id:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerQuery {
    /// The filter as typed.
    pub filter: String,
    /// The order.
    pub sort: Sort,
    /// Its direction.
    pub direction: Direction,
    /// Which page, from 1.
    pub page: usize,
    /// Rows a page; 0 for the usual number.
    pub rows: usize,
}

/// Which images; the filter's words are looked for in tags and ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageQuery {
    /// The filter as typed.
    pub filter: String,
    /// The order.
    pub sort: Sort,
    /// Its direction.
    pub direction: Direction,
    /// Which page, from 1.
    pub page: usize,
    /// Rows a page; 0 for the usual number.
    pub rows: usize,
}

/// Which events, the newest first; `type:`, `action:` and plain words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// The filter as typed.
    pub filter: String,
    /// Only of the thing with this id.
    pub thing: Option<String>,
    /// Which page, from 1.
    pub page: usize,
    /// Rows a page; 0 for the usual number.
    pub rows: usize,
}

/// The filter taken apart: lower-case words, with the part before a colon where it is a known one.
pub(super) fn words<'f>(filter: &'f str, known: &[&str]) -> Vec<(&'f str, String)> {
    filter
        .split_whitespace()
        .take(16)
        .map(|word| match word.split_once(':') {
            Some((key, value)) if known.contains(&key) => (key, value.to_lowercase()),
            _ => ("", word.to_lowercase()),
        })
        .collect()
}

pub(super) fn holds(text: &str, word: &str) -> bool {
    if text.is_ascii() {
        return text.len() >= word.len()
            && text
                .as_bytes()
                .windows(word.len().max(1))
                .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
            || word.is_empty();
    }
    text.to_lowercase().contains(word)
}

impl ContainerQuery {
    /// Applies the query. Where the order is one of use, `weigh` says how much; what has no weight
    /// comes last, whichever the direction.
    pub fn run(
        &self,
        all: impl Iterator<Item = Arc<ContainerFact>>,
        weigh: impl Fn(&ContainerFact) -> Option<f64>,
    ) -> Page<ContainerFact> {
        let words = words(&self.filter, &["state", "name", "image", "label", "id"]);
        let mut n_all = 0;
        let mut matching: Vec<_> = all
            .inspect(|_| n_all += 1)
            .filter(|fact| {
                words
                    .iter()
                    .all(|(key, word)| container_fits(fact, key, word))
            })
            .collect();
        if matches!(self.sort, Sort::Cpu | Sort::Memory) {
            matching = self.by_weight(matching, weigh);
        } else {
            matching.sort_unstable_by(|a, b| {
                self.direction
                    .apply(by(self.sort, a, b))
                    .then_with(|| a.name.cmp(&b.name))
            });
        }
        Page::cut(matching, n_all, self.page, self.rows)
    }

    fn by_weight(
        &self,
        all: Vec<Arc<ContainerFact>>,
        weigh: impl Fn(&ContainerFact) -> Option<f64>,
    ) -> Vec<Arc<ContainerFact>> {
        let mut weighed: Vec<_> = all.into_iter().map(|fact| (weigh(&fact), fact)).collect();
        weighed.sort_unstable_by(|(a_weighs, a), (b_weighs, b)| {
            let order = match (a_weighs, b_weighs) {
                (Some(one), Some(other)) => self.direction.apply(one.total_cmp(other)),
                (one, other) => one.is_none().cmp(&other.is_none()),
            };
            order.then_with(|| a.name.cmp(&b.name))
        });
        weighed.into_iter().map(|(_, fact)| fact).collect()
    }

    /// Tells whether a container fits the filter.
    pub fn fits(&self, fact: &ContainerFact) -> bool {
        words(&self.filter, &["state", "name", "image", "label", "id"])
            .iter()
            .all(|(key, word)| container_fits(fact, key, word))
    }
}

fn by(sort: Sort, a: &ContainerFact, b: &ContainerFact) -> Ordering {
    match sort {
        Sort::Name | Sort::Size | Sort::Cpu | Sort::Memory => a.name.cmp(&b.name),
        Sort::State => a.phase.cmp(&b.phase),
        Sort::Image => a.summary.image.cmp(&b.summary.image),
        Sort::Created => a.summary.created.cmp(&b.summary.created),
    }
}

fn container_fits(fact: &ContainerFact, key: &str, word: &str) -> bool {
    match key {
        "state" => {
            fact.phase.as_str() == word || (word == "stopped" && fact.phase == Phase::Exited)
        }
        "name" => holds(&fact.name, word),
        "image" => holds(&fact.summary.image, word),
        "id" => fact.id.as_str().starts_with(word),
        "label" => match word.split_once('=') {
            Some((name, value)) => fact
                .summary
                .labels
                .iter()
                .any(|(k, v)| k.eq_ignore_ascii_case(name) && v.eq_ignore_ascii_case(value)),
            None => fact
                .summary
                .labels
                .keys()
                .any(|k| k.eq_ignore_ascii_case(word)),
        },
        _ => {
            holds(&fact.name, word)
                || holds(&fact.summary.image, word)
                || holds(&fact.summary.command, word)
                || fact.id.as_str().starts_with(word)
        }
    }
}

impl ImageQuery {
    /// Applies the query.
    pub fn run(&self, all: impl Iterator<Item = Arc<ImageFact>>) -> Page<ImageFact> {
        let words = words(&self.filter, &[]);
        let mut n_all = 0;
        let fits = |fact: &ImageFact, word: &str| {
            fact.tags.iter().any(|tag| holds(tag, word)) || fact.id.as_str().contains(word)
        };
        let mut matching: Vec<_> = all
            .inspect(|_| n_all += 1)
            .filter(|fact| words.iter().all(|(_, word)| fits(fact, word)))
            .collect();
        matching.sort_unstable_by(|a, b| {
            let order = match self.sort {
                Sort::Created => a.summary.created.cmp(&b.summary.created),
                Sort::Size => a.summary.size.cmp(&b.summary.size),
                Sort::Name | Sort::State | Sort::Image | Sort::Cpu | Sort::Memory => {
                    // What has no name comes last.
                    a.tags
                        .is_empty()
                        .cmp(&b.tags.is_empty())
                        .then_with(|| a.name().cmp(b.name()))
                }
            };
            self.direction.apply(order).then_with(|| a.id.cmp(&b.id))
        });
        Page::cut(matching, n_all, self.page, self.rows)
    }
}

impl EventQuery {
    /// Applies the query; the events come the newest first.
    pub fn run(&self, all: impl Iterator<Item = Arc<EventFact>>) -> Page<EventFact> {
        let words = words(&self.filter, &["type", "action"]);
        let mut n_all = 0;
        let matching: Vec<_> = all
            .inspect(|_| n_all += 1)
            .filter(|fact| self.fits(fact, &words))
            .collect();
        Page::cut(matching, n_all, self.page, self.rows)
    }

    fn fits(&self, fact: &EventFact, words: &[(&str, String)]) -> bool {
        let event = &fact.event;
        let of_thing = self.thing.as_ref().is_none_or(|id| event.actor.id == *id);
        of_thing
            && words.iter().all(|(key, word)| match *key {
                "type" => event.kind == *word,
                "action" => holds(&event.action, word),
                _ => {
                    holds(&event.action, word)
                        || holds(&event.kind, word)
                        || event.actor.id.starts_with(word.as_str())
                        || ["name", "image"]
                            .iter()
                            .filter_map(|key| event.actor.attributes.get(*key))
                            .any(|value| holds(value, word))
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use engine_api::containers::{ContainerState, ContainerSummary};

    use super::*;

    fn fact(number: usize, name: &str, image: &str, state: &str) -> Arc<ContainerFact> {
        Arc::new(ContainerFact {
            id: format!("{number:064x}").parse().unwrap(),
            name: name.to_owned(),
            phase: Phase::of(state),
            summary: ContainerSummary {
                image: image.to_owned(),
                created: i64::try_from(number).unwrap(),
                labels: [("app".to_owned(), "Shop".to_owned())].into(),
                ..ContainerSummary::default()
            },
            state: ContainerState::default(),
            memory_limit_bytes: 0,
            nano_cpus: 0,
            was_asked: false,
            published: Vec::new(),
            tty: false,
        })
    }

    fn check(filter: &str, expected: &[&str]) {
        let all = [
            fact(1, "web", "nginx:1", "running"),
            fact(2, "db", "postgres:17", "exited"),
            fact(3, "webhook", "hooks", "created"),
        ];
        let query = ContainerQuery {
            filter: filter.to_owned(),
            ..ContainerQuery::default()
        };
        let page = query.run(all.into_iter(), |_| None);
        let names: Vec<_> = page.rows.iter().map(|fact| fact.name.as_str()).collect();
        assert_eq!(names, expected, "{filter}");
        assert_eq!(page.n_all, 3);
    }

    #[test]
    fn a_filter_is_plain_words_and_conditions() {
        check("", &["db", "web", "webhook"]);
        check("WEB", &["web", "webhook"]);
        check("web state:running", &["web"]);
        check("state:stopped", &["db"]);
        check("image:post", &["db"]);
        check("label:app=shop name:db", &["db"]);
        check("label:other", &[]);
        check("nginx:1", &["web"]);
    }

    #[test]
    fn what_uses_nothing_comes_last_in_both_directions() {
        let all = || {
            let names = ["a", "b", "c", "d"];
            let facts = names.into_iter().enumerate();
            facts.map(|(n, name)| fact(n, name, "i", "running"))
        };
        let weigh = |fact: &ContainerFact| match fact.name.as_str() {
            "a" => Some(1.0),
            "c" => Some(9.0),
            _ => None,
        };
        for (direction, expected) in [
            (Direction::Descending, ["c", "a", "b", "d"]),
            (Direction::Ascending, ["a", "c", "b", "d"]),
        ] {
            let query = ContainerQuery {
                sort: Sort::Cpu,
                direction,
                ..ContainerQuery::default()
            };
            let page = query.run(all(), weigh);
            let names: Vec<_> = page.rows.iter().map(|fact| fact.name.as_str()).collect();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn pages_are_cut_and_a_page_too_far_is_the_last() {
        let all = || (0..120).map(|n| fact(n, &format!("c{n:03}"), "i", "running"));
        let query = ContainerQuery {
            page: 9,
            ..ContainerQuery::default()
        };
        let page = query.run(all(), |_| None);
        assert_eq!((page.number, page.n_pages, page.rows.len()), (3, 3, 20));
        let newest = ContainerQuery {
            sort: Sort::Created,
            direction: Direction::Descending,
            ..ContainerQuery::default()
        };
        assert_eq!(newest.run(all(), |_| None).rows[0].name, "c119");
    }
}
