//! From a path to what is there after a layer. Links are resolved by their text.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use engine_sys::SysError;
use engine_sys::dir::{FileType, Metadata};
use engine_sys::pinned::Pinned;

use super::error::BrowseError;
use super::stack::{self, Act, Stack, StackEntry};
use crate::tree::{OWNERS_BYTES_MAX, OwnerNames};

/// Links on the way to one thing; the kernel's own limit.
const LINKS_MAX: usize = 40;
/// Names that are looked up on the way to one thing, also those that a `..` in a link asks for again.
const STEPS_MAX: usize = 4_096;

/// What is at a path after a layer.
#[derive(Debug)]
pub struct FoundAt {
    /// Where it really is: no link is on the way.
    pub path: PathBuf,
    pub(super) what: What,
    pub(super) layer: usize,
}

#[derive(Debug)]
pub(super) enum What {
    /// A directory, and what each layer does to it.
    Directory(Vec<Act>),
    /// Something else, with the directory that it lies in.
    Thing {
        parent: Vec<Act>,
        name: OsString,
        from: usize,
    },
}

impl FoundAt {
    /// Says whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.what, What::Directory(_))
    }

    /// Tells everything about what is no directory.
    ///
    /// # Errors
    /// [`BrowseError::NotAFile`] for a directory; when the disk fails.
    pub fn entry(&self) -> Result<StackEntry, BrowseError> {
        let What::Thing { parent, name, .. } = &self.what else {
            return Err(BrowseError::NotAFile(self.path.clone()));
        };
        stack::entry(parent, name.clone(), self.layer)?
            .ok_or_else(|| BrowseError::NotFound(self.path.clone()))
    }

    /// Opens the regular file for reading, and tells its length.
    ///
    /// # Errors
    /// [`BrowseError::NotAFile`] for anything else; when the disk fails.
    pub fn open(&self) -> Result<(File, u64), BrowseError> {
        let not_a_file = || BrowseError::NotAFile(self.path.clone());
        let What::Thing { parent, name, from } = &self.what else {
            return Err(not_a_file());
        };
        let Act::Holds { dir, .. } = &parent[*from] else {
            return Err(not_a_file());
        };
        let pinned = Pinned::at(dir, name)?;
        let metadata = pinned.metadata()?;
        if metadata.kind != FileType::RegularFile {
            return Err(not_a_file());
        }
        Ok((pinned.read()?, metadata.size_bytes))
    }
}

impl Stack {
    /// Finds what `path` leads to when the layers up to `layer` lie over each other.
    ///
    /// # Errors
    /// When it leads to nothing, or through too many links.
    pub fn locate(&self, path: &Path, layer: usize) -> Result<FoundAt, BrowseError> {
        let mut walk = Walk {
            stack: self,
            layer,
            done: PathBuf::from("/"),
            acts: self.at_root()?,
            todo: VecDeque::new(),
            n_links: 0,
            n_steps: 0,
        };
        walk.put_before(path);
        while let Some(part) = walk.todo.pop_front() {
            if let Some(found) = walk.step(part, path)? {
                return Ok(found);
            }
        }
        Ok(FoundAt {
            path: walk.done,
            what: What::Directory(walk.acts),
            layer,
        })
    }

    /// The names of owners and groups, by the image's own files as they are after `layer`.
    pub fn owner_names(&self, layer: usize) -> OwnerNames {
        let text = |path: &str| {
            let (file, _) = self.locate(Path::new(path), layer).ok()?.open().ok()?;
            let mut bytes = Vec::new();
            file.take(OWNERS_BYTES_MAX).read_to_end(&mut bytes).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let text = |path| text(path).unwrap_or_default();
        OwnerNames::in_texts(text("/etc/passwd"), text("/etc/group"))
    }
}

/// A path that is being followed.
struct Walk<'a> {
    stack: &'a Stack,
    layer: usize,
    /// The directory that was reached, without links.
    done: PathBuf,
    acts: Vec<Act>,
    todo: VecDeque<OsString>,
    n_links: usize,
    n_steps: usize,
}

impl Walk<'_> {
    /// Goes on by one name; returns what is no directory when the path ends there.
    fn step(&mut self, part: OsString, asked: &Path) -> Result<Option<FoundAt>, BrowseError> {
        self.n_steps += 1;
        if part == ".." {
            self.n_steps += self.done.components().count();
        }
        if self.n_steps > STEPS_MAX {
            return Err(BrowseError::Links(asked.to_owned()));
        }
        if part == ".." {
            self.done.pop();
            self.acts = self.again()?;
            return Ok(None);
        }
        let glances = stack::glances(&self.acts, &part)?;
        let Some((from, metadata)) = stack::seen(&glances, self.layer) else {
            return Err(BrowseError::NotFound(asked.to_owned()));
        };
        match metadata.kind {
            FileType::Directory => {
                self.acts = stack::acts_in(&self.acts, &part, &glances)?;
                self.done.push(part);
                Ok(None)
            }
            FileType::Symlink => {
                self.follow(from, &part, asked)?;
                Ok(None)
            }
            _ if self.todo.is_empty() => Ok(Some(FoundAt {
                path: self.done.join(&part),
                what: What::Thing {
                    parent: std::mem::take(&mut self.acts),
                    name: part,
                    from,
                },
                layer: self.layer,
            })),
            _ => Err(BrowseError::NotFound(asked.to_owned())),
        }
    }

    fn follow(&mut self, from: usize, name: &OsStr, asked: &Path) -> Result<(), BrowseError> {
        self.n_links += 1;
        let (Act::Holds { dir, .. }, true) = (&self.acts[from], self.n_links <= LINKS_MAX) else {
            return Err(BrowseError::Links(asked.to_owned()));
        };
        let target = PathBuf::from(dir.read_link(name)?);
        if target.is_absolute() {
            self.done = PathBuf::from("/");
            self.acts = self.stack.at_root()?;
        }
        self.put_before(&target);
        Ok(())
    }

    /// Puts the names of a path before those that are still to be looked up.
    fn put_before(&mut self, path: &Path) {
        let names = path.components().filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsString::from("..")),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        });
        let mut todo: VecDeque<_> = names.collect();
        todo.append(&mut self.todo);
        self.todo = todo;
    }

    /// Opens the directory that was reached, from the root down: there is no link on that way.
    fn again(&self) -> Result<Vec<Act>, SysError> {
        let mut acts = self.stack.at_root()?;
        for component in self.done.components() {
            if let Component::Normal(name) = component {
                let glances = stack::glances(&acts, name)?;
                acts = stack::acts_in(&acts, name, &glances)?;
            }
        }
        Ok(acts)
    }
}

/// The facts of a directory: those of the uppermost layer that holds it.
pub(super) fn facts(acts: &[Act], layer: usize) -> Result<Option<Metadata>, SysError> {
    let held = acts.iter().take(layer + 1).rev().find_map(|act| match act {
        Act::Holds { dir, .. } => Some(dir),
        _ => None,
    });
    held.map(engine_sys::dir::Dir::own_metadata).transpose()
}
