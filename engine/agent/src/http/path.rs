//! What a path may look like before anybody acts on it: one reading, or none.

use percent::decoded;

/// What is to be done with a request's path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is in its one form.
    Clean,
    /// It has empty segments; the client should ask again there (dockerd answers so too).
    Elsewhere(String),
    /// It could be read in two ways; nobody may act on it.
    Refused(&'static str),
}

/// Judges a raw path, without its query.
pub(super) fn judge(path: &str) -> Verdict {
    if !path.starts_with('/') {
        return Verdict::Refused("the path must begin with /");
    }
    if path.bytes().any(|b| matches!(b, b';' | b'\\')) {
        return Verdict::Refused("the path holds a character that has no place in it");
    }
    for segment in path.split('/') {
        let Some(decoded) = decoded(segment) else {
            return Verdict::Refused("the path holds a broken percent-encoding");
        };
        if matches!(decoded.as_slice(), b"." | b"..") {
            return Verdict::Refused("the path holds a relative segment");
        }
        if decoded.contains(&0) {
            return Verdict::Refused("the path holds a zero byte");
        }
        if segment.contains("%2e") || segment.contains("%2E") {
            return Verdict::Refused("the path encodes what needs no encoding");
        }
    }
    if path.len() > 1 && (path.contains("//") || path.ends_with('/')) {
        let mut clean = String::with_capacity(path.len());
        for segment in path.split('/').filter(|segment| !segment.is_empty()) {
            clean.push('/');
            clean.push_str(segment);
        }
        return Verdict::Elsewhere(if clean.is_empty() {
            "/".to_owned()
        } else {
            clean
        });
    }
    Verdict::Clean
}

mod percent {
    /// Undoes the percent-encoding of a segment; `None` when it is broken.
    pub(super) fn decoded(segment: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(segment.len());
        let mut rest = segment.as_bytes();
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            if *first != b'%' {
                bytes.push(*first);
                continue;
            }
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &rest[2..];
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_are_clean() {
        for path in [
            "/",
            "/_ping",
            "/v1.43/containers/a/json",
            "/images/a%2Fb:1/json",
        ] {
            assert_eq!(judge(path), Verdict::Clean, "{path}");
        }
    }

    #[test]
    fn empty_segments_are_sent_elsewhere() {
        let elsewhere = |to: &str| Verdict::Elsewhere(to.to_owned());
        assert_eq!(judge("//containers//json"), elsewhere("/containers/json"));
        assert_eq!(judge("/info/"), elsewhere("/info"));
    }

    #[test]
    fn what_could_be_read_twice_is_refused() {
        for path in [
            "/v1.41/../info",
            "/containers/%2e%2e/json",
            "/containers/.%2E/json",
            "/containers/./json",
            "/containers/a;x/json",
            "/containers/a%00/json",
            "/containers/%zz/json",
            "/containers/%2/json",
            "/containers/a%2ejson",
            "info",
        ] {
            assert!(matches!(judge(path), Verdict::Refused(_)), "{path}");
        }
    }
}
