//! How much a directory holds.

use std::collections::HashSet;
use std::path::Path;

use engine_sys::SysError;
use engine_sys::dir::{Dir, FileType};

/// What lies in a directory tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of content, a file with several names once.
    pub size_bytes: u64,
    /// Files, directories and everything else.
    pub n_inodes: u64,
}

/// Directories deeper than this are not counted: a container can make any depth.
const DEPTH_MAX: usize = 256;

/// Measures the tree at `path`; files that vanish meanwhile do not count.
///
/// # Errors
/// When the directory itself cannot be read.
pub fn usage(path: &Path) -> Result<Usage, SysError> {
    usage_until(path, &|| false)
}

/// Measures as [`usage`] does, and stops early, with what it has, when nobody waits any more.
///
/// # Errors
/// When the directory itself cannot be read.
pub(crate) fn usage_until(path: &Path, is_given_up: &dyn Fn() -> bool) -> Result<Usage, SysError> {
    let mut usage = Usage::default();
    let mut linked = HashSet::new();
    add(&Dir::open(path)?, 0, &mut usage, &mut linked, is_given_up)?;
    Ok(usage)
}

fn add(
    dir: &Dir,
    depth: usize,
    usage: &mut Usage,
    linked: &mut HashSet<u64>,
    is_given_up: &dyn Fn() -> bool,
) -> Result<(), SysError> {
    for entry in dir.entries()? {
        if is_given_up() {
            return Ok(());
        }
        let Ok(metadata) = dir.metadata(&entry.name) else {
            continue;
        };
        if metadata.kind != FileType::Directory
            && metadata.n_links > 1
            && !linked.insert(metadata.inode)
        {
            continue;
        }
        usage.n_inodes += 1;
        if metadata.kind == FileType::RegularFile {
            usage.size_bytes += metadata.size_bytes;
        }
        if metadata.kind == FileType::Directory
            && depth < DEPTH_MAX
            && let Ok(below) = dir.open_dir(&entry.name)
        {
            // What cannot be read, or goes meanwhile, does not count.
            let _ = add(&below, depth + 1, usage, linked, is_given_up);
        }
    }
    Ok(())
}
