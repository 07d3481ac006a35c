//! What each layer of an image added, changed and removed, and what of it is wasted: one walk through
//! the trees of all layers at once, directory by directory.

use std::ffi::OsStr;

use engine_sys::SysError;
use engine_sys::dir::{Dir, FileType};
use engine_sys::path::Root;

use super::error::BrowseError;
use super::list::kind_in_layer;
use super::stack::Stack;
use super::walk::{Does, Held, Queue, STEP, Waiting, names, open};
use super::waste::{Content, Counter, WastedPath};
use crate::layers::is_opaque;

/// What one layer did. Directories are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerTotals {
    /// Names that were not there before.
    pub n_added: u64,
    /// Names that were there before, and that the layer holds too.
    pub n_changed: u64,
    /// Names that were there before and are no more, also those in a directory that it removed.
    pub n_removed: u64,
    /// Bytes of content that it holds; a file with several names once.
    pub held_bytes: u64,
    /// Bytes of these that a later layer replaces or removes.
    pub wasted_bytes: u64,
}

/// What all layers did.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Each layer, bottom first.
    pub layers: Vec<LayerTotals>,
    /// Names in the whole image that are no directories.
    pub n_files: u64,
    /// For each name the smallest content that a layer has for it (none, where a layer removes it), all
    /// added up, by the content of all names in all layers. 1 is best; also for an image of no bytes.
    pub efficiency: f64,
    /// The most wasted paths, the worst first.
    pub wasted: Vec<WastedPath>,
}

impl Stack {
    /// Walks through all layers. Stops when `is_given_up` says that nobody waits any more.
    ///
    /// # Errors
    /// When nobody waits, a directory has more names than are looked through, or the disk fails.
    pub fn totals(&self, is_given_up: impl Fn() -> bool) -> Result<Totals, BrowseError> {
        let n_layers = self.n_layers();
        let mut walk = Walk {
            roots: &self.roots,
            layers: vec![LayerTotals::default(); n_layers],
            counter: Counter::new(n_layers),
            n_files: 0,
            smallest: 0,
            all: 0,
            queue: Queue::begin(n_layers),
        };
        while let Some(directory) = walk.queue.next() {
            if is_given_up() {
                return Err(BrowseError::GivenUp);
            }
            walk.directory(&directory, &is_given_up)?;
        }
        Ok(walk.finish())
    }
}

struct Walk<'a> {
    roots: &'a [Root],
    layers: Vec<LayerTotals>,
    counter: Counter,
    n_files: u64,
    /// The sums that make the efficiency.
    smallest: u64,
    all: u64,
    queue: Queue,
}

