//! The create form: what was typed, its broken rules, its command.

use frontend::pages::{ContainerInput, ContainerNew, Problems};
use frontend::shell::Section;
use frontend::ui::{Field, Kind, Notice};
use serde_json::Value;

use super::{Reader, fields, recipes};
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
        call: call(reader, &typed, input.value("start") == "on"),
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

/// Returns the calls that do what the form says; a form that breaks a rule has none.
pub fn call(reader: &Reader, typed: &Typed, and_start: bool) -> String {
    match drafts::check(typed) {
        Ok(draft) => {
            let body = serde_json::to_value(draft.body()).ok().and_then(said);
            let body = body.unwrap_or_default().to_string();
            recipes::create(reader, draft.name().unwrap_or_default(), &body, and_start)
        }
        Err(_) => reader.words.t("call-needs-form"),
    }
}

/// What a document says beyond its defaults: empty, zero and false members are left out.
fn said(value: Value) -> Option<Value> {
    match value {
        Value::Object(members) => {
            let members = members.into_iter();
            let members: serde_json::Map<_, _> = members
                .filter_map(|(name, value)| Some((name, said(value)?)))
                .collect();
            (!members.is_empty()).then_some(Value::Object(members))
        }
        // Within a list the place counts, so a list stays whole or goes.
        Value::Array(items) => {
            let is_empty = items.iter().all(|item| said(item.clone()).is_none());
            (!is_empty).then_some(Value::Array(items))
        }
        Value::String(text) => (!text.is_empty()).then_some(Value::String(text)),
        Value::Bool(yes) => yes.then_some(Value::Bool(yes)),
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::Null => None,
        number @ Value::Number(_) => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use engine_api::containers::CreateBody;

    use super::*;

    #[test]
    fn the_call_says_all_that_the_form_does_and_no_more() {
        let typed = Typed {
            image: "busybox".to_owned(),
            command: "sh -c ''".to_owned(),
            memory: "64m".to_owned(),
            ..Typed::default()
        };
        let whole = drafts::check(&typed).unwrap().body();
        let short = said(serde_json::to_value(&whole).unwrap()).unwrap();
        assert_eq!(short["Cmd"], serde_json::json!(["sh", "-c", ""]));
        assert!(short.to_string().len() < 250, "{short}");
        let again: CreateBody = serde_json::from_value(short).unwrap();
        assert_eq!(
            said(serde_json::to_value(again).unwrap()),
            said(serde_json::to_value(whole).unwrap())
        );
    }
}
