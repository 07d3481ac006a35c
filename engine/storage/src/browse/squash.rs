//! The upper layers of an image as one: what they hold in the end, and what of the layers below is gone.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;

use engine_sys::dir::Dir;

use super::stack::{Act, Glance, Stack, glances, seen};
use super::walk::{Does, Queue, Waiting, names, open};
use crate::changes::LayerError;
use crate::layer_writer::LayerWriter;
use crate::layers::is_opaque;

impl Stack {
    /// Writes the layers above the first `n_below` as the archive of one layer that goes on top of
    /// those. A file that a later one of them replaces or removes is not in it. No time in it is later
    /// than `latest`, in seconds since 1970.
    ///
    /// # Errors
    /// When a layer cannot be read, or the archive not be written.
    pub fn write_squashed<W: Write>(
        &self,
        n_below: usize,
        latest: Option<i64>,
        target: W,
    ) -> Result<W, LayerError> {
        let mut squash = Squash {
            n_below,
            layer: LayerWriter::new(target, None, latest),
            queue: Queue::begin(self.n_layers()),
        };
        while let Some(directory) = squash.queue.next() {
            let dirs =
                open(&self.roots, &directory).map_err(|source| LayerError::Look(source.into()))?;
            squash.directory(&directory, dirs)?;
        }
        Ok(squash.layer.finish()?)
    }
}

struct Squash<W> {
    n_below: usize,
    layer: LayerWriter<W>,
    queue: Queue,
}

impl<W: Write> Squash<W> {
    fn directory(&mut self, directory: &Waiting, dirs: Vec<Option<Dir>>) -> Result<(), LayerError> {
        // A name that only the layers below have concerns nobody, unless somebody hides it.
        let hides = directory.does[self.n_below..]
            .iter()
            .any(|does| does.hides());
        let first = if hides { 0 } else { self.n_below };
        let read = dirs.iter().enumerate().skip(first);
        let read = read.filter_map(|(layer, dir)| Some((layer, dir.as_ref()?)));
        let held = names(read, &directory.path, &|| false)?;
        let acts: Vec<Act> = dirs
            .into_iter()
            .zip(&directory.does)
            .map(|(dir, does)| match dir {
                Some(dir) => Act::Holds {
                    dir,
                    hides: does.hides(),
                },
                None if does.hides() => Act::Hides,
                None => Act::Silent,
            })
            .collect();
        for same in held.chunk_by(|one, other| one.name == other.name) {
            if let Some(first) = same.first() {
                self.name(&acts, directory, &first.name)?;
            }
        }
        Ok(())
    }

    /// Writes what the upper layers say of a name in the end, if they say anything.
    fn name(&mut self, acts: &[Act], directory: &Waiting, name: &OsStr) -> Result<(), LayerError> {
        let look = |source| LayerError::Look(crate::BrowseError::Failed(source));
        let said = glances(acts, name).map_err(look)?;
        let path = directory.path.join(name);
        let inside = path.strip_prefix("/").unwrap_or(&path);
        let mut upper = said.iter().enumerate().skip(self.n_below).rev();
        match upper.find(|(_, glance)| !matches!(glance, Glance::Silent)) {
            None => Ok(()),
            Some((_, Glance::Silent | Glance::Hides)) => self.gone(&said, inside),
            Some((layer, Glance::Thing(_))) => self.thing(&acts[layer], inside),
            Some((layer, Glance::Directory(_))) => {
                self.thing(&acts[layer], inside)?;
                let does = does_in(acts, name, &said).map_err(look)?;
                Ok(self.queue.add(path, does)?)
            }
        }
    }

    fn gone(&mut self, said: &[Glance], path: &Path) -> Result<(), LayerError> {
        let was = self.n_below.checked_sub(1).and_then(|top| seen(said, top));
        match was {
            Some(_) => Ok(self.layer.whiteout(path)?),
            None => Ok(()),
        }
    }

    fn thing(&mut self, act: &Act, path: &Path) -> Result<(), LayerError> {
        if let Act::Holds { dir, .. } = act {
            self.layer.thing(dir, path)?;
        }
        Ok(())
    }
}

/// What each layer does to the directory `name`, of which it said `said`.
fn does_in(acts: &[Act], name: &OsStr, said: &[Glance]) -> Result<Vec<Does>, engine_sys::SysError> {
    let does = |(act, glance): (&Act, &Glance)| match (act, glance) {
        (Act::Holds { dir, hides }, Glance::Directory(_)) => {
            Ok(match *hides || is_opaque(dir, name)? {
                true => Does::HoldsAndHides,
                false => Does::Holds,
            })
        }
        (_, Glance::Silent) => Ok(Does::Nothing),
        _ => Ok(Does::Hides),
    };
    acts.iter().zip(said).map(does).collect()
}
