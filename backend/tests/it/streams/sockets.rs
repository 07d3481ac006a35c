//! Sockets as a browser opens them, over a real connection.

use std::net::SocketAddr;

use backend::domain::Role;
use frontend::live::{StatsSample, ToLogs, ToTerminal};
use frontend::paths;
use futures_util::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::stage::{Stage, end_sessions, framed, owner};
use crate::engine::id;
use crate::house::{House, PATIENCE};

const NOW: &str = "2027-01-15T08:00:00.000000000Z";

pub(super) type Socket = WebSocketStream<TcpStream>;

/// Serves the house on a port of the machine's own.
pub(super) async fn serve(house: &House) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = house
        .router()
        .into_make_service_with_connect_info::<SocketAddr>();
    house.tasks.spawn("test server", async move {
        axum::serve(listener, service).await.unwrap();
    });
    address
}

async fn connect(
    address: SocketAddr,
    path: &str,
    cookie: &str,
    origin: &str,
) -> Result<Socket, Error> {
    let mut request = format!("ws://{address}{path}")
        .into_client_request()
        .unwrap();
    let headers = request.headers_mut();
    headers.insert("cookie", cookie.parse().unwrap());
    headers.insert("origin", origin.parse().unwrap());
    let stream = TcpStream::connect(address).await.unwrap();
    Ok(tokio_tungstenite::client_async(request, stream).await?.0)
}

pub(super) async fn open(address: SocketAddr, path: &str, cookie: &str) -> Socket {
    connect(address, path, cookie, &format!("http://{address}"))
        .await
        .unwrap()
}

pub(super) async fn next<T: DeserializeOwned>(socket: &mut Socket) -> T {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await;
        match message.unwrap().unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Ping(_) | Message::Pong(_) => {}
            other => panic!("{other:?} instead of text"),
        }
    }
}

#[tokio::test]
async fn a_socket_opens_only_for_a_page_of_ours_and_for_who_may() {
    let (house, stage) = Stage::house().await;
    let address = serve(&house).await;
    let (ana, _) = owner(&house, "ana").await;
    let (vic, _) = house.person("vic", Role::Viewer).await;
    let path = paths::LiveLogs(&id(1)).to_string();
    let ours = format!("http://{address}");

    for (cookie, origin, status) in [
        (ana.as_str(), "http://evil.example", 403),
        (vic.as_str(), ours.as_str(), 403),
        ("", ours.as_str(), 401),
    ] {
        match connect(address, &path, cookie, origin).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status().as_u16(), status, "{origin}"),
            other => panic!("{other:?} instead of {status}"),
        }
    }
    assert_eq!(stage.streams().1, 0, "the engine was not asked");
}

#[tokio::test]
async fn log_lines_reach_the_page_and_closing_the_tab_ends_the_engines_work() {
    let (house, stage) = Stage::house().await;
    let address = serve(&house).await;
    let (ana, _) = owner(&house, "ana").await;
    let engine = stage.next_stream();
    let mut socket = open(address, &paths::LiveLogs(&id(1)).to_string(), &ana).await;
    engine
        .send(framed(&format!("{NOW} hello\n")))
        .await
        .unwrap();

    let ToLogs::Lines { lines } = next(&mut socket).await else {
        panic!("lines")
    };
    assert_eq!(
        lines,
        [(1, "1800000000000000000".to_owned(), "hello".to_owned())]
    );

    drop(socket);
    stage.wait_open(0).await;
}

#[tokio::test]
async fn a_log_that_ends_says_so_and_a_bad_time_is_refused() {
    let (house, stage) = Stage::house().await;
    let address = serve(&house).await;
    let (ana, _) = owner(&house, "ana").await;
    drop(stage.next_stream());
    let path = paths::LiveLogs(&id(1)).to_string();
    let mut socket = open(address, &path, &ana).await;
    assert_eq!(next::<ToLogs>(&mut socket).await, ToLogs::End);

    let bad = format!("{path}?since=yesterday");
    let refused = connect(address, &bad, &ana, &format!("http://{address}")).await;
    assert!(matches!(refused, Err(Error::Http(answer)) if answer.status().as_u16() == 422));
}

