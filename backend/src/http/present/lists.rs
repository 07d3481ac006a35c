//! What every list shares: its view from the URL, its chips, its pager.

use frontend::ui::{Filter, Pager, View};

use super::Reader;
use crate::fleet::{ContainerQuery, Direction, EventQuery, ImageQuery, Page, Sort};

/// The query of a list's URL, as it came.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Asked {
    /// The filter as typed.
    pub filter: String,
    /// A column's name, with a minus before it for descending.
    pub sort: String,
    /// The page, from 1.
    pub page: usize,
}

impl Asked {
    /// Returns the view of that list.
    pub fn view(&self, path: String) -> View {
        let (sort, descending) = match self.sort.strip_prefix('-') {
            Some(name) => (name, true),
            None => (self.sort.as_str(), false),
        };
        View {
            path,
            filter: self.filter.clone(),
            sort: sort.chars().filter(char::is_ascii_alphabetic).collect(),
            descending,
            page: self.page.max(1),
        }
    }
}

/// Returns the question to the index that a view of the containers is.
pub fn container_query(view: &View) -> ContainerQuery {
    ContainerQuery {
        filter: view.filter.clone(),
        sort: Sort::of(&view.sort),
        direction: direction(view),
        page: view.page,
        rows: 0,
    }
}

/// Returns the question for the containers that ended last.
pub fn ended_last() -> ContainerQuery {
    ContainerQuery {
        filter: "state:exited".to_owned(),
        sort: Sort::Created,
        direction: Direction::Descending,
        page: 1,
        rows: 200,
    }
}

/// Returns the question to the index that a view of the images is.
pub fn image_query(view: &View) -> ImageQuery {
    ImageQuery {
        filter: view.filter.clone(),
        sort: Sort::of(&view.sort),
        direction: direction(view),
        page: view.page,
        rows: 0,
    }
}

/// Returns the question to the index that a view of the events is.
pub fn event_query(view: &View, rows: usize) -> EventQuery {
    EventQuery {
        filter: view.filter.clone(),
        thing: None,
        page: view.page,
        rows,
    }
}

fn direction(view: &View) -> Direction {
    if view.descending {
        Direction::Descending
    } else {
        Direction::Ascending
    }
}

/// Returns the pager of a page; the number that was asked for may have been too far.
pub fn pager<T>(reader: &Reader, view: &View, page: &Page<T>) -> Pager {
    let view = View {
        page: page.number,
        ..view.clone()
    };
    Pager::new(reader.words, &view, 50, page.n_matching)
}

/// Returns a filter field with chips: label, count, the filter they stand for.
pub fn filter(reader: &Reader, view: &View, hint: &str, chips: &[(&str, usize, &str)]) -> Filter {
    let chips = chips.iter().map(|(label, count, filter)| {
        let url = view.filtered(filter).url();
        let label = reader.words.t(label);
        (label, count.to_string(), url, view.filter == *filter)
    });
    Filter {
        words: reader.words,
        view: view.clone(),
        hint: reader.words.t(hint),
        chips: chips.collect(),
    }
}
