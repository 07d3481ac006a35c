//! What a build copies: things of one tree, each under the name that it is to have in another.
//!
//! ```text
//!   source's path ── find ──> paths      (wildcards: every path that fits)
//!   paths ── gather ──> archive ── place ──> the other tree
//!                  └──> digest           (the same archive without its times: the cache's key)
//! ```

use std::ffi::{OsStr, OsString};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use engine_sys::dir::{Dir, FileType};
use engine_sys::path::Root;
use engine_sys::pinned::Pinned;
use engine_sys::users::IdMap;
use engine_tar::{
    Archive, Bounds, Decompressed, Digest, Hasher, Kind, Member, TarError, Time, Writer,
};

use super::locate::is_kernels;
use super::member::{Seen, describe};
use super::owner::Owner;
use super::pack::PackError;
use super::ways::names_of;

/// Directories above one thing.
pub(super) const DEPTH_MAX: usize = 256;
/// What is read of a file to tell whether it is an archive.
const ARCHIVE_HEAD_BYTES: u64 = 8 << 20;

/// One thing to take: a file under a name, or what lies in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Where it lies below the root; links are followed, also the last.
    pub path: PathBuf,
    /// Its name in the other tree. A directory with an empty one gives what lies in it.
    pub name: PathBuf,
    /// Of a directory nothing in it is taken.
    pub is_bare: bool,
}

impl Taken {
    /// Takes a thing with everything in it.
    pub fn whole(path: impl Into<PathBuf>, name: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            name: name.into(),
            is_bare: false,
        }
    }

    /// Takes a directory without what lies in it.
    pub fn bare(path: impl Into<PathBuf>, name: impl Into<PathBuf>) -> Self {
        Self {
            is_bare: true,
            ..Self::whole(path, name)
        }
    }
}

/// The bits that a thing is to have, of those it has and whether it is a directory.
pub type ModeOf<'a> = &'a (dyn Fn(u32, bool) -> u32 + Sync);

/// Says of a path, and whether it is a directory, that it is left out.
pub type LeavesOut<'a> = &'a (dyn Fn(&Path, bool) -> bool + Sync);

/// How things are taken.
#[derive(Clone, Copy, Default)]
pub struct GatherOptions<'a> {
    /// Everything is to belong to this owner.
    pub owner: Option<Owner>,
    /// Everything but links is to have these bits.
    pub mode: Option<ModeOf<'a>>,
    /// Paths below a directory, or the name of a file, that are left out.
    pub leaves_out: Option<LeavesOut<'a>>,
    /// Who the owners are, where they are those of a container.
    pub map: Option<IdMap>,
    /// The archive says nothing of times.
    pub without_times: bool,
}

/// Writes what is taken as an archive.
///
/// # Errors
/// See [`PackError`]; the archive is then cut.
pub fn gather<W: Write>(
    root: &Root,
    taken: &[Taken],
    options: GatherOptions<'_>,
    target: W,
) -> Result<W, PackError> {
    let mut gatherer = Gatherer {
        archive: Writer::new(target),
        seen: Seen::of_users(options.map),
        options,
    };
    for one in taken {
        gatherer.take(root, one)?;
    }
    gatherer.archive.finish().map_err(PackError::Write)
}

/// The digest of what is taken: names, contents, bits, owners; no times.
///
/// # Errors
/// When something cannot be read.
pub fn digest_of(
    root: &Root,
    taken: &[Taken],
    options: GatherOptions<'_>,
) -> Result<Digest, PackError> {
    let options = GatherOptions {
        without_times: true,
        ..options
    };
    let hashing = gather(root, taken, options, Hashing(Hasher::default()))?;
    Ok(hashing.0.digest())
}

struct Hashing(Hasher);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Gatherer<'a, W> {
    archive: Writer<W>,
    seen: Seen,
    options: GatherOptions<'a>,
}

