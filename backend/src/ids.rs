//! Where names that nobody chose and random bytes come from.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Returns a new id whose order is the order of making.
pub fn unique() -> uuid::Uuid {
    uuid::Uuid::now_v7()
}

/// Returns 256 random bits as text that may stand in a URL.
///
/// # Panics
/// When the kernel gives no random bytes; nothing safe could be done without them.
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(random::<32>())
}

/// Returns random bytes.
///
/// # Panics
/// As [`secret`].
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).expect("the kernel always gives random bytes once it has booted");
    bytes
}

/// Returns the SHA-256 of a secret as text: what is kept instead of it.
///
/// A plain hash suffices because the secrets are random bits, not passwords.
pub fn fingerprint(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

/// Reads what [`base64`] wrote.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Returns bytes as text that may stand in a URL.
pub fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
