//! Ids, parsed once at the door: a value of these types cannot be malformed.

use std::fmt;
use std::str::FromStr;

/// Why a text is no id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {kind} id")]
pub struct IdError {
    kind: &'static str,
    text: String,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $fits:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Returns the id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let fits: fn(&str) -> bool = $fits;
                if fits(text) {
                    return Ok(Self(text.to_owned()));
                }
                let text = text.chars().take(80).collect();
                Err(IdError { kind: $kind, text })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// An account.
    AccountId, "account", |text| uuid::Uuid::parse_str(text).is_ok()
);
text_id!(
    /// A long piece of work whose progress can be watched.
    JobId, "job", |text| uuid::Uuid::parse_str(text).is_ok()
);
text_id!(
    /// A registry that is kept.
    RegistryId, "registry", |text| uuid::Uuid::parse_str(text).is_ok()
);
text_id!(
    /// A machine with an engine; `local` is the server's own.
    HostId, "host", is_name
);
text_id!(
    /// A container, 64 hexadecimal digits.
    ContainerId, "container", |text| text.len() == 64 && is_hex(text)
);
text_id!(
    /// An image: the digest of its configuration, as `sha256:` and 64 hexadecimal digits.
    ImageId, "image", |text| text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && is_hex(hex))
);
text_id!(
    /// A network of containers, 64 hexadecimal digits.
    NetworkId, "network", |text| text.len() == 64 && is_hex(text)
);
text_id!(
    /// One request to the server, named in its audit entry, its log lines and at the engine.
    RequestId, "request", |text| uuid::Uuid::parse_str(text).is_ok()
);
text_id!(
    /// The fingerprint of a session's cookie: names a session and cannot be used as one.
    SessionKey, "session", |text| !text.is_empty() && text.len() <= 64
);

impl AccountId {
    /// Returns a new account's id.
    pub fn unique() -> Self {
        Self(crate::ids::unique().to_string())
    }
}

impl RegistryId {
    /// Returns a new registry's id.
    pub fn unique() -> Self {
        Self(crate::ids::unique().to_string())
    }
}

impl JobId {
    /// Returns a new job's id.
    pub fn unique() -> Self {
        Self(crate::ids::unique().to_string())
    }
}

impl RequestId {
    /// Returns a new request's id.
    pub fn unique() -> Self {
        Self(crate::ids::unique().to_string())
    }
}

impl HostId {
    /// Returns the server's own host.
    pub fn local() -> Self {
        Self("local".to_owned())
    }
}

impl ContainerId {
    /// Returns the first twelve digits, as lists show them.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl NetworkId {
    /// Returns the first twelve digits, as lists show them.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

impl ImageId {
    /// Returns the first twelve digits of the digest, as lists show them.
    pub fn short(&self) -> &str {
        &self.0[7..19]
    }

    /// Returns the digits without `sha256:`, as they stand in a URL.
    pub fn digits(&self) -> &str {
        &self.0[7..]
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    !text.is_empty() && text.len() <= 63 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_parsed_and_never_taken_as_they_come() {
        assert!(ContainerId::from_str(&"ab".repeat(32)).is_ok());
        for bad in ["", "ab", &"AB".repeat(32), "../../etc", &"é".repeat(32)] {
            assert!(ContainerId::from_str(bad).is_err(), "{bad}");
            assert!(ImageId::from_str(bad).is_err(), "{bad}");
            assert!(JobId::from_str(bad).is_err(), "{bad}");
        }
        let image = ImageId::from_str(&format!("sha256:{}", "ab".repeat(32))).unwrap();
        assert_eq!(image.short(), "abababababab");
        assert_eq!(image.digits().len(), 64);
    }
}
