//! Scrollback: the last bytes of a terminal, kept for whoever comes back to it.

use std::collections::VecDeque;

use bytes::Bytes;

/// Bytes that are kept of one terminal.
pub(super) const MOST_BYTES: usize = 256 << 10;

/// The last bytes of a terminal, in the pieces they came in.
#[derive(Debug, Default)]
pub(super) struct Scrollback {
    pieces: VecDeque<Bytes>,
    n_bytes: usize,
    /// Whether something was let go.
    is_cut: bool,
}

impl Scrollback {
    /// Adds a piece; the oldest ones make room.
    pub(super) fn push(&mut self, piece: &[u8]) {
        // A copy, because the piece may be a view into a larger buffer that it would keep alive.
        let piece = Bytes::copy_from_slice(&piece[piece.len().saturating_sub(MOST_BYTES)..]);
        self.n_bytes += piece.len();
        self.pieces.push_back(piece);
        while self.n_bytes > MOST_BYTES {
            let Some(oldest) = self.pieces.pop_front() else {
                return;
            };
            self.n_bytes -= oldest.len();
            self.is_cut = true;
        }
        self.join_small();
    }

    /// Returns what is kept. What was cut begins with a whole line: half an escape sequence would
    /// colour or move what follows.
    pub(super) fn all(&self) -> Bytes {
        let all: Vec<u8> = self.pieces.iter().flatten().copied().collect();
        let line_end = all
            .iter()
            .position(|byte| *byte == b'\n')
            .filter(|_| self.is_cut);
        let begins = line_end.map_or(0, |end| end + 1);
        Bytes::from(all).slice(begins..)
    }

    /// Typing echoes byte by byte; a piece for each would cost more than the bytes.
    fn join_small(&mut self) {
        const SMALL: usize = 1_024;
        let Some([before, last]) = last_two(&self.pieces) else {
            return;
        };
        if before.len() + last.len() <= SMALL {
            let joined: Bytes = [before.as_ref(), last.as_ref()].concat().into();
            self.pieces.truncate(self.pieces.len() - 2);
            self.pieces.push_back(joined);
        }
    }
}

fn last_two(pieces: &VecDeque<Bytes>) -> Option<[&Bytes; 2]> {
    let n = pieces.len();
    Some([pieces.get(n.checked_sub(2)?)?, pieces.get(n - 1)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_kept_until_it_is_too_much() {
        let mut scrollback = Scrollback::default();
        for byte in b"$ ls\r\n" {
            scrollback.push(&[*byte]);
        }
        assert_eq!(scrollback.all(), "$ ls\r\n");
        assert_eq!(scrollback.pieces.len(), 1);
    }

    #[test]
    fn what_is_cut_begins_with_a_whole_line() {
        let mut scrollback = Scrollback::default();
        for n in 0..100_000 {
            scrollback.push(format!("\x1b[31mline {n}\x1b[0m\r\n").as_bytes());
        }
        let all = scrollback.all();
        assert!(all.len() <= MOST_BYTES && all.len() > MOST_BYTES / 2);
        assert!(all.starts_with(b"\x1b[31mline "));
        assert!(all.ends_with(b"line 99999\x1b[0m\r\n"));
    }

    #[test]
    fn one_huge_piece_is_cut_as_well() {
        let mut scrollback = Scrollback::default();
        scrollback.push(&vec![b'x'; 3 * MOST_BYTES]);
        assert_eq!(scrollback.all().len(), MOST_BYTES);
    }
}