#[tokio::test]
async fn a_person_whose_sessions_end_loses_their_sockets() {
    let (house, stage) = Stage::house().await;
    let address = serve(&house).await;
    let (cookie, ana) = owner(&house, "ana").await;
    let mut socket = open(address, &paths::LiveLogs(&id(1)).to_string(), &cookie).await;
    stage.wait_open(1).await;

    end_sessions(&house, &ana).await;

    stage.wait_open(0).await;
    let last = tokio::time::timeout(PATIENCE, socket.next()).await.unwrap();
    assert!(matches!(last, Some(Ok(Message::Close(_)))), "{last:?}");
}

#[tokio::test]
async fn a_page_of_statistics_gets_a_sample_a_second() {
    let (house, stage) = Stage::house().await;
    let address = serve(&house).await;
    let (ana, _) = owner(&house, "ana").await;
    let engine = stage.next_stream();
    let mut socket = open(address, &paths::LiveStats(&id(1)).to_string(), &ana).await;
    for second in 1..=2 {
        let mut stats = engine_api::stats::Stats {
            read: format!("2027-01-15T08:00:0{second}.000000000Z"),
            ..Default::default()
        };
        stats.pids_stats.current = Some(7);
        let line = format!("{}\n", serde_json::to_string(&stats).unwrap());
        engine.send(line.into()).await.unwrap();
    }
    let sample: StatsSample = next(&mut socket).await;
    assert_eq!((sample.at_ms, sample.pids), (1_800_000_002_000, 7));
}

#[tokio::test]
async fn a_terminal_is_typed_into_measured_and_taken_up_again() {
    let (house, stage) = Stage::house().await;
    let address = serve(&house).await;
    let (ana, _) = owner(&house, "ana").await;
    stage.with(|play| play.commands.push("/bin/sh".to_owned()));
    let path = paths::LiveTerminal(&id(1)).to_string();

    let mut socket = open(address, &format!("{path}?rows=30&cols=90"), &ana).await;
    let ToTerminal::Ready {
        session,
        command,
        resumed,
    } = next(&mut socket).await
    else {
        panic!("ready")
    };
    assert_eq!((command.as_str(), resumed), ("/bin/sh", false));
    socket
        .send(Message::text(r#"{"type":"ping","n":4}"#))
        .await
        .unwrap();
    assert_eq!(
        next::<ToTerminal>(&mut socket).await,
        ToTerminal::Pong { n: 4 }
    );
    socket
        .send(Message::binary(b"ls\r".to_vec()))
        .await
        .unwrap();
    let echo = socket.next().await.unwrap().unwrap();
    assert_eq!(echo, Message::binary(b"ls\r".to_vec()));
    drop(socket);

    let mut socket = open(address, &format!("{path}?session={session}"), &ana).await;
    let ready = next::<ToTerminal>(&mut socket).await;
    assert!(
        matches!(ready, ToTerminal::Ready { resumed: true, .. }),
        "{ready:?}"
    );
    let screen = socket.next().await.unwrap().unwrap();
    assert_eq!(screen, Message::binary(b"ls\r".to_vec()));
    socket
        .send(Message::text(r#"{"type":"close"}"#))
        .await
        .unwrap();
    assert_eq!(
        next::<ToTerminal>(&mut socket).await,
        ToTerminal::Exited { code: 129 }
    );
    stage.wait_open(0).await;
}

#[tokio::test]
async fn a_terminal_that_cannot_open_says_why() {
    let (house, _stage) = Stage::house().await;
    let address = serve(&house).await;
    let (ana, _) = owner(&house, "ana").await;
    let path = paths::LiveTerminal(&id(1)).to_string();
    for (query, expected) in [
        ("", "no_shell"),
        ("?session=gone", "not_found"),
        ("?command=vim", "refused"),
    ] {
        let mut socket = open(address, &format!("{path}{query}"), &ana).await;
        let ToTerminal::Failed { reason, message } = next(&mut socket).await else {
            panic!("{query} cannot open")
        };
        assert_eq!(reason, expected);
        assert!(
            message.len() > 20 && message.ends_with('.') || message.contains(':'),
            "{message}"
        );
    }
}
