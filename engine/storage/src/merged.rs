//! A container's files while it does not run: its overlay, with what is mounted in it, in a mount
//! namespace that only one thread has.
//!
//! Nothing is mounted where the host, another thread or another container could see it, and there
//! is nothing to take away again: the namespace ends with the thread, also when the engine is
//! killed.
//!
//! **Invariant:** the thread never changes its root and executes nothing; it reaches the files by
//! the overlay's descriptor alone.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_sys::dir::{FileType, metadata_of};
use engine_sys::mount::{self, Attributes, Overlay};
use engine_sys::namespace::{self, Namespaces};
use engine_sys::path::{Mode, OFlags, Root};
use engine_sys::{Errno, SysError, fd, pinned, users};

use crate::snapshots::Snapshot;

/// A directory or file of the host that is mounted in a container.
#[derive(Debug, Clone)]
pub struct Bind {
    /// Where it lies on the host.
    pub source: PathBuf,
    /// Where the container has it.
    pub target: PathBuf,
    /// Nothing may be written there.
    pub readonly: bool,
    /// Asked about what the source leads to when it is opened.
    pub judge: Option<Judge>,
}

impl Bind {
    /// Opens the source; `None` when it is gone. What was judged is what will be mounted.
    fn open(&self) -> Result<Option<OwnedFd>, SysError> {
        let Ok(source) = mount::open_source(&self.source) else {
            return Ok(None);
        };
        if let Some(Judge(may_show)) = &self.judge
            && !may_show(&pinned::location(&source)?)
        {
            let what = "show what the profile of this host does not allow";
            return Err(SysError::new(what, self.source.display(), Errno::PERM));
        }
        Ok(Some(source))
    }
}

/// Says of a place on the host whether it may be shown, no link on the way to it.
#[derive(Clone)]
pub struct Judge(Arc<dyn Fn(&Path) -> bool + Send + Sync>);

impl Judge {
    /// Judges by this.
    pub fn by(judge: impl Fn(&Path) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(judge))
    }
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Judge")
    }
}

/// What a container's root is made of.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The container's own part.
    pub snapshot: Snapshot,
    /// The layers below, top first.
    pub lowers: Vec<PathBuf>,
    /// What is mounted in it. A bind whose source is gone is left out.
    pub binds: Vec<Bind>,
    /// The namespace of the container's users, where those are not the host's.
    pub users: Option<Arc<OwnedFd>>,
}

/// Whether somebody wants to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To read. The overlay is one of its own that touches nothing: it may be mounted any number
    /// of times, beside the container's.
    Read,
    /// To write. The overlay is the container's, which must not be mounted anywhere else.
    Write {
        /// The root itself may not be written, only what is mounted in it.
        readonly_root: bool,
    },
}

impl Merged {
    /// Mounts it on a thread of its own and does `work` there.
    ///
    /// # Errors
    /// When it cannot be mounted, or there is no thread left.
    pub fn with<T: Send>(
        &self,
        access: Access,
        work: impl FnOnce(&Root) -> T + Send,
    ) -> Result<T, SysError> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .name("merged".to_owned())
                .spawn_scoped(scope, || {
                    let root = self.mount(access)?;
                    Ok(work(&root))
                })
                .map_err(|error| SysError::from_io("clone", "a thread", &error))?;
            match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    /// Mounts it in a new mount namespace of this thread, which keeps that for the rest of its life.
    fn mount(&self, access: Access) -> Result<Root, SysError> {
        namespace::unshare(Namespaces::MOUNT)?;
        // The host's own unmounts still arrive: nothing of it is held busy for long.
        mount::make_all_slaves()?;
        let mut binds = Vec::new();
        for bind in &self.binds {
            binds.extend(bind.open()?.map(|source| (bind, source)));
        }

        if let Some(users) = &self.users {
            let layers: Vec<&Path> = self.lowers.iter().map(PathBuf::as_path).collect();
            mount::cover_shifted(&layers, users)?;
        }
        let overlay = match access {
            Access::Read => self.readable()?,
            Access::Write { .. } => self.writable()?,
        };
        let root = Root::from_fd(fd::duplicate(&overlay)?, "/");
        if let Some(map) = self.snapshot.map {
            users::make_files_of(map.first, map.first)?;
        }
        for (bind, source) in binds {
            attach(&root, bind, &source, access)?;
        }
        if let Access::Write {
            readonly_root: true,
        } = access
        {
            mount::restrict(&overlay, Attributes::MOUNT_ATTR_RDONLY, false)?;
        }
        Ok(root)
    }

