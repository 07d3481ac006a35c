//! Which machine an image is for, and which of several images fits this one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::document::nullable;

/// An operating system, a processor, and which generation of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    #[serde(default, deserialize_with = "nullable")]
    pub os: String,
    /// Go's name of the processor: `amd64`, `arm64`, `arm`.
    #[serde(default, deserialize_with = "nullable")]
    pub architecture: String,
    /// `v7`, `v8`; empty for the usual one.
    #[serde(
        default,
        deserialize_with = "nullable",
        skip_serializing_if = "String::is_empty"
    )]
    pub variant: String,
}

/// A text that is not `os/architecture/variant`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a platform: linux/amd64 or linux/arm/v7 are")]
pub struct MalformedPlatform(String);

impl Platform {
    /// The machine that this program was built for.
    pub fn host() -> Self {
        let (architecture, variant) = normal(std::env::consts::ARCH, "");
        Self {
            os: "linux".to_owned(),
            architecture,
            variant,
        }
    }

    /// How well an image for this platform runs where `wanted` is asked for; more is better.
    pub fn fitness(&self, wanted: &Self) -> Option<u32> {
        let (architecture, variant) = normal(&self.architecture, &self.variant);
        let (wanted_architecture, wanted_variant) = normal(&wanted.architecture, &wanted.variant);
        if self.os != wanted.os || architecture != wanted_architecture {
            return None;
        }
        if variant == wanted_variant {
            return Some(u32::MAX);
        }
        // A processor runs what was built for the generations before it.
        let (generation, wanted) = (generation(&variant)?, generation(&wanted_variant)?);
        (generation <= wanted).then_some(generation)
    }
}

impl FromStr for Platform {
    type Err = MalformedPlatform;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || MalformedPlatform(text.chars().take(100).collect());
        let is_word = |part: &&str| {
            part.bytes().any(|byte| byte.is_ascii_alphanumeric())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        };
        let parts: Vec<_> = text.split('/').collect();
        if !parts.iter().all(is_word) {
            return Err(malformed());
        }
        let (os, architecture, variant) = match parts[..] {
            ["linux"] => return Ok(Self::host()),
            [architecture] => ("linux", architecture, ""),
            [os, architecture] => (os, architecture, ""),
            [os, architecture, variant] => (os, architecture, variant),
            _ => return Err(malformed()),
        };
        let (architecture, variant) = normal(architecture, variant);
        Ok(Self {
            os: os.to_ascii_lowercase(),
            architecture,
            variant,
        })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", self.variant)
        }
    }
}

/// One name for each processor, and no variant where it is the usual one.
fn normal(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match (architecture, variant) {
        ("x86_64" | "x86-64" | "amd64", "v1" | "") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "") => ("arm64", ""),
        ("aarch64", variant) => ("arm64", variant),
        ("i386" | "i486" | "i586" | "i686" | "x86" | "386", _) => ("386", ""),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("powerpc64" | "ppc64le", _) => ("ppc64le", ""),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

fn generation(variant: &str) -> Option<u32> {
    match variant {
        "" => Some(1),
        _ => variant.strip_prefix('v')?.split('.').next()?.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(offers: &[&'a str], wanted: &str) -> Option<&'a str> {
        let wanted: Platform = wanted.parse().unwrap();
        offers
            .iter()
            .filter_map(|offer| {
                Some((offer.parse::<Platform>().unwrap().fitness(&wanted)?, *offer))
            })
            .max_by_key(|(fitness, _)| *fitness)
            .map(|(_, offer)| offer)
    }

    #[test]
    fn the_nearest_platform_is_chosen() {
        let arms = [
            "linux/arm/v5",
            "linux/arm/v6",
            "linux/arm/v7",
            "linux/arm64/v8",
        ];
        assert_eq!(best(&arms, "linux/arm"), Some("linux/arm/v7"));
        assert_eq!(best(&arms[..2], "linux/arm/v7"), Some("linux/arm/v6"));
        assert_eq!(best(&arms, "linux/arm/v5"), Some("linux/arm/v5"));
        assert_eq!(best(&arms, "aarch64"), Some("linux/arm64/v8"));
        assert_eq!(best(&arms, "linux/amd64"), None);
        assert_eq!(
            best(&["windows/amd64", "linux/amd64"], "linux/amd64"),
            Some("linux/amd64")
        );
        assert_eq!(
            best(&["linux/amd64/v3", "linux/amd64"], "linux/amd64"),
            Some("linux/amd64")
        );
        assert_eq!(best(&["linux/amd64/v3"], "linux/amd64"), None);
        assert_eq!(
            best(&["linux/amd64/v2"], "linux/amd64/v3"),
            Some("linux/amd64/v2")
        );
    }

    #[test]
    fn malformed_platforms_are_named() {
        for text in ["", "/", "a//b", "a/b/c/d", "linux/amd 64", "../x"] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }
}
