//! A plain HTTP/1.1 client that shows everything: statuses, headers, frames and raw bytes as they
//! come. The product's own client is not used to judge the product.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// No answer may take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where requests go: each on a connection of its own.
#[derive(Clone, Debug)]
pub enum Wire {
    /// A socket on this machine.
    Unix(PathBuf),
    /// An address, `127.0.0.1:8440`.
    Tcp(String),
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The head of an answer and the connection behind it.
pub struct Open {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub stream: BufReader<Connection>,
}

/// A connection of either kind.
pub enum Connection {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Wire {
    pub fn unix(path: &Path) -> Wire {
        Wire::Unix(path.to_owned())
    }

    /// # Errors
    /// When nobody listens.
    pub fn connect(&self) -> io::Result<Connection> {
        match self {
            Wire::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                Ok(Connection::Unix(stream))
            }
            Wire::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_nodelay(true)?;
                Ok(Connection::Tcp(stream))
            }
        }
    }

    /// Sends a request and reads the head of the answer.
    ///
    /// # Errors
    /// When the connection fails or the answer is no HTTP.
    pub fn open(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Open> {
        let mut connection = self.connect()?;
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("host"))
        {
            head.push_str("Host: gantry\r\n");
        }
        let upgrades = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("upgrade"));
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !upgrades {
            head.push_str("Connection: close\r\n");
        }
        let sized = headers.iter().any(|(name, _)| {
            name.eq_ignore_ascii_case("content-length")
                || name.eq_ignore_ascii_case("transfer-encoding")
        });
        if !sized && (method != "GET" || !body.is_empty()) {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        connection.write_all(head.as_bytes())?;
        // A server may refuse by the head alone and close; its answer is what counts.
        let _ = connection.write_all(body);
        Open::read(connection)
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// When the connection fails or the answer is no HTTP.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        self.open(method, path, headers, body)?.whole(method)
    }

    /// # Panics
    /// When no answer comes.
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
            .unwrap_or_else(|error| panic!("GET {path}: {error}"))
    }

    /// # Panics
    /// When no answer comes.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let json = [("Content-Type", "application/json")];
        self.send("POST", path, &json, &bytes)
            .unwrap_or_else(|error| panic!("POST {path}: {error}"))
    }

    /// # Panics
    /// When no answer comes.
    pub fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], &[])
            .unwrap_or_else(|error| panic!("DELETE {path}: {error}"))
    }

    /// Turns a request into a byte stream in both directions, as the docker command does.
    ///
    /// # Panics
    /// When the answer is not 101.
    pub fn upgrade(&self, path: &str, body: &Value) -> BufReader<Connection> {
        let headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "tcp"),
            ("Content-Type", "application/json"),
        ];
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let open = self
            .open("POST", path, &headers, &bytes)
            .expect("the engine answers");
        if open.status != 101 {
            panic!("POST {path} was not upgraded: {:?}", open.whole("POST"));
        }
        open.stream
    }
}

impl Open {
    fn read(connection: Connection) -> io::Result<Open> {
        let mut stream = BufReader::new(connection);
        loop {
            let status_line = line(&mut stream)?;
            let status = status_line
                .split(' ')
                .nth(1)
                .and_then(|word| word.parse().ok());
            let status =
                status.ok_or_else(|| io::Error::other(format!("no HTTP: {status_line:?}")))?;
            let mut headers = Vec::new();
            loop {
                let header = line(&mut stream)?;
                let Some((name, value)) = header.split_once(':') else {
                    break;
                };
                headers.push((name.to_lowercase(), value.trim().to_owned()));
            }
            if status != 100 {
                return Ok(Open {
                    status,
                    headers,
                    stream,
                });
            }
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        value_of(&self.headers, name)
    }

    /// Reads to the end of the answer to `method`.
    ///
    /// # Errors
    /// When the body ends early.
    pub fn whole(mut self, method: &str) -> io::Result<Answer> {
        let mut body = Vec::new();
        let bodiless = method == "HEAD" || matches!(self.status, 101 | 204 | 304);
        if !bodiless {
            if self
                .header("transfer-encoding")
                .is_some_and(|value| value.contains("chunked"))
            {
                while let Some(chunk) = self.chunk()? {
                    body.extend(chunk);
                }
            } else if let Some(length) = self.header("content-length") {
                body.resize(length.parse().map_err(io::Error::other)?, 0);
                self.stream.read_exact(&mut body)?;
            } else {
                self.stream.read_to_end(&mut body)?;
            }
        }
        Ok(Answer {
            status: self.status,
            headers: self.headers,
            body,
        })
    }

    /// Reads the next chunk of a chunked body.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let size = line(&mut self.stream)?;
        let size = size.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk)?;
        chunk.truncate(size);
        Ok((size > 0).then_some(chunk))
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        value_of(&self.headers, name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// # Panics
    /// When the body is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text()))
    }

    /// The message of an error body.
    pub fn message(&self) -> String {
        self.json()["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// # Panics
    /// When the status is another one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

fn value_of<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    stream.take(64 * 1024).read_until(b'\n', &mut line)?;
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Takes the frames of a multiplexed stream apart: what went to stdout, what to stderr.
///
/// # Panics
/// When the bytes are no frames.
pub fn frames(mut bytes: &[u8]) -> (String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    while let [stream, 0, 0, 0, a, b, c, d, rest @ ..] = bytes {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        assert!(
            length <= rest.len(),
            "a frame of {length} bytes ends after {}",
            rest.len()
        );
        if *stream == 2 { &mut err } else { &mut out }.extend(&rest[..length]);
        bytes = &rest[length..];
    }
    assert!(
        bytes.is_empty(),
        "{} bytes behind the last frame",
        bytes.len()
    );
    (
        String::from_utf8_lossy(&out).into_owned(),
        String::from_utf8_lossy(&err).into_owned(),
    )
}

impl Connection {
    /// Says that nothing more will be written.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn finish_writing(&self) -> io::Result<()> {
        match self {
            Connection::Unix(stream) => stream.shutdown(Shutdown::Write),
            Connection::Tcp(stream) => stream.shutdown(Shutdown::Write),
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Connection::Unix(stream) => stream.read(buffer),
            Connection::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Connection::Unix(stream) => stream.write(bytes),
            Connection::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
