//! Paths and names inside a container, checked at the door.

use std::fmt;
use std::str::FromStr;

/// What the kernel takes as a path.
const PATH_BYTES_MAX: usize = 4095;
/// What the kernel takes as a name.
const NAME_BYTES_MAX: usize = 255;
/// What is shown of a path where there is little room.
const SHOWN_CHARS: usize = 300;

/// A path inside a container: absolute, and clean by its text as the engine reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InsidePath(String);

/// A text that is no path inside a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a path inside a container begins with / and has at most {PATH_BYTES_MAX} bytes")]
pub struct NoPath;

impl FromStr for InsidePath {
    type Err = NoPath;

    /// Takes an absolute path; `..` goes up by the text, and never above the root.
    fn from_str(text: &str) -> Result<Self, NoPath> {
        if !text.starts_with('/') || text.len() > PATH_BYTES_MAX || text.contains('\0') {
            return Err(NoPath);
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                name => parts.push(name),
            }
        }
        Ok(Self(format!("/{}", parts.join("/"))))
    }
}

impl fmt::Display for InsidePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl InsidePath {
    /// Returns the root of everything.
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// Returns the path as it is asked for.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the last name; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Returns the directory that holds it; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let (above, name) = self.0.rsplit_once('/')?;
        if name.is_empty() {
            return None;
        }
        Some(if above.is_empty() {
            Self::root()
        } else {
            Self(above.to_owned())
        })
    }

    /// Returns the path of what has this name in it.
    pub fn join(&self, name: &str) -> String {
        format!("{}/{name}", self.0.trim_end_matches('/'))
    }

    /// Returns every directory on the way, the root first and itself last.
    pub fn way(&self) -> Vec<Self> {
        let mut way: Vec<_> = std::iter::successors(Some(self.clone()), Self::parent).collect();
        way.reverse();
        way
    }

    /// Returns the path fit to be noted and shown: in one line and not too long.
    pub fn shown(&self) -> String {
        shown(&self.0)
    }
}

/// The name of something new in a directory: one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

/// A text that is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name holds no slash, is neither . nor .., and has at most {NAME_BYTES_MAX} bytes")]
pub struct NoName;

impl FromStr for FileName {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let is_odd = matches!(text, "" | "." | "..") || text.contains(['/', '\0']);
        if is_odd || text.len() > NAME_BYTES_MAX {
            return Err(NoName);
        }
        Ok(Self(text.to_owned()))
    }
}

impl FileName {
    /// Returns the name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns a name of a container's own making fit to be shown: its control signs as pictures, nothing
/// that turns the direction of the text round, and not too long.
pub fn shown(text: &str) -> String {
    let mut line: String = text.chars().take(SHOWN_CHARS).map(visible).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() {
        line.push('…');
    }
    line
}

fn visible(sign: char) -> char {
    match sign {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(sign)).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}' => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cleaned_and_never_leaves_the_root() {
        for (text, path) in [
            ("/", "/"),
            ("/etc//passwd", "/etc/passwd"),
            ("/a/./b/", "/a/b"),
            ("/a/../../../etc", "/etc"),
            ("/..", "/"),
            ("/ a/\n", "/ a/\n"),
        ] {
            assert_eq!(
                text.parse::<InsidePath>().unwrap().as_str(),
                path,
                "{text:?}"
            );
        }
        let long = format!("/{}", "a".repeat(PATH_BYTES_MAX));
        for text in ["", "etc", "../etc", "/a\0b", long.as_str()] {
            assert_eq!(text.parse::<InsidePath>(), Err(NoPath), "{text:?}");
        }
    }

    #[test]
    fn a_path_knows_its_way() {
        let path: InsidePath = "/usr/lib/x".parse().unwrap();
        let way: Vec<_> = path.way().iter().map(ToString::to_string).collect();
        assert_eq!(way, ["/", "/usr", "/usr/lib", "/usr/lib/x"]);
        assert_eq!((path.name(), InsidePath::root().name()), ("x", ""));
        assert_eq!(InsidePath::root().parent(), None);
        assert_eq!(InsidePath::root().join("a"), "/a");
        assert_eq!(path.join("a"), "/usr/lib/x/a");
    }

    #[test]
    fn a_name_is_one_component() {
        for good in ["a", "..a", " ", "<b>", "줄\n"] {
            assert_eq!(good.parse::<FileName>().unwrap().as_str(), good);
        }
        let long = "a".repeat(256);
        for bad in ["", ".", "..", "a/b", "/", "a\0", long.as_str()] {
            assert_eq!(bad.parse::<FileName>(), Err(NoName), "{bad:?}");
        }
    }

    #[test]
    fn what_is_shown_is_one_line_that_reads_forwards() {
        assert_eq!(shown("a\nb\u{202e}c\u{1b}[31m"), "a␊b\u{fffd}c␛[31m");
        assert_eq!(shown("한국어 <b>"), "한국어 <b>");
        assert_eq!(shown(&"x".repeat(400)).chars().count(), 301);
    }
}
