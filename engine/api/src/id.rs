//! Names of things, parsed once: a value of these types cannot be malformed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not the name it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// An id is exactly 64 lower-case hexadecimal digits.
    #[error("invalid {kind} id {text:?}: expected 64 hexadecimal digits")]
    Id {
        /// What the id names.
        kind: &'static str,
        /// What was given.
        text: String,
    },
    /// Docker's rule for names of containers.
    #[error("Invalid container name ({0}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")]
    ContainerName(String),
    /// Docker's rule for names of volumes.
    #[error(
        "create {0}: \"{0}\" includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use \
         absolute path"
    )]
    VolumeName(String),
    /// One letter names no volume.
    #[error("volume name is too short, names should be at least two alphanumeric characters")]
    ShortVolumeName,
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Makes an id of 32 random bytes.
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(hex(&bytes))
            }

            /// Returns the 64 digits.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the first twelve digits, as lists show them.
            pub fn short(&self) -> &str {
                &self.0[..12]
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.len() == 64 && is_hex(text) {
                    return Ok(Self(text.to_owned()));
                }
                Err(IdError::Id { kind: $kind, text: text.to_owned() })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.short())
            }
        }
    };
}

hex_id!(
    /// The id of a container.
    ContainerId,
    "container"
);
hex_id!(
    /// The id of a command run inside a container.
    ExecId,
    "exec"
);
hex_id!(
    /// The id of a network.
    NetworkId,
    "network"
);

/// The name of a container, without the slash that Docker shows before it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContainerName(String);

/// The longest name: with it every path we make of it stays below the kernel's limit.
const NAME_MAX: usize = 200;

impl ContainerName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContainerName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let name = text.strip_prefix('/').unwrap_or(text);
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let starts = name
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric());
        if !starts || name.len() < 2 || name.len() > NAME_MAX || !name.bytes().all(allowed) {
            return Err(IdError::ContainerName(text.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for ContainerName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ContainerName> for String {
    fn from(name: ContainerName) -> String {
        name.0
    }
}

impl fmt::Display for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a volume.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VolumeName(String);

impl VolumeName {
    /// Makes the name of a volume that nobody named, of 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(hex(&bytes))
    }

    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for VolumeName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        let first = text.bytes().next();
        if text.len() == 1 {
            return Err(IdError::ShortVolumeName);
        }
        if !first.is_some_and(|b| b.is_ascii_alphanumeric())
            || text.len() > NAME_MAX
            || !text.bytes().all(allowed)
        {
            let shown = text.chars().take(NAME_MAX).collect();
            return Err(IdError::VolumeName(shown));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for VolumeName {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<VolumeName> for String {
    fn from(name: VolumeName) -> String {
        name.0
    }
}

impl fmt::Display for VolumeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Tells whether the text is made of lower-case hexadecimal digits only, and is not empty.
pub fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_64_lower_case_digits() {
        let id = ContainerId::from_bytes([0xab; 32]);
        assert_eq!(id.as_str(), "ab".repeat(32));
        assert_eq!(id.short(), "abababababab");
        assert!(ContainerId::from_str(&"AB".repeat(32)).is_err());
        assert!(ContainerId::from_str("ab").is_err());
    }

    #[test]
    fn names_follow_dockers_rule() {
        for good in ["web", "/web", "a1", "A_b.c-d"] {
            assert!(ContainerName::from_str(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/",
            "a",
            "-web",
            "we b",
            "a/b",
            "ü1",
            "//web",
            &"a".repeat(300),
        ] {
            assert!(ContainerName::from_str(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn volumes_are_not_named_as_directories() {
        for good in ["data", "a1", "A_b.c-d"] {
            assert!(VolumeName::from_str(good).is_ok(), "{good}");
        }
        for bad in [
            "", "a", "./data", "../x", "a/b", ".hidden", "-a", "a b", "a\0",
        ] {
            assert!(VolumeName::from_str(bad).is_err(), "{bad}");
        }
    }
}
