//! Content by digest, durable before it has its name.
//!
//! ```text
//! blobs/            0700
//!   sha256/<hex>    whole, compared with its name, synced
//!   tmp/<n>         being written; swept at start
//! ```

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_sys::dir::Dir;
use engine_sys::{Errno, SysError, file};
use engine_tar::{Digest, Hasher};

use crate::error::StoreError;

const TEMPORARY: &str = "tmp";
const WHOLE: &str = "sha256";

/// The blobs. Cheap to share behind an [`Arc`]; every method takes `&self`.
#[derive(Debug)]
pub struct Blobs {
    whole: Dir,
    temporary: Dir,
    n_temporary: AtomicU64,
    sizes: Mutex<HashMap<Digest, u64>>,
    /// One lock for each blob that somebody is fetching.
    busy: Mutex<HashMap<Digest, Arc<tokio::sync::Mutex<()>>>>,
}

impl Blobs {
    /// Opens the blobs at `path`, making the directory if needed, and sweeps what a crash left.
    ///
    /// # Errors
    /// When the directory cannot be used.
    pub fn open(path: &Path) -> Result<Arc<Self>, StoreError> {
        Self::try_open(path).map_err(StoreError::disk(format!(
            "open the blobs at {}",
            path.display()
        )))
    }

    fn try_open(path: &Path) -> Result<Arc<Self>, SysError> {
        file::create_private_dir(path)?;
        let temporary = file::create_private_dir(&path.join(TEMPORARY))?;
        // What a crash left; what cannot be removed stays, and its number is not used again.
        let mut n_temporary = 0;
        for entry in temporary.entries()? {
            if let Err(error) = temporary.remove_all(&entry.name) {
                tracing::warn!(error = %error, "a half-written blob was not removed");
                let number = entry
                    .name
                    .to_str()
                    .and_then(|name| name.parse::<u64>().ok());
                n_temporary = n_temporary.max(number.unwrap_or(0).saturating_add(1));
            }
        }
        let whole = file::create_private_dir(&path.join(WHOLE))?;
        let mut sizes = HashMap::new();
        for entry in whole.entries()? {
            let size_bytes = whole.metadata(&entry.name)?.size_bytes;
            if let Some(digest) = entry.name.to_str().and_then(Digest::from_hex) {
                sizes.insert(digest, size_bytes);
            }
        }
        Ok(Arc::new(Self {
            whole,
            temporary,
            n_temporary: AtomicU64::new(n_temporary),
            sizes: Mutex::new(sizes),
            busy: Mutex::default(),
        }))
    }

    /// The length of a blob that is here.
    pub fn size(&self, digest: Digest) -> Option<u64> {
        lock(&self.sizes).get(&digest).copied()
    }

    /// Every blob that is here.
    pub fn list(&self) -> Vec<Digest> {
        lock(&self.sizes).keys().copied().collect()
    }

    /// Opens a blob for reading. Whoever reads it compares the digest, or that of what is in it.
    ///
    /// # Errors
    /// When it is not here.
    pub fn reader(&self, digest: Digest) -> Result<File, StoreError> {
        self.whole
            .open_file(name(digest).as_ref())
            .map_err(|error| match error.errno {
                Errno::NOENT => StoreError::Damaged { digest },
                _ => StoreError::disk(format!("open blob {digest}"))(error),
            })
    }

    /// Reads a whole small blob and compares its digest.
    ///
    /// # Errors
    /// When it is not here, not what it should be, or longer than `max_bytes`.
    pub fn read(&self, digest: Digest, max_bytes: u64) -> Result<Vec<u8>, StoreError> {
        let mut content = Vec::new();
        let source = self.reader(digest)?;
        let read = source
            .take(max_bytes.saturating_add(1))
            .read_to_end(&mut content);
        if read.is_err() || content.len() as u64 > max_bytes || Digest::of(&content) != digest {
            return Err(StoreError::Damaged { digest });
        }
        Ok(content)
    }

