//! Questions by stream.

use engine_network::dns::View;
use hickory_proto::rr::RecordType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::rig::{Server, framed, member, question, read_framed, shop, told};

#[tokio::test]
async fn several_questions_are_answered_on_one_stream_in_their_order() {
    let zone = shop();
    zone.join("db", member("db", &["10.1.0.3"]));
    let server = Server::start(View {
        zones: vec![zone],
        ..View::default()
    });
    let queries = ["web.", "db.", "web."].map(|name| question(name, RecordType::A));

    let answers = server.ask_by_stream(&queries).await;

    let all: Vec<_> = answers.iter().flat_map(told).collect();
    assert_eq!(all, ["10.1.0.2", "10.1.0.3", "10.1.0.2"]);
}

#[tokio::test]
async fn what_was_cut_by_datagram_comes_whole_by_stream() {
    let zone = shop();
    for n in 10..110 {
        zone.join(
            &format!("k{n}"),
            member(&format!("c{n}"), &[&format!("10.1.0.{n}")]),
        );
    }
    let server = Server::start(View {
        zones: vec![zone],
        ..View::default()
    });

    let cut = server.ask("app.", RecordType::A).await;
    let whole = server
        .ask_by_stream(&[question("app.", RecordType::A)])
        .await;

    assert!(cut.truncation && !cut.answers.is_empty());
    assert!(!whole[0].truncation);
    assert_eq!(whole[0].answers.len(), 101);
}

#[tokio::test]
async fn a_stream_that_says_too_much_or_nothing_sensible_is_closed() {
    let server = Server::start(View {
        zones: vec![shop()],
        ..View::default()
    });

    for start in [&[0xff, 0xff, 1, 2][..], &[0, 3, 1, 2, 3], &[0, 0]] {
        let mut stream = TcpStream::connect(server.tcp).await.unwrap();
        stream.write_all(start).await.unwrap();
        // Closed or reset: no answer either way.
        assert!(!matches!(stream.read(&mut [0; 16]).await, Ok(1..)));
    }
}

#[tokio::test]
async fn who_opens_streams_and_says_nothing_has_a_bound_and_the_others_are_answered() {
    let server = Server::start(View {
        zones: vec![shop()],
        ..View::default()
    });
    let query = framed(&question("web.", RecordType::A).to_vec().unwrap());
    let mut open = Vec::new();
    for _ in 0..32 {
        let mut stream = TcpStream::connect(server.tcp).await.unwrap();
        stream.write_all(&query).await.unwrap();
        read_framed(&mut stream).await.unwrap();
        open.push(stream);
    }

    let mut one_more = TcpStream::connect(server.tcp).await.unwrap();
    assert!(!matches!(one_more.read(&mut [0; 16]).await, Ok(1..)));

    assert_eq!(told(&server.ask("web.", RecordType::A).await), ["10.1.0.2"]);
    open[0].write_all(&query).await.unwrap();
    assert!(read_framed(&mut open[0]).await.is_ok());
}
