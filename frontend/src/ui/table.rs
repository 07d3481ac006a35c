//! What every list has: sortable columns, a filter field, a pager. The state of all is in the URL.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Icon, icon};
use crate::paths::Value;
use crate::words::Words;

/// How a list is looked at: the query of its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Path of the list.
    pub path: String,
    /// The directory that the list is of; empty for other lists.
    pub inside: String,
    /// What else says which list it is: names and values of the query.
    pub also: Vec<(&'static str, String)>,
    /// What is in the filter field.
    pub filter: String,
    /// Name of the column that sorts.
    pub sort: String,
    /// Whether it sorts downwards.
    pub descending: bool,
    /// Page, from 1.
    pub page: usize,
}

impl View {
    /// Returns the URL of this view.
    pub fn url(&self) -> String {
        let mut parts = Vec::new();
        if !self.inside.is_empty() {
            parts.push(format!("path={}", Value(&self.inside)));
        }
        let also = self.also.iter();
        parts.extend(also.map(|(name, value)| format!("{name}={}", Value(value))));
        if !self.filter.is_empty() {
            parts.push(format!("filter={}", Value(&self.filter)));
        }
        if !self.sort.is_empty() {
            let minus = if self.descending { "-" } else { "" };
            parts.push(format!("sort={minus}{}", self.sort));
        }
        if self.page > 1 {
            parts.push(format!("page={}", self.page));
        }
        if parts.is_empty() {
            return self.path.clone();
        }
        format!("{}?{}", self.path, parts.join("&"))
    }

    /// Returns this view with another filter, from its first page.
    pub fn filtered(&self, filter: &str) -> View {
        View {
            filter: filter.to_owned(),
            page: 1,
            ..self.clone()
        }
    }
}

/// A column's head.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/column.html")]
pub struct Column {
    /// Its name, also of its cells, for whoever hides it.
    pub name: String,
    /// The word.
    pub label: String,
    /// Whether its values are numbers.
    pub numeric: bool,
    /// Whether the list is sorted by it now.
    pub order: Order,
    /// The URL that sorts by it, or turns the order; empty when it does not sort.
    pub path: String,
}

impl HtmlSafe for Column {}

/// Whether a column sorts the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// It does not.
    None,
    /// Small first.
    Up,
    /// Large first.
    Down,
}

impl Column {
    /// A column that sorts by this name.
    pub fn sorted(view: &View, name: &str, label: String, numeric: bool) -> Column {
        let order = match (view.sort == name, view.descending) {
            (false, _) => Order::None,
            (true, false) => Order::Up,
            (true, true) => Order::Down,
        };
        // Numbers are asked for largest first, words in their alphabet.
        let descending = if order == Order::None {
            numeric
        } else {
            order == Order::Up
        };
        let next = View {
            sort: name.to_owned(),
            descending,
            page: 1,
            ..view.clone()
        };
        Column {
            name: name.to_owned(),
            label,
            numeric,
            order,
            path: next.url(),
        }
    }

    /// A column that does not sort.
    pub fn plain(label: String, numeric: bool) -> Column {
        Column {
            name: String::new(),
            label,
            numeric,
            order: Order::None,
            path: String::new(),
        }
    }

    /// The same column, with a name.
    pub fn named(self, name: &str) -> Column {
        Column {
            name: name.to_owned(),
            ..self
        }
    }

    fn symbol(&self) -> Icon {
        icon(if self.order == Order::Down {
            "arrow-down"
        } else {
            "arrow-up"
        })
    }
}

/// The filter field of a list, with its usual answers as chips.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/filter.html")]
pub struct Filter {
    /// Language.
    pub words: Words,
    /// The view it belongs to.
    pub view: View,
    /// What may be typed.
    pub hint: String,
    /// `(label, count, URL, current)`
    pub chips: Vec<(String, String, String, bool)>,
}

impl HtmlSafe for Filter {}

impl Filter {
    fn symbol(&self) -> Icon {
        icon("filter")
    }
}

/// Where one is in a long list.
#[derive(Debug, Clone, Template)]
#[template(path = "ui/pager.html")]
pub struct Pager {
    /// Language.
    pub words: Words,
    /// "1–50 of 3,000".
    pub range: String,
    /// URL of the page before.
    pub previous: Option<String>,
    /// URL of the page after.
    pub next: Option<String>,
}

impl HtmlSafe for Pager {}

impl Pager {
    /// The pager of a view on `total` things.
    pub fn new(words: Words, view: &View, per_page: usize, total: usize) -> Pager {
        let page = view.page.max(1);
        let first = ((page - 1) * per_page + 1).min(total.max(1));
        let last = (page * per_page).min(total);
        let at = |page| {
            View {
                page,
                ..view.clone()
            }
            .url()
        };
        let range = format!("{first}–{last}");
        Pager {
            words,
            range: words.with(
                "range-of",
                &[("range", &range), ("total", &total.to_string())],
            ),
            previous: (page > 1).then(|| at(page - 1)),
            next: (last < total).then(|| at(page + 1)),
        }
    }

    fn back(&self) -> Icon {
        icon("chevron-left")
    }

    fn forth(&self) -> Icon {
        icon("chevron-right")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_its_url() {
        let view = View {
            path: "/containers".into(),
            page: 1,
            ..View::default()
        };
        assert_eq!(view.url(), "/containers");
        let column = Column::sorted(&view, "cpu", "CPU".into(), true);
        assert_eq!(column.path, "/containers?sort=-cpu");
        let view = View {
            filter: "state:running web".into(),
            page: 3,
            ..view
        };
        assert_eq!(view.url(), "/containers?filter=state:running%20web&page=3");
    }

    #[test]
    fn a_pager_knows_its_ends() {
        let view = View {
            path: "/images".into(),
            page: 2,
            ..View::default()
        };
        let pager = Pager::new(Words::default(), &view, 50, 70);
        assert_eq!(pager.previous.as_deref(), Some("/images"));
        assert_eq!(pager.next, None);
    }
}
