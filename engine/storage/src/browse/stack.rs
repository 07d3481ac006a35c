//! The layers of an image over each other, and what each of them says of one name.

use std::ffi::{OsStr, OsString};

use engine_sys::SysError;
use engine_sys::dir::{Dir, FileType, Metadata};
use engine_sys::path::Root;

use crate::layers::{is_opaque, is_whiteout};
use crate::tree::{FoundKind, ListedEntry};

/// The layers of an image, open, bottom first.
#[derive(Debug)]
pub struct Stack {
    pub(super) roots: Vec<Root>,
}

/// What a layer does to a directory.
#[derive(Debug)]
pub(super) enum Act {
    /// Nothing.
    Silent,
    /// It hides what the layers below have there.
    Hides,
    /// It holds a part of it, and may hide what the layers below have.
    Holds { dir: Dir, hides: bool },
}

/// What a layer says of one name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Glance {
    Silent,
    Hides,
    Directory(Metadata),
    Thing(Metadata),
}

/// What a layer did to a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Nothing.
    Unchanged,
    /// It was not there before.
    Added,
    /// It was there before, and the layer holds it too.
    Changed,
    /// It was there before and is no more.
    Removed,
}

/// One name as it is after a layer; one that the layer removed as it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEntry {
    /// Its name and facts.
    pub entry: ListedEntry,
    /// What the layer did to it.
    pub mark: Mark,
    /// The layer that it comes from.
    pub layer: usize,
    /// The bytes that were under this name before the layer changed or removed it.
    pub bytes_before: Option<u64>,
    /// The first later layer that replaces or removes it.
    pub hidden_by: Option<usize>,
    /// Bytes under this name in the layers up to this one that a later layer replaces or removes.
    pub wasted_bytes: u64,
}

impl Stack {
    pub(crate) fn new(roots: Vec<Root>) -> Self {
        Self { roots }
    }

    /// How many layers there are.
    pub fn n_layers(&self) -> usize {
        self.roots.len()
    }

    /// What each layer does to the root: it holds a part of it.
    pub(super) fn at_root(&self) -> Result<Vec<Act>, SysError> {
        let holds = |root: &Root| {
            let dir = root.dir().try_clone()?;
            Ok(Act::Holds { dir, hides: false })
        };
        self.roots.iter().map(holds).collect()
    }
}

/// What each layer says of `name` in a directory.
pub(super) fn glances(acts: &[Act], name: &OsStr) -> Result<Vec<Glance>, SysError> {
    acts.iter().map(|act| glance(act, name)).collect()
}

fn glance(act: &Act, name: &OsStr) -> Result<Glance, SysError> {
    let (dir, hides) = match act {
        Act::Silent => return Ok(Glance::Silent),
        Act::Hides => return Ok(Glance::Hides),
        Act::Holds { dir, hides } => (dir, *hides),
    };
    match dir.metadata(name) {
        Ok(metadata) if is_whiteout(&metadata) => Ok(Glance::Hides),
        Ok(metadata) if metadata.kind == FileType::Directory => Ok(Glance::Directory(metadata)),
        Ok(metadata) => Ok(Glance::Thing(metadata)),
        Err(error) if error.is_not_found() && hides => Ok(Glance::Hides),
        Err(error) if error.is_not_found() => Ok(Glance::Silent),
        Err(error) => Err(error),
    }
}

/// What each layer does to the directory `name`, of which it said `glances`.
pub(super) fn acts_in(
    acts: &[Act],
    name: &OsStr,
    glances: &[Glance],
) -> Result<Vec<Act>, SysError> {
    let act = |(act, glance): (&Act, &Glance)| match (act, glance) {
        (Act::Holds { dir, hides }, Glance::Directory(_)) => Ok(Act::Holds {
            hides: *hides || is_opaque(dir, name)?,
            dir: dir.open_dir(name)?,
        }),
        (_, Glance::Silent) => Ok(Act::Silent),
        _ => Ok(Act::Hides),
    };
    acts.iter().zip(glances).map(act).collect()
}

/// What is seen of a name when the layers up to `last` lie over each other, and whose it is.
pub(super) fn seen(glances: &[Glance], last: usize) -> Option<(usize, Metadata)> {
    let said = glances.iter().enumerate().take(last + 1).rev();
    let mut said = said.filter(|(_, glance)| !matches!(glance, Glance::Silent));
    match said.next()? {
        (layer, Glance::Directory(metadata) | Glance::Thing(metadata)) => Some((layer, *metadata)),
        _ => None,
    }
}

/// Tells everything about one name in a directory; none when it is not there after the layer and was
/// not there before it.
pub(super) fn entry(
    acts: &[Act],
    name: OsString,
    layer: usize,
) -> Result<Option<StackEntry>, SysError> {
    let glances = glances(acts, &name)?;
    let now = seen(&glances, layer);
    let before = layer.checked_sub(1).and_then(|below| seen(&glances, below));
    let mark = match (before, now) {
        (None, None) => return Ok(None),
        (None, Some(_)) => Mark::Added,
        (Some(_), None) => Mark::Removed,
        (Some(_), Some((from, _))) if from == layer => Mark::Changed,
        (Some(_), Some(_)) => Mark::Unchanged,
    };
    let Some((from, metadata)) = now.or(before) else {
        return Ok(None);
    };
    let kind = FoundKind::of(&metadata);
    let link = match (&acts[from], kind) {
        (Act::Holds { dir, .. }, FoundKind::Symlink) => Some(dir.read_link(&name)?),
        _ => None,
    };
    let was = before.filter(|_| matches!(mark, Mark::Changed | Mark::Removed));
    let was = was.filter(|(_, metadata)| metadata.kind != FileType::Directory);
    let hidden_by = (mark != Mark::Removed).then(|| hides(&glances, layer, kind));
    Ok(Some(StackEntry {
        entry: ListedEntry {
            name,
            kind,
            metadata,
            link,
        },
        mark,
        layer: from,
        bytes_before: was.map(|(_, metadata)| bytes(&metadata)),
        hidden_by: hidden_by.flatten(),
        wasted_bytes: wasted(&glances, layer),
    }))
}

/// The first layer above `layer` that puts something else in the place of what is seen, or nothing.
fn hides(glances: &[Glance], layer: usize, kind: FoundKind) -> Option<usize> {
    let later = glances.iter().enumerate().skip(layer + 1);
    let mut hiding = later.filter(|(_, glance)| match glance {
        Glance::Silent => false,
        Glance::Directory(_) => kind != FoundKind::Directory,
        Glance::Hides | Glance::Thing(_) => true,
    });
    hiding.next().map(|(layer, _)| layer)
}

/// Bytes in the layers up to `last` that a later layer hides. A file with further names may still be
/// seen by one of those, so it does not count here.
fn wasted(glances: &[Glance], last: usize) -> u64 {
    let mut wasted = 0;
    for (layer, glance) in glances.iter().enumerate().take(last + 1) {
        let later = &glances[layer + 1..];
        if let Glance::Thing(metadata) = glance
            && metadata.n_links == 1
            && later.iter().any(|glance| !matches!(glance, Glance::Silent))
        {
            wasted += bytes(metadata);
        }
    }
    wasted
}

/// The bytes of content that a layer holds for a thing.
pub(super) fn bytes(metadata: &Metadata) -> u64 {
    match metadata.kind {
        FileType::RegularFile => metadata.size_bytes,
        _ => 0,
    }
}
