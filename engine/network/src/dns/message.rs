//! Bytes to a question, and an answer to bytes.
//!
//! What nearly every query is, a header and one question, is read here without making anything but the
//! name. All that may come after the question is read by hickory-proto, which also knows the numbers.

use std::net::IpAddr;

use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};

/// What a resolver may keep of an answer of ours, in seconds; Docker says the same.
const TTL_SECONDS: u32 = 600;
/// An answer by datagram to somebody who has not said that more is welcome.
const DATAGRAM_BYTES: usize = 512;
/// An answer by datagram, whatever was said to be welcome.
pub(super) const DATAGRAM_BYTES_MAX: usize = 4096;
const HEADER_BYTES: usize = 12;
/// A record whose name is the question's: a pointer, type, class, time and the length of what follows.
const RECORD_BYTES: usize = 12;
const EDNS_BYTES: usize = 11;

const IS_ANSWER: u16 = 0x8000;
const OPERATION: u16 = 0x7800;
const TRUNCATED: u16 = 0x0200;
const RECURSION_WANTED: u16 = 0x0100;
const RECURSION_OFFERED: u16 = 0x0080;
const CHECKING_DISABLED: u16 = 0x0010;
const CODE: u16 = 0x000f;

/// How an answer ends: DNS's own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Fine = 0,
    Malformed = 1,
    ServerFailed = 2,
    NoSuchName = 3,
    NotImplemented = 4,
    Refused = 5,
    /// Told in two places: 16 does not fit into the header.
    BadVersion = 16,
}

/// How a message came; it decides how long the answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Datagram,
    Stream,
}

/// One question, well formed.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// In lower case, with no dot at the end. Empty for the root, and for a name with bytes in it that
    /// no name of ours has.
    pub(super) name: String,
    pub(super) kind: RecordType,
    pub(super) class: DNSClass,
    /// Where the question's section ends in the message.
    end: usize,
    /// What was said about longer answers, if anything.
    edns_bytes: Option<u16>,
    edns_version: u8,
}

/// What came.
#[derive(Debug)]
pub(super) enum Arrival {
    /// A question.
    Question(Question),
    /// Something that gets a bare answer with this code.
    Bad(Code),
    /// Something that gets no answer: no header, or itself an answer.
    Noise,
}

impl Question {
    /// Up to where a message that repeats the question goes, at least.
    pub(super) fn n_bytes(&self) -> usize {
        self.end
    }

    /// A question that no message asked.
    #[cfg(test)]
    pub(super) fn about(name: &str, kind: RecordType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            class: DNSClass::IN,
            end: HEADER_BYTES,
            edns_bytes: None,
            edns_version: 0,
        }
    }
}

/// Reads what came. Never fails, never panics, whatever it is.
pub(super) fn read(message: &[u8]) -> Arrival {
    let Some(flags) = number_at(message, 2).filter(|_| message.len() >= HEADER_BYTES) else {
        return Arrival::Noise;
    };
    if flags & IS_ANSWER != 0 {
        return Arrival::Noise;
    }
    if flags & OPERATION != 0 {
        return Arrival::Bad(Code::NotImplemented);
    }
    if number_at(message, 4) != Some(1) {
        return Arrival::Bad(Code::Malformed);
    }
    let Some(mut question) = read_question(message) else {
        return Arrival::Bad(Code::Malformed);
    };
    if message.len() > question.end {
        // What comes after the question may go outside as it is, so it has to be a message to its end.
        let mut decoder = BinDecoder::new(message);
        let Some(whole) = Message::read(&mut decoder)
            .ok()
            .filter(|_| decoder.is_empty())
        else {
            return Arrival::Bad(Code::Malformed);
        };
        if let Some(edns) = &whole.edns {
            question.edns_bytes = Some(edns.max_payload());
            question.edns_version = edns.version();
        }
    } else if message[6..HEADER_BYTES].iter().any(|byte| *byte != 0) {
        return Arrival::Bad(Code::Malformed);
    }
    match question.edns_version {
        0 => Arrival::Question(question),
        _ => Arrival::Bad(Code::BadVersion),
    }
}

