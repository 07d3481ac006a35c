//! Appending chunks, rotating, and living through a full disk.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, IoSlice, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{
    LogError, Stream,
    error::Result,
    files,
    record::{FRAME, Header, Kind, MAX_CHUNK},
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
    /// again.
    pub fn write(&mut self, stream: Stream, unix_ns: u64, bytes: &[u8]) {
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

    fn write_chunk(&mut self, stream: Stream, unix_ns: u64, chunk: &[u8]) -> io::Result<()> {
        let record_len = (FRAME + chunk.len()) as u64;
        if self.len > 0 && self.len + record_len > self.options.max_bytes {
            self.rotate()?;
        }
        if self.lost_bytes > 0 {
            let count = self.lost_bytes.to_le_bytes();
            self.append(Kind::Lost, unix_ns, &count)?;
            self.lost_bytes = 0;
        }
        self.append(Kind::Output(stream), unix_ns, chunk)
    }

    /// Writes one record by one call, or nothing.
    fn append(&mut self, kind: Kind, unix_ns: u64, payload: &[u8]) -> io::Result<()> {
        let len = u32::try_from(payload.len()).map_err(io::Error::other)?;
        let header = Header { kind, len, unix_ns }.to_bytes();
        let trailer = len.to_le_bytes();
        let parts = [&header, payload, &trailer].map(IoSlice::new);
        let record_len = (FRAME + payload.len()) as u64;
        let written = match self.file.write_vectored(&parts) {
            Ok(written) if written as u64 == record_len => Ok(()),
            // The disk filled up in the middle.
            Ok(_) => Err(io::ErrorKind::StorageFull.into()),
            Err(error) => Err(error),
        };
        match written {
            Ok(()) => self.len += record_len,
            // Cutting frees and cannot run out of room; should it fail, readers skip the tear.
            Err(_) => self.file.set_len(self.len)?,
        }
        written
    }

    /// Starts the next file. The oldest goes first: on a full disk it makes the room.
    fn rotate(&mut self) -> io::Result<()> {
        let next = self.number + 1;
        let kept = u64::from(self.options.max_files.max(1));
        for old in files::list(&self.dir)?
            .into_iter()
            .filter(|old| old + kept <= next)
        {
            fs::remove_file(files::path(&self.dir, old))?;
        }
        self.file = append_to(&files::path(&self.dir, next))?;
        self.number = next;
        self.len = 0;
        Ok(())
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
}
