//! A platform as a build names it: `linux/arm64/v8`.

use std::fmt;

/// An operating system, an architecture and perhaps a variant of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    pub variant: Option<String>,
}

impl Platform {
    /// Reads `os/architecture[/variant]`; words that are no platform give nothing.
    ///
    /// The usual other names of an architecture are taken (`x86_64`, `aarch64`), as Docker does.
    pub fn parse(text: &str) -> Option<Platform> {
        let mut parts = text.split('/');
        let os = part(parts.next()?)?;
        let architecture = part(parts.next()?)?;
        let variant = match parts.next() {
            Some(variant) => Some(part(variant)?),
            None => None,
        };
        if parts.next().is_some() {
            return None;
        }
        let (architecture, variant) = match (architecture.as_str(), variant) {
            ("x86_64" | "x86-64", variant) => ("amd64".to_owned(), variant),
            ("i386" | "i686", variant) => ("386".to_owned(), variant),
            // The variant that an architecture has anyway is not said.
            ("aarch64" | "arm64", Some(variant)) if variant == "v8" || variant == "8" => {
                ("arm64".to_owned(), None)
            }
            ("aarch64", variant) => ("arm64".to_owned(), variant),
            ("amd64", Some(variant)) if variant == "v1" => ("amd64".to_owned(), None),
            ("arm", Some(variant)) if variant.bytes().all(|byte| byte.is_ascii_digit()) => {
                ("arm".to_owned(), Some(format!("v{variant}")))
            }
            ("arm" | "armhf", None) => ("arm".to_owned(), Some("v7".to_owned())),
            ("armel", None) => ("arm".to_owned(), Some("v6".to_owned())),
            (_, variant) => (architecture, variant),
        };
        Some(Platform {
            os,
            architecture,
            variant,
        })
    }
}

fn part(text: &str) -> Option<String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!text.is_empty() && text.len() <= 64 && text.chars().all(fine)).then(|| text.to_lowercase())
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        Platform::parse(text).map(|platform| platform.to_string())
    }

    #[test]
    fn a_platform_has_two_or_three_words() {
        assert_eq!(shown("linux/amd64").as_deref(), Some("linux/amd64"));
        assert_eq!(shown("linux/arm/v7").as_deref(), Some("linux/arm/v7"));
        for wrong in [
            "",
            "linux",
            "linux/",
            "/amd64",
            "a/b/c/d",
            "linux/am d64",
            "linux/a\n",
        ] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn other_names_of_an_architecture_are_known() {
        assert_eq!(shown("linux/x86_64").as_deref(), Some("linux/amd64"));
        assert_eq!(shown("Linux/aarch64").as_deref(), Some("linux/arm64"));
        assert_eq!(shown("linux/arm64/v8").as_deref(), Some("linux/arm64"));
        assert_eq!(shown("linux/armhf").as_deref(), Some("linux/arm/v7"));
        assert_eq!(shown("linux/arm").as_deref(), Some("linux/arm/v7"));
        assert_eq!(shown("linux/arm/6").as_deref(), Some("linux/arm/v6"));
        assert_eq!(shown("linux/amd64/v1").as_deref(), Some("linux/amd64"));
    }
}
