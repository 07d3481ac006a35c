//! The server's certificate: given, or made at the first start and kept in the data directory.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use super::error::StartError;

/// A certificate chain and its key, as PEM text that was read while the server could read it.
pub struct Pem {
    cert: String,
    key: String,
    path: PathBuf,
}

impl Pem {
    /// Reads a given certificate and key.
    ///
    /// # Errors
    /// When one of the files cannot be read.
    pub fn read(cert: &Path, key: &Path) -> Result<Self, StartError> {
        let read = |path: &Path| {
            fs::read_to_string(path).map_err(|error| StartError::file("read", path, error))
        };
        Ok(Self {
            cert: read(cert)?,
            key: read(key)?,
            path: cert.to_owned(),
        })
    }

    /// Reads our own certificate, or makes it when there is none.
    ///
    /// # Errors
    /// When it can be neither read nor made.
    pub fn own(data: &Path, listen: SocketAddr) -> Result<Self, StartError> {
        let (cert, key) = (data.join("certificate.pem"), data.join("certificate.key"));
        if !cert.exists() || !key.exists() {
            make(&cert, &key, listen)?;
        }
        Self::read(&cert, &key)
    }

    /// Makes what turns accepted connections into TLS ones.
    ///
    /// # Errors
    /// When the text is no certificate, or the key is not its key.
    pub fn acceptor(&self) -> Result<TlsAcceptor, StartError> {
        let wrong = |reason: String| StartError::Certificate {
            path: self.path.clone(),
            reason,
        };
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(self.cert.as_bytes()).collect();
        let chain = chain.map_err(|error| wrong(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|error| wrong(format!("its key: {error}")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| wrong(error.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn make(cert: &Path, key: &Path, listen: SocketAddr) -> Result<(), StartError> {
    let wrong = |error: rcgen::Error| StartError::Certificate {
        path: cert.to_owned(),
        reason: format!("it could not be made: {error}"),
    };
    let mut names = vec!["localhost".to_owned()];
    if !listen.ip().is_unspecified() {
        names.push(listen.ip().to_string());
    }
    if let Ok(name) = nix::unistd::gethostname() {
        names.push(name.to_string_lossy().into_owned());
    }
    let made = rcgen::generate_simple_self_signed(names).map_err(wrong)?;
    write(key, &made.signing_key.serialize_pem())?;
    write(cert, &made.cert.pem())
}

/// Writes a file that only its owner may read, and syncs it.
fn write(path: &Path, text: &str) -> Result<(), StartError> {
    let written = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
        });
    written.map_err(|error| StartError::file("write", path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_certificate_is_made_once_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let data = tempfile::tempdir().unwrap();
        let listen = "192.0.2.1:8440".parse().unwrap();

        let first = Pem::own(data.path(), listen).unwrap();
        let second = Pem::own(data.path(), listen).unwrap();

        assert_eq!(first.cert, second.cert);
        assert!(first.acceptor().is_ok());
        let mode = fs::metadata(data.path().join("certificate.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_is_no_certificate_is_named() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("given.pem");
        fs::write(&path, "not a certificate").unwrap();
        let message = Pem::read(&path, &path)
            .unwrap()
            .acceptor()
            .err()
            .unwrap()
            .to_string();
        assert!(message.contains("given.pem"), "{message}");
    }
}
