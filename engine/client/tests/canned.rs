//! The client against an engine that is a script: what it sends, and how it reads what comes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;
use std::sync::Arc;
use std::sync::Mutex;

use engine_api::error::ErrorKind;
use engine_api::frame::Stream;
use engine_client::{
    AttachOptions, ByteStream, ClientError, Dial, Dialled, EngineClient, EventOptions, LogOptions,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Hands out one prepared stream.
struct Prepared(Mutex<Option<DuplexStream>>);

impl Dial for Prepared {
    fn dial(&self) -> Dialled<'_> {
        let stream = self.0.lock().unwrap().take();
        Box::pin(async {
            match stream {
                Some(stream) => Ok(Box::new(stream) as Box<dyn ByteStream>),
                None => Err(io::ErrorKind::ConnectionRefused.into()),
            }
        })
    }

    fn address(&self) -> String {
        "the script".to_owned()
    }
}

fn engine() -> (EngineClient, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    (
        EngineClient::new(Arc::new(Prepared(Mutex::new(Some(ours))))),
        theirs,
    )
}

async fn read_head(stream: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn a_refusal_keeps_status_and_message() {
    let (client, mut engine) = engine();
    let script = async {
        let head = read_head(&mut engine).await;
        engine
            .write_all(
                b"HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\
                Content-Length: 39\r\n\r\n{\"message\":\"No such container: nobody\"}",
            )
            .await
            .unwrap();
        head
    };
    let (answer, head) = tokio::join!(client.container("nobody"), script);
    assert!(
        head.starts_with("GET /v1.51/containers/nobody/json HTTP/1.1\r\n"),
        "{head}"
    );
    let error = answer.unwrap_err();
    assert_eq!(error.to_string(), "No such container: nobody");
    assert_eq!(error.kind(), Some(ErrorKind::NotFound));
}

#[tokio::test]
async fn nobody_at_the_address_is_told_apart_from_a_refusal() {
    let client = EngineClient::unix("/nonexistent/engine.sock");
    let error = client.ping().await.unwrap_err();
    assert!(matches!(error, ClientError::Dial { .. }));
    assert!(error.is_unreachable());
}

#[tokio::test]
async fn events_arrive_one_by_one_wherever_the_lines_are_cut() {
    let (client, mut engine) = engine();
    let script = async {
        read_head(&mut engine).await;
        let line =
            br#"{"Type":"container","Action":"start","Actor":{"ID":"a"},"time":1,"timeNano":2}"#;
        engine
            .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        for piece in line.chunks(7) {
            engine.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        engine.write_all(b"\r\n").await.unwrap();
        engine.write_all(line).await.unwrap();
        drop(engine);
    };
    let options = EventOptions::default();
    let (events, ()) = tokio::join!(client.events(&options), script);
    let mut events = events.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().action, "start");
    assert_eq!(events.next().await.unwrap().unwrap().time_nano, 2);
    assert_eq!(events.next().await.unwrap(), None);
}

#[tokio::test]
async fn logs_are_taken_out_of_their_frames() {
    let (client, mut engine) = engine();
    let script = async {
        let head = read_head(&mut engine).await;
        engine
            .write_all(
                b"HTTP/1.1 200 OK\r\nConnection: close\r\n\
                Content-Type: application/vnd.docker.multiplexed-stream\r\n\r\n\
                \x01\0\0\0\0\0\0\x02hi\x02\0\0\0\0\0\0\x03err",
            )
            .await
            .unwrap();
        drop(engine);
        head
    };
    let options = LogOptions {
        stdout: true,
        tail: Some(5),
        ..LogOptions::default()
    };
    let (logs, head) = tokio::join!(client.container_logs("web", &options), script);
    assert!(head.contains("tail=5"), "{head}");
    let mut logs = logs.unwrap();
    let first = logs.next().await.unwrap().unwrap();
    assert_eq!(
        (first.stream, &first.bytes[..]),
        (Stream::Stdout, &b"hi"[..])
    );
    let second = logs.next().await.unwrap().unwrap();
    assert_eq!(
        (second.stream, &second.bytes[..]),
        (Stream::Stderr, &b"err"[..])
    );
    assert_eq!(logs.next().await.unwrap(), None);
}

#[tokio::test]
async fn an_attached_stream_goes_both_ways_and_half_closes() {
    let (client, mut engine) = engine();
    let script = async {
        let head = read_head(&mut engine).await;
        engine
            .write_all(
                b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\
                Content-Type: application/vnd.docker.raw-stream\r\n\r\nprompt$ ",
            )
            .await
            .unwrap();
        (head, engine)
    };
    let options = AttachOptions {
        stdin: true,
        stdout: true,
        ..AttachOptions::default()
    };
    let (attached, (head, mut engine)) =
        tokio::join!(client.attach_container("web", &options), script);
    assert!(head.to_lowercase().contains("upgrade: tcp"), "{head}");
    let (mut input, mut output) = attached.unwrap().split();
    assert_eq!(
        &output.next().await.unwrap().unwrap().bytes[..],
        b"prompt$ "
    );

    input.write(b"exit\n").await.unwrap();
    input.close().await.unwrap();
    let mut typed = String::new();
    engine.read_to_string(&mut typed).await.unwrap();
    assert_eq!(typed, "exit\n");

    engine.write_all(b"bye").await.unwrap();
    drop(engine);
    assert_eq!(&output.next().await.unwrap().unwrap().bytes[..], b"bye");
    assert_eq!(output.next().await.unwrap(), None);
}
