//! A blob while it arrives: every byte goes to the disk, and past whoever reads along.
//!
//! So a layer is unpacked by the time that its last byte is here. Whoever reads along sees bytes
//! that nobody has compared with a digest yet, and must compare what comes out of them.

use std::io::{self, Read, Write};

use bytes::{Buf, Bytes};
use engine_tar::Digest;
use tokio::sync::mpsc;

use super::error::RegistryError;
use crate::blobs::{BlobWriter, write_failed};
use crate::error::StoreError;

/// Reads a blob while it arrives, on a thread that may block, perhaps not to its end; begun anew
/// for each place that is asked. A read fails when the transfer does, or begins again.
pub type Reader = dyn Fn(&mut (dyn Read + Send)) + Send + Sync;

/// What goes to the thread that writes.
pub(super) enum Piece {
    Chunk(Bytes),
    /// Forget everything: the registry begins again.
    Restart,
    /// It is whole. A channel that closes without this was cancelled.
    End,
}

/// The blob on its way to the disk.
pub(super) struct Arriving {
    writer: BlobWriter,
    pieces: mpsc::Receiver<Piece>,
    /// Written, and not yet read.
    chunk: Bytes,
    /// What came from the beginning has come in one row so far.
    in_one_row: bool,
    end: Option<End>,
}

enum End {
    Whole,
    /// Cancelled, or failed on the other side, where the reason is known.
    Cut,
    Failed(io::Error),
}

impl Arriving {
    pub(super) fn new(writer: BlobWriter, pieces: mpsc::Receiver<Piece>) -> Self {
        Self {
            writer,
            pieces,
            chunk: Bytes::new(),
            in_one_row: true,
            end: None,
        }
    }

    /// Writes what is still to come and keeps the blob, if it is what was asked for. Blocks.
    pub(super) fn keep(mut self, expected: Digest) -> Result<(), RegistryError> {
        while self.end.is_none() {
            self.advance();
        }
        match self.end {
            Some(End::Whole) => {}
            Some(End::Failed(error)) => return Err(RegistryError::Store(write_failed(&error))),
            Some(End::Cut) | None => {
                let digest = expected;
                return Err(RegistryError::Store(StoreError::Damaged { digest }));
            }
        }
        let finished = self.writer.finish();
        if finished.digest != expected {
            let found = finished.digest;
            return Err(RegistryError::WrongDigest { expected, found });
        }
        finished.keep().map(drop).map_err(RegistryError::Store)
    }

    /// Takes the next piece and writes it.
    fn advance(&mut self) {
        let written = match self.pieces.blocking_recv() {
            Some(Piece::Chunk(chunk)) => {
                let written = self.writer.write_all(&chunk);
                self.chunk = chunk;
                written
            }
            Some(Piece::Restart) => {
                self.in_one_row = false;
                self.writer.restart()
            }
            Some(Piece::End) => {
                self.end = Some(End::Whole);
                Ok(())
            }
            None => {
                self.end = Some(End::Cut);
                Ok(())
            }
        };
        if let Err(error) = written {
            self.end = Some(End::Failed(error));
        }
    }
}

impl Read for Arriving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() && self.end.is_none() && self.in_one_row {
            self.advance();
        }
        if !self.in_one_row {
            return Err(io::Error::other("the registry begins again"));
        }
        match self.end {
            _ if !self.chunk.is_empty() => {}
            Some(End::Whole) => return Ok(0),
            _ => return Err(io::Error::other("the transfer broke off")),
        }
        let n_bytes = buffer.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut buffer[..n_bytes]);
        Ok(n_bytes)
    }
}
