//! Whom we trust: whom the machine trusts and, for one registry, authorities of its own.
//!
//! As with Docker, `DIR/HOST[:PORT]` holds what is for one registry: each `*.crt` authorities, a pair
//! `*.cert` and `*.key` what we show it. What is there is looked at with each request, so that a new
//! certificate needs no restart. Authorities may also come with one request, for the registry that it
//! names.
//!
//! **Invariant:** an authority of one registry is trusted for that host and port alone, on a redirect to
//! another one as little as in another request.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::{Url, redirect};
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::{BuilderVerifierExt, Verifier};

use super::endpoint::{host_and_port, is_loopback};
use super::error::RegistryError;
use crate::tasks::on_own_thread;

/// Files of one registry, and bytes of one of them.
const FILES_MAX: usize = 64;
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Connections to everybody who is trusted in one way.
pub(super) struct Lines {
    /// For answers: a peer that says nothing is given up.
    pub(super) asking: Ways,
    /// For long requests, during which a peer has nothing to say.
    pub(super) sending: Ways,
}

/// The ways to a registry.
pub(super) struct Ways {
    /// Through the proxy that the environment names, if any.
    outside: reqwest::Client,
    /// To this machine itself, past every proxy.
    loopback: reqwest::Client,
}

/// What is for one registry.
#[derive(Default)]
struct Material {
    authorities: Vec<CertificateDer<'static>>,
    /// What we show it.
    ours: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// How a directory looks: names, times, lengths. Another look means other content.
type Look = Vec<(OsString, SystemTime, u64)>;

/// The lines to registries that have something of their own.
pub(super) struct Trust {
    dir: Option<PathBuf>,
    patience: Duration,
    known: Mutex<HashMap<String, (Look, Arc<Lines>)>>,
}

impl Lines {
    pub(super) fn new(tls: &ClientConfig, patience: Duration) -> Result<Self, reqwest::Error> {
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(redirect::Policy::none())
                .connect_timeout(patience)
                .user_agent("gantry")
        };
        let asking = || builder().read_timeout(patience);
        Ok(Self {
            asking: Ways {
                outside: asking().build()?,
                loopback: asking().no_proxy().build()?,
            },
            sending: Ways {
                outside: builder().build()?,
                loopback: builder().no_proxy().build()?,
            },
        })
    }
}

impl Ways {
    pub(super) fn to(&self, url: &Url) -> &reqwest::Client {
        if url.host_str().is_some_and(is_loopback) {
            &self.loopback
        } else {
            &self.outside
        }
    }
}

impl Trust {
    pub(super) fn new(dir: Option<PathBuf>, patience: Duration) -> Self {
        Self {
            dir,
            patience,
            known: Mutex::default(),
        }
    }

    /// The lines to whoever a URL names, if there is something of its own for it.
    pub(super) async fn lines(&self, url: &Url) -> Result<Option<Arc<Lines>>, RegistryError> {
        let (Some(dir), Some(host)) = (self.of_host(url), host_and_port(url)) else {
            return Ok(None);
        };
        let unusable = |error: io::Error| unusable(&dir, &error.to_string());
        let looked = dir.clone();
        let look = on_own_thread(move || look(&looked)).await;
        let look = look.and_then(|look| look).map_err(unusable)?;
        if look.is_empty() {
            return Ok(None);
        }
        if let Some(lines) = self.seen(&host, &look) {
            return Ok(Some(lines));
        }
        let material = self.material(url).await?;
        let lines = self.lines_of(material, &dir.display().to_string())?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(host, (look, Arc::clone(&lines)));
        Ok(Some(lines))
    }

