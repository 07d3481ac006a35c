//! Frames: how stdout and stderr share one byte stream when there is no terminal.
//!
//! One byte names the stream, three are zero, four are the payload's length (big-endian), then the
//! payload. The transport may cut a frame anywhere.

/// Which stream a payload belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Stream {
    /// Input echoed back; nobody sends it, and readers know it.
    Stdin = 0,
    /// Ordinary output.
    Stdout = 1,
    /// Error output.
    Stderr = 2,
    /// A message of the engine itself about the stream.
    System = 3,
}

/// Length of a frame's head.
pub const HEADER_BYTES: usize = 8;

/// Returns the head of a frame.
pub const fn header(stream: Stream, payload_bytes: u32) -> [u8; HEADER_BYTES] {
    let [a, b, c, d] = payload_bytes.to_be_bytes();
    [stream as u8, 0, 0, 0, a, b, c, d]
}

/// The bytes are not frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a frame: the head begins with {0:02x?}")]
pub struct FrameError([u8; 4]);

/// Takes frames apart. Holds at most one head; payloads are passed on in the pieces they come in.
#[derive(Debug, Default)]
pub struct Decoder {
    head: [u8; HEADER_BYTES],
    head_bytes: usize,
    payload: Option<(Stream, u32)>,
}

impl Decoder {
    /// Returns a decoder that stands before a frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece of a payload off the front of `input`; `None` when all is consumed.
    ///
    /// Call it again with what it left. A frame without payload yields nothing.
    ///
    /// # Errors
    /// When a head names no stream.
    pub fn next<'a>(
        &mut self,
        input: &mut &'a [u8],
    ) -> Result<Option<(Stream, &'a [u8])>, FrameError> {
        loop {
            let Some((stream, left)) = self.payload else {
                if !self.read_head(input)? {
                    return Ok(None);
                }
                continue;
            };
            if left == 0 {
                self.payload = None;
                continue;
            }
            if input.is_empty() {
                return Ok(None);
            }
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
            let (piece, rest) = input.split_at(wanted);
            *input = rest;
            // `wanted` is at most `left`, which is a u32.
            let taken = u32::try_from(wanted).unwrap_or(left);
            self.payload = Some((stream, left - taken));
            return Ok(Some((stream, piece)));
        }
    }

    /// Tells whether the stream may end here: between two frames.
    pub fn is_between_frames(&self) -> bool {
        self.head_bytes == 0 && self.payload.is_none_or(|(_, left)| left == 0)
    }

    fn read_head(&mut self, input: &mut &[u8]) -> Result<bool, FrameError> {
        let wanted = (HEADER_BYTES - self.head_bytes).min(input.len());
        let (piece, rest) = input.split_at(wanted);
        self.head[self.head_bytes..self.head_bytes + wanted].copy_from_slice(piece);
        self.head_bytes += wanted;
        *input = rest;
        if self.head_bytes < HEADER_BYTES {
            return Ok(false);
        }
        let [stream, x, y, z, a, b, c, d] = self.head;
        let known = match (stream, [x, y, z]) {
            (0, [0, 0, 0]) => Stream::Stdin,
            (1, [0, 0, 0]) => Stream::Stdout,
            (2, [0, 0, 0]) => Stream::Stderr,
            (3, [0, 0, 0]) => Stream::System,
            _ => return Err(FrameError([stream, x, y, z])),
        };
        self.head_bytes = 0;
        self.payload = Some((known, u32::from_be_bytes([a, b, c, d])));
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stream() -> impl Strategy<Value = Stream> {
        prop_oneof![
            Just(Stream::Stdout),
            Just(Stream::Stderr),
            Just(Stream::System)
        ]
    }

    fn encode(frames: &[(Stream, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (stream, payload) in frames {
            bytes.extend(header(*stream, u32::try_from(payload.len()).unwrap()));
            bytes.extend(payload);
        }
        bytes
    }

    /// Joins neighbouring pieces of the same stream, since cuts are the transport's business.
    fn joined(pieces: impl IntoIterator<Item = (Stream, Vec<u8>)>) -> Vec<(Stream, Vec<u8>)> {
        let mut out: Vec<(Stream, Vec<u8>)> = Vec::new();
        for (stream, bytes) in pieces {
            match out.last_mut() {
                Some((last, all)) if *last == stream => all.extend(bytes),
                _ if bytes.is_empty() => {}
                _ => out.push((stream, bytes)),
            }
        }
        out
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_wherever_they_are_cut(
            frames in prop::collection::vec((stream(), prop::collection::vec(any::<u8>(), 0..50)), 0..10),
            cut in 1_usize..40,
        ) {
            let bytes = encode(&frames);
            let mut decoder = Decoder::new();
            let mut pieces = Vec::new();
            for mut chunk in bytes.chunks(cut) {
                while let Some((stream, piece)) = decoder.next(&mut chunk).unwrap() {
                    pieces.push((stream, piece.to_vec()));
                }
                prop_assert!(chunk.is_empty());
            }
            prop_assert!(decoder.is_between_frames());
            prop_assert_eq!(joined(pieces), joined(frames));
        }

        #[test]
        fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::new();
            let mut input = &bytes[..];
            while let Ok(Some(_)) = decoder.next(&mut input) {}
        }
    }

    #[test]
    fn a_head_that_names_no_stream_is_refused() {
        let mut input = &b"HTTP/1.1"[..];
        assert_eq!(Decoder::new().next(&mut input), Err(FrameError(*b"HTTP")));
    }
}