impl<W: Write> Gatherer<'_, W> {
    fn take(&mut self, root: &Root, taken: &Taken) -> Result<(), PackError> {
        let (parent, name) = match taken.path.file_name() {
            Some(name) => {
                let above = taken.path.parent().unwrap_or(Path::new(""));
                (Some(root.open_dir(above)?), name.to_owned())
            }
            None => (None, OsString::new()),
        };
        // A link is what it leads to, and then nothing is known of the directory around that.
        let own = match &parent {
            Some(parent) => Some(Pinned::at(parent, &name)?),
            None => None,
        };
        let own = own.filter(|own| {
            own.metadata()
                .is_ok_and(|own| own.kind != FileType::Symlink)
        });
        let (at, pinned) = match (own, &parent) {
            (Some(own), Some(parent)) => (Some((parent, name.as_os_str())), own),
            _ => (None, Pinned::below(root, &taken.path)?),
        };
        if pinned.metadata()?.kind == FileType::Directory {
            if !taken.name.as_os_str().is_empty() {
                self.member(at, &pinned, &taken.name)?;
            }
            if taken.is_bare {
                return Ok(());
            }
            return self.below(&pinned.into_dir()?, &taken.name, Path::new(""), 0);
        }
        if self.is_left_out(Path::new(&name), false) {
            return Ok(());
        }
        self.member(at, &pinned, &taken.name)
    }

    fn is_left_out(&self, path: &Path, is_directory: bool) -> bool {
        let leaves_out = self.options.leaves_out;
        leaves_out.is_some_and(|leaves_out| leaves_out(path, is_directory))
    }

    fn below(
        &mut self,
        dir: &Dir,
        name: &Path,
        inside: &Path,
        depth: usize,
    ) -> Result<(), PackError> {
        if depth == DEPTH_MAX {
            let path = inside.to_string_lossy();
            return Err(PackError::TooDeep(path.chars().take(256).collect()));
        }
        for entry in names_of(dir)? {
            let pinned = Pinned::at(dir, &entry)?;
            let inside = inside.join(&entry);
            let is_directory = pinned.metadata()?.kind == FileType::Directory;
            if self.is_left_out(&inside, is_directory) {
                continue;
            }
            let name = name.join(&entry);
            self.member(Some((dir, &entry)), &pinned, &name)?;
            if is_directory && !is_kernels(&pinned)? {
                self.below(&pinned.into_dir()?, &name, &inside, depth + 1)?;
            }
        }
        Ok(())
    }

    fn member(
        &mut self,
        at: Option<(&Dir, &OsStr)>,
        pinned: &Pinned,
        name: &Path,
    ) -> Result<(), PackError> {
        let bytes = name.as_os_str().as_bytes().to_vec();
        let Some(mut member) = describe(at, pinned, bytes, &mut self.seen)? else {
            return Ok(());
        };
        self.settle(&mut member);
        if member.kind == Kind::File {
            let mut file = pinned.read()?;
            let written = self.archive.file(&member, &mut file);
            return written.map_err(PackError::Write);
        }
        self.archive.member(&member).map_err(PackError::Write)
    }

    fn settle(&self, member: &mut Member) {
        let GatherOptions {
            owner,
            mode,
            without_times,
            ..
        } = self.options;
        if let Some(owner) = owner {
            (member.uid, member.gid) = (owner.uid, owner.gid);
        }
        let is_directory = member.kind == Kind::Directory;
        match (&member.kind, mode) {
            // The kernel's, and nobody's choice.
            (Kind::Symlink(_), _) => member.mode = 0o777,
            (_, Some(mode)) => member.mode = mode(member.mode, is_directory),
            _ => {}
        }
        if without_times {
            member.modified = Time {
                seconds: 0,
                nanoseconds: 0,
            };
        }
    }
}

/// Writes an archive on a thread of its own while this one reads it. Blocks.
///
/// # Errors
/// When there is no thread or descriptor left; what became of both sides they say themselves.
pub fn carry<W: Send, R>(
    write: impl FnOnce(PipeWriter) -> W + Send,
    read: impl FnOnce(PipeReader) -> R,
) -> io::Result<(W, R)> {
    let (reader, writer) = io::pipe()?;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("gather".to_owned());
        let writing = thread.spawn_scoped(scope, move || write(writer))?;
        let was_read = read(reader);
        match writing.join() {
            Ok(was_written) => Ok((was_written, was_read)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Tells an archive, compressed or not, from every other file, by its first member.
///
/// # Errors
/// When it is compressed in a way that cannot be undone here.
pub fn is_archive(file: impl Read + Send) -> Result<bool, TarError> {
    let bounds = Bounds {
        bytes_max: ARCHIVE_HEAD_BYTES,
        ratio_max: 1,
        ratio_free_bytes: ARCHIVE_HEAD_BYTES,
    };
    let plain = Decompressed::new(file, bounds)?;
    let first = Archive::new(plain, 16).next_member();
    Ok(matches!(first, Ok(Some(_))))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn digest(dir: &Path, path: &str) -> Digest {
        let root = Root::open(dir).unwrap();
        let taken = [Taken::whole(path, "")];
        digest_of(&root, &taken, GatherOptions::default()).unwrap()
    }

    #[test]
    fn the_digest_is_of_content_names_and_bits_and_of_no_time() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a/f");
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(&file, "one").unwrap();
        let first = digest(dir.path(), "a");
        let old = std::time::SystemTime::UNIX_EPOCH;
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(old)
            .unwrap();
        assert_eq!(digest(dir.path(), "a"), first);
        fs::write(&file, "two").unwrap();
        let second = digest(dir.path(), "a");
        assert_ne!(second, first);
        fs::rename(&file, dir.path().join("a/g")).unwrap();
        assert_ne!(digest(dir.path(), "a"), second);
    }
}
