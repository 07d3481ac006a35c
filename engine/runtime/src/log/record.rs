//! One record, as bytes: pure, no files.

/// Where output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    /// Both, in the order of [`Stream::index`].
    pub(super) const BOTH: [Self; 2] = [Self::Stdout, Self::Stderr];

    pub(super) fn index(self) -> usize {
        match self {
            Self::Stdout => 0,
            Self::Stderr => 1,
        }
    }
}

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Output as it was read.
    Output(Stream),
    /// Eight bytes: how many bytes of output were lost here.
    Lost,
}

impl Kind {
    const fn to_byte(self) -> u8 {
        match self {
            Self::Output(Stream::Stdout) => 1,
            Self::Output(Stream::Stderr) => 2,
            Self::Lost => 3,
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Output(Stream::Stdout)),
            2 => Some(Self::Output(Stream::Stderr)),
            3 => Some(Self::Lost),
            _ => None,
        }
    }
}

/// The most bytes of one record's payload; longer chunks become several records.
pub const MAX_CHUNK: usize = 64 << 10;

pub(super) const HEADER: usize = 16;
pub(super) const TRAILER: usize = 4;
/// A record without payload.
pub(super) const FRAME: usize = HEADER + TRAILER;

/// Chosen so that neither text nor a run of zeros looks like it.
const MAGIC: [u8; 2] = [0xF5, 0x9C];

/// A record's first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    /// Of the payload.
    pub(super) len: u32,
    pub(super) unix_ns: u64,
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..2].copy_from_slice(&MAGIC);
        bytes[2] = self.kind.to_byte();
        bytes[4..8].copy_from_slice(&self.len.to_le_bytes());
        bytes[8..].copy_from_slice(&self.unix_ns.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; HEADER]) -> Option<Self> {
        let [m0, m1, kind, 0, l0, l1, l2, l3, time @ ..] = *bytes else {
            return None;
        };
        let len = u32::from_le_bytes([l0, l1, l2, l3]);
        let sound = [m0, m1] == MAGIC && usize::try_from(len).is_ok_and(|len| len <= MAX_CHUNK);
        sound.then_some(Self {
            kind: Kind::from_byte(kind)?,
            len,
            unix_ns: u64::from_le_bytes(time),
        })
    }

    pub(super) fn payload_len(self) -> usize {
        // At most MAX_CHUNK, by `from_bytes` and the writer.
        self.len as usize
    }

    /// Returns the size of the whole record.
    pub(super) fn record_len(self) -> usize {
        FRAME + self.payload_len()
    }
}

/// What stands at the beginning of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parsed {
    /// A complete record.
    Record(Header),
    /// The beginning of a record, or nothing.
    Incomplete,
    /// No record.
    Damaged,
}

/// Reads the record at the beginning of `bytes`.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let Some(head) = bytes.first_chunk::<HEADER>() else {
        let possible = MAGIC.starts_with(&bytes[..bytes.len().min(2)]);
        return if possible {
            Parsed::Incomplete
        } else {
            Parsed::Damaged
        };
    };
    let Some(header) = Header::from_bytes(head) else {
        return Parsed::Damaged;
    };
    let end = HEADER + header.payload_len();
    match bytes.get(end..end + TRAILER) {
        None => Parsed::Incomplete,
        Some(trailer) if trailer == header.len.to_le_bytes() => Parsed::Record(header),
        Some(_) => Parsed::Damaged,
    }
}

/// Reads the record at the end of `bytes`; its start and header, if they are all there.
pub(super) fn parse_last(bytes: &[u8]) -> Option<(usize, Header)> {
    let len = u32::from_le_bytes(*bytes.last_chunk::<TRAILER>()?);
    let start = bytes
        .len()
        .checked_sub(FRAME)?
        .checked_sub(usize::try_from(len).ok()?)?;
    match parse(&bytes[start..]) {
        Parsed::Record(header) if header.len == len => Some((start, header)),
        _ => None,
    }
}

/// Finds where the next complete record after a damaged place may begin.
pub(super) fn resync(bytes: &[u8]) -> usize {
    let mut from = 1;
    while let Some(found) = bytes
        .get(from..)
        .and_then(|rest| memchr::memchr(MAGIC[0], rest))
    {
        let at = from + found;
        if parse(&bytes[at..]) != Parsed::Damaged {
            return at;
        }
        from = at + 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(kind: Kind, unix_ns: u64, payload: &[u8]) -> Vec<u8> {
        let len = u32::try_from(payload.len()).unwrap();
        let header = Header { kind, len, unix_ns };
        [&header.to_bytes()[..], payload, &len.to_le_bytes()].concat()
    }

    #[test]
    fn a_cut_record_is_incomplete_at_every_byte() {
        let whole = record(Kind::Output(Stream::Stderr), 7, b"hello");

        for cut in 0..whole.len() {
            assert_eq!(parse(&whole[..cut]), Parsed::Incomplete, "{cut}");
            assert_eq!(parse_last(&whole[..cut]), None, "{cut}");
        }
        assert!(matches!(parse(&whole), Parsed::Record(header) if header.unix_ns == 7));
        assert!(matches!(parse_last(&whole), Some((0, _))));
    }

    #[test]
    fn zeros_and_text_are_damage() {
        assert_eq!(parse(&[0; 64]), Parsed::Damaged);
        assert_eq!(parse(b"GET / HTTP/1.1\r\n\r\n"), Parsed::Damaged);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            parse(&bytes);
            parse_last(&bytes);
            prop_assert!(resync(&bytes) <= bytes.len().max(1));
        }

        #[test]
        fn resync_finds_the_next_record(
            junk in prop::collection::vec(0_u8..0xF5, 1..100),
            payload in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let bytes = [junk.clone(), record(Kind::Lost, 1, &payload)].concat();
            prop_assert_eq!(resync(&bytes), junk.len());
        }
    }
}
