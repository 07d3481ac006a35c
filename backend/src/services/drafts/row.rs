//! What the table of options is made of: a row joins a field of the form, a flag of `docker run`
//! and a member of the definition.

use engine_api::containers::CreateBody;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::rules;
use crate::domain::Rule;

/// More items than any field of a form has.
const MOST_ITEMS: usize = 1_000;

/// One option. Its value is a list of items, whatever the member's type: none says "not set".
pub(super) struct Row {
    /// The field's `name` in the form.
    pub(super) field: &'static str,
    /// The member's name in the engine's refusals, without case and lines: `memoryswap`.
    pub(super) member: &'static str,
    /// The flag of `docker run`.
    pub(super) flag: Flag,
    /// How its text is laid out.
    pub(super) kind: Kind,
    /// Reads the items out of a definition.
    pub(super) get: fn(&CreateBody) -> Vec<String>,
    /// Writes the items into a definition; none takes it out.
    pub(super) set: fn(&mut CreateBody, &[String]) -> Result<(), Rule>,
    /// An item as the flag's value; `None` for a flag that takes none.
    pub(super) said: fn(&str) -> Option<String>,
    /// A value of the flag as an item; `None` when it is about another row, or nothing of ours.
    pub(super) heard: fn(&str) -> Option<String>,
}

/// A flag; an empty one has no way to be said.
#[derive(Clone, Copy)]
pub(super) struct Flag {
    pub(super) long: &'static str,
    pub(super) short: Option<char>,
}

pub(super) const fn long(long: &'static str) -> Flag {
    Flag { long, short: None }
}

pub(super) const fn short(letter: char, long: &'static str) -> Flag {
    Flag {
        long,
        short: Some(letter),
    }
}

/// How the text of a field is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One item, one line.
    Line,
    /// One item that may have several lines.
    Whole,
    /// An item a line.
    Lines,
    /// Blanks or commas between the items.
    Words,
    /// `on`, or nothing.
    Switch,
    /// Words quoted as in a shell.
    Command,
}

impl Kind {
    /// Takes a text apart.
    ///
    /// # Errors
    /// When a quote is not closed.
    pub(super) fn items(self, text: &str) -> Result<Vec<String>, Rule> {
        let one = |text: &str| match text {
            "" => Vec::new(),
            text => vec![text.to_owned()],
        };
        Ok(match self {
            Self::Line => one(text.trim()),
            Self::Whole => one(text.trim().replace("\r\n", "\n").as_str()),
            // A value may end with blanks.
            Self::Lines => {
                let lines = text.lines().filter(|line| !line.trim().is_empty());
                lines.map(|line| line.trim_start().to_owned()).collect()
            }
            Self::Words => {
                let words = text.split([' ', ',', '\n', '\r', '\t']);
                words.filter(|w| !w.is_empty()).map(str::to_owned).collect()
            }
            Self::Switch => one(if text.is_empty() { "" } else { "on" }),
            Self::Command => shlex::split(&text.replace("\r\n", "\n")).ok_or(Rule::CommandLine)?,
        })
    }

    /// Writes items as the text that [`Kind::items`] takes apart.
    pub(super) fn text(self, items: &[String]) -> String {
        match self {
            Self::Line | Self::Whole | Self::Switch => items.first().cloned().unwrap_or_default(),
            Self::Lines => items.join("\n"),
            Self::Words => items.join(" "),
            Self::Command => join(items),
        }
    }

    /// Tells whether the text can say an item.
    pub(super) fn fits(self, item: &str) -> bool {
        match self {
            Self::Command => !item.contains('\r'),
            _ => self.items(item) == Ok(vec![item.to_owned()]),
        }
    }
}

