//! The keys that let go of a terminal without ending what runs in it.

use super::error::{ApiError, Result};

/// Docker's own: ctrl-p ctrl-q.
const DEFAULT: &[u8] = &[16, 17];

/// Recognises a sequence of keys in what is typed, however it is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DetachKeys {
    keys: Vec<u8>,
    n_matched: usize,
}

/// Whether the keys came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matched {
    Nothing,
    Keys,
}

impl DetachKeys {
    /// Reads `ctrl-p,ctrl-q` or `a,b`; empty means Docker's own.
    ///
    /// # Errors
    /// Names the key that is none.
    pub(super) fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self {
                keys: DEFAULT.to_vec(),
                n_matched: 0,
            });
        }
        let keys = text.split(',').map(key).collect::<Option<Vec<u8>>>();
        match keys {
            Some(keys) => Ok(Self { keys, n_matched: 0 }),
            None => Err(ApiError::bad_request(format!(
                "invalid detach keys ({text}) provided"
            ))),
        }
    }

    /// Takes what was typed; returns what goes on to the program, and whether the keys came. The
    /// beginning of the sequence is held back until it is clear that it is not the sequence.
    pub(super) fn feed(&mut self, typed: &[u8]) -> (Vec<u8>, Matched) {
        let mut passed = Vec::with_capacity(typed.len());
        for byte in typed {
            if *byte == self.keys[self.n_matched] {
                self.n_matched += 1;
                if self.n_matched == self.keys.len() {
                    self.n_matched = 0;
                    return (passed, Matched::Keys);
                }
                continue;
            }
            passed.extend_from_slice(&self.keys[..self.n_matched]);
            self.n_matched = usize::from(*byte == self.keys[0] && self.keys.len() > 1);
            if self.n_matched == 0 {
                passed.push(*byte);
            }
        }
        (passed, Matched::Nothing)
    }
}

fn key(word: &str) -> Option<u8> {
    match word.as_bytes() {
        [byte] => Some(*byte),
        [b'c', b't', b'r', b'l', b'-', byte] => match byte {
            b'a'..=b'z' => Some(byte - b'a' + 1),
            b'@' => Some(0),
            b'[' => Some(27),
            b'\\' => Some(28),
            b']' => Some(29),
            b'^' => Some(30),
            b'_' => Some(31),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(keys: &str, typed: &[&[u8]]) -> (Vec<u8>, Matched) {
        let mut keys = DetachKeys::parse(keys).unwrap();
        let mut all = Vec::new();
        for piece in typed {
            let (passed, matched) = keys.feed(piece);
            all.extend(passed);
            if matched == Matched::Keys {
                return (all, matched);
            }
        }
        (all, Matched::Nothing)
    }

    #[test]
    fn the_keys_are_found_wherever_they_are_cut() {
        assert_eq!(
            fed("", &[b"ls\n\x10", b"\x11rest"]),
            (b"ls\n".to_vec(), Matched::Keys)
        );
        assert_eq!(fed("a,b", &[b"xab"]), (b"x".to_vec(), Matched::Keys));
    }

    #[test]
    fn half_the_keys_are_passed_on_when_the_other_half_does_not_come() {
        assert_eq!(fed("", &[b"\x10x"]), (b"\x10x".to_vec(), Matched::Nothing));
        assert_eq!(
            fed("", &[b"\x10\x10\x11"]),
            (b"\x10".to_vec(), Matched::Keys)
        );
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        for bad in ["ctrl-", "ctrl-!", "ab", "a,,b"] {
            assert!(DetachKeys::parse(bad).is_err(), "{bad}");
        }
    }
}
