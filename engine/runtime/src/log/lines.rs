//! Chunks cut into lines: pure, one [`Assembler`] a stream.

/// Where Docker splits a line: longer ones are told in parts of this size.
pub(super) const MAX_LINE: usize = 16 << 10;

/// A piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// These bytes of the chunk, from where the caller stands; the newline is not among them.
    Inside { len: usize, partial: bool },
    /// What [`Assembler::joined`] holds.
    Joined { partial: bool },
}

/// The text that waits for the rest of its line.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    text: Vec<u8>,
    /// The text has been handed out and goes at the next call.
    told: bool,
}

impl Assembler {
    /// Takes the next piece from `chunk`; returns how much of it was used, and the piece, if the
    /// chunk was enough for one.
    pub(super) fn next(&mut self, chunk: &[u8]) -> (usize, Option<Piece>) {
        self.forget_told();
        let room = MAX_LINE - self.text.len();
        // A newline right behind a full part belongs to it.
        let window = &chunk[..chunk.len().min(room + 1)];
        let newline = memchr::memchr(b'\n', window);
        let (len, used, partial) = match newline {
            Some(at) => (at, at + 1, false),
            None if chunk.len() > room => (room, room, true),
            None => {
                self.text.extend_from_slice(chunk);
                return (chunk.len(), None);
            }
        };
        if self.text.is_empty() {
            return (used, Some(Piece::Inside { len, partial }));
        }
        self.text.extend_from_slice(&chunk[..len]);
        self.told = true;
        (used, Some(Piece::Joined { partial }))
    }

    /// Returns the text of [`Piece::Joined`].
    pub(super) fn joined(&self) -> &[u8] {
        &self.text
    }

    /// Returns how many bytes wait for the rest of their line.
    pub(super) fn waiting(&self) -> usize {
        if self.told { 0 } else { self.text.len() }
    }

    /// Hands out what waits, as the part of a line that never ended.
    pub(super) fn finish(&mut self) -> bool {
        self.forget_told();
        self.told = !self.text.is_empty();
        self.told
    }

    fn forget_told(&mut self) {
        if self.told {
            self.text.clear();
            self.told = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Cuts `chunks` into pieces: text and whether a newline follows.
    fn cut(chunks: &[Vec<u8>]) -> Vec<(Vec<u8>, bool)> {
        let mut assembler = Assembler::default();
        let mut pieces = Vec::new();
        for chunk in chunks {
            let mut rest = &chunk[..];
            while !rest.is_empty() {
                let (used, piece) = assembler.next(rest);
                match piece {
                    Some(Piece::Inside { len, partial }) => {
                        pieces.push((rest[..len].to_vec(), !partial));
                    }
                    Some(Piece::Joined { partial }) => {
                        pieces.push((assembler.joined().to_vec(), !partial));
                    }
                    None => {}
                }
                rest = &rest[used..];
            }
        }
        if assembler.finish() {
            pieces.push((assembler.joined().to_vec(), false));
        }
        pieces
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_whole() {
        let whole = [vec![b'a'; MAX_LINE], vec![b'\n']].concat();
        let longer = [vec![b'a'; MAX_LINE + 1], vec![b'\n']].concat();

        assert_eq!(cut(&[whole]), [(vec![b'a'; MAX_LINE], true)]);
        assert_eq!(
            cut(&[longer]),
            [(vec![b'a'; MAX_LINE], false), (vec![b'a'], true)]
        );
    }

    #[test]
    fn a_line_across_chunks_is_joined() {
        let chunks = [b"one\ntw".to_vec(), b"o\n".to_vec(), b"thr".to_vec()];

        let expected = [("one", true), ("two", true), ("thr", false)];
        assert_eq!(
            cut(&chunks),
            expected.map(|(text, ends)| (text.as_bytes().to_vec(), ends))
        );
    }

    proptest! {
        #[test]
        fn pieces_give_the_bytes_back(
            chunks in prop::collection::vec(
                prop_oneof![
                    prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..50),
                    (0_usize..40_000).prop_map(|len| vec![b'x'; len]),
                ],
                0..8,
            ),
        ) {
            let pieces = cut(&chunks);

            let mut bytes = Vec::new();
            for (text, ends) in &pieces {
                prop_assert!(text.len() <= MAX_LINE && !text.contains(&b'\n'));
                bytes.extend_from_slice(text);
                bytes.extend(ends.then_some(b'\n'));
            }
            prop_assert_eq!(bytes, chunks.concat());
        }
    }
}
