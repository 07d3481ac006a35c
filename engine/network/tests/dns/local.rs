//! Names of ours, by datagram.

use std::sync::Arc;
use std::time::Duration;

use engine_network::dns::{Upstream, View};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use tokio::time::timeout;

use crate::rig::{Outside, Server, answer, asks_outside, member, question, shop, told};

#[tokio::test]
async fn a_container_is_told_names_addresses_and_what_there_is_not() {
    let outside =
        Outside::start(|query, _| vec![answer(query, [9, 9, 9, 9]).to_vec().unwrap()]).await;
    let server = Server::start(View {
        zones: vec![shop()],
        ..asks_outside(&[&outside])
    });

    assert_eq!(told(&server.ask("web.", RecordType::A).await), ["10.1.0.2"]);
    assert_eq!(
        told(&server.ask("WEB.shop.", RecordType::A).await),
        ["10.1.0.2"]
    );
    assert_eq!(
        told(&server.ask("2.0.1.10.in-addr.arpa.", RecordType::PTR).await),
        ["web.shop."]
    );
    let no_v6 = server.ask("web.", RecordType::AAAA).await;
    assert_eq!(
        (no_v6.response_code, no_v6.answers.len()),
        (ResponseCode::NoError, 0)
    );
    let nobody = server.ask("3.0.1.10.in-addr.arpa.", RecordType::PTR).await;
    assert_eq!(nobody.response_code, ResponseCode::NXDomain);
    assert_eq!(outside.n_asked(), 0, "names of ours went outside");

    assert_eq!(
        told(&server.ask("example.org.", RecordType::A).await),
        ["9.9.9.9"]
    );
    assert_eq!(outside.n_asked(), 1);
}

#[tokio::test]
async fn who_joins_or_leaves_is_known_at_once() {
    let zone = shop();
    let server = Server::start(View {
        zones: vec![Arc::clone(&zone)],
        ..View::default()
    });

    zone.join("db", member("db", &["10.1.0.3"]));
    assert_eq!(told(&server.ask("db.", RecordType::A).await), ["10.1.0.3"]);
    assert_eq!(server.ask("app.", RecordType::A).await.answers.len(), 2);

    zone.leave("web");
    assert_eq!(told(&server.ask("app.", RecordType::A).await), ["10.1.0.3"]);
    let gone = server.ask("web.", RecordType::A).await;
    assert_eq!(gone.response_code, ResponseCode::ServFail);
}

#[tokio::test]
async fn a_view_is_replaced_while_the_server_answers() {
    let server = Server::start(View::default());
    assert_eq!(
        server.ask("web.", RecordType::A).await.response_code,
        ResponseCode::ServFail
    );

    server.views.send_replace(Arc::new(View {
        zones: vec![shop()],
        ..View::default()
    }));

    assert_eq!(told(&server.ask("web.", RecordType::A).await), ["10.1.0.2"]);
}

#[tokio::test]
async fn with_nobody_outside_nothing_goes_out_and_the_answer_says_so() {
    let server = Server::start(View {
        zones: vec![shop()],
        upstream: Upstream::None,
        ..View::default()
    });

    let answer = server.ask("example.org.", RecordType::A).await;

    assert_eq!(answer.response_code, ResponseCode::ServFail);
}

#[tokio::test]
async fn the_server_ends_when_nobody_sends_views_any_more() {
    let Server {
        views, mut tasks, ..
    } = Server::start(View::default());

    drop(views);

    let ended = timeout(Duration::from_secs(20), tasks.join_next()).await;
    ended.expect("it ends").unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn rubbish_does_not_keep_the_next_question_from_its_answer() {
    let server = Server::start(View {
        zones: vec![shop()],
        ..View::default()
    });
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let whole = question("web.", RecordType::A).to_vec().unwrap();

    for end in 0..whole.len() {
        socket.send_to(&whole[..end], server.udp).await.unwrap();
    }
    socket.send_to(&[0xff; 9000], server.udp).await.unwrap();

    assert_eq!(told(&server.ask("web.", RecordType::A).await), ["10.1.0.2"]);
}
