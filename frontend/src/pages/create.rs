//! The create form: what was typed, the rules it broke, and the sections it is shown in.

use std::collections::BTreeMap;

use askama::Template;
use serde::{Deserialize, Serialize};

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

/// What was typed. Field names are the names in the form; all text, so that nothing typed is lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContainerInput {
    /// `nginx:1.29`
    pub image: String,
    /// Name; empty lets the engine choose.
    pub name: String,
    /// Command, as a shell line.
    pub command: String,
    /// Entry point, as a shell line.
    pub entrypoint: String,
    /// Working directory.
    pub workdir: String,
    /// `user`, `user:group`, ids.
    pub user: String,
    /// Host name.
    pub hostname: String,
    /// `NAME=value`, one a line.
    pub env: String,
    /// `none` or `host`.
    pub network: String,
    /// `512m`.
    pub memory: String,
    /// `1.5`.
    pub cpus: String,
    /// Number of processes.
    pub pids: String,
    /// `on` or nothing.
    pub read_only: String,
    /// Names, separated by spaces.
    pub cap_add: String,
    /// Names, separated by spaces.
    pub cap_drop: String,
    /// `on` or nothing.
    pub tty: String,
    /// `on` or nothing.
    pub stdin: String,
    /// `SIGTERM`.
    pub stop_signal: String,
    /// Seconds.
    pub stop_timeout: String,
    /// `name=value`, one a line.
    pub labels: String,
    /// `10m`.
    pub log_size: String,
    /// Number of files.
    pub log_files: String,
    /// `on` or nothing: start it at once.
    pub start: String,
}

/// The rules that were broken, by field name.
pub type Problems = BTreeMap<&'static str, String>;

impl ContainerInput {
    /// Returns an empty form: what most people want.
    pub fn fresh() -> ContainerInput {
        ContainerInput {
            network: "none".into(),
            start: "on".into(),
            ..ContainerInput::default()
        }
    }

    /// Returns the form's sections with what was typed and which rules it broke.
    pub fn sections(&self, words: Words, problems: &Problems) -> Vec<Section> {
        let form = Form { words, problems };
        vec![
            form.section("create-what", "box", true, self.what(&form)),
            form.section(
                "create-environment",
                "list-tree",
                false,
                self.environment(&form),
            ),
            form.section("create-networking", "network", false, self.network(&form)),
            form.section("create-limits", "cpu", false, self.limits(&form)),
            form.section("create-process", "terminal", false, self.process(&form)),
            form.section("create-security", "shield", false, self.security(&form)),
            form.section(
                "create-labelling",
                "file-text",
                false,
                self.labels_and_logs(&form),
            ),
        ]
    }

    fn what(&self, form: &Form<'_>) -> Vec<Field> {
        vec![
            Field {
                required: true,
                ..form.code("image", &self.image, "gantry/hello")
            },
            form.code("name", &self.name, "web-1"),
            Field {
                whole: true,
                ..form.code("command", &self.command, "nginx -g 'daemon off;'")
            },
            form.check("start", &self.start),
        ]
    }

    fn environment(&self, form: &Form<'_>) -> Vec<Field> {
        vec![form.lines("env", &self.env, "TZ=Europe/Berlin\nDEBUG=1")]
    }

    fn network(&self, form: &Form<'_>) -> Vec<Field> {
        let choice = |value: &str, key| Choice {
            value: value.to_owned(),
            label: form.words.t(key),
        };
        let kind = Kind::Choice(vec![
            choice("none", "create-network-none"),
            choice("host", "create-network-host"),
        ]);
        vec![
            Field {
                kind,
                code: false,
                ..form.code("network", &self.network, "")
            },
            form.code("hostname", &self.hostname, "web-1"),
        ]
    }

    fn limits(&self, form: &Form<'_>) -> Vec<Field> {
        vec![
            form.code("memory", &self.memory, "512m"),
            form.code("cpus", &self.cpus, "1.5"),
            Field {
                kind: Kind::Number,
                ..form.code("pids", &self.pids, "256")
            },
        ]
    }

    fn process(&self, form: &Form<'_>) -> Vec<Field> {
        vec![
            form.code("entrypoint", &self.entrypoint, "/docker-entrypoint.sh"),
            form.code("workdir", &self.workdir, "/app"),
            form.code("user", &self.user, "1000:1000"),
            form.code("stop_signal", &self.stop_signal, "SIGTERM"),
            Field {
                kind: Kind::Number,
                ..form.code("stop_timeout", &self.stop_timeout, "10")
            },
            form.check("tty", &self.tty),
            form.check("stdin", &self.stdin),
        ]
    }

    fn security(&self, form: &Form<'_>) -> Vec<Field> {
        vec![
            form.check("read_only", &self.read_only),
            form.code("cap_drop", &self.cap_drop, "ALL"),
            form.code("cap_add", &self.cap_add, "NET_BIND_SERVICE"),
        ]
    }

    fn labels_and_logs(&self, form: &Form<'_>) -> Vec<Field> {
        vec![
            form.lines("labels", &self.labels, "app=shop\ntier=web"),
            form.code("log_size", &self.log_size, "10m"),
            Field {
                kind: Kind::Number,
                ..form.code("log_files", &self.log_files, "3")
            },
        ]
    }
}

/// Makes the fields of this form: label and hint are messages named after the field.
struct Form<'a> {
    words: Words,
    problems: &'a Problems,
}

impl Form<'_> {
    fn code(&self, name: &'static str, value: &str, placeholder: &str) -> Field {
        let key = name.replace('_', "-");
        Field {
            name,
            label: self.words.t(&format!("create-{key}")),
            hint: self.words.t(&format!("create-{key}.hint")),
            value: value.to_owned(),
            placeholder: placeholder.to_owned(),
            error: self.problems.get(name).cloned(),
            code: true,
            ..Field::default()
        }
    }

    fn lines(&self, name: &'static str, value: &str, placeholder: &str) -> Field {
        Field {
            kind: Kind::Lines(4),
            whole: true,
            ..self.code(name, value, placeholder)
        }
    }

    fn check(&self, name: &'static str, value: &str) -> Field {
        Field {
            kind: Kind::Check,
            whole: true,
            ..self.code(name, value, "")
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
