//! A connection that became a byte stream in both directions: attach and exec.

use bytes::{Bytes, BytesMut};
use http::Response;
use hyper::body::Incoming;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use crate::error::{ClientError, Result};
use crate::stream::{Output, Splitter};

/// Bytes read at once.
const READ_BYTES: usize = 32 << 10;

/// Both directions. [`Attached::split`] gives each to its own task.
#[derive(Debug)]
pub struct Attached {
    /// What is typed.
    pub input: Input,
    /// What it says.
    pub output: AttachedOutput,
}

impl Attached {
    pub(crate) async fn new(mut answer: Response<Incoming>) -> Result<Self> {
        let splitter = Splitter::new(answer.headers());
        let upgraded = hyper::upgrade::on(&mut answer)
            .await
            .map_err(ClientError::Connection)?;
        let (reader, writer) = tokio::io::split(TokioIo::new(upgraded));
        Ok(Self {
            input: Input { writer },
            output: AttachedOutput {
                reader,
                splitter,
                buffer: BytesMut::new(),
            },
        })
    }

    /// Returns the two directions.
    pub fn split(self) -> (Input, AttachedOutput) {
        (self.input, self.output)
    }
}

/// The way in.
#[derive(Debug)]
pub struct Input {
    writer: WriteHalf<TokioIo<Upgraded>>,
}

impl Input {
    /// Writes all the bytes; waits while the program inside does not read.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.writer
            .write_all(bytes)
            .await
            .map_err(ClientError::Stream)?;
        self.writer.flush().await.map_err(ClientError::Stream)
    }

    /// Says that no more input comes; output goes on.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn close(&mut self) -> Result<()> {
        self.writer.shutdown().await.map_err(ClientError::Stream)
    }
}

/// The way out.
#[derive(Debug)]
pub struct AttachedOutput {
    reader: ReadHalf<TokioIo<Upgraded>>,
    splitter: Splitter,
    buffer: BytesMut,
}

impl AttachedOutput {
    /// Returns the next piece; `None` when the program has ended or let go. Safe to cancel.
    ///
    /// # Errors
    /// When the connection breaks or the bytes are not frames.
    pub async fn next(&mut self) -> Result<Option<Output>> {
        loop {
            if let Some(output) = self.splitter.pop() {
                return Ok(Some(output));
            }
            self.buffer.reserve(READ_BYTES);
            let n_bytes = self
                .reader
                .read_buf(&mut self.buffer)
                .await
                .map_err(ClientError::Stream)?;
            if n_bytes == 0 {
                return Ok(None);
            }
            let bytes: Bytes = self.buffer.split().freeze();
            self.splitter.push(bytes)?;
        }
    }
}
