//! The built css, js, fonts and icons, compiled in, and their addresses.
//!
//! All files share one digest in their address (`/assets/<digest>/app.css`): relative imports and
//! `url()`s keep working, and a browser may keep every file for ever.

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// One file for the browser.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Path below the digest, such as `app.css` or `js/elements/log-view.js`.
    pub path: &'static str,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// The file as it is.
    pub bytes: &'static [u8],
    /// The file compressed with brotli, when that is smaller.
    pub brotli: Option<&'static [u8]>,
    /// The file compressed with gzip, when that is smaller.
    pub gzip: Option<&'static [u8]>,
}

/// What the router mounts.
pub const PATTERN: &str = "/assets/{digest}/{*path}";

/// Returns the file at this path below the digest. An old digest finds the file of today.
pub fn find(path: &str) -> Option<&'static Asset> {
    FILES.iter().find(|asset| asset.path == path)
}

/// Returns the address of a file.
pub fn url(path: &str) -> String {
    format!("/assets/{DIGEST}/{path}")
}
