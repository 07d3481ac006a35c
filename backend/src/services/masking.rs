//! Masking: values that may be secrets are not shown unless somebody asks for them by name.

use serde_json::Value;

/// What stands instead of a value.
pub(super) const MASK: &str = "••••••";

/// Masks the values of environment variables, `NAME=value`, and keeps the names.
pub(super) fn environment(list: &mut [String]) {
    for variable in list {
        if let Some((name, _)) = variable.split_once('=') {
            *variable = format!("{name}={MASK}");
        }
    }
}

/// Masks every environment in a document, and every member whose name speaks of a secret.
pub(super) fn document(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::Array(list) if name == "Env" => mask_list(list),
                    Value::String(text) if is_secret(name) && !text.is_empty() => {
                        MASK.clone_into(text);
                    }
                    other => document(other),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(document),
        _ => {}
    }
}

fn mask_list(list: &mut [Value]) {
    for item in list {
        if let Value::String(text) = item
            && let Some((name, _)) = text.split_once('=')
        {
            *text = format!("{name}={MASK}");
        }
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "password",
        "passwd",
        "secret",
        "token",
        "api_key",
        "apikey",
        "private_key",
    ]
    .iter()
    .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_masked_and_names_stay() {
        let mut value = json!({
            "Config": {"Env": ["PATH=/bin", "KEY=s3cret", "BARE"], "Labels": {"db-password": "x"}},
            "Name": "web",
        });
        document(&mut value);
        let expected = json!({
            "Config": {
                "Env": [format!("PATH={MASK}"), format!("KEY={MASK}"), "BARE"],
                "Labels": {"db-password": MASK},
            },
            "Name": "web",
        });
        assert_eq!(value, expected);
    }
}
