//! The create form: what was typed, the rules it broke, and the sections it is shown in.

use std::collections::BTreeMap;

use askama::Template;

use super::create_plan::{Draw, LISTS, PLAN, Row};
use crate::shell::Shell;
use crate::ui::{Choice, Field, Kind, Notice};
use crate::words::Words;

/// The form, its paste box and its command.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_new.html")]
pub struct ContainerNew {
    /// The frame.
    pub shell: Shell,
    /// What went wrong, or what the paste box could not take over.
    pub notices: Vec<Notice>,
    /// The sections.
    pub sections: Vec<Section>,
    /// The equivalent command.
    pub command: String,
    /// The equivalent calls of the API; of a copy they would hold what is masked.
    pub call: Option<String>,
    /// The paste box; only an empty form has it.
    pub paste: Option<Field>,
    /// Of what it is the form.
    pub of: FormOf,
    /// Where it posts to.
    pub action: String,
    /// Where it leads back to.
    pub back: String,
    /// Fields that nobody sees.
    pub hidden: Vec<(&'static str, String)>,
    /// What no field says and a change carries along.
    pub kept: Vec<Kept>,
    /// Names of images for the image field.
    pub images: Vec<String>,
    /// Why nobody may press the button here; the form stays readable.
    pub blocked: Option<String>,
}

/// Of what a form is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FormOf {
    /// A new container.
    #[default]
    New,
    /// One more like the container of that name.
    Copy(String),
    /// The container of that name, which is there.
    There(String),
}

impl FormOf {
    /// Returns the title of the page.
    pub fn title(&self, words: Words) -> String {
        match self {
            Self::New => words.t("create-title"),
            Self::Copy(name) => words.named("duplicate-title", name),
            Self::There(name) => words.named("edit-title", name),
        }
    }

    /// Tells whether a field of the form belongs into it.
    fn has(&self, field: &str) -> bool {
        field != "start" || !matches!(self, Self::There(_))
    }
}

/// A member of a definition that no field of the form says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name in Docker's words.
    pub member: String,
    /// Its value in JSON.
    pub value: String,
}

/// What an edit would do, before it is done.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_plan.html")]
pub struct ContainerPlan {
    /// The frame.
    pub shell: Shell,
    /// Why it was not done yet.
    pub notices: Vec<Notice>,
    /// Whether a new container takes the old one's place.
    pub is_anew: bool,
    /// Whether there is nothing to do.
    pub is_nothing: bool,
    /// What happens, in sentences.
    pub says: Vec<String>,
    /// What changes.
    pub rows: Vec<PlanRow>,
    /// Where the form posts to.
    pub path: String,
    /// Where the container is.
    pub back: String,
    /// The form as it was typed.
    pub hidden: Vec<(String, String)>,
    /// Whether the old container stays.
    pub keeps_old: bool,
    /// Why nobody may press the button here.
    pub blocked: Option<String>,
}

impl ContainerPlan {
    fn before_title(&self) -> &'static str {
        if self.is_anew {
            "plan-anew"
        } else if self.is_nothing {
            "plan-nothing"
        } else {
            "plan-in-place"
        }
    }
}

/// A field that an edit changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// The field.
    pub label: String,
    /// What it does not say any more.
    pub lost: Vec<String>,
    /// What it says instead.
    pub won: Vec<String>,
    /// Whether the container goes on while it is changed.
    pub in_place: bool,
}

impl ContainerNew {
    fn lists(&self) -> &'static [(&'static str, &'static [&'static str])] {
        LISTS
    }

    fn submit(&self) -> &'static str {
        match self.of {
            FormOf::There(_) => "edit-submit",
            _ => "create-submit",
        }
    }

    fn title(&self) -> String {
        self.of.title(self.shell.words)
    }

    fn shows_masks(&self) -> bool {
        self.of != FormOf::New
    }
}

/// Returns the names of every field of the form.
pub fn form_fields() -> impl Iterator<Item = &'static str> {
    let rows = PLAN.iter().flat_map(|(_, _, fields)| fields.iter());
    rows.map(|(name, _, _)| *name)
}

/// A foldable group of fields.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its name.
    pub title: String,
    /// Its icon.
    pub icon: &'static str,
    /// Whether it stands open.
    pub open: bool,
    /// "2 set", or nothing.
    pub set: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// What was typed, by field name; all text, so that nothing typed is lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerInput(pub BTreeMap<String, String>);

/// The rules that were broken, by field name.
pub type Problems = BTreeMap<&'static str, String>;

impl ContainerInput {
    /// Returns an empty form: what most people want.
    pub fn fresh(image: &str) -> ContainerInput {
        let mut input = ContainerInput::default();
        input.0.insert("start".into(), "on".into());
        input.0.insert("network".into(), "none".into());
        input.0.insert("image".into(), image.into());
        input
    }

    /// Returns what is in a field.
    pub fn value(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Returns the form's sections with what was typed and which rules it broke.
    pub fn sections(&self, words: Words, of: &FormOf, problems: &Problems) -> Vec<Section> {
        let form = Form {
            words,
            problems,
            input: self,
        };
        PLAN.iter()
            .enumerate()
            .map(|(index, (key, icon, fields))| {
                let fields = fields.iter().filter(|(name, _, _)| of.has(name));
                let fields = fields.map(|field| form.field(field)).collect();
                form.section(key, icon, index == 0, fields)
            })
            .collect()
    }
}

/// Makes the fields of this form: label and hint are messages named after the field.
struct Form<'a> {
    words: Words,
    problems: &'a Problems,
    input: &'a ContainerInput,
}

impl Form<'_> {
    fn field(&self, &(name, draw, placeholder): &Row) -> Field {
        let key = name.replace('_', "-");
        Field {
            name,
            label: self.words.t(&format!("create-{key}")),
            hint: self.words.t(&format!("create-{key}.hint")),
            value: self.input.value(name).to_owned(),
            placeholder: placeholder.to_owned(),
            error: self.problems.get(name).cloned(),
            required: name == "image",
            list: match draw {
                Draw::Suggest(list) => list,
                _ if name == "image" => "images",
                _ => "",
            },
            code: !matches!(draw, Draw::Switch | Draw::Choice(_)),
            whole: matches!(draw, Draw::Lines(_) | Draw::Switch),
            kind: match draw {
                Draw::Line | Draw::Suggest(_) => Kind::Text,
                Draw::Number => Kind::Number,
                Draw::Lines(lines) => Kind::Lines(lines),
                Draw::Switch => Kind::Check,
                Draw::Choice(choices) => Kind::Choice(self.choices(choices)),
            },
            autocomplete: "off",
        }
    }

    fn choices(&self, choices: &[(&str, &str)]) -> Vec<Choice> {
        let choices = choices.iter().map(|(value, key)| Choice {
            value: (*value).to_owned(),
            label: match *key {
                "" => (*value).to_owned(),
                key => self.words.t(key),
            },
        });
        choices.collect()
    }

    /// A section opens by itself when something in it is wrong.
    fn section(&self, key: &str, icon: &'static str, open: bool, fields: Vec<Field>) -> Section {
        let set = fields.iter().filter(|field| is_set(field)).count() as u64;
        let wrong = fields.iter().any(|field| field.error.is_some());
        Section {
            title: self.words.t(key),
            icon,
            open: open || wrong,
            set: if set == 0 {
                String::new()
            } else {
                self.words.n("create-set", set)
            },
            fields,
        }
    }
}

fn is_set(field: &Field) -> bool {
    match field.name {
        "network" => field.value == "host",
        "start" => false,
        _ => !field.value.is_empty(),
    }
}
