//! The names that people give to images, as Docker reads them.
//!
//! `x` means `docker.io/library/x`, and is shown as `x` again.

use std::fmt;
use std::str::FromStr;

use engine_tar::Digest;

/// The registry that is meant when none is named.
pub const DEFAULT_REGISTRY: &str = "docker.io";
/// The tag that is meant when none is named.
pub const DEFAULT_TAG: &str = "latest";
const OFFICIAL: &str = "library/";
const NAME_BYTES_MAX: usize = 255;
const TAG_BYTES_MAX: usize = 128;

/// The name of an image: a registry, a repository in it, and which of its images.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// A text that is not the name of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid reference format: {reason}: {text:?}")]
pub struct MalformedReference {
    text: String,
    reason: &'static str,
}

impl Reference {
    /// The registry's host, with a port where one is named.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository's path in the registry, `library/` and all.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest.
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// What people call the repository: without what goes without saying.
    pub fn familiar_name(&self) -> String {
        if self.registry != DEFAULT_REGISTRY {
            return format!("{}/{}", self.registry, self.repository);
        }
        match self.repository.strip_prefix(OFFICIAL) {
            Some(name) if !name.contains('/') => name.to_owned(),
            _ => self.repository.clone(),
        }
    }

    /// What people call the image.
    pub fn familiar(&self) -> String {
        format!("{}{}", self.familiar_name(), self.suffix())
    }

    /// This name, with `latest` if it says neither tag nor digest.
    #[must_use]
    pub fn or_latest(self) -> Self {
        if self.tag.is_some() || self.digest.is_some() {
            return self;
        }
        Self {
            tag: Some(DEFAULT_TAG.to_owned()),
            ..self
        }
    }

    /// The same repository's image with this tag.
    ///
    /// # Errors
    /// When the tag is malformed.
    pub fn with_tag(&self, tag: &str) -> Result<Self, MalformedReference> {
        check_tag(tag).map_err(|reason| malformed(tag, reason))?;
        Ok(Self {
            tag: Some(tag.to_owned()),
            digest: None,
            ..self.clone()
        })
    }

    /// The same repository's image with this digest.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest),
            ..self.clone()
        }
    }

    /// The same repository, no image of it in particular.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self {
            tag: None,
            digest: None,
            ..self.clone()
        }
    }

    fn suffix(&self) -> String {
        let tag = self.tag.as_ref().map(|tag| format!(":{tag}"));
        let digest = self.digest.as_ref().map(|digest| format!("@{digest}"));
        [tag, digest].into_iter().flatten().collect()
    }
}

impl fmt::Display for Reference {
    /// The whole name, nothing left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.registry, self.repository, self.suffix())
    }
}

impl FromStr for Reference {
    type Err = MalformedReference;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).map_err(|reason| malformed(text, reason))
    }
}

fn malformed(text: &str, reason: &'static str) -> MalformedReference {
    MalformedReference {
        text: text.chars().take(300).collect(),
        reason,
    }
}

fn parse(text: &str) -> Result<Reference, &'static str> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => {
            let digest = digest
                .parse()
                .map_err(|_| "the digest is not sha256 and 64 hex digits")?;
            (rest, Some(digest))
        }
        None => (text, None),
    };
    // A colon in the last component begins a tag; one before it belongs to a port.
    let last = rest.rfind('/').map_or(0, |slash| slash + 1);
    let (name, tag) = match rest[last..].find(':') {
        Some(colon) => (&rest[..last + colon], Some(&rest[last + colon + 1..])),
        None => (rest, None),
    };
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    let (registry, repository) = split_registry(name)?;
    if registry.len() + repository.len() >= NAME_BYTES_MAX {
        return Err("the name is longer than 255 bytes");
    }
    Ok(Reference {
        registry,
        repository,
        tag: tag.map(str::to_owned),
        digest,
    })
}

fn split_registry(name: &str) -> Result<(String, String), &'static str> {
    if name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err("a name cannot be 64 hex digits, which would look like an id");
    }
    let (registry, repository) = match name.split_once('/') {
        Some((first, rest)) if is_registry(first) => (first, rest),
        _ => (DEFAULT_REGISTRY, name),
    };
    check_registry(registry)?;
    let registry = if registry == "index.docker.io" {
        DEFAULT_REGISTRY
    } else {
        registry
    };
    repository.split('/').try_for_each(check_component)?;
    if registry == DEFAULT_REGISTRY && !repository.contains('/') {
        return Ok((registry.to_owned(), format!("{OFFICIAL}{repository}")));
    }
    Ok((registry.to_owned(), repository.to_owned()))
}

/// Docker's rule for `a/b`: `a` is a host if it looks like one.
pub(crate) fn is_registry(first: &str) -> bool {
    first.contains(['.', ':'])
        || first == "localhost"
        || first.bytes().any(|b| b.is_ascii_uppercase())
}

