//! Appending chunks, rotating, and living through a full disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IoSlice, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{
    LogError, Position, Stream,
    error::Result,
    files,
    record::{FRAME, HEADER, Header, Kind, MAX_CHUNK, TRAILER},
};
use crate::LogOptions;

/// The one writer of a log. It allocates nothing after it is opened, rotation aside.
#[derive(Debug)]
pub struct Writer {
    dir: PathBuf,
    options: LogOptions,
    file: File,
    number: u64,
    len: u64,
    /// Output that could not be written and has not been told yet.
    lost_bytes: u64,
}

impl Writer {
    /// Opens the log in `dir`, which is made if need be; a torn last record is cut off.
    ///
    /// # Errors
    /// [`LogError`] when the directory or its newest file cannot be opened for writing.
    pub fn open(dir: &Path, options: LogOptions) -> Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(LogError::during("create", dir))?;
        let numbers = files::list(dir).map_err(LogError::during("list", dir))?;
        let number = numbers.last().copied().unwrap_or(1);
        let path = files::path(dir, number);
        let file = append_to(&path).map_err(LogError::during("open", &path))?;
        let len = files::sound_len(&file).map_err(LogError::during("check", &path))?;
        file.set_len(len).map_err(LogError::during("cut", &path))?;
        Ok(Self {
            dir: dir.to_owned(),
            options,
            file,
            number,
            len,
            lost_bytes: 0,
        })
    }

    /// Appends what was read from the container at `unix_ns`.
    ///
    /// Never fails: what the disk does not take is counted, and told in the log when there is room
    /// again. Where no file is to be kept, nothing is.
    pub fn write(&mut self, stream: Stream, unix_ns: u64, bytes: &[u8]) {
        if self.options.max_files == 0 {
            return;
        }
        for chunk in bytes.chunks(MAX_CHUNK) {
            if self.write_chunk(stream, unix_ns, chunk).is_err() {
                self.lost_bytes += chunk.len() as u64;
            }
        }
    }

    /// Returns how many bytes of output are lost and not yet told in the log.
    pub fn lost_bytes(&self) -> u64 {
        self.lost_bytes
    }

    /// Returns the place behind everything written so far.
    pub fn end(&self) -> Position {
        Position::at(self.number, self.len)
    }

    fn write_chunk(&mut self, stream: Stream, unix_ns: u64, chunk: &[u8]) -> io::Result<()> {
        let lost = self.lost_bytes.to_le_bytes();
        let records = [
            Record::new(Kind::Lost, unix_ns, &lost),
            Record::new(Kind::Output(stream), unix_ns, chunk),
        ];
        // A loss is told together with the first output that fits again, or not yet.
        let records = &records[usize::from(self.lost_bytes == 0)..];
        let len: u64 = records.iter().map(Record::len).sum();
        if self.len > 0 && self.len + len > self.options.max_bytes {
            self.rotate()?;
        }
        while let Err(error) = self.append(records, len) {
            // What is new matters more than what is old.
            if !is_full(&error) || !self.remove_older_than(self.number)? {
                return Err(error);
            }
        }
        self.lost_bytes = 0;
        Ok(())
    }

    /// Writes records by one call, or nothing.
    fn append(&mut self, records: &[Record<'_>], len: u64) -> io::Result<()> {
        let mut parts = [IoSlice::new(&[]); 6];
        let slices = records.iter().flat_map(Record::slices);
        parts
            .iter_mut()
            .zip(slices)
            .for_each(|(part, slice)| *part = IoSlice::new(slice));
        let written = match self.file.write_vectored(&parts) {
            Ok(written) if written as u64 == len => Ok(()),
            // The disk filled up in the middle.
            Ok(_) => Err(io::ErrorKind::StorageFull.into()),
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => self.len += len,
            // Cutting frees and cannot run out of room; should it fail, readers skip the tear.
            Err(_) => self.file.set_len(self.len)?,
        }
        written
    }

    /// Starts the next file. The oldest goes first: on a full disk it makes the room.
    fn rotate(&mut self) -> io::Result<()> {
        let next = self.number + 1;
        let kept = u64::from(self.options.max_files.max(1));
        while self.remove_older_than((next + 1).saturating_sub(kept))? {}
        self.file = append_to(&files::path(&self.dir, next))?;
        self.number = next;
        self.len = 0;
        Ok(())
    }

    /// Removes the oldest file if its number is below this; tells whether there was one.
    fn remove_older_than(&self, number: u64) -> io::Result<bool> {
        let oldest = files::list(&self.dir)?.first().copied();
        let Some(oldest) = oldest.filter(|oldest| *oldest < number) else {
            return Ok(false);
        };
        fs::remove_file(files::path(&self.dir, oldest))?;
        Ok(true)
    }
}

/// A record ready to be written.
struct Record<'a> {
    header: [u8; HEADER],
    payload: &'a [u8],
    trailer: [u8; TRAILER],
}

impl<'a> Record<'a> {
    /// The payload is at most [`MAX_CHUNK`] long.
    fn new(kind: Kind, unix_ns: u64, payload: &'a [u8]) -> Self {
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        Self {
            header: Header { kind, len, unix_ns }.to_bytes(),
            payload,
            trailer: len.to_le_bytes(),
        }
    }

    fn len(&self) -> u64 {
        (FRAME + self.payload.len()) as u64
    }

    fn slices(&self) -> [&[u8]; 3] {
        [&self.header, self.payload, &self.trailer]
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}