    fn readable(&self) -> Result<OwnedFd, SysError> {
        let upper = self.snapshot.upper();
        let mut layers = vec![text(&upper)?];
        for lower in &self.lowers {
            layers.push(text(lower)?);
        }
        match mount::create_readonly_overlay(&layers) {
            Err(error) if mount::is_unknown(&error) => {
                mount::mount_readonly_overlay(&layers, self.snapshot.dir())?;
                mount::open_source(self.snapshot.dir())
            }
            made => self.attached(made?),
        }
    }

    fn writable(&self) -> Result<OwnedFd, SysError> {
        let (upper, work) = (self.snapshot.upper(), self.snapshot.work());
        let overlay = Overlay {
            lower: self
                .lowers
                .iter()
                .map(|lower| text(lower))
                .collect::<Result<_, _>>()?,
            upper: text(&upper)?,
            work: text(&work)?,
        };
        match mount::create_overlay(&overlay, Attributes::empty()) {
            // Linux before 6.7 takes no layers one by one.
            Err(error) if mount::is_unknown(&error) => {
                mount::mount_overlay(&overlay, self.snapshot.dir())?;
                mount::open_source(self.snapshot.dir())
            }
            made => self.attached(made?),
        }
    }

    /// Puts a new mount somewhere in this namespace, so that others can be put on it: over the
    /// container's own directory, of which no more is needed by name.
    fn attached(&self, made: OwnedFd) -> Result<OwnedFd, SysError> {
        let point = mount::open_source(self.snapshot.dir())?;
        mount::attach(&made, &point)?;
        Ok(made)
    }
}

fn attach(root: &Root, bind: &Bind, source: &OwnedFd, access: Access) -> Result<(), SysError> {
    let is_directory = metadata_of(source)?.kind == FileType::Directory;
    let point = match root.open_at(&bind.target, OFlags::PATH, Mode::empty()) {
        Err(error) if error.errno == Errno::NOENT && access != Access::Read => {
            make_point(root, &bind.target, is_directory)?
        }
        // Not there, or something else by now: the container does not see it either.
        Err(_) => return Ok(()),
        Ok(point) => point,
    };
    let copy = mount::copy(source, true)?;
    let readonly = bind.readonly || access == Access::Read;
    let mut attributes = Attributes::empty();
    attributes.set(Attributes::MOUNT_ATTR_RDONLY, readonly);
    mount::restrict(&copy, attributes, true)?;
    match mount::attach(&copy, point.as_fd()) {
        Err(error) if error.errno == Errno::NOTDIR => Ok(()),
        other => other,
    }
}

fn make_point(root: &Root, target: &Path, is_directory: bool) -> Result<OwnedFd, SysError> {
    if is_directory {
        root.create_dir_all(target, 0o755)?;
    } else {
        root.create_dir_all(target.parent().unwrap_or(Path::new("/")), 0o755)?;
        root.create_file(target, 0o644)?;
    }
    root.open_at(target, OFlags::PATH, Mode::empty())
}

fn text(path: &Path) -> Result<&str, SysError> {
    path.to_str().ok_or_else(|| {
        let error = io::Error::from(io::ErrorKind::InvalidFilename);
        SysError::from_io("mount", path.display(), &error)
    })
}
