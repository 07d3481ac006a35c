//! From a path that a person names to the thing that it means, by Docker's rules.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use engine_sys::dir::{FileType, Metadata};
use engine_sys::path::Root;
use engine_sys::pinned::{Pinned, location};
use engine_sys::{Errno, SysError, process};

/// A path as it was asked for. `/a/../b` is `/b` by its text, and what stands behind the last
/// slash counts: `/link` is the link, `/link/` and `/link/.` are the directory that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedPath {
    path: PathBuf,
    ending: Ending,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Plain,
    Slash,
    Dot,
}

/// The thing that a path means, held.
#[derive(Debug)]
pub struct Found {
    /// The name that it has in an archive.
    pub name: Vec<u8>,
    /// Its facts; a link is a link.
    pub metadata: Metadata,
    /// Where a link leads to in the end, as far as that is there.
    pub link_target: Option<PathBuf>,
    pub(super) parent: Option<engine_sys::dir::Dir>,
    pub(super) pinned: Pinned,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundKind {
    File,
    Directory,
    Symlink,
    Pipe,
    Socket,
    BlockDevice,
    CharacterDevice,
}

impl Found {
    /// What it is.
    pub fn kind(&self) -> FoundKind {
        FoundKind::of(&self.metadata)
    }
}

impl FoundKind {
    /// What an inode with these facts is.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        match metadata.kind {
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Symlink,
            FileType::Fifo => Self::Pipe,
            FileType::Socket => Self::Socket,
            FileType::BlockDevice => Self::BlockDevice,
            FileType::CharacterDevice => Self::CharacterDevice,
            FileType::RegularFile | FileType::Unknown => Self::File,
        }
    }
}

/// Why a path means nothing that can be copied.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// There is nothing.
    #[error("there is nothing at {0}")]
    NotFound(PathBuf),
    /// A directory was meant and something else is there.
    #[error("{0} is not a directory")]
    NotADirectory(PathBuf),
    /// It belongs to the kernel, or a link of the kernel is in the way.
    #[error("{0} is refused: it is a file of the kernel, or a link that leads to one")]
    Kernels(PathBuf),
    /// Looking failed.
    #[error("failed to look at {path}")]
    Failed {
        /// What was looked at.
        path: PathBuf,
        /// Why.
        #[source]
        source: SysError,
    },
}

/// Opens the root that the process `pid` sees. Its control group must carry `mark`, so that a
/// process that has taken over the id is not mistaken for it.
///
/// # Errors
/// `ESRCH` when it has ended, or is another one.
pub fn open_root_of(pid: i32, mark: &str) -> Result<Root, SysError> {
    let gone = || SysError::new("open", format!("the root of process {pid}"), Errno::SRCH);
    let pidfd = process::open(pid)?;
    let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).map_err(|_| gone())?;
    let root = process::root_of(pid)?;
    // Alive until now, so everything above was asked of this very process.
    if !groups.contains(mark) || !process::exists(&pidfd) {
        return Err(gone());
    }
    Ok(Root::from_fd(root, "/"))
}

/// File systems that hold the kernel's state and no files: proc, sysfs, both kinds of control
/// groups, devpts, mqueue, debugfs, tracefs, securityfs, bpf, configfs, pstore, efivarfs, binfmt.
const KERNEL_TYPES: [i64; 14] = [
    0x9fa0,
    0x6265_6572,
    0x0027_e0eb,
    0x6367_7270,
    0x1cd1,
    0x1980_0202,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
    0x6265_6570,
    0x6165_676c,
    0xde5e_81e4,
    0x4249_4e4d,
];

/// Says whether a thing lies on a file system of the kernel.
pub(super) fn is_kernels(pinned: &Pinned) -> Result<bool, SysError> {
    Ok(KERNEL_TYPES.contains(&pinned.file_system()?))
}

impl AskedPath {
    /// Reads a path; a relative one begins at the root.
    pub fn new(text: &str) -> Self {
        let mut path = PathBuf::from("/");
        for component in Path::new(text).components() {
            match component {
                Component::Normal(name) => path.push(name),
                Component::ParentDir => {
                    path.pop();
                }
                Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            }
        }
        let ending = match text {
            "." => Ending::Dot,
            _ if text.ends_with("/.") => Ending::Dot,
            _ if text.ends_with('/') => Ending::Slash,
            _ => Ending::Plain,
        };
        Self { path, ending }
    }