impl Walk<'_> {
    fn directory(
        &mut self,
        directory: &Waiting,
        is_given_up: &impl Fn() -> bool,
    ) -> Result<(), BrowseError> {
        let dirs = open(self.roots, directory)?;
        let all = dirs.iter().enumerate();
        let all = all.filter_map(|(layer, dir)| Some((layer, dir.as_ref()?)));
        let held = names(all, &directory.path, is_given_up)?;
        for (at, same) in held
            .chunk_by(|one, other| one.name == other.name)
            .enumerate()
        {
            if at % STEP == 0 && is_given_up() {
                return Err(BrowseError::GivenUp);
            }
            self.name(directory, &dirs, same)?;
        }
        Ok(())
    }

    /// Follows one name from the lowest layer to the highest.
    fn name(
        &mut self,
        directory: &Waiting,
        dirs: &[Option<Dir>],
        held: &[Held],
    ) -> Result<(), BrowseError> {
        let Some(first) = held.first() else {
            return Ok(());
        };
        let mut story = Story::new(self.layers.len());
        let mut held = held.iter().peekable();
        for (layer, does) in directory.does.iter().enumerate() {
            let here = held.next_if(|here| here.layer == layer);
            match (does, here, &dirs[layer]) {
                (Does::Nothing, ..) => {}
                (_, Some(here), Some(dir)) => self.held(&mut story, (dir, here), *does)?,
                (Does::Hides | Does::HoldsAndHides, ..) => self.gone(&mut story, layer),
                (Does::Holds, ..) => {}
            }
        }
        self.end(directory, &first.name, story)
    }

    /// A layer has the name.
    fn held(
        &mut self,
        story: &mut Story,
        (dir, held): (&Dir, &Held),
        does: Does,
    ) -> Result<(), SysError> {
        let layer = held.layer;
        match kind_in_layer(dir, &held.name, held.kind)? {
            None => self.gone(story, layer),
            Some(FileType::Directory) => {
                let has_lower = story.does.iter().any(|does| *does != Does::Nothing);
                let hides =
                    does == Does::HoldsAndHides || (has_lower && is_opaque(dir, &held.name)?);
                if self.hide(story) {
                    self.layers[layer].n_changed += 1;
                    story.smallest = Some(0);
                }
                story.is_directory = true;
                story.does[layer] = match hides {
                    true => Does::HoldsAndHides,
                    false => Does::Holds,
                };
            }
            Some(_) => self.thing(story, dir, held)?,
        }
        Ok(())
    }

    fn thing(&mut self, story: &mut Story, dir: &Dir, held: &Held) -> Result<(), SysError> {
        let layer = held.layer;
        let (content, bytes) = self.counter.add(layer, &dir.metadata(&held.name)?);
        if self.hide(story) || story.is_directory {
            self.layers[layer].n_changed += 1;
        } else {
            self.layers[layer].n_added += 1;
        }
        story.smallest = Some(story.smallest.map_or(bytes, |smallest| smallest.min(bytes)));
        story.all += bytes;
        story.holders.push(layer);
        story.content = Some(content);
        story.is_directory = false;
        story.does[layer] = Does::Hides;
        Ok(())
    }

    /// A layer takes away what was there.
    fn gone(&mut self, story: &mut Story, layer: usize) {
        if self.hide(story) {
            self.layers[layer].n_removed += 1;
            story.smallest = Some(0);
        }
        story.is_directory = false;
        story.does[layer] = Does::Hides;
    }

    /// Hides the content that is seen; says whether there was one.
    fn hide(&mut self, story: &mut Story) -> bool {
        let Some(content) = story.content.take() else {
            return false;
        };
        story.wasted += self.counter.hide(content);
        true
    }

    fn end(&mut self, directory: &Waiting, name: &OsStr, story: Story) -> Result<(), BrowseError> {
        self.smallest += story.smallest.unwrap_or(0);
        self.all += story.all;
        self.n_files += u64::from(story.content.is_some());
        if story.wasted == 0 && !story.has_directory() {
            return Ok(());
        }
        let path = directory.path.join(name);
        if story.has_directory() {
            self.queue.add(path.clone(), story.does)?;
        }
        self.counter.note(WastedPath {
            wasted_bytes: story.wasted,
            path,
            layers: story.holders,
            is_there: story.content.is_some() || story.is_directory,
        });
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a part of a whole, for people")]
    fn finish(mut self) -> Totals {
        for (layer, totals) in self.layers.iter_mut().enumerate() {
            totals.held_bytes = self.counter.held[layer];
            totals.wasted_bytes = self.counter.wasted[layer];
        }
        Totals {
            layers: self.layers,
            n_files: self.n_files,
            efficiency: match self.all {
                0 => 1.0,
                all => self.smallest as f64 / all as f64,
            },
            wasted: self.counter.into_paths(),
        }
    }
}

/// What has become of a name, up to some layer.
struct Story {
    content: Option<Content>,
    is_directory: bool,
    /// What each layer does to a directory of that name.
    does: Vec<Does>,
    holders: Vec<usize>,
    wasted: u64,
    smallest: Option<u64>,
    all: u64,
}

impl Story {
    fn new(n_layers: usize) -> Self {
        Self {
            content: None,
            is_directory: false,
            does: vec![Does::Nothing; n_layers],
            holders: Vec::new(),
            wasted: 0,
            smallest: None,
            all: 0,
        }
    }

    fn has_directory(&self) -> bool {
        self.does.iter().any(|does| does.holds())
    }
}
