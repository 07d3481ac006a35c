//! The create form: what was typed, the rules it broke, and the sections it is shown in.

use std::collections::BTreeMap;

use crate::shell::Shell;
use crate::ui::{Choice, Field, Kind, Notice};
use crate::words::Words;
use askama::Template;

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
    /// The equivalent calls of the API.
    pub call: String,
    /// What is in the paste box.
    pub paste: Field,
    /// Names of images for the image field.
    pub images: Vec<String>,
    /// Why nobody may press the button here; the form stays readable.
    pub blocked: Option<String>,
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

/// How a field is drawn.
#[derive(Clone, Copy)]
enum Draw {
    Line,
    Whole,
    Number,
    Lines,
    Switch,
    Network,
}

/// Sections, and in each its fields: name, how it is drawn, an example.
type Plan = [(
    &'static str,
    &'static str,
    &'static [(&'static str, Draw, &'static str)],
); 8];

/// The form, once. Labels and hints are the messages `create-<name>`.
const PLAN: Plan = [
    (
        "create-what",
        "box",
        &[
            ("image", Draw::Line, "gantry/hello"),
            ("name", Draw::Line, "web-1"),
            ("command", Draw::Whole, "nginx -g 'daemon off;'"),
            ("start", Draw::Switch, ""),
        ],
    ),
    (
        "create-variables",
        "list-tree",
        &[("environment", Draw::Lines, "TZ=Asia/Seoul\nDEBUG=1")],
    ),
    (
        "create-networking",
        "network",
        &[
            ("network", Draw::Network, ""),
            ("hostname", Draw::Line, "web-1"),
            ("domainname", Draw::Line, "example.com"),
            ("dns", Draw::Line, "1.1.1.1"),
            ("extra_hosts", Draw::Lines, "db:10.0.0.2"),
        ],
    ),
    (
        "create-storage",
        "hard-drive",
        &[
            (
                "mounts",
                Draw::Lines,
                "/srv/data:/data\n/etc/app.conf:/etc/app.conf:ro",
            ),
            ("tmpfs", Draw::Lines, "/tmp:size=64m"),
            ("shm_size", Draw::Line, "64m"),
        ],
    ),
    (
        "create-limits",
        "cpu",
        &[
            ("memory", Draw::Line, "512m"),
            ("cpus", Draw::Line, "1.5"),
            ("pids", Draw::Number, "256"),
            ("cpu_shares", Draw::Number, "1024"),
            ("ulimits", Draw::Lines, "nofile=1024:4096"),
        ],
    ),
    (
        "create-process",
        "terminal",
        &[
            ("entrypoint", Draw::Whole, "/docker-entrypoint.sh"),
            ("working_dir", Draw::Line, "/app"),
            ("user", Draw::Line, "1000:1000"),
            ("groups", Draw::Line, "audio 44"),
            ("stop_signal", Draw::Line, "SIGTERM"),
            ("stop_timeout", Draw::Number, "10"),
            ("tty", Draw::Switch, ""),
            ("stdin", Draw::Switch, ""),
            ("auto_remove", Draw::Switch, ""),
        ],
    ),
    (
        "create-security",
        "shield",
        &[
            ("read_only", Draw::Switch, ""),
            ("no_new_privileges", Draw::Switch, ""),
            ("cap_drop", Draw::Line, "ALL"),
            ("cap_add", Draw::Line, "NET_BIND_SERVICE"),
        ],
    ),
    (
        "create-labelling",
        "file-text",
        &[
            ("labels", Draw::Lines, "app=shop\ntier=web"),
            ("log_max_size", Draw::Line, "10m"),
            ("log_max_files", Draw::Number, "3"),
        ],
    ),
];

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
    pub fn sections(&self, words: Words, problems: &Problems) -> Vec<Section> {
        let form = Form {
            words,
            problems,
            input: self,
        };
        PLAN.iter()
            .enumerate()
            .map(|(index, (key, icon, fields))| {
                let fields = fields.iter().map(|field| form.field(field)).collect();
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
    fn field(&self, &(name, draw, placeholder): &(&'static str, Draw, &str)) -> Field {
        let key = name.replace('_', "-");
        Field {
            name,
            label: self.words.t(&format!("create-{key}")),
            hint: self.words.t(&format!("create-{key}.hint")),
            value: self.input.value(name).to_owned(),
            placeholder: placeholder.to_owned(),
            error: self.problems.get(name).cloned(),
            required: name == "image",
            list: if name == "image" { "images" } else { "" },
            code: !matches!(draw, Draw::Switch | Draw::Network),
            whole: matches!(draw, Draw::Whole | Draw::Lines | Draw::Switch),
            kind: match draw {
                Draw::Line | Draw::Whole => Kind::Text,
                Draw::Number => Kind::Number,
                Draw::Lines => Kind::Lines(3),
                Draw::Switch => Kind::Check,
                Draw::Network => Kind::Choice(vec![
                    self.choice("none", "create-network-none"),
                    self.choice("host", "create-network-host"),
                ]),
            },
            autocomplete: "off",
        }
    }

    fn choice(&self, value: &str, key: &str) -> Choice {
        Choice {
            value: value.to_owned(),
            label: self.words.t(key),
        }
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
