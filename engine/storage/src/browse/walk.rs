//! One walk through the directories of all layers at once.
//!
//! A directory waits for its turn as a path and a byte for each layer; only one directory of each layer
//! is open at a time. So neither depth nor number of layers can use up descriptors.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use engine_sys::SysError;
use engine_sys::dir::{Dir, Entry, FileType};
use engine_sys::path::Root;
use engine_sys::pinned::Listing;

use super::error::BrowseError;

/// Names of one directory, in all layers together.
const NAMES_MAX: usize = 1_000_000;
/// Memory that directories take while they wait, as an image of nothing but directories would have it.
const WAITING_BYTES_MAX: usize = 256 << 20;
/// Names that are read between two questions whether anybody still waits.
pub(super) const STEP: usize = 4_096;

/// What a layer does to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Does {
    Nothing,
    Hides,
    Holds,
    HoldsAndHides,
}

impl Does {
    /// Whether it holds a part of the directory.
    pub(super) fn holds(self) -> bool {
        matches!(self, Self::Holds | Self::HoldsAndHides)
    }

    /// Whether it hides what the layers below have there.
    pub(super) fn hides(self) -> bool {
        matches!(self, Self::Hides | Self::HoldsAndHides)
    }
}

/// A directory that waits for its turn.
pub(super) struct Waiting {
    pub(super) path: PathBuf,
    pub(super) does: Vec<Does>,
}

impl Waiting {
    fn cost(&self) -> usize {
        size_of::<Self>() + self.path.as_os_str().len() + self.does.len()
    }
}

/// The directories that wait, the last first.
pub(super) struct Queue {
    waiting: Vec<Waiting>,
    bytes: usize,
}

impl Queue {
    /// Begins with the root, which every layer holds.
    pub(super) fn begin(n_layers: usize) -> Self {
        let root = Waiting {
            path: PathBuf::from("/"),
            does: vec![Does::Holds; n_layers],
        };
        Self {
            bytes: root.cost(),
            waiting: vec![root],
        }
    }

    pub(super) fn next(&mut self) -> Option<Waiting> {
        let next = self.waiting.pop()?;
        self.bytes = self.bytes.saturating_sub(next.cost());
        Some(next)
    }

    /// Lets a directory wait for its turn.
    ///
    /// # Errors
    /// When more wait than anybody's image has.
    pub(super) fn add(&mut self, path: PathBuf, does: Vec<Does>) -> Result<(), BrowseError> {
        let waiting = Waiting { path, does };
        self.bytes += waiting.cost();
        if self.bytes > WAITING_BYTES_MAX {
            return Err(BrowseError::TooMany(waiting.path));
        }
        self.waiting.push(waiting);
        Ok(())
    }
}

/// Opens a directory in each layer that holds a part of it.
pub(super) fn open(roots: &[Root], directory: &Waiting) -> Result<Vec<Option<Dir>>, SysError> {
    let open = |(root, does): (&Root, &Does)| match does.holds() {
        false => Ok(None),
        true => {
            let path = engine_sys::path::relative(&directory.path);
            root.open_dir_without_links(path).map(Some)
        }
    };
    roots.iter().zip(&directory.does).map(open).collect()
}

/// One name in one layer.
pub(super) struct Held {
    pub(super) name: OsString,
    pub(super) layer: usize,
    pub(super) kind: FileType,
}

/// Every name that a layer has in a directory at `path`, by name and then by layer.
pub(super) fn names<'d>(
    dirs: impl Iterator<Item = (usize, &'d Dir)>,
    path: &Path,
    is_given_up: &impl Fn() -> bool,
) -> Result<Vec<Held>, BrowseError> {
    let mut held = Vec::new();
    for (layer, dir) in dirs {
        pieces(dir, STEP, is_given_up, |piece| {
            held.extend(piece.into_iter().map(|entry| Held {
                name: entry.name,
                layer,
                kind: entry.kind,
            }));
            match held.len() > NAMES_MAX {
                true => Err(BrowseError::TooMany(path.to_owned())),
                false => Ok(ControlFlow::Continue(())),
            }
        })?;
    }
    held.sort_unstable_by(|one, other| (&one.name, one.layer).cmp(&(&other.name, other.layer)));
    Ok(held)
}

/// Reads the names of a directory, `step` at a time, until `take` breaks off; says whether it did.
pub(super) fn pieces(
    dir: &Dir,
    step: usize,
    is_given_up: &impl Fn() -> bool,
    mut take: impl FnMut(Vec<Entry>) -> Result<ControlFlow<()>, BrowseError>,
) -> Result<bool, BrowseError> {
    let mut listing = Listing::of(dir)?;
    loop {
        let piece = listing.next_entries(step)?;
        if piece.is_empty() {
            return Ok(false);
        }
        if is_given_up() {
            return Err(BrowseError::GivenUp);
        }
        if take(piece)?.is_break() {
            return Ok(true);
        }
    }
}
