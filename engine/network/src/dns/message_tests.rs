//! Messages as another program writes and reads them, and as nobody should.

use std::net::IpAddr;

use hickory_proto::op::{Edns, Message, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use proptest::prelude::*;

use super::message::*;

fn asks(name: &str, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message
}

fn with_edns(mut message: Message, bytes: u16) -> Message {
    let mut edns = Edns::new();
    edns.set_max_payload(bytes);
    message.set_edns(edns);
    message
}

fn question_of(bytes: &[u8]) -> Question {
    match read(bytes) {
        Arrival::Question(question) => question,
        other => panic!("not a question: {other:?}"),
    }
}

fn code_of(bytes: &[u8]) -> Code {
    match read(bytes) {
        Arrival::Bad(code) => code,
        other => panic!("not refused: {other:?}"),
    }
}

fn addresses(n_addresses: u32) -> Vec<IpAddr> {
    (0..n_addresses)
        .map(|n| IpAddr::from((0x0a00_0000 + n).to_be_bytes()))
        .collect()
}

/// What `addresses` look like to who asked with `query`, after another program read them.
fn answered(query: &Message, transport: Transport, addresses: &[IpAddr]) -> (Message, usize) {
    let query = query.to_vec().unwrap();
    let mut answer = Vec::new();
    write_addresses(
        &query,
        &question_of(&query),
        transport,
        addresses,
        &mut answer,
    );
    (Message::from_vec(&answer).unwrap(), answer.len())
}

#[test]
fn a_question_is_read_in_lower_case_without_its_last_dot() {
    let question = question_of(&asks("WeB.Shop.", RecordType::AAAA).to_vec().unwrap());

    assert_eq!(
        (question.name.as_str(), question.kind),
        ("web.shop", RecordType::AAAA)
    );
}

#[test]
fn a_name_with_a_dot_or_other_bytes_within_a_label_is_no_name_of_ours() {
    for label in [&b"a.b"[..], b"a\0b", b"\xffab", b"a b"] {
        let mut query = asks("abc.", RecordType::A).to_vec().unwrap();
        query[13..16].copy_from_slice(label);

        assert_eq!(question_of(&query).name, "");
    }
}

#[test]
fn an_answer_repeats_the_question_and_holds_the_addresses() {
    let query = asks("Web.", RecordType::A);

    let (answer, _) = answered(&query, Transport::Datagram, &addresses(2));

    assert_eq!((answer.id, &answer.queries), (query.id, &query.queries));
    assert!(answer.recursion_desired && answer.recursion_available && !answer.truncation);
    let told: Vec<_> = answer
        .answers
        .iter()
        .map(|record| (record.name.to_string(), record.ttl, record.data.clone()))
        .collect();
    let expected = |last| {
        (
            "Web.".to_owned(),
            600,
            RData::A(std::net::Ipv4Addr::new(10, 0, 0, last).into()),
        )
    };
    assert_eq!(told, [expected(0), expected(1)]);
}

#[test]
fn an_answer_is_as_long_as_who_asked_can_take_and_says_that_there_is_more() {
    let plain = asks("web.", RecordType::A);
    let edns = with_edns(asks("web.", RecordType::A), 1232);
    let greedy = with_edns(asks("web.", RecordType::A), 65535);

    for (query, transport, bytes_max) in [
        (&plain, Transport::Datagram, 512),
        (&edns, Transport::Datagram, 1232),
        (&greedy, Transport::Datagram, 4096),
        (&edns, Transport::Stream, 65535),
    ] {
        let (answer, n_bytes) = answered(query, transport, &addresses(5000));

        assert!(
            n_bytes <= bytes_max && n_bytes + 16 > bytes_max,
            "{n_bytes} of {bytes_max}"
        );
        assert!(answer.truncation);
        assert_eq!(answer.edns.is_some(), query.edns.is_some());
    }
    let (answer, _) = answered(&plain, Transport::Stream, &addresses(1000));
    assert!(!answer.truncation && answer.answers.len() == 1000);
}

#[test]
fn a_name_that_dns_cannot_say_is_no_name() {
    let query = asks("2.0.0.10.in-addr.arpa.", RecordType::PTR)
        .to_vec()
        .unwrap();
    let question = question_of(&query);
    let told = |name: &str| {
        let mut answer = Vec::new();
        write_name(&query, &question, name, &mut answer);
        Message::from_vec(&answer).unwrap()
    };

    assert_eq!(told("web.shop").answers[0].data.to_string(), "web.shop.");
    for name in [
        format!("{}.shop", "a".repeat(64)),
        "a..b".to_owned(),
        "abcdefg.".repeat(40),
    ] {
        let answer = told(&name);
        assert_eq!(
            (answer.response_code, answer.answers.len()),
            (ResponseCode::NXDomain, 0)
        );
    }
}

#[test]
fn what_is_not_a_question_gets_a_bare_answer_or_none() {
    let query = asks("web.", RecordType::A);
    let bytes = query.to_vec().unwrap();
    let mut two = query.clone();
    two.add_query(Query::query(Name::from_ascii("b.").unwrap(), RecordType::A));
    let mut update = query.clone();
    update.metadata.op_code = OpCode::Update;
    let mut later = with_edns(query, 1232);
    later.edns.as_mut().unwrap().set_version(1);
    let mut pointer = bytes.clone();
    pointer[12..14].copy_from_slice(&[0xc0, 0x0c]);
    let mut promising = bytes.clone();
    promising[11] = 1;

    assert_eq!(code_of(&two.to_vec().unwrap()), Code::Malformed);
    assert_eq!(code_of(&update.to_vec().unwrap()), Code::NotImplemented);
    assert_eq!(code_of(&later.to_vec().unwrap()), Code::BadVersion);
    assert_eq!(code_of(&pointer), Code::Malformed);
    assert_eq!(code_of(&promising), Code::Malformed);
    assert_eq!(code_of(&[&bytes[..], b"more"].concat()), Code::Malformed);
    assert_eq!(code_of(&bytes[..bytes.len() - 1]), Code::Malformed);
    let mut an_answer = bytes.clone();
    an_answer[2] |= 0x80;
    assert!(matches!(read(&an_answer), Arrival::Noise));
    assert!(matches!(read(&bytes[..11]), Arrival::Noise));

    let mut answer = Vec::new();
    write_bad(&bytes, Code::BadVersion, &mut answer);
    let answer = Message::from_vec(&answer).unwrap();
    assert_eq!(answer.edns.unwrap().rcode_high(), 1);
}

#[test]
fn an_answer_from_outside_is_one_only_with_our_id_and_our_question() {
    let query = asks("example.org.", RecordType::A);
    let bytes = query.to_vec().unwrap();
    let question = question_of(&bytes);
    let judge = |change: &dyn Fn(&mut Message)| {
        let mut answer = query.clone().into_response();
        answer.metadata.id = 7;
        change(&mut answer);
        read_answer(&bytes, &question, 7, &answer.to_vec().unwrap())
    };

    assert_eq!(judge(&|_| ()), Some(0));
    assert_eq!(
        judge(&|answer| answer.queries = asks("EXAMPLE.org.", RecordType::A).queries),
        Some(0)
    );
    assert_eq!(judge(&|answer| answer.metadata.id = 8), None);
    assert_eq!(
        judge(&|answer| answer.queries = asks("example.com.", RecordType::A).queries),
        None
    );
    assert_eq!(
        judge(&|answer| answer.queries = asks("example.org.", RecordType::TXT).queries),
        None
    );
    assert_eq!(judge(&|answer| answer.queries.clear()), None);
    assert_eq!(
        read_answer(&bytes, &question, query.id, &bytes),
        None,
        "our own question"
    );
}

#[test]
fn an_answer_from_outside_that_is_too_long_is_cut_to_its_question() {
    let query = asks("example.org.", RecordType::A).to_vec().unwrap();
    let question = question_of(&query);
    let mut answer = Vec::new();
    write_addresses(
        &query,
        &question,
        Transport::Stream,
        &addresses(100),
        &mut answer,
    );
    answer[..2].fill(0);

    fit(&query, &question, Transport::Datagram, &mut answer);

    let read = Message::from_vec(&answer).unwrap();
    assert!(read.truncation && read.answers.is_empty() && read.queries.len() == 1);
    assert_eq!(answer[..2], query[..2]);
}

/// A valid message with some of its bytes changed, and perhaps an end that is missing.
fn nearly_valid() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (
        any::<bool>(),
        changes,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(has_edns, changes, end, is_cut)| {
            let mut message = asks("a-name.of.somebody.", RecordType::A);
            if has_edns {
                message = with_edns(message, 1400);
            }
            let mut bytes = message.to_vec().unwrap();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if is_cut {
                bytes.truncate(end.index(bytes.len()));
            }
            bytes
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_every_answer_to_it_is_a_message(
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), nearly_valid()],
        n_addresses in 0_u32..60,
        other in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut answer = Vec::new();
        match read(&bytes) {
            Arrival::Noise => {}
            Arrival::Bad(code) => {
                write_bad(&bytes, code, &mut answer);
                prop_assert!(Message::from_vec(&answer).is_ok());
            }
            Arrival::Question(question) => {
                let _ = read_answer(&bytes, &question, 7, &other);
                for transport in [Transport::Datagram, Transport::Stream] {
                    let told = if question.kind == RecordType::A { addresses(n_addresses) } else { Vec::new() };
                    write_addresses(&bytes, &question, transport, &told, &mut answer);
                    prop_assert!(Message::from_vec(&answer).is_ok());
                    fit(&bytes, &question, transport, &mut answer);
                    prop_assert!(Message::from_vec(&answer).is_ok());
                }
                write_code(&bytes, &question, Code::ServerFailed, &mut answer);
                prop_assert!(Message::from_vec(&answer).is_ok());
            }
        }
    }
}
