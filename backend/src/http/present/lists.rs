//! What every list shares: its view from the URL, its chips, its pager.

use std::fmt;

use frontend::ui::{Filter, ListLook, Pager, View};

use super::Reader;
use crate::fleet::{ContainerQuery, Direction, EventQuery, ImageQuery, NetworkQuery, Page, Sort};

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
            inside: String::new(),
            also: Vec::new(),
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

/// Returns the question to the index that a view of the networks is.
pub fn network_query(view: &View) -> NetworkQuery {
    NetworkQuery {
        filter: view.filter.clone(),
        sort: Sort::of(&view.sort),
        direction: direction(view),
        page: view.page,
    }
}

/// Returns the question for the images that a form suggests.
pub fn suggested_images() -> ImageQuery {
    ImageQuery {
        rows: 500,
        ..ImageQuery::default()
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

/// The lists whose look can be chosen, with the columns that can be hidden: name and label.
const LOOKS: [(&str, &[(&str, &str)]); 2] = [
    (
        "containers",
        &[
            ("image", "image"),
            ("cpu", "cpu"),
            ("memory", "memory"),
            ("ports", "ports"),
            ("created", "age"),
        ],
    ),
    (
        "images",
        &[
            ("id", "id"),
            ("size", "size"),
            ("containers", "containers"),
            ("created", "age"),
        ],
    ),
];

/// How a person wants to see a list: hidden columns, and whether rows stand close together.
///
/// What is hidden is kept rather than what is shown, so that a column of a later version is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    is_compact: bool,
    hidden: Vec<String>,
}

impl Choice {
    /// Reads the form: the list, the columns that are ticked, the density.
    pub fn of_form(list: &str, shown: &[&str], density: &str) -> Option<(&'static str, Self)> {
        let (list, columns) = LOOKS.iter().find(|(name, _)| *name == list)?;
        let hidden = columns.iter().filter(|(name, _)| !shown.contains(name));
        let choice = Self {
            is_compact: density == "compact",
            hidden: hidden.map(|(name, _)| (*name).to_owned()).collect(),
        };
        Some((list, choice))
    }

    /// Reads a cookie; what is strange in it is left out when the list is drawn.
    pub fn of_cookie(value: &str) -> Self {
        let mut parts = value.split('.');
        Self {
            is_compact: parts.next() == Some("compact"),
            hidden: parts.take(20).map(str::to_owned).collect(),
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_compact { "compact" } else { "roomy" })?;
        self.hidden.iter().try_for_each(|name| write!(f, ".{name}"))
    }
}

/// Returns the chooser above a list, with what was chosen.
pub fn look(reader: &Reader, list: &'static str, choice: &Choice, view: &View) -> ListLook {
    let columns = LOOKS.iter().find(|(name, _)| *name == list);
    let columns = columns.map_or(&[][..], |(_, columns)| columns);
    let columns = columns.iter().map(|(name, key)| {
        let is_shown = !choice.hidden.iter().any(|hidden| hidden == name);
        (*name, reader.words.t(key), is_shown)
    });
    ListLook {
        words: reader.words,
        list,
        columns: columns.collect(),
        compact: choice.is_compact,
        back: view.url(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_survives_its_cookie() {
        let (list, choice) =
            Choice::of_form("containers", &["image", "cpu", "memory"], "compact").unwrap();
        assert_eq!(
            (list, choice.to_string().as_str()),
            ("containers", "compact.ports.created")
        );
        assert_eq!(Choice::of_cookie(&choice.to_string()), choice);
        assert_eq!(Choice::of_form("nothing", &[], ""), None);
        assert_eq!(Choice::of_cookie(""), Choice::default());
    }
}
