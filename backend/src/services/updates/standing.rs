//! How what is here stands against its registry, as pages show it.

use std::fmt;

use jiff::Timestamp;

use super::known::Known;
use super::tracked::{Tracked, Untracked};
use crate::fleet::{ContainerFact, ImageFact, Index};

/// How a name of an image, or what a container runs, stands against its registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It cannot be checked, and why.
    Untracked(Untracked),
    /// Nobody has asked yet, or not since the image came.
    Unasked {
        /// Whether the server asks by itself.
        is_off: bool,
    },
    /// The registry is being asked.
    UnderWay,
    /// It is what the tag stands for.
    Current {
        /// When the registry said so.
        at: Timestamp,
    },
    /// The tag stands for something else by now.
    Behind {
        /// When the registry said so.
        at: Timestamp,
        /// Whether what the registry has is here already, under that name.
        is_here: bool,
    },
    /// The registry did not say.
    Unknown {
        /// When it was asked.
        at: Timestamp,
        /// Why not; see `present::told`.
        why: String,
    },
}

/// Tells how things stand, from what was said last. Cheap to clone; asks nobody.
#[derive(Clone)]
pub struct Marks {
    known: Known,
    index: Index,
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Marks")
    }
}

impl Marks {
    pub(in crate::services) const fn new(known: Known, index: Index) -> Self {
        Self { known, index }
    }

    /// Tells whether the server asks only when somebody wants it.
    pub fn is_off(&self) -> bool {
        self.known.is_off()
    }

    /// Tells it of what a container runs.
    pub fn of_container(&self, fact: &ContainerFact) -> Standing {
        let image = self.index.find_image(&fact.summary.image_id);
        self.of(&fact.summary.image, image.as_deref())
    }

    /// Tells it of one of an image's names.
    pub fn of_name(&self, image: &ImageFact, name: &str) -> Standing {
        self.of(name, Some(image))
    }

    fn of(&self, name: &str, image: Option<&ImageFact>) -> Standing {
        let tracked = match Tracked::of(name, image) {
            Ok(tracked) => tracked,
            Err(why) => return Standing::Untracked(why),
        };
        if self.known.is_under_way(&tracked.reference) {
            return Standing::UnderWay;
        }
        let unasked = Standing::Unasked {
            is_off: self.known.is_off(),
        };
        let Some(check) = self.known.check(&tracked.reference) else {
            return unasked;
        };
        match (check.found, check.problem) {
            (Some((digest, at)), None) if tracked.digests.contains(&digest) => {
                match self.came_since(&tracked, &check.image_id, &digest) {
                    true => Standing::Behind { at, is_here: true },
                    false => Standing::Current { at },
                }
            }
            (Some((digest, at)), _) if !tracked.digests.contains(&digest) => {
                // It may be newer than what the registry said before it came.
                let here = self.index.find_image(&tracked.familiar);
                let id = here.as_ref().map_or("", |fact| fact.id.as_str());
                if image.is_some_and(|image| image.id.as_str() == id) && check.image_id != id {
                    return unasked;
                }
                let of_here = Tracked::of(&tracked.familiar, here.as_deref());
                let is_here = of_here.is_ok_and(|here| here.digests.contains(&digest));
                Standing::Behind { at, is_here }
            }
            (_, Some(why)) => Standing::Unknown {
                at: check.checked_at,
                why,
            },
            (_, None) => unasked,
        }
    }

    /// Tells whether another image came by that name since the registry was asked, from the registry
    /// and not as what the registry spoke of then: it is what the tag stands for by now.
    fn came_since(&self, tracked: &Tracked, checked_id: &str, digest: &str) -> bool {
        let Some(here) = self.index.find_image(&tracked.familiar) else {
            return false;
        };
        let of_here = Tracked::of(&tracked.familiar, Some(&here));
        let is_another = of_here.is_ok_and(|here| here.digests.iter().all(|one| one != digest));
        is_another && here.id.as_str() != checked_id
    }
}
