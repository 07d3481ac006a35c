//! Why an image did not come or go, in words that say what to do.

use std::error::Error as _;
use std::io;

use engine_tar::Digest;

use crate::document::DocumentError;
use crate::error::StoreError;

/// An image that was not pulled or pushed. Nothing of it is left here, and no name of it there.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The registry's name is unknown.
    #[error("cannot find the registry {host}: its name does not resolve; check the name and DNS")]
    Dns {
        /// The registry.
        host: String,
    },
    /// Nobody answers there.
    #[error("cannot reach the registry {host}")]
    Connect {
        /// The registry.
        host: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It answers, and its certificate is not good.
    #[error("cannot trust the registry {host}: {reason}")]
    Tls {
        /// The registry.
        host: String,
        /// What is wrong.
        reason: String,
    },
    /// What is kept for the registry's TLS is of no use.
    #[error("cannot use {path}: {reason}")]
    Certificates {
        /// Which file, or what was given.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// It answers, and does not speak TLS.
    #[error(
        "the registry {host} does not speak TLS; name it as an insecure registry if that is meant"
    )]
    NoTls {
        /// The registry.
        host: String,
    },
    /// It stopped answering.
    #[error("the registry {host} stopped answering")]
    Stalled {
        /// The registry.
        host: String,
    },
    /// The connection broke again and again.
    #[error("the connection to the registry {host} broke")]
    Broken {
        /// The registry.
        host: String,
        /// How.
        #[source]
        source: io::Error,
    },
    /// The repository has no such tag or digest.
    #[error("manifest for {reference} not found: manifest unknown")]
    NotFound {
        /// What was asked for.
        reference: String,
    },
    /// The repository does not exist, or is not for everybody.
    #[error(
        "pull access denied for {repository}, repository does not exist or may require 'docker login'"
    )]
    Denied {
        /// What was asked for.
        repository: String,
    },
    /// The repository does not take this image from this person.
    #[error(
        "push access denied for {repository}: log in with an account that may push there, or create the repository"
    )]
    PushDenied {
        /// Where it was to go.
        repository: String,
    },
    /// The registry has no list of its repositories.
    #[error("the registry {host} does not list its repositories: name the one that is meant")]
    NoCatalog {
        /// The registry.
        host: String,
    },
    /// The registry's list is not for everybody.
    #[error(
        "the registry {host} does not show its repositories: log in with an account that may see them"
    )]
    CatalogDenied {
        /// The registry.
        host: String,
    },
    /// Nothing there can be looked for.
    #[error(
        "the registry {host} offers no search: it has neither Docker's search nor a list of its repositories"
    )]
    NoSearch {
        /// The registry.
        host: String,
    },
    /// The name or password is wrong.
    #[error("unauthorized: the registry {host} refused the user name or password")]
    Unauthorized {
        /// The registry.
        host: String,
    },
    /// Too many requests.
    #[error("the registry {host} limits how often it is asked{}", again(*.after_s))]
    RateLimited {
        /// The registry.
        host: String,
        /// In how many seconds it will serve again, as it says.
        after_s: Option<u64>,
    },
    /// That is not where a registry can be.
    #[error(
        "{text:?} is not the address of a registry: HOST[:PORT] is, with a dot, a port or localhost"
    )]
    Address {
        /// What was given.
        text: String,
    },
    /// It answers with something that is no answer.
    #[error("the registry {host} answered {status}{}", explained(.message))]
    Status {
        /// The registry.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What it says about it.
        message: String,
    },
    /// It sends us where we will not go.
    #[error("the registry {host} redirects to an address that is refused: {reason}")]
    Redirect {
        /// The registry.
        host: String,
        /// What is wrong with the address.
        reason: &'static str,
    },
    /// It answers something that a registry does not.
    #[error("the registry {host} is not understood: {reason}")]
    Protocol {
        /// The registry.
        host: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// There is no image for this machine.
    #[error("no image for {wanted} in {reference}; it has: {offered}")]
    NoPlatform {
        /// What was asked for.
        reference: String,
        /// For which machine.
        wanted: String,
        /// What there is.
        offered: String,
    },
    /// It sent other content than was asked for.
    #[error("the registry sent other content than asked for: {expected} was asked, {found} came")]
    WrongDigest {
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// It sent more or less than the manifest says.
    #[error(
        "the registry sent {digest} with another length than the {expected} bytes it should have"
    )]
    WrongSize {
        /// What was asked for.
        digest: Digest,
        /// How long it should be.
        expected: u64,
    },
    /// A manifest or configuration is not acceptable.
    #[error("image refused")]
    Document(#[from] DocumentError),
    /// The content store failed.
    #[error("failed to keep the image")]
    Store(#[from] StoreError),
}

impl RegistryError {
    /// Says whether there is no such image, as far as the asker may know.
    pub fn is_not_found(&self) -> bool {
        matches!(
            self,
            Self::NotFound { .. } | Self::Denied { .. } | Self::NoPlatform { .. }
        )
    }

    /// Says whether the disk was full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_full())
    }

    /// Whether the registry knows us and does not let us.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Unauthorized { .. }
                | Self::Denied { .. }
                | Self::PushDenied { .. }
                | Self::CatalogDenied { .. }
        )
    }

    /// Whether the same request may succeed in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Stalled { .. } | Self::Broken { .. } => true,
            Self::Status { status, .. } => matches!(status, 500 | 502 | 503 | 504 | 408),
            _ => false,
        }
    }

    /// Whether nobody spoke TLS, or anything at all, at the address.
    pub(crate) fn is_no_connection(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::NoTls { .. })
    }

    pub(crate) fn from_request(host: String, error: reqwest::Error) -> Self {
        if error.is_dns() {
            return Self::Dns { host };
        }
        match tls_error(&error) {
            Some(rustls::Error::InvalidMessage(_)) => return Self::NoTls { host },
            Some(tls) => {
                return Self::Tls {
                    host,
                    reason: tls_reason(tls),
                };
            }
            None => {}
        }
        if error.is_timeout() {
            return Self::Stalled { host };
        }
        let is_connect = error.is_connect();
        let source = io_error(error);
        if is_connect {
            Self::Connect { host, source }
        } else {
            Self::Broken { host, source }
        }
    }
}

/// The innermost cause that the operating system gave, or the whole as text.
fn io_error(error: reqwest::Error) -> io::Error {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>()
            && let Some(code) = io.raw_os_error()
        {
            return io::Error::from_raw_os_error(code);
        }
        cause = inner.source();
    }
    io::Error::other(error.without_url())
}

/// What TLS says, if it was TLS.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    loop {
        if let Some(tls) = cause.downcast_ref() {
            return Some(tls);
        }
        // An io::Error carries its cause inside, and names only the cause's cause as its source.
        cause = match cause.downcast_ref::<io::Error>() {
            Some(carrier) => carrier.get_ref()?,
            None => cause.source()?,
        };
    }
}

fn tls_reason(tls: &rustls::Error) -> String {
    use rustls::{CertificateError, Error};

    match tls {
        Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        ) => "its certificate has expired".to_owned(),
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another name".to_owned(),
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate is signed by nobody this machine trusts; if it has an authority of its own, give that authority's certificate for this registry"
                .to_owned()
        }
        other => other.to_string(),
    }
}

fn again(after_s: Option<u64>) -> String {
    match after_s {
        None => String::new(),
        Some(seconds @ 0..120) => format!("; try again in {seconds} seconds"),
        Some(seconds) => format!("; try again in {} minutes", seconds / 60),
    }
}

fn explained(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}