fn read_question(message: &[u8]) -> Option<Question> {
    let mut name = String::new();
    let mut is_plain = true;
    let mut at = HEADER_BYTES;
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        // 63 is the longest label, and 255 the longest name; what is above is a pointer, which has
        // nothing to point to here.
        if length > 63 || at + length - HEADER_BYTES > 254 {
            return None;
        }
        if !name.is_empty() {
            name.push('.');
        }
        for byte in message.get(at..at + length)? {
            is_plain &= byte.is_ascii_graphic() && *byte != b'.';
            name.push(char::from(byte.to_ascii_lowercase()));
        }
        at += length;
    }
    if !is_plain {
        name.clear();
    }
    Some(Question {
        name,
        kind: RecordType::from(number_at(message, at)?),
        class: DNSClass::from(number_at(message, at + 2)?),
        end: at + 4,
        edns_bytes: None,
        edns_version: 0,
    })
}

/// The most that an answer to `question` may have.
fn bytes_max(question: &Question, transport: Transport) -> usize {
    match transport {
        Transport::Stream => usize::from(u16::MAX),
        Transport::Datagram => {
            let welcome = question.edns_bytes.map_or(0, usize::from);
            welcome.clamp(DATAGRAM_BYTES, DATAGRAM_BYTES_MAX)
        }
    }
}

/// Writes the answer with `addresses` for `question`, which `query` asked, into `answer`. What has no
/// room is left out, and that is said: who asked may ask again by a stream.
pub(super) fn write_addresses(
    query: &[u8],
    question: &Question,
    transport: Transport,
    addresses: &[IpAddr],
    answer: &mut Vec<u8>,
) {
    let reserved = question.edns_bytes.map_or(0, |_| EDNS_BYTES);
    let room = bytes_max(question, transport).saturating_sub(question.end + reserved);
    let record_bytes = RECORD_BYTES
        + if question.kind == RecordType::AAAA {
            16
        } else {
            4
        };
    let told = &addresses[..addresses.len().min(room / record_bytes)];
    let truncated = if told.len() < addresses.len() {
        TRUNCATED
    } else {
        0
    };
    let n_told = u16::try_from(told.len()).expect("fewer than 64 KiB of records");
    write_start(query, question, (Code::Fine, truncated, n_told), answer);
    for address in told {
        match address {
            IpAddr::V4(address) => write_record(question, &address.octets(), answer),
            IpAddr::V6(address) => write_record(question, &address.octets(), answer),
        }
    }
    write_edns(question, answer);
}

/// Writes the answer that an address is called `name`; with code "no such name" if that cannot be
/// said in DNS, as a container's name may be longer than a label.
pub(super) fn write_name(query: &[u8], question: &Question, name: &str, answer: &mut Vec<u8>) {
    let mut labels = Vec::with_capacity(name.len() + 2);
    for label in name.split('.') {
        match u8::try_from(label.len()) {
            Ok(length @ 1..=63) => labels.push(length),
            _ => return write_code(query, question, Code::NoSuchName, answer),
        }
        labels.extend_from_slice(label.as_bytes());
    }
    labels.push(0);
    if labels.len() > 255 {
        return write_code(query, question, Code::NoSuchName, answer);
    }
    write_start(query, question, (Code::Fine, 0, 1), answer);
    write_record(question, &labels, answer);
    write_edns(question, answer);
}

/// Writes an answer to `question` that holds nothing but `code`.
pub(super) fn write_code(query: &[u8], question: &Question, code: Code, answer: &mut Vec<u8>) {
    write_start(query, question, (code, 0, 0), answer);
    write_edns(question, answer);
}

