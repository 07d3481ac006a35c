//! The kernel's language for tables: messages in a batch, attributes within attributes.
//!
//! Numbers are those of `linux/netfilter/nf_tables.h`. Most values are big-endian; what a rule
//! compares with a register is as the kernel holds it there.

/// What a message does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Verb {
    NewTable = 0,
    GetTable = 1,
    DelTable = 2,
    NewChain = 3,
    NewRule = 6,
    GetRule = 7,
    NewSet = 9,
    NewElement = 12,
    DelElement = 14,
}

const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const REQUEST: u16 = 1;
pub(super) const ACK: u16 = 4;
/// All of them, one message each.
pub(super) const DUMP: u16 = 0x300;
pub(super) const CREATE: u16 = 0x400;
pub(super) const APPEND: u16 = 0x800;
const NESTED: u16 = 0x8000;
const HEADER: usize = 16;

/// Attributes as they are written, one after another.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<u8>);

impl Attributes {
    /// Adds raw bytes.
    pub(super) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(value.len() + 4).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// Adds a number.
    pub(super) fn number(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_be_bytes())
    }

    /// Adds a name.
    pub(super) fn name(self, kind: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.bytes(kind, &bytes)
    }

    /// Adds attributes within one.
    pub(super) fn nest(self, kind: u16, inner: &Self) -> Self {
        self.bytes(kind | NESTED, &inner.0)
    }
}

/// Messages that the kernel does all of, or none.
#[derive(Debug)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    next_seq: u32,
    n_asked: usize,
}

impl Batch {
    pub(super) fn begin() -> Self {
        let mut batch = Self {
            bytes: Vec::new(),
            next_seq: 1,
            n_asked: 0,
        };
        batch.write(BATCH_BEGIN, REQUEST, 0, SUBSYSTEM, &Attributes::default());
        batch
    }

    /// Adds a message about a table of a family.
    pub(super) fn add(&mut self, verb: Verb, family: u8, flags: u16, attributes: &Attributes) {
        let kind = (SUBSYSTEM << 8) | verb as u16;
        self.n_asked += 1;
        self.write(kind, REQUEST | ACK | flags, family, 0, attributes);
    }

    /// Returns the bytes to send, and how many answers will come.
    pub(super) fn end(mut self) -> (Vec<u8>, usize) {
        self.write(BATCH_END, REQUEST, 0, SUBSYSTEM, &Attributes::default());
        (self.bytes, self.n_asked)
    }

    fn write(&mut self, kind: u16, flags: u16, family: u8, resource: u16, inner: &Attributes) {
        let length = HEADER + 4 + inner.0.len();
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(flags.to_ne_bytes());
        self.bytes.extend(self.next_seq.to_ne_bytes());
        self.bytes.extend(0_u32.to_ne_bytes());
        // struct nfgenmsg: family, version 0, resource.
        self.bytes.extend([family, 0]);
        self.bytes.extend(resource.to_be_bytes());
        self.bytes.extend(&inner.0);
        self.next_seq += 1;
    }
}

/// A question outside of a batch: one message.
pub(super) fn question(verb: Verb, flags: u16, family: u8, attributes: &Attributes) -> Vec<u8> {
    let mut batch = Batch {
        bytes: Vec::new(),
        next_seq: 1,
        n_asked: 0,
    };
    let kind = (SUBSYSTEM << 8) | verb as u16;
    batch.write(kind, REQUEST | flags, family, 0, attributes);
    batch.bytes
}

/// Counts the rules in a datagram of a list, and says whether it ends there.
pub(super) fn n_rules(datagram: &[u8]) -> (usize, bool) {
    const RULE: u16 = (SUBSYSTEM << 8) | Verb::NewRule as u16;
    const ERROR: u16 = 2;
    const DONE: u16 = 3;
    let (mut n, mut is_last) = (0, datagram.is_empty());
    for (kind, _) in messages(datagram) {
        n += usize::from(kind == RULE);
        is_last |= matches!(kind, ERROR | DONE);
    }
    (n, is_last)
}

/// Reads the kernel's acknowledgements out of a datagram: 0 or the number of an error each.
pub(super) fn answers(datagram: &[u8]) -> Vec<i32> {
    const ERROR: u16 = 2;
    let errors = messages(datagram)
        .into_iter()
        .filter(|(kind, _)| *kind == ERROR);
    let codes = errors.filter_map(|(_, message)| message.get(HEADER..HEADER + 4));
    codes
        .map(|code| -code.try_into().map_or(0, i32::from_ne_bytes))
        .collect()
}

/// Takes a datagram apart: the kind of each message, and all of it.
fn messages(datagram: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    let mut rest = datagram;
    while let (Some(length), Some(kind)) = (rest.get(..4), rest.get(4..6)) {
        let length = length.try_into().map_or(0, u32::from_ne_bytes);
        let length = usize::try_from(length).unwrap_or(0);
        let kind = kind.try_into().map_or(0, u16::from_ne_bytes);
        let Some(message) = rest.get(..length).filter(|_| length >= HEADER) else {
            break;
        };
        found.push((kind, message));
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}