    /// Reads a whole blob, however long, and compares its digest.
    ///
    /// # Errors
    /// When it is not here, or not what it should be.
    pub fn verify(&self, digest: Digest) -> Result<(), StoreError> {
        let mut source = self.reader(digest)?;
        let mut hash = Hasher::default();
        let mut piece = vec![0; 64 << 10];
        let is_read = loop {
            match source.read(&mut piece) {
                Ok(0) => break true,
                Ok(n_bytes) => hash.update(&piece[..n_bytes]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break false,
            }
        };
        if is_read && hash.digest() == digest {
            return Ok(());
        }
        Err(StoreError::Damaged { digest })
    }

    /// Removes a blob that is not what its name says, so that it can be brought again; says whether
    /// it was so.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn forget_if_damaged(&self, digest: Digest) -> Result<bool, StoreError> {
        match self.verify(digest) {
            Ok(()) => Ok(false),
            Err(StoreError::Damaged { .. }) => self.remove(digest).map(|()| true),
            Err(failed) => Err(failed),
        }
    }

    /// Keeps small content.
    ///
    /// # Errors
    /// When the disk fails or is full.
    pub fn put(self: &Arc<Self>, content: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(content);
        if self.size(digest).is_some() {
            match self.read(digest, content.len() as u64) {
                Ok(_) => return Ok(digest),
                // The disk has changed it: what is whole takes its place.
                Err(StoreError::Damaged { .. }) => self.remove(digest)?,
                Err(failed) => return Err(failed),
            }
        }
        let mut writer = self.writer()?;
        writer
            .write_all(content)
            .map_err(|error| write_failed(&error))?;
        writer.finish().keep()
    }

    /// Begins a blob whose digest comes out at the end.
    ///
    /// # Errors
    /// When the disk fails or is full.
    pub fn writer(self: &Arc<Self>) -> Result<BlobWriter, StoreError> {
        let name: OsString = self
            .n_temporary
            .fetch_add(1, Ordering::Relaxed)
            .to_string()
            .into();
        let file = self
            .temporary
            .create_file(&name, 0o600)
            .map_err(StoreError::disk("begin a blob"))?;
        let temporary = Temporary {
            blobs: Arc::clone(self),
            name,
        };
        Ok(BlobWriter {
            file,
            hash: Hasher::default(),
            n_bytes: 0,
            temporary,
        })
    }

    /// Removes a blob; whether something needs it, the caller knows.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn remove(&self, digest: Digest) -> Result<(), StoreError> {
        lock(&self.sizes).remove(&digest);
        match self.whole.remove_file(name(digest).as_ref()) {
            Err(error) if error.errno != Errno::NOENT => {
                Err(StoreError::disk(format!("remove blob {digest}"))(error))
            }
            _ => Ok(()),
        }
    }

    /// Waits until nobody else fetches the blob. While the turn is held, everybody else waits.
    pub(crate) async fn turn(&self, digest: Digest) -> tokio::sync::OwnedMutexGuard<()> {
        let busy = {
            let mut busy = lock(&self.busy);
            busy.retain(|_, waiting| Arc::strong_count(waiting) > 1);
            Arc::clone(busy.entry(digest).or_default())
        };
        busy.lock_owned().await
    }
}

/// A blob that is being written. Dropped, it was never there.
#[derive(Debug)]
pub struct BlobWriter {
    file: File,
    hash: Hasher,
    n_bytes: u64,
    temporary: Temporary,
}

/// A blob that is written and not yet kept. It holds no descriptor: there may be thousands.
#[derive(Debug)]
pub(crate) struct Finished {
    /// What it turned out to be.
    pub(crate) digest: Digest,
    /// Its length.
    pub(crate) size_bytes: u64,
    temporary: Temporary,
}

impl BlobWriter {
    /// How much is written so far.
    pub fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Forgets everything written so far.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn restart(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.hash = Hasher::default();
        self.n_bytes = 0;
        Ok(())
    }

    /// Ends the content.
    pub(crate) fn finish(self) -> Finished {
        Finished {
            digest: self.hash.digest(),
            size_bytes: self.n_bytes,
            temporary: self.temporary,
        }
    }
}

impl Write for BlobWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.file.write(bytes)?;
        self.hash.update(&bytes[..n_written]);
        self.n_bytes += n_written as u64;
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Finished {
    /// Makes it durable and gives it its name.
    ///
    /// # Errors
    /// When the disk fails or is full.
    pub(crate) fn keep(self) -> Result<Digest, StoreError> {
        let Temporary {
            blobs,
            name: temporary,
        } = &self.temporary;
        let digest = self.digest;
        let failed = || StoreError::disk(format!("keep blob {digest}"));
        self.reader()?
            .sync_all()
            .map_err(|error| failed()(SysError::from_io("fsync", digest, &error)))?;
        let kept = blobs
            .temporary
            .rename(temporary, &blobs.whole, name(digest).as_ref());
        match kept {
            // The same content under the same name.
            Err(error) if error.errno == Errno::EXIST => {}
            other => other.map_err(failed())?,
        }
        blobs.whole.sync().map_err(failed())?;
        lock(&blobs.sizes).insert(digest, self.size_bytes);
        Ok(digest)
    }

    /// Reads it again, while it is not yet kept.
    pub(crate) fn reader(&self) -> Result<File, StoreError> {
        let Temporary { blobs, name } = &self.temporary;
        blobs
            .temporary
            .open_file(name)
            .map_err(StoreError::disk("read a part of an archive"))
    }
}

