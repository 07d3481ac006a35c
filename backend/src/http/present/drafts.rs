//! The form of a container: what was typed, its broken rules, its command.

use frontend::pages::{ContainerInput, ContainerNew, FormOf, Kept, Problems};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Field, Kind, Notice};

use super::{Reader, fields, recipes};
use crate::access::PermissionId;
use crate::domain::{ContainerPlace, FieldError};
use crate::http::extract::Fields;
use crate::services::drafts::{self, Pasted, Stored, Typed};

/// Returns a form as the draft's rules read it.
pub fn typed(fields: &Fields) -> Typed {
    Typed::of(fields.pairs().iter().cloned())
}

/// Returns a form as it is drawn again.
pub fn input(fields: &Fields) -> ContainerInput {
    ContainerInput(fields.pairs().iter().cloned().collect())
}

/// Returns a pasted line as the form that says the same.
pub fn from_pasted(pasted: &Pasted) -> ContainerInput {
    let mut input = ContainerInput::fresh("");
    input.0.remove("start");
    fill(&mut input, &pasted.typed);
    input
}

/// Returns the form of what is stored.
pub fn of_stored(stored: &Stored) -> ContainerInput {
    let mut input = ContainerInput::default();
    fill(&mut input, &stored.typed());
    input.0.insert("start".to_owned(), "on".to_owned());
    input
}

/// Returns the form of one more such container, which needs a name of its own.
pub fn of_copy(stored: &Stored) -> ContainerInput {
    let mut input = of_stored(stored);
    let name = format!("{}-copy", stored.name());
    input.0.insert("name".to_owned(), name);
    input
}

fn fill(input: &mut ContainerInput, typed: &Typed) {
    let pairs = typed.pairs();
    input
        .0
        .extend(pairs.map(|(name, text)| (name.to_owned(), text.to_owned())));
}

/// The form: of a new container, of one more like another, or of one that is there.
pub struct Form {
    of: FormOf,
    action: String,
    back: String,
    hidden: Vec<(&'static str, String)>,
    kept: Vec<Kept>,
    images: Vec<String>,
}

impl Form {
    /// Returns the form of a new container.
    pub fn new(images: Vec<String>) -> Self {
        Self {
            of: FormOf::New,
            action: paths::Containers.to_string(),
            back: paths::Containers.to_string(),
            hidden: Vec::new(),
            kept: Vec::new(),
            images,
        }
    }

    /// Returns the form of one more like the container of that id; without one it is new.
    #[must_use]
    pub fn of_copy(self, id: &str, stored: &Stored) -> Self {
        if id.is_empty() {
            return self;
        }
        Self {
            of: FormOf::Copy(stored.name().to_owned()),
            back: paths::Container(id).to_string(),
            hidden: vec![("from", id.to_owned())],
            kept: kept(stored),
            ..self
        }
    }

    /// Returns the form of a container that is there.
    #[must_use]
    pub fn of_edit(self, place: &ContainerPlace, stored: &Stored) -> Self {
        let id = place.id.as_str();
        Self {
            of: FormOf::There(place.name.clone()),
            action: paths::ContainerEdit(id).to_string(),
            back: paths::Container(id).to_string(),
            hidden: vec![
                ("seen", stored.fingerprint()),
                // It is what `docker run` would say; the form has no such box.
                ("start", "on".to_owned()),
            ],
            kept: kept(stored),
            ..self
        }
    }

    /// Returns the page.
    pub fn page(
        self,
        reader: &Reader,
        input: &ContainerInput,
        errors: &[FieldError],
    ) -> ContainerNew {
        let words = reader.words;
        let (problems, notices) = told(reader, errors);
        let pairs = input.0.iter().map(|(k, v)| (k.clone(), v.clone()));
        let typed = Typed::of(pairs);
        let permission = match self.of {
            FormOf::There(_) => PermissionId::ContainerEdit,
            _ => PermissionId::ContainerCreate,
        };
        let is_new = matches!(self.of, FormOf::New);
        let title = self.of.title(words);
        ContainerNew {
            shell: reader.shell(Section::Containers, title),
            notices,
            sections: input.sections(words, &self.of, &problems),
            command: drafts::equivalent(&typed),
            call: is_new.then(|| call(reader, &typed)),
            paste: is_new.then(|| Field {
                kind: Kind::Lines(3),
                hint: words.t("paste-hint"),
                placeholder: "docker run -d --name web nginx:1.29".to_owned(),
                code: true,
                ..fields::field(words, "line", "paste-label")
            }),
            action: self.action,
            back: self.back,
            hidden: self.hidden,
            kept: self.kept,
            images: self.images,
            of: self.of,
            blocked: reader.reason(permission),
        }
    }
}

fn kept(stored: &Stored) -> Vec<Kept> {
    let kept = stored.kept().into_iter();
    kept.map(|(member, value)| Kept { member, value }).collect()
}

/// Returns the broken rules beside their fields, and what is about none above the form.
fn told(reader: &Reader, errors: &[FieldError]) -> (Problems, Vec<Notice>) {
    let words = reader.words;
    let mut problems = Problems::new();
    let mut notices = Vec::new();
    for error in errors {
        if error.field.is_empty() {
            notices.push(Notice::failed(fields::rule(words, error)));
        } else {
            let label = words.t(&format!("create-{}", error.field.replace('_', "-")));
            let sentence = fields::sentence(words, &label, error);
            problems.entry(error.field).or_insert(sentence);
        }
    }
    if !problems.is_empty() {
        let count = problems.len() as u64;
        notices.insert(0, Notice::failed(words.n("form-has-problems", count)));
    }
    (problems, notices)
}

/// Returns the calls that do what the form says; a form that breaks a rule has none.
pub fn call(reader: &Reader, typed: &Typed) -> String {
    let and_start = !typed.text("start").is_empty();
    match drafts::check(typed, &Stored::fresh()) {
        Ok(draft) => {
            let body = serde_json::to_value(draft.body());
            let body = body.ok().and_then(drafts::said).unwrap_or_default();
            let name = draft.name().unwrap_or_default();
            recipes::create(reader, name, &body.to_string(), and_start)
        }
        Err(_) => reader.words.t("call-needs-form"),
    }
}

#[cfg(test)]
mod tests {
    use engine_api::containers::CreateBody;

    use super::*;

    #[test]
    fn the_call_says_all_that_the_form_does_and_no_more() {
        let typed = Typed::of([
            ("image", "busybox"),
            ("command", "sh -c ''"),
            ("memory", "64m"),
        ]);
        let whole = drafts::check(&typed, &Stored::fresh()).unwrap().body();
        let short = drafts::said(serde_json::to_value(&whole).unwrap()).unwrap();
        assert_eq!(short["Cmd"], serde_json::json!(["sh", "-c", ""]));
        assert!(short.to_string().len() < 250, "{short}");
        let again: CreateBody = serde_json::from_value(short).unwrap();
        assert_eq!(
            drafts::said(serde_json::to_value(again).unwrap()),
            drafts::said(serde_json::to_value(whole).unwrap())
        );
    }

    #[test]
    fn the_form_and_the_table_of_options_have_the_same_fields() {
        let of_form: std::collections::BTreeSet<_> = frontend::pages::form_fields()
            .filter(|field| *field != "start")
            .collect();
        let of_table: std::collections::BTreeSet<_> = drafts::fields().collect();
        assert_eq!(of_form, of_table);
    }
}
