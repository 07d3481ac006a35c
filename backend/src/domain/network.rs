//! Networks of addresses, and the address that people open.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A network: an address, and how many of its first bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    n_bits: u32,
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It is no address.
    #[error("write an address or a network, such as 10.0.0.2 or 10.0.0.0/8")]
    Malformed,
    /// It has no end.
    #[error("that is everybody; name the proxy, or the network it is in")]
    Everybody,
}

impl Network {
    /// Tells whether an address is in the network. An address of the fourth version that is written
    /// as one of the sixth counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => same(
                ours.to_bits().into(),
                theirs.to_bits().into(),
                32 - self.n_bits,
            ),
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                same(ours.to_bits(), theirs.to_bits(), 128 - self.n_bits)
            }
            _ => false,
        }
    }
}

/// Tells whether two addresses are the same but for their last bits.
fn same(one: u128, other: u128, n_last: u32) -> bool {
    (one ^ other).checked_shr(n_last).unwrap_or(0) == 0
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, bits) = match text.trim().split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text.trim(), None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError::Malformed)?;
        let address = address.to_canonical();
        let most = if address.is_ipv4() { 32 } else { 128 };
        let n_bits = match bits {
            Some(bits) => bits.parse().map_err(|_| NetworkError::Malformed)?,
            None => most,
        };
        match n_bits {
            0 => Err(NetworkError::Everybody),
            n_bits if n_bits <= most => Ok(Self { address, n_bits }),
            _ => Err(NetworkError::Malformed),
        }
    }
}

/// The address that people open, where a proxy stands before the server: its scheme and host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    is_secure: bool,
    authority: String,
}

/// Why a text is no address that people can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a scheme and a host without a path, such as https://gantry.example.org")]
pub struct PublicUrlError;

impl PublicUrl {
    /// Tells whether browsers reach it by TLS.
    pub const fn is_secure(&self) -> bool {
        self.is_secure
    }
}

/// As a browser writes it in `Origin`: lower case, without the scheme's own port.
impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority)
    }
}

impl FromStr for PublicUrl {
    type Err = PublicUrlError;

    fn from_str(text: &str) -> Result<Self, PublicUrlError> {
        let lower = text.trim().to_ascii_lowercase();
        let (is_secure, rest) = match lower.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(PublicUrlError),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let authority = authority
            .strip_suffix(if is_secure { ":443" } else { ":80" })
            .unwrap_or(authority);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let is_host = match inner {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => {
                !host.is_empty()
                    && host
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
            }
        };
        if !is_host || !is_port {
            return Err(PublicUrlError);
        }
        Ok(Self {
            is_secure,
            authority: authority.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let holds = |network: &str, address: &str| {
            let network: Network = network.parse().unwrap();
            network.contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.0.1"));
        assert!(holds("10.1.2.3/8", "10.0.0.1"), "bits that do not count");
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.8"));
        assert!(holds("192.0.2.0/24", "::ffff:192.0.2.9"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1"));
        assert!(!holds("2001:db8::/32", "2001:db9::1") && !holds("2001:db8::/32", "10.0.0.1"));
        assert!(holds("::1", "::1") && holds("128.0.0.0/1", "255.1.1.1"));
    }

    #[test]
    fn what_is_no_network_is_refused_and_everybody_by_name() {
        for bad in [
            "",
            "proxy",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/x",
            "10.0.0.0/-1",
            "*",
        ] {
            assert_eq!(
                bad.parse::<Network>(),
                Err(NetworkError::Malformed),
                "{bad}"
            );
        }
        for all in ["0.0.0.0/0", "::/0"] {
            assert_eq!(all.parse::<Network>(), Err(NetworkError::Everybody));
        }
    }

    #[test]
    fn a_public_url_is_written_as_browsers_write_origins() {
        for (typed, origin) in [
            ("https://Gantry.example.org/", "https://gantry.example.org"),
            (
                "https://gantry.example.org:443",
                "https://gantry.example.org",
            ),
            ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
            ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ] {
            assert_eq!(typed.parse::<PublicUrl>().unwrap().to_string(), origin);
        }
        for bad in [
            "",
            "gantry.example",
            "ftp://x",
            "https://",
            "https://a/b",
            "https://u@a",
            "https://a:0",
            "https://a:99999",
            "https://a?b",
            "https://a b",
            "https://[x]",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