    /// The path, clean and absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Finds what the path means below `root`.
    ///
    /// # Errors
    /// See [`LocateError`].
    pub fn locate(&self, root: &Root) -> Result<Found, LocateError> {
        let failed = |source| self.failed(source);
        let (parent, pinned) = match (self.path.file_name(), self.ending) {
            (Some(name), Ending::Plain) => {
                let above = self.path.parent().unwrap_or(Path::new("/"));
                let parent = root.open_dir(above).map_err(failed)?;
                let pinned = Pinned::at(&parent, name).map_err(failed)?;
                (Some(parent), pinned)
            }
            _ => (None, Pinned::below(root, &self.path).map_err(failed)?),
        };
        let metadata = pinned.metadata().map_err(failed)?;
        if self.ending != Ending::Plain && metadata.kind != FileType::Directory {
            return Err(LocateError::NotADirectory(self.path.clone()));
        }
        if is_kernels(&pinned).map_err(failed)? {
            return Err(LocateError::Kernels(self.path.clone()));
        }
        let link_target = match metadata.kind {
            FileType::Symlink => Some(self.target(root, &pinned)?),
            _ => None,
        };
        Ok(Found {
            name: self.name(),
            metadata,
            link_target,
            parent,
            pinned,
        })
    }

    /// Opens the directory that the path means, links followed.
    ///
    /// # Errors
    /// See [`LocateError`].
    pub(super) fn open_dir(&self, root: &Root) -> Result<Pinned, LocateError> {
        let pinned = Pinned::below(root, &self.path).map_err(|source| self.failed(source))?;
        let kind = pinned
            .metadata()
            .map_err(|source| self.failed(source))?
            .kind;
        if kind != FileType::Directory {
            return Err(LocateError::NotADirectory(self.path.clone()));
        }
        if is_kernels(&pinned).map_err(|source| self.failed(source))? {
            return Err(LocateError::Kernels(self.path.clone()));
        }
        Ok(pinned)
    }

    /// The last part of the path, as Docker has it: `/` of the root, `.` of what ends so.
    fn name(&self) -> Vec<u8> {
        match self.ending {
            Ending::Dot => b".".to_vec(),
            _ => {
                let name = self.path.file_name().unwrap_or(OsStr::new("/"));
                name.as_bytes().to_vec()
            }
        }
    }

    fn target(&self, root: &Root, link: &Pinned) -> Result<PathBuf, LocateError> {
        let failed = |source| self.failed(source);
        if let Ok(end) = Pinned::below(root, &self.path) {
            let top = location(root).map_err(failed)?;
            let full = location(&end).map_err(failed)?;
            let inside = full.strip_prefix(&top).unwrap_or(&full);
            return Ok(Path::new("/").join(inside));
        }
        // It leads to nothing: as far as its text says.
        let text = link.read_link().map_err(failed)?;
        let above = self.path.parent().unwrap_or(Path::new("/"));
        Ok(Self::new(&above.join(text).to_string_lossy()).path)
    }

    pub(super) fn failed(&self, source: SysError) -> LocateError {
        let path = self.path.clone();
        match source.errno {
            // What is too long or malformed for the kernel is not there either.
            Errno::NOENT | Errno::NAMETOOLONG | Errno::INVAL => LocateError::NotFound(path),
            Errno::NOTDIR => LocateError::NotADirectory(path),
            Errno::LOOP => LocateError::Kernels(path),
            _ => LocateError::Failed { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cleaned_by_its_text_and_its_ending_kept() {
        for (text, path, ending, name) in [
            ("/a/b", "/a/b", Ending::Plain, "b"),
            ("a", "/a", Ending::Plain, "a"),
            ("/a/../../b/", "/b", Ending::Slash, "b"),
            ("/a/.", "/a", Ending::Dot, "."),
            ("/", "/", Ending::Slash, "/"),
            ("/..", "/", Ending::Plain, "/"),
        ] {
            let asked = AskedPath::new(text);
            assert_eq!(
                (asked.path(), asked.ending, asked.name()),
                (Path::new(path), ending, name.as_bytes().to_vec()),
                "{text}"
            );
        }
    }
}
