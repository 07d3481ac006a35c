//! Where a registry is reached, and whether that may be without TLS.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;

use crate::reference::{DEFAULT_REGISTRY, Reference};

/// Docker Hub's name is not its address.
const DEFAULT_HOST: &str = "registry-1.docker.io";

/// Where Docker Hub is searched.
const HUB_INDEX: &str = "https://index.docker.io/";

/// How registries are reached.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Stand-ins for docker.io, asked in this order before it.
    pub mirrors: Vec<Mirror>,
    /// Hosts, with or without a port, that may be reached without TLS. Loopback always may.
    pub insecure: Vec<String>,
    /// Where registries have certificates of their own: `DIR/HOST[:PORT]/*.crt` and the like.
    pub certificates: Option<PathBuf>,
    /// How long a connection may take, and how long a peer may say nothing.
    pub patience: Duration,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            mirrors: Vec::new(),
            insecure: Vec::new(),
            certificates: None,
            patience: Duration::from_secs(30),
        }
    }
}

/// A stand-in for docker.io. Its URL says whether TLS is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror(Url);

/// A text that is not the address of a mirror.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the address of a registry mirror; https://HOST[:PORT] is")]
pub struct MalformedMirror(String);

impl FromStr for Mirror {
    type Err = MalformedMirror;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || MalformedMirror(text.to_owned());
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = Url::parse(&whole).map_err(|_| malformed())?;
        let plain = url.username().is_empty() && url.password().is_none();
        let fine = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && plain
            && url.query().is_none()
            && url.fragment().is_none();
        if fine {
            Ok(Self(url))
        } else {
            Err(malformed())
        }
    }
}

/// One place to ask for a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Everything before `/v2/`.
    base: Url,
    /// Whether the user's credentials are for this place.
    pub(crate) is_registry: bool,
}

impl RegistryConfig {
    /// Where to ask for this image, in order.
    pub(crate) fn endpoints(&self, reference: &Reference) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        let mut host = reference.registry();
        if host == DEFAULT_REGISTRY {
            host = DEFAULT_HOST;
            let mirrors = self.mirrors.iter();
            endpoints.extend(mirrors.map(|mirror| Endpoint {
                base: mirror.0.clone(),
                is_registry: false,
            }));
        }
        let mut add = |scheme| {
            // The reference was parsed: its registry is a host.
            if let Ok(base) = Url::parse(&format!("{scheme}://{host}/")) {
                endpoints.push(Endpoint {
                    base,
                    is_registry: true,
                });
            }
        };
        add("https");
        if self.is_insecure(host) {
            add("http");
        }
        endpoints
    }

    /// Whether a URL that somebody sent us may be asked, when `from` sent it.
    pub(crate) fn check(&self, url: &Url, from: &Url) -> Result<(), &'static str> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err("it has a user name in it");
        }
        let Some(host) = host_and_port(url) else {
            return Err("it has no host");
        };
        match url.scheme() {
            "https" => Ok(()),
            "http" if from.scheme() != "http" => Err("it gives up TLS"),
            "http" if self.is_insecure(&host) || same_origin(url, from) => Ok(()),
            "http" => Err("it is without TLS and not listed as insecure"),
            _ => Err("it is neither http nor https"),
        }
    }

    fn is_insecure(&self, host: &str) -> bool {
        let bare = bare_host(host);
        is_loopback(bare)
            || self
                .insecure
                .iter()
                .any(|named| named == host || named == bare)
    }
}

impl Endpoint {
    /// The address of a thing in a repository: `blobs/sha256:…`, `manifests/latest`.
    pub(crate) fn url(&self, repository: &str, thing: &str) -> Url {
        let mut url = self.base.clone();
        let path = format!(
            "{}/v2/{repository}/{thing}",
            url.path().trim_end_matches('/')
        );
        url.set_path(&path);
        url
    }

    /// The address that says whether somebody is let in.
    pub(crate) fn root(&self) -> Url {
        self.at("v2/")
    }

