//! A registry that is kept: what it is called, where it is, who we are there.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use secrecy::SecretString;

use super::{RegistryId, Rule};

/// The registry that is meant when none is named.
const DOCKER_HUB: &str = "docker.io";
const MOST_NAME: usize = 64;
const MOST_ADDRESS: usize = 255;
const MOST_USER: usize = 255;
/// A few certificates; they travel in a header.
const MOST_AUTHORITY: usize = 32_768;

/// A registry, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// Its id.
    pub id: RegistryId,
    /// What people call it.
    pub name: RegistryName,
    /// Where it is.
    pub address: RegistryAddress,
    /// The name there; empty for nobody in particular.
    pub user: RegistryUser,
    /// The authorities that vouch for it, in PEM; empty where everybody's do.
    pub authority: RegistryAuthority,
    /// Whether a password is kept for that name.
    pub has_secret: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A name and a password at one registry.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The name.
    pub name: String,
    /// The password, or a token.
    pub password: SecretString,
    /// The authorities that vouch for the registry.
    pub authority: RegistryAuthority,
    /// Whether they are the kept ones, not typed for this once.
    pub is_kept: bool,
}

/// What people call a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryName(String);

/// Where a registry is, as it stands before an image's name: `HOST[:PORT]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryAddress(String);

/// A name at a registry; empty for nobody in particular.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryUser(String);

/// Certificates of authorities that vouch for one registry, in PEM; empty for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegistryAuthority(String);

macro_rules! text {
    ($($type:ident)*) => {$(
        impl $type {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text!(RegistryName RegistryAddress RegistryUser RegistryAuthority);

impl RegistryUser {
    /// Tells whether it is nobody in particular.
    pub fn is_nobody(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for RegistryName {
    type Err = Rule;

    fn from_str(text: &str) -> Result<Self, Rule> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Rule::Required);
        }
        if text.chars().count() > MOST_NAME {
            return Err(Rule::TooLong { most: MOST_NAME });
        }
        if text.chars().any(char::is_control) {
            return Err(Rule::Name);
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for RegistryUser {
    type Err = Rule;

    /// A colon would end the name where it is sent with its password.
    fn from_str(text: &str) -> Result<Self, Rule> {
        let text = text.trim();
        if text.len() > MOST_USER {
            return Err(Rule::TooLong { most: MOST_USER });
        }
        if text.chars().any(|c| c.is_control() || c == ':') {
            return Err(Rule::RegistryUser);
        }
        Ok(Self(text.to_owned()))
    }
}

impl RegistryAuthority {
    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for RegistryAuthority {
    type Err = Rule;

    /// The engine reads the certificates; here a key that was pasted by mistake is kept out.
    fn from_str(text: &str) -> Result<Self, Rule> {
        let text = text.replace("\r\n", "\n");
        let text = text.trim();
        if text.len() > MOST_AUTHORITY {
            return Err(Rule::TooLong {
                most: MOST_AUTHORITY,
            });
        }
        let is_pem = text.contains("-----BEGIN CERTIFICATE-----") && text.is_ascii();
        if !text.is_empty() && (!is_pem || text.contains("PRIVATE KEY")) {
            return Err(Rule::Certificate);
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for RegistryAddress {
    type Err = Rule;

    /// Takes an address also as browsers and `docker login` have it, with a scheme and `/v2/`.
    fn from_str(text: &str) -> Result<Self, Rule> {
        let text = text.trim().to_ascii_lowercase();
        if text.is_empty() {
            return Err(Rule::Required);
        }
        let bare = text
            .split_once("://")
            .map_or(text.as_str(), |(_, rest)| rest);
        let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
        let is_plain = matches!(path, "" | "v1/" | "v2/" | "v1" | "v2");
        if !is_plain || host.len() > MOST_ADDRESS || !is_address(host) {
            return Err(Rule::RegistryAddress);
        }
        Ok(Self(Self::usual(host).to_owned()))
    }
}

impl RegistryAddress {
    /// Returns the one word for an address that has several.
    pub fn usual(address: &str) -> &str {
        match address {
            "index.docker.io" | "registry-1.docker.io" | "hub.docker.com" => DOCKER_HUB,
            other => other,
        }
    }

    /// Tells whether images without a registry's name are there.
    pub fn is_docker_hub(&self) -> bool {
        self.0 == DOCKER_HUB
    }
}

/// Tells whether a text may stand before an image's name and means a registry there.
fn is_address(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return is_port && address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    };
    let is_part = |part: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !part.is_empty() && part.bytes().all(allowed) && !part.starts_with('-')
    };
    let means_one = port.is_some() || host.contains('.') || host == "localhost";
    means_one && host.split('.').all(is_part) && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_have_them() {
        for (text, address) in [
            ("Registry.Example.com", "registry.example.com"),
            (" https://ghcr.io/ ", "ghcr.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("127.0.0.1:5000", "127.0.0.1:5000"),
            ("localhost", "localhost"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            let parsed: RegistryAddress = text.parse().unwrap();
            assert_eq!(parsed.as_str(), address, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "nodots",
            "a.b/team",
            "user@ghcr.io",
            "ghcr.io:port",
            "ghcr.io:0",
            "ghcr.io:5000:5000",
            "a b.c",
            "-x.y",
            "a..b",
            "[::1",
            "ghcr.io?x",
            "ghcr.io#x",
            "ghcr.io\\x",
        ] {
            let parsed = bad.parse::<RegistryAddress>();
            assert_eq!(parsed, Err(Rule::RegistryAddress), "{bad}");
        }
        assert_eq!("  ".parse::<RegistryAddress>(), Err(Rule::Required));
    }

    #[test]
    fn a_name_that_would_run_into_its_password_is_refused() {
        assert!("robot$ci".parse::<RegistryUser>().is_ok());
        assert!("".parse::<RegistryUser>().unwrap().is_nobody());
        assert_eq!("a:b".parse::<RegistryUser>(), Err(Rule::RegistryUser));
    }
}
