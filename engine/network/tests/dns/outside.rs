//! What others are asked, and what is believed of what they say.

use std::time::Duration;

use engine_network::dns::{Limits, Upstream, View};
use hickory_proto::op::{Edns, Message, ResponseCode};
use hickory_proto::rr::RecordType;

use crate::rig::{Outside, Server, answer, asks_outside, question, told};

const GOOD: [u8; 4] = [9, 9, 9, 9];
const BAD: [u8; 4] = [6, 6, 6, 6];

fn honest(query: &Message, _: usize) -> Vec<Vec<u8>> {
    vec![answer(query, GOOD).to_vec().unwrap()]
}

fn silent(_: &Message, _: usize) -> Vec<Vec<u8>> {
    Vec::new()
}

fn unwilling(query: &Message, n_before: usize) -> Vec<Vec<u8>> {
    let mut answer = query.clone().into_response();
    let codes = [ResponseCode::ServFail, ResponseCode::Refused];
    answer.metadata.response_code = codes[n_before % 2];
    vec![answer.to_vec().unwrap()]
}

/// Says wrong things first: another id, another question, a question, rubbish; and then the truth.
fn lying(query: &Message, _: usize) -> Vec<Vec<u8>> {
    let mut other_id = answer(query, BAD);
    other_id.metadata.id ^= 1;
    let mut other_question = answer(query, BAD);
    other_question.queries = question("example.com.", RecordType::A).queries;
    let lies = [other_id, other_question, query.clone()];
    let mut said: Vec<_> = lies.iter().map(|lie| lie.to_vec().unwrap()).collect();
    said.push(b"rubbish".to_vec());
    said.extend(honest(query, 0));
    said
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_silent_unwilling_or_not_there() {
    let (silent, unwilling, honest) = (
        Outside::start(silent).await,
        Outside::start(unwilling).await,
        Outside::start(honest).await,
    );
    let nobody = {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap()
    };
    let servers = |first| Upstream::Servers(vec![first, unwilling.address, honest.address]);

    for first in [silent.address, nobody] {
        let server = Server::start(View {
            upstream: servers(first),
            ..View::default()
        });
        assert_eq!(
            told(&server.ask("example.org.", RecordType::A).await),
            ["9.9.9.9"]
        );
        let by_stream = server
            .ask_by_stream(&[question("example.org.", RecordType::A)])
            .await;
        assert_eq!(told(&by_stream[0]), ["9.9.9.9"]);
    }
    assert_eq!(silent.n_asked(), 2);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_then_it_is_said_that_there_is_none() {
    let loses_first = |query: &Message, n_before| match n_before {
        0 => Vec::new(),
        _ => honest(query, n_before),
    };
    let outside = Outside::start(loses_first).await;
    let server = Server::start(asks_outside(&[&outside]));
    assert_eq!(
        told(&server.ask("example.org.", RecordType::A).await),
        ["9.9.9.9"]
    );
    assert_eq!(outside.n_asked(), 2);

    let outside = Outside::start(silent).await;
    let server = Server::start(asks_outside(&[&outside]));
    let answer = server.ask("example.org.", RecordType::A).await;
    assert_eq!(
        (answer.response_code, outside.n_asked()),
        (ResponseCode::ServFail, 2)
    );
}

#[tokio::test]
async fn an_answer_is_believed_only_with_our_id_to_our_question() {
    let outside = Outside::start(lying).await;
    let server = Server::start(asks_outside(&[&outside]));

    assert_eq!(
        told(&server.ask("example.org.", RecordType::A).await),
        ["9.9.9.9"]
    );
}

#[tokio::test]
async fn ids_sent_outside_are_not_those_of_who_asked() {
    let outside = Outside::start(|query, _| {
        // The id that came is told as an address.
        let [high, low] = query.id.to_be_bytes();
        vec![answer(query, [10, 0, high, low]).to_vec().unwrap()]
    });
    let outside = outside.await;
    let server = Server::start(asks_outside(&[&outside]));
    let mut query = question("example.org.", RecordType::A);
    query.metadata.id = 4711;

    let mut ids = std::collections::BTreeSet::new();
    for _ in 0..20 {
        ids.extend(told(&server.send(&query).await));
    }

    assert!(ids.len() > 15, "{ids:?}");
}

#[tokio::test]
async fn what_is_said_of_longer_answers_is_passed_on_and_kept_to() {
    /// A hundred addresses; they fit for who takes 4096 bytes.
    fn long(query: &Message, _: usize) -> Vec<Vec<u8>> {
        let mut answer = answer(query, GOOD);
        let record = answer.answers[0].clone();
        answer.add_answers(std::iter::repeat_n(record, 99));
        vec![answer.to_vec().unwrap()]
    }
    let outside = Outside::start(long).await;
    let server = Server::start(asks_outside(&[&outside]));
    let mut query = question("example.org.", RecordType::A);

    let short = server.send(&query).await;
    assert!(short.truncation && short.answers.is_empty());
    let by_stream = server.ask_by_stream(std::slice::from_ref(&query)).await;
    assert_eq!(told(&by_stream[0]).len(), 100);

    let mut edns = Edns::new();
    edns.set_max_payload(4000);
    query.set_edns(edns);
    let whole = server.send(&query).await;
    assert_eq!((whole.truncation, told(&whole).len()), (false, 100));
    assert_eq!(
        whole.edns.unwrap().max_payload(),
        4000,
        "what the server outside heard"
    );
}

#[tokio::test]
async fn what_no_datagram_holds_is_truncated_and_not_wrong() {
    /// More than is ever passed on by datagram.
    fn huge(query: &Message, _: usize) -> Vec<Vec<u8>> {
        let mut answer = answer(query, GOOD);
        let record = answer.answers[0].clone();
        answer.add_answers(std::iter::repeat_n(record, 999));
        vec![answer.to_vec().unwrap()]
    }
    let outside = Outside::start(huge).await;
    let server = Server::start(asks_outside(&[&outside]));
    let mut query = question("example.org.", RecordType::A);
    let mut edns = Edns::new();
    edns.set_max_payload(65535);
    query.set_edns(edns);

    let answer = server.send(&query).await;

    assert!(answer.truncation && answer.answers.is_empty());
}

#[tokio::test]
async fn those_who_wait_are_many_and_have_a_bound() {
    let outside = Outside::start(silent).await;
    let limits = Limits {
        n_waiting_each: 8,
        patience: Duration::from_secs(60),
        ..Limits::default()
    };
    let server = Server::within(asks_outside(&[&outside]), limits);
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let query = question("example.org.", RecordType::A).to_vec().unwrap();

    for _ in 0..20 {
        socket.send_to(&query, server.udp).await.unwrap();
    }

    // Twelve are told at once that there is no place; eight wait for somebody who is silent.
    let mut bytes = [0; 600];
    for _ in 0..12 {
        let received = tokio::time::timeout(Duration::from_secs(20), socket.recv(&mut bytes)).await;
        let n_bytes = received.expect("an answer").unwrap();
        let answer = Message::from_vec(&bytes[..n_bytes]).unwrap();
        assert_eq!(answer.response_code, ResponseCode::ServFail);
    }
    while outside.n_asked() < 8 {
        tokio::task::yield_now().await;
    }
    assert_eq!(outside.n_asked(), 8);
}

#[tokio::test]
async fn a_slow_answer_keeps_no_other_question_waiting() {
    let outside = Outside::start(
        |query, _| match query.queries[0].name().to_string().as_str() {
            "slow.example." => Vec::new(),
            _ => honest(query, 0),
        },
    );
    let outside = outside.await;
    let limits = Limits {
        patience: Duration::from_secs(60),
        ..Limits::default()
    };
    let server = Server::within(asks_outside(&[&outside]), limits);
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let slow = question("slow.example.", RecordType::A).to_vec().unwrap();
    socket.send_to(&slow, server.udp).await.unwrap();

    let asked: Vec<_> = (0..100).map(|n| format!("n{n}.example.")).collect();
    let answers = asked.iter().map(|name| server.ask(name, RecordType::A));
    for answer in join_all(answers).await {
        assert_eq!(told(&answer), ["9.9.9.9"]);
    }
}

/// Runs all of `futures` at once.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in futures.iter_mut().filter(|(_, output)| output.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *output = Some(value);
            }
        }
        match futures.iter().all(|(_, output)| output.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    futures
        .into_iter()
        .map(|(_, output)| output.expect("all are done"))
        .collect()
}
