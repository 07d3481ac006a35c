//! The content of a file as a person reads and writes it. Pure.

use sha2::{Digest, Sha256};

/// The largest file that is shown.
pub const VIEW_BYTES_MAX: u64 = 1 << 20;
/// The largest file that is edited in the browser.
pub const EDIT_BYTES_MAX: usize = 512 * 1024;

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Something that can be read.
    Text(Text),
    /// Zero bytes, or what is not UTF-8.
    Binary,
    /// More than is shown.
    TooLarge,
}

/// A readable file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The text as it is in the file.
    pub text: String,
    /// What tells this content from any other.
    pub digest: String,
    /// Why it cannot be edited here, if it cannot.
    pub locked: Option<LockedBy>,
}

/// Why a text cannot be edited in a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockedBy {
    /// It is too long to be typed in.
    Length,
    /// Its lines end in several ways; a browser would make them all alike.
    LineEnds,
}

/// How the lines of a text end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnds {
    Unix,
    Windows,
}

impl Content {
    /// Reads the bytes of a file; none were read of one that is too long.
    pub(in crate::services) fn of(bytes: Option<Vec<u8>>) -> Self {
        let Some(bytes) = bytes else {
            return Self::TooLarge;
        };
        let digest = digest(&bytes);
        if bytes.contains(&0) {
            return Self::Binary;
        }
        let Ok(text) = String::from_utf8(bytes) else {
            return Self::Binary;
        };
        let locked = match LineEnds::of(&text) {
            _ if text.len() > EDIT_BYTES_MAX => Some(LockedBy::Length),
            None => Some(LockedBy::LineEnds),
            Some(_) => None,
        };
        Self::Text(Text {
            text,
            digest,
            locked,
        })
    }
}

/// Tells content from any other content.
pub(super) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    let sum = Sha256::digest(bytes);
    sum.iter().fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

impl LineEnds {
    /// How all lines of a text end; none when they differ, or a carriage return stands elsewhere.
    pub(super) fn of(text: &str) -> Option<Self> {
        let n_windows = text.matches("\r\n").count();
        let n_returns = text.matches('\r').count();
        let n_lines = text.matches('\n').count();
        match (n_returns, n_windows) {
            (0, _) => Some(Self::Unix),
            (returns, windows) if returns == windows && windows == n_lines => Some(Self::Windows),
            _ => None,
        }
    }

    /// Ends the lines of what was typed so. Browsers send both signs, whatever they showed.
    pub(super) fn end(self, typed: &str) -> String {
        let unix = typed.replace("\r\n", "\n").replace('\r', "\n");
        match self {
            Self::Unix => unix,
            Self::Windows => unix.replace('\n', "\r\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Content {
        Content::of(Some(bytes.to_vec()))
    }

    #[test]
    fn what_is_no_text_is_not_shown_as_one() {
        for binary in [&b"a\0b"[..], b"\xff\xfe", b"\x7fELF\0"] {
            assert_eq!(read(binary), Content::Binary);
        }
        assert_eq!(Content::of(None), Content::TooLarge);
        assert!(matches!(read("한국어\n".as_bytes()), Content::Text(_)));
        assert!(matches!(read(b""), Content::Text(_)));
    }

    #[test]
    fn lines_end_as_they_did() {
        for text in ["a\nb\n", "a\r\nb\r\n", "", "no end", "\n\n"] {
            let ends = LineEnds::of(text).unwrap();
            let typed = text.replace("\r\n", "\n").replace('\n', "\r\n");
            assert_eq!(ends.end(&typed), text, "{text:?}");
        }
        for mixed in ["a\r\nb\n", "a\rb", "a\r\r\n"] {
            assert_eq!(LineEnds::of(mixed), None, "{mixed:?}");
        }
    }

    #[test]
    fn a_text_that_a_browser_would_change_is_not_edited() {
        let locked = |bytes: &[u8]| match read(bytes) {
            Content::Text(text) => text.locked,
            other => panic!("{other:?}"),
        };
        assert_eq!(locked(b"plain\n"), None);
        assert_eq!(locked(b"a\r\nb\n"), Some(LockedBy::LineEnds));
        assert_eq!(
            locked(&vec![b'x'; EDIT_BYTES_MAX + 1]),
            Some(LockedBy::Length)
        );
    }
}
