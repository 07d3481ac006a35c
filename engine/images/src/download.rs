//! Files from the net that a build names: whoever wrote the Dockerfile chooses the address, so it is
//! looked at before anything is sent there.
//!
//! **Invariant:** no connection goes to this machine, its neighbours or its cloud's own services,
//! but to hosts that the settings name. The address is judged where it is used, at each redirect:
//! a name that leads elsewhere the next time it is asked leads nowhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::LOCATION;
use reqwest::{Client, Response, Url, redirect};

use crate::registry::tls;

const REDIRECTS_MAX: usize = 10;
const PATIENCE: Duration = Duration::from_secs(60);
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The address is none that is asked.
    #[error("{url} is refused: {reason}")]
    Refused {
        /// Where to, without a password.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Whoever answers has not the file.
    #[error("{url} answers {status}")]
    Status {
        /// Where.
        url: String,
        /// The number and its words.
        status: String,
    },
    /// Nobody answers, or the answer breaks off.
    #[error("failed to fetch {url}")]
    Failed {
        /// Where from.
        url: String,
        /// Why.
        #[source]
        source: Cause,
    },
}

/// Fetches files. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Downloads {
    /// For hosts that anybody may name.
    guarded: Client,
    /// For those that the settings name.
    named: Client,
    names: Arc<Vec<String>>,
}

/// An address that another program may connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The address as it was understood: in the one spelling that nobody reads differently.
    pub url: String,
    /// The same for messages: without a password.
    pub shown: String,
    /// Where its name leads now, and nowhere else may it be led; `None` where it is a number itself.
    pub pin: Option<Pin>,
}

/// A name and where it leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The host's name.
    pub host: String,
    /// The port, written or not.
    pub port: u16,
    /// Where it is.
    pub addresses: Vec<IpAddr>,
}

/// A file that comes.
#[derive(Debug)]
pub struct Download {
    response: Response,
    url: String,
}

impl Downloads {
    /// Begins; `names` are hosts, with a port or without, that may lie anywhere.
    ///
    /// # Errors
    /// When the library cannot be set up.
    pub fn new(names: Vec<String>) -> Result<Self, DownloadError> {
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls())
                .redirect(redirect::Policy::none())
                .no_proxy()
                .connect_timeout(PATIENCE)
                .read_timeout(PATIENCE)
                .user_agent("gantry")
        };
        let failed = |error: reqwest::Error| failed("any file", error);
        Ok(Self {
            guarded: builder()
                .dns_resolver(Arc::new(Guarded))
                .build()
                .map_err(failed)?,
            named: builder().build().map_err(failed)?,
            names: Arc::new(names),
        })
    }

    /// Asks for a file, wherever it moved.
    ///
    /// # Errors
    /// When the address is refused, or nobody has the file there.
    pub async fn get(&self, url: &str) -> Result<Download, DownloadError> {
        let mut url = Url::parse(url).map_err(|_| refused_text(url, "it is no URL"))?;
        for _ in 0..=REDIRECTS_MAX {
            let client = self.client_for(&url)?;
            let sent = client.get(url.clone()).send().await;
            let response = sent.map_err(|error| failed(url.as_str(), error))?;
            if !response.status().is_redirection() {
                return accepted(response, &url);
            }
            let next = response.headers().get(LOCATION);
            let next = next.and_then(|value| url.join(value.to_str().ok()?).ok());
            let next = next.ok_or_else(|| refused(&url, "it redirects to nowhere"))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(refused(&next, "a redirect to it gives up TLS"));
            }
            url = next;
        }
        Err(refused(&url, "there are more than 10 redirects"))
    }

    /// Judges an address that another program is to connect to, and says where it leads now.
    ///
    /// # Errors
    /// When the address is refused, or its name leads nowhere.
    pub async fn judge(&self, url: &str) -> Result<Judged, DownloadError> {
        let url = Url::parse(url).map_err(|_| refused_text(url, "it is no URL"))?;
        let is_named = std::ptr::eq(self.client_for(&url)?, &raw const self.named);
        let mut judged = Judged {
            url: url.as_str().to_owned(),
            shown: shown(&url),
            pin: None,
        };
        // A number was judged with the client.
        let Some(host) = url.domain() else {
            return Ok(judged);
        };
        let port = url.port_or_known_default().unwrap_or(0);
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map_err(|source| DownloadError::Failed {
            url: shown(&url),
            source: source.into(),
        })?;
        let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
        if !is_named && addresses.iter().any(|address| !is_public(*address)) {
            return Err(refused(&url, INSIDE));
        }
        judged.pin = Some(Pin {
            host: host.to_owned(),
            port,
            addresses,
        });
        Ok(judged)
    }

    fn client_for(&self, url: &Url) -> Result<&Client, DownloadError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused(url, "it is neither http nor https"));
        }
        let host = url.host_str().unwrap_or_default();
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or(0));
        let is_named = |name: &String| *name == host || *name == with_port;
        if self.names.iter().any(is_named) {
            return Ok(&self.named);
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(address) if !is_public(address) => Err(refused(url, INSIDE)),
            _ => Ok(&self.guarded),
        }
    }
}

