//! Secrets at rest: sealed by a key that lies beside the database in a file of its own.
//!
//! ChaCha20-Poly1305 with a fresh nonce for each secret. What the secret is for – its row, its
//! address – is bound to it: moved to another row, or left while its row is changed, it does not open.
//!
//! **Invariant:** neither the key nor an open secret is ever shown; a key that is lost is not silently
//! replaced while there are secrets that only it opens.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret, SecretString};

use crate::ids;

const KEY_BYTES: usize = 32;
const KEY_FILE_BYTES_MAX: u64 = 4096;

/// Why a secret cannot be sealed or opened. Which file is meant is in the log of the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is gone.
    #[error("the key file is missing")]
    KeyMissing,
    /// The file is there and holds no key that may be used.
    #[error("the key file cannot be used")]
    KeyUnusable,
    /// The secret was sealed by another key, for another place, or was changed since.
    #[error("the secret does not open with this key")]
    OtherKey,
}

/// What seals and opens.
pub struct Seal(Result<LessSafeKey, SealError>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// Reads the key, or makes one where there is none and none is missed. What is wrong with it is
    /// logged here, and told to whoever needs it: everything else of the server works without.
    pub(super) fn open(path: &Path, may_make: bool) -> Self {
        let found = match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && may_make => make(path),
            found => found,
        };
        let key = found.map_err(|error| {
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            let path = path.display();
            tracing::error!(
                "the key file {path} cannot be used ({error}); put it back as it was, readable for \
                 the server alone; until then kept passwords cannot be used"
            );
            if is_missing {
                SealError::KeyMissing
            } else {
                SealError::KeyUnusable
            }
        });
        Self(key.map(LessSafeKey::new))
    }

    /// Seals a secret; it opens only for the same purpose.
    ///
    /// # Errors
    /// When there is no key.
    pub fn seal(&self, purpose: &str, secret: &SecretString) -> Result<Vec<u8>, SealError> {
        let key = self.0.as_ref().map_err(|error| *error)?;
        let nonce = ids::random::<NONCE_LEN>();
        let mut sealed = secret.expose_secret().as_bytes().to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(purpose.as_bytes()),
            &mut sealed,
        )
        .map_err(|_| SealError::KeyUnusable)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a secret that was sealed for this purpose.
    ///
    /// # Errors
    /// When there is no key, or it is not the one.
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<SecretString, SealError> {
        let key = self.0.as_ref().map_err(|error| *error)?;
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(SealError::OtherKey)?;
        let mut sealed = sealed.to_vec();
        let opened = key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(purpose.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| SealError::OtherKey)?;
        let text = str::from_utf8(opened).map_err(|_| SealError::OtherKey)?;
        Ok(text.to_owned().into())
    }
}

fn read(path: &Path) -> io::Result<UnboundKey> {
    let found = fs::metadata(path)?;
    if found.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::other(
            "others than the server may read it: chmod 600",
        ));
    }
    if found.len() > KEY_FILE_BYTES_MAX {
        return Err(io::Error::other("it holds no key"));
    }
    let text = fs::read_to_string(path)?;
    let bytes = ids::from_base64(text.trim_end()).filter(|bytes| bytes.len() == KEY_BYTES);
    key(&bytes.ok_or_else(|| io::Error::other("it holds no key"))?)
}

fn key(bytes: &[u8]) -> io::Result<UnboundKey> {
    UnboundKey::new(&CHACHA20_POLY1305, bytes).map_err(|_| io::Error::other("it holds no key"))
}

/// Makes a key; never over another.
fn make(path: &Path) -> io::Result<UnboundKey> {
    let bytes = ids::random::<KEY_BYTES>();
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", ids::base64(&bytes))?;
    file.sync_all()?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    key(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> SecretString {
        "hunter2-é".to_owned().into()
    }

    #[test]
    fn a_secret_opens_again_after_a_restart_and_never_looks_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        let seal = Seal::open(&path, true);
        let (one, two) = (
            seal.seal("a", &secret()).unwrap(),
            seal.seal("a", &secret()).unwrap(),
        );

        let again = Seal::open(&path, false);

        assert_ne!(one, two, "each has a nonce of its own");
        assert!(!one.windows(7).any(|bytes| bytes == b"hunter2"));
        let opened = again.unseal("a", &one).unwrap();
        assert_eq!(opened.expose_secret(), secret().expose_secret());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_secret_opens_for_its_own_purpose_and_by_its_own_key_alone() {
        let dir = tempfile::tempdir().unwrap();
        let seal = Seal::open(&dir.path().join("one"), true);
        let sealed = seal.seal("row 1 at a.test", &secret()).unwrap();
        let refused = |seal: &Seal, purpose: &str, sealed: &[u8]| {
            seal.unseal(purpose, sealed).err() == Some(SealError::OtherKey)
        };

        assert!(refused(&seal, "row 2 at a.test", &sealed));
        assert!(refused(&seal, "row 1 at b.test", &sealed));
        let other = Seal::open(&dir.path().join("two"), true);
        assert!(refused(&other, "row 1 at a.test", &sealed));
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(refused(&seal, "row 1 at a.test", &bent), "byte {at}");
        }
        assert!(refused(&seal, "row 1 at a.test", &sealed[..5]));
    }

    #[test]
    fn a_key_that_is_missed_is_not_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        let seal = Seal::open(&path, false);
        assert_eq!(seal.seal("a", &secret()), Err(SealError::KeyMissing));
        assert!(!path.exists());
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets.key");
        Seal::open(&path, true);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let open = Seal::open(&path, true);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "no key").unwrap();
        let none = Seal::open(&path, true);
        for seal in [open, none] {
            assert_eq!(seal.seal("a", &secret()), Err(SealError::KeyUnusable));
            assert_eq!(format!("{seal:?}"), "Seal");
        }
    }
}