fn check_registry(registry: &str) -> Result<(), &'static str> {
    let (host, port) = match registry
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((address, port)) => {
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return Err("the registry's address is malformed");
            }
            (
                "",
                port.strip_prefix(':').or((port.is_empty()).then_some("0")),
            )
        }
        None => match registry.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (registry, Some("0")),
        },
    };
    let is_port = port.is_some_and(|port| {
        !port.is_empty()
            && port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok()
    });
    if !is_port {
        return Err("the registry's port is malformed");
    }
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !registry.starts_with('[') && !host.split('.').all(is_label) {
        return Err("the registry's name is malformed");
    }
    Ok(())
}

/// Letters and digits, held together by one dot, one or two underscores, or dashes.
fn check_component(component: &str) -> Result<(), &'static str> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if component.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("repository name must be lowercase");
    }
    let bytes = component.as_bytes();
    let ends_well = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
    if !ends_well(bytes.first()) || !ends_well(bytes.last()) {
        return Err("the name is malformed");
    }
    for joint in bytes
        .split(|byte| is_word(*byte))
        .filter(|joint| !joint.is_empty())
    {
        let is_joint =
            matches!(joint, b"." | b"_" | b"__") || joint.iter().all(|byte| *byte == b'-');
        if !is_joint {
            return Err("the name is malformed");
        }
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<(), &'static str> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fine = tag.len() <= TAG_BYTES_MAX
        && tag.bytes().next().is_some_and(is_word)
        && tag
            .bytes()
            .all(|byte| is_word(byte) || matches!(byte, b'.' | b'-'));
    if fine {
        Ok(())
    } else {
        Err("the tag is malformed")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_are_completed_and_shortened_as_docker_does() {
        let digest = format!("busybox@{SHA}");
        let tag_and_digest = format!("docker.io/library/busybox:1@{SHA}");
        let cases = [
            ("busybox", "docker.io/library/busybox", "busybox"),
            (
                "busybox:1.36",
                "docker.io/library/busybox:1.36",
                "busybox:1.36",
            ),
            ("gantry/hello", "docker.io/gantry/hello", "gantry/hello"),
            ("docker.io/busybox", "docker.io/library/busybox", "busybox"),
            ("index.docker.io/a/b:c", "docker.io/a/b:c", "a/b:c"),
            ("library/x/y", "docker.io/library/x/y", "library/x/y"),
            ("localhost/x", "localhost/x", "localhost/x"),
            (
                "localhost:5000/x:y",
                "localhost:5000/x:y",
                "localhost:5000/x:y",
            ),
            (
                "ghcr.io/a/b_c/d--e.f",
                "ghcr.io/a/b_c/d--e.f",
                "ghcr.io/a/b_c/d--e.f",
            ),
            ("[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"),
            ("[2001:db8::1]/a", "[2001:db8::1]/a", "[2001:db8::1]/a"),
            (&digest, &format!("docker.io/library/{digest}"), &digest),
            (
                &tag_and_digest,
                &tag_and_digest,
                &format!("busybox:1@{SHA}"),
            ),
        ];
        for (text, whole, familiar) in cases {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), whole, "{text}");
            assert_eq!(reference.familiar(), familiar, "{text}");
            assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
            assert_eq!(reference.familiar().parse(), Ok(reference));
        }
    }

    #[test]
    fn what_docker_refuses_is_refused() {
        for text in [
            "",
            ":",
            "/",
            "a/",
            "/a",
            "a//b",
            "A",
            "a/B",
            "a b",
            "a:",
            "a:-x",
            "a:x y",
            "a@",
            "a@sha256:0",
            "../a",
            "a/../b",
            "a..b",
            "a___b",
            "-a",
            "a-",
            "a:b:c",
            "x.y:70000/a",
            "x.y:/a",
            "-x.y/a",
            "https://x.y/a",
            "user@x.y/a",
            "x.y:80@z/a",
            "a\n",
            "é",
            "[::1/a",
            "[zz]:1/a",
            &"f".repeat(64),
            &"a".repeat(300),
            &format!("a:{}", "t".repeat(129)),
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_default_tag_is_latest_unless_something_is_said() {
        let latest = |text: &str| text.parse::<Reference>().unwrap().or_latest().familiar();
        assert_eq!(latest("a"), "a:latest");
        assert_eq!(latest("a:b"), "a:b");
        assert_eq!(latest(&format!("a@{SHA}")), format!("a@{SHA}"));
    }

    proptest! {
        #[test]
        fn what_is_taken_is_stable(text in "[a-zA-Z0-9._:/@\\[\\]-]{0,60}") {
            if let Ok(reference) = text.parse::<Reference>() {
                prop_assert_eq!(reference.to_string().parse(), Ok(reference.clone()));
                prop_assert_eq!(reference.familiar().parse(), Ok(reference));
            }
        }
    }
}
