//! Who we are, to a registry that asks.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// A text that is never shown: no `Debug`, no `Display`, no `Serialize`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

/// What a person gave for one registry.
#[derive(Clone)]
pub enum Credentials {
    /// A name and a password.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
    },
    /// What the registry gave at an earlier login, to ask for tokens with.
    IdentityToken(Secret),
    /// A token for the registry itself.
    RegistryToken(Secret),
}

/// How a registry wants to know who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Name and password with each request.
    Basic,
    /// A token, from the server that it names.
    Bearer {
        realm: String,
        service: Option<String>,
    },
}

/// The `Authorization` that one registry takes, once it is known.
#[derive(Default)]
pub(crate) struct Authorization(Mutex<Option<Secret>>);

impl Authorization {
    pub(crate) fn get(&self) -> Option<Secret> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set(&self, value: Secret) {
        *self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(value);
    }
}

/// The answer of a token server.
#[derive(Deserialize)]
pub(crate) struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl TokenAnswer {
    pub(crate) fn bearer(self) -> Option<Secret> {
        let token = self
            .token
            .filter(|token| !token.is_empty())
            .or(self.access_token)?;
        // It goes into a header: nothing that would end one.
        let plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        plain.then(|| Secret(format!("Bearer {token}")))
    }
}

/// The value for basic authentication.
pub(crate) fn basic(username: &str, password: &Secret) -> Secret {
    let pair = STANDARD.encode(format!("{username}:{}", password.reveal()));
    Secret(format!("Basic {pair}"))
}

/// Reads a `WWW-Authenticate` header; of several the first that we can answer.
pub(crate) fn challenge(header: &str) -> Option<Challenge> {
    let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    if scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (mut realm, mut service) = (None, None);
    for (key, value) in parameters(rest) {
        match key.to_ascii_lowercase().as_str() {
            "realm" => realm = Some(value),
            "service" => service = Some(value),
            _ => {}
        }
    }
    Some(Challenge::Bearer {
        realm: realm?,
        service,
    })
}

/// Splits `key="value",key=value`.
fn parameters(mut text: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    while let Some((key, rest)) = text.split_once('=') {
        let key = key.trim_matches([' ', ',']).to_owned();
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        parameters.push((key, value));
        text = rest;
    }
    parameters
}

/// Reads to the closing quote; a backslash takes what follows as it is.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            plain => value.push(plain),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.to_owned(),
                service: service.map(str::to_owned),
            })
        };
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="a:b:c,d""#;
        assert_eq!(
            challenge(hub),
            bearer("https://auth.docker.io/token", Some("registry.docker.io"))
        );
        assert_eq!(
            challenge("bearer realm=https://x/, service=y"),
            bearer("https://x/", Some("y"))
        );
        assert_eq!(challenge(r#"Bearer realm="a\"b""#), bearer("a\"b", None));
        assert_eq!(challenge("Basic realm=\"x\""), Some(Challenge::Basic));
        assert_eq!(challenge("basic"), Some(Challenge::Basic));
        for other in [
            "",
            "Bearer",
            "Bearer service=x",
            "Negotiate abc",
            "Digest realm=x",
        ] {
            assert_eq!(challenge(other), None, "{other}");
        }
    }

    #[test]
    fn tokens_cannot_break_out_of_their_header() {
        let bearer = |token: &str| {
            TokenAnswer {
                token: Some(token.to_owned()),
                access_token: None,
            }
            .bearer()
            .is_some()
        };
        assert!(bearer("abc.DEF-_~+/="));
        assert!(!bearer("abc\r\nX: y"));
        assert!(!bearer("a b"));
    }

    proptest! {
        #[test]
        fn random_headers_never_panic(header in "\\PC{0,80}") {
            let _ = challenge(&header);
            let _ = challenge(&format!("Bearer {header}"));
        }
    }
}
