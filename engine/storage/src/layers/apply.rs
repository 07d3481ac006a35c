//! Unpacks one archive into an empty directory, trusting nothing that it says.

use std::ffi::OsStr;
use std::io::{self, BufReader, Read};

use engine_sys::dir::Dir;
use engine_tar::{Archive, Bounds, Decompressed, Hasher, TarError};

use super::members::Unpacker;
use super::store::Layer;
use crate::diff_id::DiffId;
use crate::error::{ApplyError, Subject};

/// The directory of the content, inside the layer's own.
pub(super) const DIFF: &str = "diff";
const BUFFER_BYTES: usize = 256 * 1024;

/// How large a layer may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Headers in its archive, extensions included.
    pub entries_max: u64,
    /// Directories above one entry.
    pub depth_max: usize,
    /// Length of the uncompressed archive, and how far compression may go.
    pub bounds: Bounds,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries_max: 2_000_000,
            depth_max: 256,
            bounds: Bounds {
                bytes_max: 128 << 30,
                ratio_max: 200,
                ratio_free_bytes: 1 << 30,
            },
        }
    }
}

/// Unpacks `source` into `dir/diff`; returns what it is and the digest that it turned out to have.
pub(super) fn apply(
    dir: &Dir,
    layer: Subject,
    source: impl Read + Send,
    limits: &Limits,
) -> Result<(Layer, DiffId), ApplyError> {
    let write = |source| ApplyError::Write { layer, source };
    let archive = |source| ApplyError::Archive { layer, source };
    dir.create_dir(OsStr::new(DIFF), 0o755).map_err(write)?;
    dir.set_mode(OsStr::new(DIFF), 0o755).map_err(write)?;

    let mut hash = Hasher::default();
    let plain = Decompressed::new(source, limits.bounds).map_err(archive)?;
    let hashed = Hashed {
        source: plain,
        hash: &mut hash,
    };
    let buffered = BufReader::with_capacity(BUFFER_BYTES, hashed);
    let mut members = Archive::new(buffered, limits.entries_max);
    let mut unpacker = Unpacker::new(dir, layer, limits).map_err(write)?;
    while let Some(member) = members.next_member().map_err(archive)? {
        unpacker.add(&member, &mut members.content())?;
    }
    let unpacked = unpacker.finish()?;
    members.drain().map_err(archive)?;
    Ok((unpacked, hash.digest().into()))
}

struct Hashed<'a, R> {
    source: R,
    hash: &'a mut Hasher,
}

impl<R: Read> Read for Hashed<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_read = self.source.read(buffer)?;
        self.hash.update(&buffer[..n_read]);
        Ok(n_read)
    }
}

/// Tells a failing source from a failing disk while content is copied.
pub(crate) enum CopyError {
    Source(TarError),
    Target(io::Error),
}

/// Copies content to a file through `buffer`.
pub(crate) fn copy(
    source: &mut impl Read,
    target: &mut impl io::Write,
    buffer: &mut [u8],
) -> Result<u64, CopyError> {
    let mut n_copied = 0;
    loop {
        match source.read(buffer) {
            Ok(0) => return Ok(n_copied),
            Ok(n_read) => {
                target
                    .write_all(&buffer[..n_read])
                    .map_err(CopyError::Target)?;
                n_copied += n_read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(CopyError::Source(TarError::from_read(error))),
        }
    }
}
