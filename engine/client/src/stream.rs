//! What goes on arriving: JSON documents one after another, and frames.

use std::collections::VecDeque;
use std::marker::PhantomData;

use bytes::{Bytes, BytesMut};
use engine_api::frame::{Decoder, Stream};
use http::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;

use crate::error::{ClientError, Result};

/// Longest JSON line; an event with all its labels stays far below.
const LINE_MAX_BYTES: usize = 4 << 20;

/// The body of an answer, piece by piece. Dropping it closes the connection.
#[derive(Debug)]
pub struct Chunks {
    body: Incoming,
}

impl Chunks {
    pub(crate) fn new(answer: Response<Incoming>) -> Self {
        Self {
            body: answer.into_body(),
        }
    }

    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks before the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let Some(frame) = self.body.frame().await else {
                return Ok(None);
            };
            let frame = frame.map_err(ClientError::Connection)?;
            if let Ok(data) = frame.into_data()
                && !data.is_empty()
            {
                return Ok(Some(data));
            }
        }
    }
}

/// JSON documents, one a line.
#[derive(Debug)]
pub struct JsonLines<T> {
    operation: &'static str,
    chunks: Chunks,
    buffer: BytesMut,
    kind: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> JsonLines<T> {
    pub(crate) fn new(operation: &'static str, answer: Response<Incoming>) -> Self {
        Self {
            operation,
            chunks: Chunks::new(answer),
            buffer: BytesMut::new(),
            kind: PhantomData,
        }
    }

    /// Returns the next document; `None` at the end. Safe to cancel: nothing read is lost.
    ///
    /// # Errors
    /// When the connection breaks, or a line is no such document.
    pub async fn next(&mut self) -> Result<Option<T>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return self.parse(&line).map(Some);
            }
            if self.buffer.len() > LINE_MAX_BYTES {
                return Err(self.unreadable(&"a line is too long"));
            }
            match self.chunks.next().await? {
                Some(bytes) => self.buffer.extend_from_slice(&bytes),
                None if self.buffer.trim_ascii().is_empty() => return Ok(None),
                None => {
                    let line = self.buffer.split();
                    return self.parse(&line).map(Some);
                }
            }
        }
    }

    fn parse(&self, line: &[u8]) -> Result<T> {
        engine_api::body::parse(line).map_err(|e| self.unreadable(&e))
    }

    fn unreadable(&self, reason: &impl ToString) -> ClientError {
        ClientError::Answer {
            operation: self.operation,
            reason: reason.to_string(),
        }
    }
}

/// A piece of output and the stream it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Which stream.
    pub stream: Stream,
    /// The bytes; a cut falls anywhere.
    pub bytes: Bytes,
}

/// Takes output apart: frames, or without any when there is a terminal.
#[derive(Debug)]
pub(crate) struct Splitter {
    /// `None` when the output is raw.
    decoder: Option<Decoder>,
    ready: VecDeque<Output>,
}

impl Splitter {
    /// The content type of the answer says whether there are frames.
    pub(crate) fn new(headers: &http::HeaderMap) -> Self {
        let raw = headers
            .get(http::header::CONTENT_TYPE)
            .is_some_and(|value| value == "application/vnd.docker.raw-stream");
        Self {
            decoder: (!raw).then(Decoder::new),
            ready: VecDeque::new(),
        }
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        self.ready.pop_front()
    }

    pub(crate) fn push(&mut self, bytes: Bytes) -> Result<()> {
        let Some(decoder) = &mut self.decoder else {
            self.ready.push_back(Output {
                stream: Stream::Stdout,
                bytes,
            });
            return Ok(());
        };
        let mut input = &bytes[..];
        loop {
            match decoder.next(&mut input) {
                Ok(Some((stream, piece))) => {
                    self.ready.push_back(Output {
                        stream,
                        bytes: bytes.slice_ref(piece),
                    });
                }
                Ok(None) => return Ok(()),
                Err(error) => return Err(ClientError::Stream(std::io::Error::other(error))),
            }
        }
    }
}

/// The output of a container, as its log keeps it.
#[derive(Debug)]
pub struct OutputStream {
    chunks: Chunks,
    splitter: Splitter,
}

impl OutputStream {
    pub(crate) fn new(answer: Response<Incoming>) -> Self {
        let splitter = Splitter::new(answer.headers());
        Self {
            chunks: Chunks::new(answer),
            splitter,
        }
    }

    /// Returns the next piece; `None` at the end. Safe to cancel.
    ///
    /// # Errors
    /// When the connection breaks or the bytes are not frames.
    pub async fn next(&mut self) -> Result<Option<Output>> {
        loop {
            if let Some(output) = self.splitter.pop() {
                return Ok(Some(output));
            }
            match self.chunks.next().await? {
                Some(bytes) => self.splitter.push(bytes)?,
                None => return Ok(None),
            }
        }
    }
}
