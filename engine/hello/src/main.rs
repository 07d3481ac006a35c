//! The program inside the built-in image `gantry/hello`: a page on a port, a log line a second, and
//! an end as soon as somebody asks for it.
//!
//! It is the first container most people run, so it needs nothing: no shell, no library, no file.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

const TICK: Duration = Duration::from_secs(1);
const READ_TIME: Duration = Duration::from_secs(5);
const MOST_VISITORS: u64 = 64;
const MOST_HEAD_BYTES: u64 = 16 * 1024;

/// What the page and the log count.
#[derive(Default)]
struct Counts {
    requests: AtomicU64,
    visitors: AtomicU64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Before any thread: blocked signals reach a first process too, which others would not.
    let mut stops = SigSet::empty();
    stops.add(Signal::SIGTERM);
    stops.add(Signal::SIGINT);
    stops.thread_block()?;
    let signals = SignalFd::with_flags(&stops, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;

    let name = nix::unistd::gethostname()?.to_string_lossy().into_owned();
    let port = port()?;
    let listener = TcpListener::bind(("0.0.0.0", port)).map_err(|error| {
        format!("failed to listen on port {port}: {error}; choose another by PORT")
    })?;
    let counts = Arc::new(Counts::default());
    say(&format!("hello from {name}, listening on port {port}"));
    let visible = Arc::clone(&counts);
    thread::spawn(move || welcome(&listener, &name, &visible));

    let begun = Instant::now();
    let mut next = begun + TICK;
    loop {
        let left = next.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        poll(
            &mut [PollFd::new(signals.as_fd(), PollFlags::POLLIN)],
            timeout,
        )?;
        if let Some(signal) = signals.read_signal()? {
            let signal = i32::try_from(signal.ssi_signo)
                .ok()
                .and_then(|n| Signal::try_from(n).ok());
            say(&format!(
                "goodbye: {}",
                signal.map_or("a signal", Signal::as_str)
            ));
            return Ok(());
        }
        if Instant::now() >= next {
            next += TICK;
            let requests = counts.requests.load(Ordering::Relaxed);
            say(&format!(
                "up {} s, {requests} requests",
                begun.elapsed().as_secs()
            ));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one setting, read once, where it begins"
)]
fn port() -> Result<u16, String> {
    let Ok(text) = std::env::var("PORT") else {
        return Ok(8080);
    };
    text.parse()
        .map_err(|_| format!("PORT={text} is no port: give a number from 1 to 65535"))
}

/// Answers whoever comes, each on a thread of its own, so that a silent one delays nobody.
fn welcome(listener: &TcpListener, name: &str, counts: &Arc<Counts>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            thread::sleep(TICK);
            continue;
        };
        if counts.visitors.fetch_add(1, Ordering::Relaxed) >= MOST_VISITORS {
            counts.visitors.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (counts, name) = (Arc::clone(counts), name.to_owned());
        thread::spawn(move || {
            if answer(stream, &name, &counts.requests).is_err() {
                say("a visitor left early");
            }
            counts.visitors.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

fn answer(mut stream: TcpStream, name: &str, requests: &AtomicU64) -> std::io::Result<()> {
    stream.set_read_timeout(Some(READ_TIME))?;
    stream.set_write_timeout(Some(READ_TIME))?;
    let mut head = BufReader::new((&stream).take(MOST_HEAD_BYTES));
    let mut line = String::new();
    while head.read_line(&mut line)? > 2 {
        line.clear();
    }
    let count = requests.fetch_add(1, Ordering::Relaxed) + 1;
    let page = page(name, count);
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    )
}

fn page(name: &str, count: u64) -> String {
    let name: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c))
        .collect();
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport \
         content=\"width=device-width\"><title>Hello from Gantry</title>\
         <h1>Hello from {name}</h1><p>This page comes from a container that Gantry runs. \
         It was asked for {count} times.</p></html>\n"
    )
}

/// Writes a line of the log; whoever closed it is no reason to end.
fn say(line: &str) {
    let _closed = writeln!(std::io::stdout(), "{line}");
}
