//! The names of one directory after a layer, a part of them at a time.
//!
//! What it costs is the directory's names in the layers up to this one, and the facts of those that
//! were asked for; how large the image is does not matter.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::ops::ControlFlow;

use engine_sys::SysError;
use engine_sys::dir::{Dir, Entry, FileType, Metadata};

use super::error::BrowseError;
use super::locate::{FoundAt, What, facts};
use super::stack::{self, Act, StackEntry};
use super::walk::pieces;
use crate::layers::is_whiteout;

/// Names of one directory that are looked through, in all layers together.
const NAMES_MAX: usize = 100_000;
/// Names that are read between two questions whether anybody still waits.
const STEP: usize = 1_024;

/// What is wanted of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StackQuery {
    /// Only names with this in them, whether small letters or capitals.
    pub filter: String,
    /// Only what the layer added, changed or removed.
    pub only_changes: bool,
    /// How many to leave out at the beginning.
    pub skip: usize,
    /// How many at most.
    pub limit: usize,
}

/// A directory and some of what is in it, and of what the layer removed from it.
#[derive(Debug)]
pub struct StackListed {
    /// The facts of the directory.
    pub metadata: Metadata,
    /// How many names fit.
    pub n_matching: usize,
    /// There are more names than were looked through.
    pub is_cut: bool,
    /// Those that were asked for: directories first, by name.
    pub entries: Vec<StackEntry>,
}

/// What is known of a name so far; the truth is whether it is a directory.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    before: Option<bool>,
    now: Option<bool>,
    is_held: bool,
}

impl FoundAt {
    /// Lists the directory. Stops when `is_given_up` says that nobody waits any more.
    ///
    /// # Errors
    /// [`BrowseError::NotFound`] for what is no directory; when nobody waits, or the disk fails.
    pub fn list(
        &self,
        query: &StackQuery,
        is_given_up: impl Fn() -> bool,
    ) -> Result<StackListed, BrowseError> {
        let not_found = || BrowseError::NotFound(self.path.clone());
        let What::Directory(acts) = &self.what else {
            return Err(not_found());
        };
        let metadata = facts(acts, self.layer)?.ok_or_else(not_found)?;
        let (known, is_cut) = names(acts, self.layer, &is_given_up)?;
        let names = fitting(known, query);
        let n_matching = names.len();
        let wanted = names.into_iter().skip(query.skip).take(query.limit);
        let mut entries = Vec::new();
        for (_, name) in wanted {
            if is_given_up() {
                return Err(BrowseError::GivenUp);
            }
            entries.extend(stack::entry(acts, name, self.layer)?);
        }
        Ok(StackListed {
            metadata,
            n_matching,
            is_cut,
            entries,
        })
    }
}

/// Every name that the layers up to `layer` have, with what became of it.
fn names(
    acts: &[Act],
    layer: usize,
    is_given_up: &impl Fn() -> bool,
) -> Result<(HashMap<OsString, Known>, bool), BrowseError> {
    let mut known: HashMap<OsString, Known> = HashMap::new();
    let mut n_read = 0;
    for (at, act) in acts.iter().enumerate().take(layer + 1) {
        if at == layer {
            known.values_mut().for_each(|name| name.before = name.now);
        }
        let (dir, hides) = match act {
            Act::Silent => continue,
            Act::Hides => (None, true),
            Act::Holds { dir, hides } => (Some(dir), *hides),
        };
        if hides {
            known.values_mut().for_each(|name| name.now = None);
        }
        let Some(dir) = dir else { continue };
        let was_cut = pieces(dir, STEP, is_given_up, |piece| {
            n_read += piece.len();
            for entry in piece {
                note(&mut known, dir, entry, at == layer)?;
            }
            Ok(match n_read >= NAMES_MAX {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })?;
        if was_cut {
            return Ok((known, true));
        }
    }
    Ok((known, false))
}

fn note(
    known: &mut HashMap<OsString, Known>,
    dir: &Dir,
    entry: Entry,
    is_last: bool,
) -> Result<(), SysError> {
    let kind = kind_in_layer(dir, &entry.name, entry.kind)?;
    let name = match kind {
        // It can hide only what was there.
        None => match known.get_mut(&entry.name) {
            Some(name) => name,
            None => return Ok(()),
        },
        Some(_) => known.entry(entry.name).or_default(),
    };
    name.now = kind.map(|kind| kind == FileType::Directory);
    name.is_held = is_last;
    Ok(())
}

/// What a layer holds under a name; none for the mark that hides it.
pub(super) fn kind_in_layer(
    dir: &Dir,
    name: &OsStr,
    kind: FileType,
) -> Result<Option<FileType>, SysError> {
    if !matches!(kind, FileType::CharacterDevice | FileType::Unknown) {
        return Ok(Some(kind));
    }
    let metadata = dir.metadata(name)?;
    Ok((!is_whiteout(&metadata)).then_some(metadata.kind))
}

/// The names that fit, directories first.
fn fitting(known: HashMap<OsString, Known>, query: &StackQuery) -> Vec<(bool, OsString)> {
    let filter = query.filter.to_lowercase();
    let has_filter = |name: &OsString| {
        filter.is_empty() || name.to_string_lossy().to_lowercase().contains(&filter)
    };
    let mut names: Vec<_> = known
        .into_iter()
        .filter_map(|(name, known)| {
            let is_removed = known.before.is_some() && known.now.is_none();
            let is_changed = is_removed || (known.now.is_some() && known.is_held);
            let fits = match query.only_changes {
                true => is_changed,
                false => is_removed || known.now.is_some(),
            };
            let is_directory = known.now.or(known.before)?;
            (fits && has_filter(&name)).then_some((!is_directory, name))
        })
        .collect();
    names.sort_unstable();
    names
}
