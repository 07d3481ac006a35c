//! An image's name as people type it, taken apart and checked.

use std::fmt;
use std::str::FromStr;

use crate::domain::{FieldError, RegistryAddress, Rule};

/// The longest name without its tag that registries take.
const MOST_NAME: usize = 255;
const MOST_TAG: usize = 128;

/// The name of an image: `[registry/]path[:tag|@digest]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    name: String,
    version: String,
}

impl Reference {
    /// Returns the name without tag or digest.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the tag or the digest; `latest` when none was typed.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Tells whether it names one certain content.
    pub fn has_digest(&self) -> bool {
        self.version.contains(':')
    }

    /// Reads a name that was typed beside a choice of registries; an empty choice is none.
    ///
    /// # Errors
    /// When the name is none, or names another registry than the one that was chosen.
    pub fn chosen(registry: &str, typed: &str) -> Result<Self, FieldError> {
        let of_name = |rule| FieldError::new("reference", rule);
        let reference: Self = typed.parse().map_err(of_name)?;
        if registry.is_empty() {
            return Ok(reference);
        }
        let chosen: RegistryAddress = registry
            .parse()
            .map_err(|_| FieldError::new("registry", Rule::Choice))?;
        let names_one = reference
            .name
            .split_once('/')
            .is_some_and(|(first, _)| is_registry(first));
        if names_one {
            let named = reference.registry().parse::<RegistryAddress>().ok();
            let is_same = named.is_some_and(|named| named == chosen);
            let other = || FieldError::new("registry", Rule::OtherRegistry);
            return is_same.then_some(reference).ok_or_else(other);
        }
        if chosen.is_docker_hub() {
            return Ok(reference);
        }
        format!("{chosen}/{}", typed.trim())
            .parse()
            .map_err(of_name)
    }

    /// Returns the name without tag or digest and with everything that Docker leaves out:
    /// `docker.io/library/nginx`.
    pub fn whole_name(&self) -> String {
        let registry = RegistryAddress::usual(self.registry());
        let path = match self.name.split_once('/') {
            Some((first, rest)) if is_registry(first) => rest,
            _ => &self.name,
        };
        match registry {
            "docker.io" if !path.contains('/') => format!("docker.io/library/{path}"),
            registry => format!("{registry}/{path}"),
        }
    }

    /// Returns the registry, `docker.io` when none was typed.
    pub fn registry(&self) -> &str {
        match self.name.split_once('/') {
            Some((first, _)) if is_registry(first) => first,
            _ => "docker.io",
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.has_digest() { '@' } else { ':' };
        write!(f, "{}{mark}{}", self.name, self.version)
    }
}

impl FromStr for Reference {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Rule::Required);
        }
        let (name, version) = match text.split_once('@') {
            // Docker takes a tag beside a digest and ignores it.
            Some((name, digest)) => (without_tag(name), digest),
            None => {
                let name = without_tag(text);
                (name, text.get(name.len() + 1..).unwrap_or("latest"))
            }
        };
        let is_version = if text.contains('@') {
            is_digest(version)
        } else {
            is_tag(version)
        };
        if !is_version || !is_name(name) {
            return Err(Rule::ImageName);
        }
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
        })
    }
}

/// A colon after the last slash begins a tag; one before it belongs to the registry's port.
fn without_tag(text: &str) -> &str {
    let path_at = text.rfind('/').map_or(0, |slash| slash + 1);
    match text[path_at..].find(':') {
        Some(colon) => &text[..path_at + colon],
        None => text,
    }
}

/// Docker's rule: the first part is a registry when it could be no part of a path.
fn is_registry(part: &str) -> bool {
    part.contains(['.', ':']) || part == "localhost"
}

fn is_name(name: &str) -> bool {
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if is_registry(first) => (Some(first), path),
        _ => (None, name),
    };
    name.len() <= MOST_NAME && registry.is_none_or(is_host) && path.split('/').all(is_part)
}

fn is_host(registry: &str) -> bool {
    let (host, port) = registry.rsplit_once(':').unwrap_or((registry, "1"));
    let allowed =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'[' | b']' | b':');
    let begins = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    begins && host.bytes().all(allowed) && port.parse::<u16>().is_ok()
}

fn is_part(part: &str) -> bool {
    let ends = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let bytes = part.as_bytes();
    let allowed =
        |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    ends(bytes.first()) && ends(bytes.last()) && bytes.iter().all(allowed) && !part.contains("..")
}

fn is_tag(tag: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !tag.is_empty()
        && tag.len() <= MOST_TAG
        && !tag.starts_with(['.', '-'])
        && tag.bytes().all(allowed)
}

fn is_digest(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(|hex| {
        hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, name: &str, version: &str, registry: &str) {
        let reference: Reference = text.parse().unwrap();
        assert_eq!(
            (reference.name(), reference.version(), reference.registry()),
            (name, version, registry),
            "{text}"
        );
    }

    #[test]
    fn names_are_taken_apart_as_docker_does() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        check("nginx", "nginx", "latest", "docker.io");
        check(" nginx:1.27 ", "nginx", "1.27", "docker.io");
        check("me/app", "me/app", "latest", "docker.io");
        check(
            "localhost:5000/a/b:v1",
            "localhost:5000/a/b",
            "v1",
            "localhost:5000",
        );
        check("ghcr.io/x/y", "ghcr.io/x/y", "latest", "ghcr.io");
        check(&format!("x@{digest}"), "x", &digest, "docker.io");
        check(&format!("x:1@{digest}"), "x", &digest, "docker.io");
    }

    #[test]
    fn a_name_goes_to_the_registry_that_was_chosen_or_to_its_own() {
        let chosen = |registry: &str, typed: &str| {
            let found = Reference::chosen(registry, typed);
            found
                .map(|found| found.to_string())
                .map_err(|e| (e.field, e.rule))
        };
        let is = |text: &str| Ok(text.to_owned());
        assert_eq!(chosen("", "nginx"), is("nginx:latest"));
        assert_eq!(chosen("docker.io", "nginx:1"), is("nginx:1"));
        assert_eq!(chosen("r.test:5000", " a/b:1"), is("r.test:5000/a/b:1"));
        assert_eq!(chosen("r.test", "R.test/a"), is("R.test/a:latest"));
        let other = Err(("registry", Rule::OtherRegistry));
        assert_eq!(chosen("r.test", "ghcr.io/a"), other);
        assert_eq!(chosen("no registry", "a"), Err(("registry", Rule::Choice)));
        assert_eq!(chosen("r.test", "A B"), Err(("reference", Rule::ImageName)));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        assert_eq!("".parse::<Reference>(), Err(Rule::Required));
        let long = "a".repeat(300);
        for bad in [
            "Nginx",
            "a b",
            "a:",
            "a:b c",
            "/a",
            "a/",
            "a//b",
            "-a",
            "a@sha256:12",
            "a..b",
            &long,
            "a\n:b",
            "é",
            ":1",
            "@",
            "a.b:x/c",
            "a?x=1",
            "a#b",
            "../etc",
        ] {
            assert_eq!(bad.parse::<Reference>(), Err(Rule::ImageName), "{bad}");
        }
    }
}