const INSIDE: &str = "its address belongs to this machine or its own network; name the host with \
                      --insecure-registry to allow it";

fn accepted(response: Response, url: &Url) -> Result<Download, DownloadError> {
    if !response.status().is_success() {
        return Err(DownloadError::Status {
            url: shown(url),
            status: response.status().to_string(),
        });
    }
    Ok(Download {
        response,
        url: shown(url),
    })
}

impl Download {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When it breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, DownloadError> {
        let piece = self.response.chunk().await;
        piece.map_err(|error| failed(&self.url, error))
    }
}

/// Resolves names to public addresses alone.
#[derive(Debug)]
struct Guarded;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let all: Vec<SocketAddr> = found.collect();
            if all.iter().any(|address| !is_public(address.ip())) {
                return Err(Cause::from(INSIDE));
            }
            Ok(Box::new(all.into_iter()) as Addrs)
        })
    }
}

/// Says whether an address is somebody else's, on the net that everybody shares.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

/// Only what is given out as unicast addresses, and none that carries an address of the old kind.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let is_unicast = segments[0] & 0xe000 == 0x2000;
    let carries = segments[0] == 0x2002 || (segments[0] == 0x2001 && segments[1] < 0x0200);
    let is_example = segments[0] == 0x2001 && segments[1] == 0x0db8;
    is_unicast && !carries && !is_example
}

fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // A URL that cannot have them has none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

fn refused(url: &Url, reason: &'static str) -> DownloadError {
    DownloadError::Refused {
        url: shown(url),
        reason,
    }
}

fn refused_text(url: &str, reason: &'static str) -> DownloadError {
    DownloadError::Refused {
        url: url.chars().take(200).collect(),
        reason,
    }
}

fn failed(url: &str, error: reqwest::Error) -> DownloadError {
    DownloadError::Failed {
        url: url.split('?').next().unwrap_or_default().to_owned(),
        source: error.without_url().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_are_refused_in_every_spelling() {
        let downloads = Downloads::new(vec!["127.0.0.1:81".to_owned()]).unwrap();
        let asked = |url: &str| downloads.client_for(&Url::parse(url).unwrap()).is_ok();
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.0.0.1/",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest",
            "http://100.64.0.1/",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[2002:7f00:1::]/",
            "http://[2001:0:1::]/",
            "http://[fe80::1]/",
            "http://[fd00::1]/",
            "file:///etc/passwd",
            "ftp://192.0.2.1/",
        ] {
            assert!(!asked(url), "{url}");
        }
        for url in [
            "http://127.0.0.1:81/",
            "https://8.8.8.8/",
            "http://[2606:4700::1]/",
        ] {
            assert!(asked(url), "{url}");
        }
    }

    #[tokio::test]
    async fn another_program_gets_the_address_that_was_judged_and_no_other_reading_of_it() {
        let downloads = Downloads::new(vec!["127.0.0.1:81".to_owned()]).unwrap();
        // Other programs take what is before the @ for a password, and connect to what is behind.
        let judged = downloads
            .judge("http://127.0.0.1:81\\@10.0.0.5/a.git")
            .await;
        assert_eq!(judged.unwrap().url, "http://127.0.0.1:81/@10.0.0.5/a.git");
        for url in ["http://10.0.0.5:81/a.git", "http::@localhost/a.git"] {
            assert!(downloads.judge(url).await.is_err(), "{url}");
        }
        let downloads = Downloads::new(vec!["localhost".to_owned()]).unwrap();
        let judged = downloads
            .judge("http://ann:secret@LOCAL%68ost/a.git?b")
            .await;
        let judged = judged.unwrap();
        assert_eq!(judged.url, "http://ann:secret@localhost/a.git?b");
        assert_eq!(judged.shown, "http://localhost/a.git");
        let pin = judged.pin.unwrap();
        assert_eq!((pin.host.as_str(), pin.port), ("localhost", 80));
        assert!(pin.addresses.iter().all(IpAddr::is_loopback), "{pin:?}");
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
        let downloads = Downloads::new(Vec::new()).unwrap();
        let error = downloads.get("http://localhost:9/").await.unwrap_err();
        let mut text = String::new();
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            text.push_str(&error.to_string());
            cause = error.source();
        }
        assert!(text.contains("--insecure-registry"), "{text}");
    }
}