/// Writes the answer to something that has no question: a header with `code`, if there is an id.
pub(super) fn write_bad(query: &[u8], code: Code, answer: &mut Vec<u8>) {
    answer.clear();
    let (Some(id), Some(flags)) = (number_at(query, 0), number_at(query, 2)) else {
        return;
    };
    let flags = flags & (OPERATION | RECURSION_WANTED) | IS_ANSWER | (code as u16) & CODE;
    let n_additional = u16::from(code == Code::BadVersion);
    for number in [id, flags, 0, 0, 0, n_additional] {
        answer.extend_from_slice(&number.to_be_bytes());
    }
    if code == Code::BadVersion {
        answer.extend_from_slice(&edns(1));
    }
}

/// Makes what a server outside said fit for who asked: their id, and no longer than they can take.
pub(super) fn fit(query: &[u8], question: &Question, transport: Transport, answer: &mut Vec<u8>) {
    if answer.len() > bytes_max(question, transport) {
        let flags = number_at(answer, 2).unwrap_or(0);
        answer.truncate(question.end);
        answer[2..4].copy_from_slice(&(flags | TRUNCATED).to_be_bytes());
        answer[6..HEADER_BYTES].fill(0);
    }
    answer[..2].copy_from_slice(&query[..2]);
}

/// Whether `answer` is one to the question of `query`, which was sent with `id`; and its code.
pub(super) fn read_answer(
    query: &[u8],
    question: &Question,
    id: u16,
    answer: &[u8],
) -> Option<u16> {
    let flags = number_at(answer, 2)?;
    let is_about_it = number_at(answer, 0)? == id && flags & (IS_ANSWER | OPERATION) == IS_ANSWER;
    if !is_about_it || answer.len() < HEADER_BYTES {
        return None;
    }
    let code = flags & CODE;
    match number_at(answer, 4)? {
        // Some only send a header back when they did not understand.
        0 if code != 0 => Some(code),
        1 => {
            let asked = &query[HEADER_BYTES..question.end];
            let told = answer.get(HEADER_BYTES..question.end)?;
            told.eq_ignore_ascii_case(asked).then_some(code)
        }
        _ => None,
    }
}

fn write_start(
    query: &[u8],
    question: &Question,
    (code, truncated, n_answers): (Code, u16, u16),
    answer: &mut Vec<u8>,
) {
    answer.clear();
    let id = number_at(query, 0).unwrap_or(0);
    let kept = number_at(query, 2).unwrap_or(0) & (RECURSION_WANTED | CHECKING_DISABLED);
    let flags = IS_ANSWER | RECURSION_OFFERED | kept | truncated | (code as u16) & CODE;
    let n_additional = u16::from(question.edns_bytes.is_some());
    for number in [id, flags, 1, n_answers, 0, n_additional] {
        answer.extend_from_slice(&number.to_be_bytes());
    }
    answer.extend_from_slice(&query[HEADER_BYTES..question.end]);
}

fn write_record(question: &Question, data: &[u8], answer: &mut Vec<u8>) {
    // The name is the question's: a pointer to where that stands.
    answer.extend_from_slice(&[0xc0, 0x0c]);
    answer.extend_from_slice(&u16::from(question.kind).to_be_bytes());
    answer.extend_from_slice(&u16::from(DNSClass::IN).to_be_bytes());
    answer.extend_from_slice(&TTL_SECONDS.to_be_bytes());
    let length = u16::try_from(data.len()).expect("an address or a name");
    answer.extend_from_slice(&length.to_be_bytes());
    answer.extend_from_slice(data);
}

fn write_edns(question: &Question, answer: &mut Vec<u8>) {
    if question.edns_bytes.is_some() {
        answer.extend_from_slice(&edns(0));
    }
}

/// The record that says what we take: root, type 41, bytes, the code's upper part, version 0.
fn edns(code_high: u8) -> [u8; EDNS_BYTES] {
    let [high, low] = 4096_u16.to_be_bytes();
    [0, 0, 41, high, low, code_high, 0, 0, 0, 0, 0]
}

fn number_at(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}