    /// The lines that were made of what is still there.
    fn seen(&self, host: &str, look: &Look) -> Option<Arc<Lines>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, lines) = known.get(host).filter(|(seen, _)| seen == look)?;
        Some(Arc::clone(lines))
    }

    /// The lines to whoever a URL names, who is also vouched for by authorities that came along.
    pub(super) async fn lines_with(
        &self,
        url: &Url,
        authorities: &str,
    ) -> Result<Arc<Lines>, RegistryError> {
        let host = host_and_port(url).unwrap_or_default();
        let name = format!("the certificate authority given for {host}");
        let mut material = self.material(url).await?;
        let more = certificates(authorities.as_bytes());
        let more = more.map_err(|reason| RegistryError::Certificates {
            path: name.clone(),
            reason,
        })?;
        material.authorities.extend(more);
        self.lines_of(material, &name)
    }

    fn lines_of(&self, material: Material, path: &str) -> Result<Arc<Lines>, RegistryError> {
        let refused = |reason| RegistryError::Certificates {
            path: path.to_owned(),
            reason,
        };
        let tls = trusting(material).map_err(|error| refused(error.to_string()))?;
        let lines = Lines::new(&tls, self.patience);
        lines.map(Arc::new).map_err(|e| refused(e.to_string()))
    }

    async fn material(&self, url: &Url) -> Result<Material, RegistryError> {
        let Some(dir) = self.of_host(url) else {
            return Ok(Material::default());
        };
        let read_dir = dir.clone();
        let material = on_own_thread(move || read(&read_dir)).await;
        material.map_err(|error| unusable(&dir, &error.to_string()))?
    }

    /// The directory of whoever a URL names.
    fn of_host(&self, url: &Url) -> Option<PathBuf> {
        let host = host_and_port(url)?;
        let is_name = !host.contains('/') && !host.starts_with('.');
        let dir = self.dir.as_ref()?;
        (url.scheme() == "https" && is_name).then(|| dir.join(host))
    }
}

/// How a directory looks; nothing where there is none.
fn look(dir: &Path) -> io::Result<Look> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Look::new()),
        entries => entries?,
    };
    let mut look = Look::new();
    for entry in entries.take(FILES_MAX) {
        let entry = entry?;
        let about = fs::metadata(entry.path())?;
        look.push((entry.file_name(), about.modified()?, about.len()));
    }
    look.sort();
    Ok(look)
}

/// Reads what is for one registry; what cannot be used is named.
fn read(dir: &Path) -> Result<Material, RegistryError> {
    let look = look(dir).map_err(|error| unusable(dir, &error.to_string()))?;
    let mut material = Material::default();
    for (name, ..) in &look {
        let path = dir.join(name);
        let refused = |reason: String| unusable(&path, &reason);
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("crt") => {
                let bytes = content(&path).map_err(refused)?;
                material
                    .authorities
                    .extend(certificates(&bytes).map_err(refused)?);
            }
            Some("cert") => {
                if material.ours.is_some() {
                    let reason = "there is another *.cert beside it, and one pair is used";
                    return Err(refused(reason.to_owned()));
                }
                let key = path.with_extension("key");
                let missing = "its key is missing beside it; an authority's file ends in .crt";
                if !key.exists() {
                    return Err(refused(missing.to_owned()));
                }
                let chain = certificates(&content(&path).map_err(refused)?).map_err(refused)?;
                let of_key = |reason: String| unusable(&key, &reason);
                let bytes = content(&key).map_err(of_key)?;
                let key_read = PrivateKeyDer::from_pem_slice(&bytes);
                let key_read =
                    key_read.map_err(|_| of_key("it holds no private key".to_owned()))?;
                material.ours = Some((chain, key_read));
            }
            Some("key") if !path.with_extension("cert").exists() => {
                return Err(refused("its certificate, *.cert, is missing".to_owned()));
            }
            _ => {}
        }
    }
    Ok(material)
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if !about.is_file() || about.len() > FILE_BYTES_MAX {
        return Err("it is no file of a sensible length".to_owned());
    }
    fs::read(path).map_err(|error| error.to_string())
}

/// Reads certificates in PEM; none is as wrong as a broken one.
fn certificates(bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err("it holds no certificate in PEM".to_owned()),
        Err(_) => Err("a certificate in it is malformed".to_owned()),
    }
}

fn unusable(path: &Path, reason: &str) -> RegistryError {
    RegistryError::Certificates {
        path: path.display().to_string(),
        reason: reason.to_owned(),
    }
}

/// The machine's trust and, beside it, that of one registry.
fn trusting(material: Material) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let builder = if material.authorities.is_empty() {
        builder.with_platform_verifier()?
    } else {
        let verifier = Verifier::new_with_extra_roots(material.authorities, provider)?;
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
    };
    match material.ours {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key),
        None => Ok(builder.with_no_client_auth()),
    }
}