/// Writes words so that a shell reads them back; quotes only where it must.
pub(super) fn join(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    let quoted = |word: &String| {
        let is_plain = !word.is_empty() && word.chars().all(plain);
        if is_plain {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// A row whose flag takes the items as they are, and whose member is nowhere.
pub(super) const PLAIN: Row = Row {
    field: "",
    member: "",
    flag: long(""),
    kind: Kind::Line,
    get: |_| Vec::new(),
    set: |_, _| Ok(()),
    said: |item| Some(item.to_owned()),
    heard: |value| Some(value.to_owned()),
};

/// A row whose flag takes no value.
pub(super) const BARE: Row = Row {
    kind: Kind::Switch,
    said: |_| None,
    heard: |_| Some("on".to_owned()),
    ..PLAIN
};

/// Returns the item of a text that is not empty.
pub(super) fn one(text: &str) -> Vec<String> {
    if text.is_empty() {
        Vec::new()
    } else {
        vec![text.to_owned()]
    }
}

/// Returns the item of a switch.
pub(super) fn on(is_on: bool) -> Vec<String> {
    one(if is_on { "on" } else { "" })
}

/// Reads the one item; without it the value is the default.
pub(super) fn first<T: Default>(
    items: &[String],
    rule: impl Fn(&str) -> Result<T, Rule>,
) -> Result<T, Rule> {
    items
        .first()
        .map_or_else(|| Ok(T::default()), |item| rule(item))
}

/// Reads every item.
pub(super) fn each<T>(
    items: &[String],
    rule: impl Fn(&str) -> Result<T, Rule>,
) -> Result<Vec<T>, Rule> {
    if items.len() > MOST_ITEMS {
        return Err(Rule::TooMany { most: MOST_ITEMS });
    }
    items.iter().map(|item| rule(item)).collect()
}

/// Returns a list that is not empty.
pub(super) fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// How a value that no line can say stands among the items: a text cannot begin so.
const BEYOND: char = '\n';

/// Writes a value as a line, if the line reads back as the same; else as it is in JSON.
pub(super) fn speak<T: PartialEq + Serialize>(
    value: &T,
    write: impl Fn(&T) -> String,
    read: impl Fn(&str) -> Result<T, Rule>,
) -> String {
    let line = write(value);
    if read(&line).as_ref() == Ok(value) {
        return line;
    }
    format!(
        "{BEYOND}{}",
        serde_json::to_string(value).unwrap_or_default()
    )
}

/// Reads what [`speak`] wrote, or a person.
pub(super) fn hear<T: DeserializeOwned>(
    item: &str,
    read: impl Fn(&str) -> Result<T, Rule>,
) -> Result<T, Rule> {
    match item.strip_prefix(BEYOND) {
        Some(json) => serde_json::from_str(json).map_err(|_| Rule::Choice),
        None => read(item),
    }
}

/// Returns the items of a map.
pub(super) fn pairs<'m>(
    map: impl IntoIterator<Item = (&'m String, &'m String)>,
    write: fn(&(String, String)) -> String,
    read: fn(&str) -> Result<(String, String), Rule>,
) -> Vec<String> {
    let pairs = map
        .into_iter()
        .map(|(key, value)| (key.clone(), value.clone()));
    pairs.map(|pair| speak(&pair, write, read)).collect()
}

/// Writes `name=value`.
pub(super) fn equals((key, value): &(String, String)) -> String {
    format!("{key}={value}")
}

/// Reads pairs.
pub(super) fn map<M: FromIterator<(String, String)>>(
    items: &[String],
    read: fn(&str) -> Result<(String, String), Rule>,
) -> Result<M, Rule> {
    Ok(each(items, |item| hear(item, read))?.into_iter().collect())
}

/// Reads a whole number within bounds.
pub(super) fn within(least: i64, most: i64) -> impl Fn(&str) -> Result<i64, Rule> {
    move |text| rules::whole(text, least, most)
}

/// A text.
macro_rules! text {
    ($field:literal, $flag:expr, $part:ident.$member:ident, $rule:expr) => {
        Row {
            field: $field,
            member: stringify!($member),
            flag: $flag,
            get: |body| one(&body.$part.$member),
            set: |body, items| {
                body.$part.$member = first(items, $rule)?;
                Ok(())
            },
            ..PLAIN
        }
    };
}

/// A number of which none is zero.
macro_rules! number {
    ($field:literal, $flag:expr, $part:ident.$member:ident, $write:expr, $rule:expr) => {
        Row {
            field: $field,
            member: stringify!($member),
            flag: $flag,
            get: |body| match body.$part.$member {
                0 => Vec::new(),
                value => vec![$write(value)],
            },
            set: |body, items| {
                body.$part.$member = first(items, $rule)?;
                Ok(())
            },
            ..PLAIN
        }
    };
}

/// A number that may be absent.
macro_rules! maybe_number {
    ($field:literal, $flag:expr, $part:ident.$member:ident, $rule:expr) => {
        Row {
            field: $field,
            member: stringify!($member),
            flag: $flag,
            get: |body| body.$part.$member.iter().map(ToString::to_string).collect(),
            set: |body, items| {
                body.$part.$member = each(items, $rule)?.first().copied();
                Ok(())
            },
            ..PLAIN
        }
    };
}

/// A switch whose flag takes no value.
macro_rules! switch {
    ($field:literal, $flag:expr, $part:ident.$member:ident) => {
        Row {
            field: $field,
            member: stringify!($member),
            flag: $flag,
            get: |body| on(body.$part.$member),
            set: |body, items| {
                body.$part.$member = !items.is_empty();
                Ok(())
            },
            ..BARE
        }
    };
}

/// A switch that may be absent.
macro_rules! maybe_switch {
    ($field:literal, $flag:expr, $part:ident.$member:ident) => {
        Row {
            field: $field,
            member: stringify!($member),
            flag: $flag,
            get: |body| on(body.$part.$member == Some(true)),
            set: |body, items| {
                let is_on = body.$part.$member == Some(true);
                if is_on == items.is_empty() {
                    body.$part.$member = (!is_on).then_some(true);
                }
                Ok(())
            },
            ..BARE
        }
    };
}

/// A list that may be absent.
macro_rules! maybe_list {
    ($field:literal, $flag:expr, $kind:expr, $part:ident.$member:ident, $rule:expr) => {
        Row {
            field: $field,
            member: stringify!($member),
            flag: $flag,
            kind: $kind,
            get: |body| body.$part.$member.clone().unwrap_or_default(),
            set: |body, items| {
                body.$part.$member = some(each(items, $rule)?);
                Ok(())
            },
            ..PLAIN
        }
    };
}

/// A list.
macro_rules! list {
    ($field:literal, $flag:expr, $kind:expr, $part:ident.$member:ident, $rule:expr) => {
        Row {
            field: $field,
            member: stringify!($member),
            flag: $flag,
            kind: $kind,
            get: |body| body.$part.$member.clone(),
            set: |body, items| {
                body.$part.$member = each(items, $rule)?;
                Ok(())
            },
            ..PLAIN
        }
    };
}

/// A list of things that have a line each.
macro_rules! things {
    ($field:literal, $flag:expr, $part:ident.$member:ident, $write:expr, $read:expr) => {
        Row {
            field: $field,
            member: stringify!($member),
            flag: $flag,
            kind: Kind::Lines,
            get: |body| {
                let all = body.$part.$member.iter();
                all.map(|one| speak(one, $write, $read)).collect()
            },
            set: |body, items| {
                body.$part.$member = each(items, |item| hear(item, $read))?;
                Ok(())
            },
            ..PLAIN
        }
    };
}

pub(super) use {list, maybe_list, maybe_number, maybe_switch, number, switch, text, things};