    /// The address of something beside all repositories: `v2/_catalog`.
    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let path = format!("{}/{path}", url.path().trim_end_matches('/'));
        url.set_path(&path);
        url
    }

    /// Turns Docker Hub's registry into the place where it is searched, which is open to all.
    pub(crate) fn become_hub_index(&mut self) {
        if let Ok(base) = Url::parse(HUB_INDEX) {
            self.base = base;
        }
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// For messages.
    pub(crate) fn host(&self) -> String {
        host_and_port(&self.base).unwrap_or_default()
    }
}

pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether a host is this machine itself.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

pub(crate) fn host_and_port(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(
        url.port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")),
    )
}

fn bare_host(host: &str) -> &str {
    if host.starts_with('[') {
        return host.split_inclusive(']').next().unwrap_or(host);
    }
    host.split(':').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> RegistryConfig {
        RegistryConfig {
            mirrors: vec![
                "http://mirror:8080/prefix/".parse().unwrap(),
                "m2".parse().unwrap(),
            ],
            insecure: vec!["plain.test".to_owned(), "half.test:5000".to_owned()],
            ..RegistryConfig::default()
        }
    }

    fn urls(reference: &str) -> Vec<String> {
        let reference: Reference = reference.parse().unwrap();
        let endpoints = config().endpoints(&reference);
        let url = |endpoint: &Endpoint| endpoint.url(reference.repository(), "manifests/x");
        endpoints
            .iter()
            .map(|endpoint| url(endpoint).to_string())
            .collect()
    }

    #[test]
    fn mirrors_stand_for_docker_io_alone() {
        assert_eq!(
            urls("busybox"),
            [
                "http://mirror:8080/prefix/v2/library/busybox/manifests/x",
                "https://m2/v2/library/busybox/manifests/x",
                "https://registry-1.docker.io/v2/library/busybox/manifests/x",
            ]
        );
        assert_eq!(urls("ghcr.io/a/b"), ["https://ghcr.io/v2/a/b/manifests/x"]);
    }

    #[test]
    fn plain_http_is_for_loopback_and_named_hosts() {
        for (reference, n_endpoints) in [
            ("127.0.0.1:5000/a", 2),
            ("localhost/a", 2),
            ("[::1]:5000/a", 2),
            ("plain.test:99/a", 2),
            ("half.test:5000/a", 2),
            ("half.test:5001/a", 1),
            ("127.0.0.1.evil.test/a", 1),
            ("localhost.evil.test/a", 1),
        ] {
            assert_eq!(urls(reference).len(), n_endpoints, "{reference}");
            assert!(urls(reference)[0].starts_with("https://"), "{reference}");
        }
    }

    #[test]
    fn where_others_send_us_is_checked() {
        let check = |url: &str, from: &str| {
            config()
                .check(&Url::parse(url).unwrap(), &Url::parse(from).unwrap())
                .is_ok()
        };
        assert!(check("https://cdn.test/blob", "https://registry.test/"));
        assert!(check(
            "http://127.0.0.1:6000/blob",
            "http://127.0.0.1:5000/"
        ));
        assert!(check("http://mirror:8080/blob", "http://mirror:8080/x"));
        assert!(!check("http://cdn.test/blob", "https://registry.test/"));
        assert!(!check("http://127.0.0.1:2375/", "https://registry.test/"));
        assert!(!check("http://cdn.test/blob", "http://127.0.0.1:5000/"));
        assert!(!check(
            "https://registry.test@cdn.test/",
            "https://registry.test/"
        ));
        assert!(!check("file:///etc/shadow", "https://registry.test/"));
    }

    #[test]
    fn mirrors_are_addresses() {
        for text in [
            "",
            "http://",
            "ftp://x",
            "https://u:p@x",
            "https://x/?q",
            "a b",
        ] {
            assert!(text.parse::<Mirror>().is_err(), "{text}");
        }
    }
}
