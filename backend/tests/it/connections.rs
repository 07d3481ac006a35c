//! The accept loop: what silent, slow and idle clients cannot do to the others.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use backend::domain::Front;
use backend::start::listen::{self, Limits};
use backend::start::tls::Pem;
use backend::tasks::Tasks;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::rustls;

use crate::house::PATIENCE;

const N_PLACES: usize = 4;
const HEAD_TIME: Duration = Duration::from_millis(400);
const IDLE_TIME: Duration = Duration::from_millis(800);

fn limits() -> Limits {
    Limits {
        most_connections: N_PLACES,
        head_time: HEAD_TIME,
        handshake_time: PATIENCE,
        idle_time: IDLE_TIME,
        farewell_time: Duration::from_secs(2),
    }
}

struct Server {
    address: SocketAddr,
    tasks: Tasks,
    served: JoinHandle<std::io::Result<()>>,
}

fn server(data: Option<&Path>) -> Server {
    let listener = listen::take_port("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let tls = data.map(|data| Pem::own(data, address).unwrap().acceptor().unwrap());
    let router = Router::new().route("/", get(async || "here"));
    let tasks = Tasks::default();
    let its = tasks.clone();
    let served = tasks.finish("server", async move {
        listen::serve(listener, tls, router, &its, &Front::default(), limits()).await
    });
    Server {
        address,
        tasks,
        served,
    }
}

/// Takes every place with connections that say no more than this.
async fn occupied(server: &Server, words: &[u8]) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..N_PLACES {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(words).await.unwrap();
        all.push(stream);
    }
    all
}

async fn ask(server: &Server) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn clients_that_say_nothing_keep_nobody_out() {
    for words in [
        &b""[..],
        b"PRI * HT",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HT",
    ] {
        let server = server(None);
        let silent = occupied(&server, words).await;

        let answer = timeout(PATIENCE, ask(&server)).await;

        assert!(answer.unwrap().ends_with("here"), "{words:?}");
        drop(silent);
        server.tasks.shutdown().cancel();
        server.served.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_server_without_a_free_place_can_be_ended() {
    let server = server(None);
    let silent = occupied(&server, b"GET / HT").await;

    server.tasks.shutdown().cancel();

    let ended = timeout(PATIENCE, server.served).await;
    ended.unwrap().unwrap().unwrap();
    server.tasks.end(Duration::from_millis(500)).await;
    drop(silent);
}

#[tokio::test]
async fn a_place_is_held_until_the_connection_is_closed() {
    let server = server(None);
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    kept.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n")
        .await
        .unwrap();
    let mut answer = [0; 15];
    kept.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");

    // Between two requests the time of a head goes on.
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, kept.read_to_end(&mut rest)).await;

    assert!(ended.is_ok(), "an idle connection is closed");
    server.tasks.shutdown().cancel();
    server.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_http2_connection_on_which_nothing_is_asked_is_ended() {
    let data = tempfile::tempdir().unwrap();
    let server = server(Some(data.path()));
    let mut stream = client(data.path(), server.address).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    // The preface, empty settings, and the acknowledgement of the server's.
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .await
        .unwrap();
    stream
        .write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0])
        .await
        .unwrap();
    stream
        .write_all(&[0, 0, 0, 4, 1, 0, 0, 0, 0])
        .await
        .unwrap();

    let farewell = timeout(PATIENCE, frames_answering_pings(&mut stream)).await;

    let farewell = farewell.expect("the connection is ended");
    assert!(
        farewell.contains(&7),
        "it is told to go away first: {farewell:?}"
    );
    server.tasks.shutdown().cancel();
    server.served.await.unwrap().unwrap();
}

/// Reads frames until the end, answers every ping, and returns the kinds of what came.
async fn frames_answering_pings(
    stream: &mut tokio_rustls::client::TlsStream<TcpStream>,
) -> Vec<u8> {
    let mut kinds = Vec::new();
    let mut head = [0_u8; 9];
    while stream.read_exact(&mut head).await.is_ok() {
        let length = usize::from(head[1]) << 8 | usize::from(head[2]);
        let mut payload = vec![0; length];
        if stream.read_exact(&mut payload).await.is_err() {
            break;
        }
        kinds.push(head[3]);
        let is_question = head[3] == 6 && head[4] & 1 == 0;
        if is_question {
            let mut pong = vec![0, 0, 8, 6, 1, 0, 0, 0, 0];
            pong.extend(payload);
            let _gone = stream.write_all(&pong).await;
        }
    }
    kinds
}

async fn client(data: &Path, address: SocketAddr) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(data.join("certificate.pem")).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}