#[derive(Debug)]
struct Temporary {
    blobs: Arc<Blobs>,
    name: OsString,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // Gone already when it was kept; swept at the next start if this fails.
        let _ = self.blobs.temporary.remove_file(&self.name);
    }
}

pub(crate) fn write_failed(error: &io::Error) -> StoreError {
    let source = SysError::from_io("write", "a blob", error);
    StoreError::Disk {
        action: "write a blob".to_owned(),
        source,
    }
}

pub(crate) fn read_failed(error: &io::Error) -> StoreError {
    let source = SysError::from_io("read", "a blob", error);
    StoreError::Disk {
        action: "read a blob".to_owned(),
        source,
    }
}

fn name(digest: Digest) -> OsString {
    digest.hex().into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn n_files(dir: &TempDir, name: &str) -> usize {
        fs::read_dir(dir.path().join(name)).unwrap().count()
    }

    #[test]
    fn content_is_found_again_by_its_digest() {
        let dir = TempDir::new().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let digest = blobs.put(b"content").unwrap();
        assert_eq!(blobs.put(b"content").unwrap(), digest);

        let again = Blobs::open(dir.path()).unwrap();
        assert_eq!(again.read(digest, 100).unwrap(), b"content");
        assert_eq!((again.size(digest), again.list().len()), (Some(7), 1));
        assert!(again.read(digest, 6).is_err());
        assert!(matches!(
            again.read(Digest::of(b""), 9),
            Err(StoreError::Damaged { .. })
        ));
    }

    #[test]
    fn dropped_and_killed_writers_leave_nothing() {
        let dir = TempDir::new().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let mut writer = blobs.writer().unwrap();
        writer.write_all(b"half").unwrap();
        assert_eq!(n_files(&dir, "tmp"), 1);
        drop(writer);
        assert_eq!((n_files(&dir, "tmp"), n_files(&dir, "sha256")), (0, 0));

        fs::write(dir.path().join("tmp/7"), "left by a crash").unwrap();
        Blobs::open(dir.path()).unwrap();
        assert_eq!(n_files(&dir, "tmp"), 0);
    }

    #[test]
    fn what_the_disk_has_damaged_is_kept_anew() {
        let dir = TempDir::new().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let digest = blobs.put(b"content").unwrap();
        let damage = || {
            let path = dir.path().join("sha256").join(digest.hex());
            fs::write(path, "c0ntent").unwrap();
        };
        assert!(!blobs.forget_if_damaged(digest).unwrap());

        damage();
        assert_eq!(blobs.put(b"content").unwrap(), digest);
        assert_eq!(blobs.read(digest, 100).unwrap(), b"content");

        damage();
        assert!(blobs.forget_if_damaged(digest).unwrap());
        assert_eq!((blobs.size(digest), n_files(&dir, "sha256")), (None, 0));
    }

    #[test]
    fn a_restarted_writer_forgets() {
        let dir = TempDir::new().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let mut writer = blobs.writer().unwrap();
        writer.write_all(b"a longer false start").unwrap();
        writer.restart().unwrap();
        writer.write_all(b"content").unwrap();
        assert_eq!(writer.finish().keep().unwrap(), Digest::of(b"content"));
        assert_eq!(blobs.read(Digest::of(b"content"), 9).unwrap(), b"content");
    }

    #[test]
    fn a_flipped_byte_is_noticed() {
        let dir = TempDir::new().unwrap();
        let blobs = Blobs::open(dir.path()).unwrap();
        let digest = blobs.put(b"content").unwrap();
        fs::write(dir.path().join("sha256").join(digest.hex()), b"cantent").unwrap();
        assert!(matches!(
            blobs.read(digest, 9),
            Err(StoreError::Damaged { .. })
        ));
    }
}
