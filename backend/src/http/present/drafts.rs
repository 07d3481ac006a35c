//! The create form: what was typed, its broken rules, its command.

use frontend::pages::{ContainerInput, ContainerNew, Problems};
use frontend::shell::Section;
use frontend::ui::{Field, Kind, Notice};

use super::{Reader, fields};
use crate::access::PermissionId;
use crate::domain::FieldError;
use crate::http::extract::Fields;
use crate::services::drafts::{self, Pasted, Typed};

/// Returns a form as the draft's rules read it.
pub fn typed(fields: &Fields) -> Typed {
    let pairs = fields.pairs().iter();
    let pairs = pairs.map(|(name, value)| (name.clone(), value.clone().into()));
    serde_json::from_value(serde_json::Value::Object(pairs.collect())).unwrap_or_default()
}

/// Returns a form as it is drawn again.
pub fn input(fields: &Fields) -> ContainerInput {
    ContainerInput(fields.pairs().iter().cloned().collect())
}

/// Returns a pasted line as the form that says the same.
pub fn from_pasted(pasted: &Pasted) -> ContainerInput {
    let mut input = ContainerInput::fresh("");
    if let Ok(serde_json::Value::Object(members)) = serde_json::to_value(&pasted.typed) {
        let typed = members.into_iter().filter(|(_, value)| *value != "");
        for (name, value) in typed {
            input
                .0
                .insert(name, value.as_str().unwrap_or_default().to_owned());
        }
    }
    input
}

/// Returns the page.
pub fn page(
    reader: &Reader,
    input: &ContainerInput,
    errors: &[FieldError],
    images: Vec<String>,
) -> ContainerNew {
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
    let pairs = input.0.iter().map(|(k, v)| (k.clone(), v.clone()));
    let typed = typed(&Fields::new(pairs.collect()));
    ContainerNew {
        shell: reader.shell(Section::Containers, words.t("create-title")),
        notices,
        sections: input.sections(words, &problems),
        command: drafts::equivalent(&typed),
        paste: Field {
            kind: Kind::Lines(3),
            hint: words.t("paste-hint"),
            placeholder: "docker run -d --name web nginx:1.29".to_owned(),
            code: true,
            ..fields::field(words, "line", "paste-label")
        },
        images,
        blocked: reader.reason(PermissionId::ContainerCreate),
    }
}
