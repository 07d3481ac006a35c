//! Counting bytes that nobody can reach any more.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::path::PathBuf;

use engine_sys::dir::Metadata;

use super::stack::bytes;

/// Paths that are named among the most wasted.
const PATHS_MAX: usize = 100;

/// A path whose content is wasted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WastedPath {
    /// Bytes that are wasted under it, in all layers together.
    pub wasted_bytes: u64,
    /// Where it is.
    pub path: PathBuf,
    /// The layers that hold something there, bottom first.
    pub layers: Vec<usize>,
    /// It is still there in the whole image.
    pub is_there: bool,
}

/// A file that a layer holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content {
    pub(super) layer: usize,
    bytes: u64,
    inode: u64,
    n_links: u64,
}

/// What is known of a file with several names.
#[derive(Debug, Default)]
struct Linked {
    n_hidden: u64,
}

/// Counts the content of layers once, whatever names it has, and what is wasted of it.
#[derive(Debug)]
pub(super) struct Counter {
    /// Bytes that each layer holds.
    pub(super) held: Vec<u64>,
    /// Bytes of each layer that are wasted.
    pub(super) wasted: Vec<u64>,
    linked: HashMap<(usize, u64), Linked>,
    paths: BinaryHeap<Reverse<WastedPath>>,
}

impl Counter {
    pub(super) fn new(n_layers: usize) -> Self {
        Self {
            held: vec![0; n_layers],
            wasted: vec![0; n_layers],
            linked: HashMap::new(),
            paths: BinaryHeap::new(),
        }
    }

    /// Counts a name of a layer. Returns what it stands for, and the bytes that it is the first to have.
    pub(super) fn add(&mut self, layer: usize, metadata: &Metadata) -> (Content, u64) {
        let content = Content {
            layer,
            bytes: bytes(metadata),
            inode: metadata.inode,
            n_links: metadata.n_links,
        };
        let is_further = content.n_links > 1
            && match self.linked.entry((layer, content.inode)) {
                std::collections::hash_map::Entry::Occupied(_) => true,
                std::collections::hash_map::Entry::Vacant(place) => {
                    place.insert(Linked::default());
                    false
                }
            };
        let new = if is_further { 0 } else { content.bytes };
        self.held[layer] += new;
        (content, new)
    }

    /// Counts that a name is hidden; returns the bytes that are wasted by it: none while the file has
    /// another name that is seen.
    pub(super) fn hide(&mut self, content: Content) -> u64 {
        if content.n_links > 1 {
            let linked = self
                .linked
                .entry((content.layer, content.inode))
                .or_default();
            linked.n_hidden += 1;
            if linked.n_hidden < content.n_links {
                return 0;
            }
        }
        self.wasted[content.layer] += content.bytes;
        content.bytes
    }

    /// Keeps a path if it is among the most wasted.
    pub(super) fn note(&mut self, path: WastedPath) {
        if path.wasted_bytes == 0 {
            return;
        }
        self.paths.push(Reverse(path));
        if self.paths.len() > PATHS_MAX {
            self.paths.pop();
        }
    }

    /// The most wasted paths, the worst first.
    pub(super) fn into_paths(self) -> Vec<WastedPath> {
        let paths = self.paths.into_sorted_vec();
        paths.into_iter().map(|Reverse(path)| path).collect()
    }
}
