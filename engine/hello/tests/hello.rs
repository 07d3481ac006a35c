//! The program of `gantry/hello` as a person meets it: a page, a log, an end.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

struct Hello {
    process: Child,
    log: BufReader<ChildStdout>,
    port: u16,
}

fn start() -> Hello {
    let port = TcpListener::bind("127.0.0.1:0")
        .and_then(|free| free.local_addr())
        .unwrap()
        .port();
    let mut process = Command::new(env!("CARGO_BIN_EXE_engine-hello"))
        .env("PORT", port.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(process.stdout.take().unwrap());
    let mut hello = Hello { process, log, port };
    assert!(hello.line().contains("listening on port"));
    hello
}

impl Hello {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.log.read_line(&mut line).unwrap();
        line
    }
}

#[test]
fn it_shows_a_page_and_counts_it_in_its_log() {
    let mut hello = start();

    let mut visitor = TcpStream::connect(("127.0.0.1", hello.port)).unwrap();
    visitor
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut page = String::new();
    visitor.read_to_string(&mut page).unwrap();

    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert!(page.contains("Hello from"), "{page}");
    assert_eq!(hello.line(), "up 1 s, 1 requests\n");
    hello.process.kill().unwrap();
    hello.process.wait().unwrap();
}

#[test]
fn it_ends_with_a_line_when_it_is_asked_to() {
    let mut hello = start();
    kill(
        Pid::from_raw(hello.process.id().cast_signed()),
        Signal::SIGTERM,
    )
    .unwrap();
    let status = hello.process.wait().unwrap();
    assert_eq!(
        (status.code(), hello.line().as_str()),
        (Some(0), "goodbye: SIGTERM\n")
    );
}
