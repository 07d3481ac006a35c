//! A terminal through the server's socket: how long until it is open, and what an echo adds.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use docker_free_tests::{Engine, Server, wire};
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Message, WebSocket};

use crate::sample::{Samples, line, times};

const OPENINGS: usize = 20;
const KEYS: usize = 500;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    let id = engine.run_script("cc", "sleep 100000");
    let server = Server::start(&engine);
    let owner = server.first_owner();
    let mut opened = Samples::default();
    for _ in 0..OPENINGS {
        let mut socket = opened.time(|| open(&server, &id, &owner.cookie()));
        // A person may have a handful at once; each shell ends before the next is opened.
        let end = Message::Text(r#"{"type":"close"}"#.into());
        socket.send(end).expect("the terminal stays open");
        while socket.read().is_ok() {}
    }
    times("terminal open, connect to prompt (at most 100)", &opened);

    let mut socket = open(&server, &id, &owner.cookie());
    let mut through_server = Samples::default();
    let mut at_engine = Samples::default();
    let mut direct = Direct::open(&engine);
    for _ in 0..KEYS {
        through_server.push(echo(&mut socket));
        at_engine.push(direct.echo());
    }
    times("echo of a key through the server", &through_server);
    times("echo of a key at the engine's socket", &at_engine);
    let added = through_server.percentile_ms(99) - at_engine.percentile_ms(50);
    line(
        "the server adds, p99 over the engine's p50 (at most 5)",
        &format!("{added:.2} ms"),
    );
}

fn open(server: &Server, id: &str, cookie: &str) -> WebSocket<TcpStream> {
    let stream = TcpStream::connect(&server.address).expect("the server listens");
    stream.set_nodelay(true).expect("a socket has options");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a socket has options");
    let url = format!(
        "ws://{}/live/containers/{id}/terminal?rows=24&cols=80",
        server.address
    );
    let mut request = url.into_client_request().expect("the address is one");
    let headers = request.headers_mut();
    headers.insert("cookie", cookie.parse().expect("a cookie is text"));
    let origin = format!("http://{}", server.address);
    headers.insert("origin", origin.parse().expect("an origin is text"));
    let (mut socket, _) =
        tokio_tungstenite::tungstenite::client(request, stream).expect("the socket opens");
    until(&mut socket, b"# ");
    socket
}

fn until(socket: &mut WebSocket<TcpStream>, wanted: &[u8]) {
    let mut seen = Vec::new();
    while !seen.windows(wanted.len()).any(|window| window == wanted) {
        match socket.read().expect("the terminal stays open") {
            Message::Binary(bytes) => seen.extend_from_slice(&bytes),
            Message::Text(text) => assert!(!text.contains("\"failed\""), "{text}"),
            _ => {}
        }
    }
}

fn echo(socket: &mut WebSocket<TcpStream>) -> Duration {
    let begin = Instant::now();
    socket
        .send(Message::Binary(b"k".as_slice().into()))
        .expect("the terminal stays open");
    until(socket, b"k");
    begin.elapsed()
}

/// The same shell on the engine's own socket.
struct Direct(std::io::BufReader<wire::Connection>);

impl Direct {
    fn open(engine: &Engine) -> Direct {
        let body = json!({ "Cmd": ["sh"], "Tty": true, "AttachStdin": true, "AttachStdout": true });
        let created = engine
            .wire()
            .post("/containers/cc/exec", &body)
            .expect(201)
            .json();
        let id = created["Id"].as_str().unwrap_or_default();
        let mut direct = Direct(
            engine
                .wire()
                .upgrade(&format!("/exec/{id}/start"), &json!({ "Tty": true })),
        );
        direct.until(b'#');
        direct
    }

    fn until(&mut self, wanted: u8) {
        let mut byte = [0];
        while byte[0] != wanted {
            self.0
                .read_exact(&mut byte)
                .expect("the terminal stays open");
        }
    }

    fn echo(&mut self) -> Duration {
        // What is left of the prompt is not an echo.
        let begin = Instant::now();
        self.0
            .get_mut()
            .write_all(b"k")
            .expect("the terminal stays open");
        self.until(b'k');
        begin.elapsed()
    }
}
