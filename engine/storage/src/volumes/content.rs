//! An image's content on its way into a volume that nobody has used.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use engine_sys::dir::{Dir, set_mode_of, set_owner_of};
use engine_sys::path::Root;
use engine_sys::pinned::{Listing, Pinned};
use engine_sys::users::IdMap;
use engine_sys::{Errno, SysError, pinned};

use crate::tree::{AskedPath, PackError, PlaceError, PlaceOptions, carry, pack_contents, place};

/// Of zstd's: fast, and good for text.
const LEVEL: i32 = 3;
const BUFFER_BYTES: usize = 256 * 1024;

/// What was copied: whose the directory is, and whether anything lay in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Owner and group, as the host knows them.
    pub owner: (u32, u32),
    /// Its permission bits.
    pub mode: u32,
    /// Something lay in it.
    pub has_any: bool,
}

/// Content that was not copied, or not wholly.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    /// The directory could not be looked at.
    #[error("failed to look at the image's directory")]
    Look(#[from] SysError),
    /// The content could not be read.
    #[error(transparent)]
    Read(#[from] PackError),
    /// It could not be written.
    #[error(transparent)]
    Write(#[from] PlaceError),
    /// There is no thread or descriptor left.
    #[error("failed to begin the copy")]
    Begin(#[source] io::Error),
}

/// Copies what lies in the directory `path` below `from` into the root `to`, with all its attributes.
///
/// `None` when there is no such directory. Links on the way are followed inside
/// `from`. With a `map`, both sides hold the owners that the map gives.
///
/// # Errors
/// See [`ContentError`]; what came before is there.
pub fn copy_content(
    from: &Root,
    path: &Path,
    to: &Root,
    map: Option<IdMap>,
) -> Result<Option<Content>, ContentError> {
    let dir = match from.open_dir(path) {
        Err(error) if matches!(error.errno, Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
            return Ok(None);
        }
        other => other?,
    };
    let metadata = dir.own_metadata()?;
    let mut content = Content {
        owner: (metadata.uid, metadata.gid),
        mode: metadata.mode,
        has_any: false,
    };
    if Listing::of(&dir)?.next_names(1)?.is_empty() {
        return Ok(Some(content));
    }
    content.has_any = true;
    let below = Root::new(dir);
    let options = PlaceOptions {
        map,
        ..PlaceOptions::default()
    };
    let (packed, placed) = carry(
        |writer| {
            let target = BufWriter::with_capacity(BUFFER_BYTES, writer);
            pack_contents(&below, map, target).and_then(|target| {
                let flushed = target.into_inner().map_err(io::IntoInnerError::into_error);
                flushed.map(drop).map_err(PackError::Write)
            })
        },
        |reader| place(to, &AskedPath::new("/"), reader, options),
    )
    .map_err(ContentError::Begin)?;
    // Whoever failed first cut the other one short: a reader that is gone is no cause.
    match packed {
        Err(PackError::Write(_)) => {}
        other => other?,
    }
    placed?;
    Ok(Some(content))
}

/// Writes everything below a root as an archive compressed by zstd.
///
/// # Errors
/// See [`PackError`]; the archive is then cut.
pub fn pack_compressed<W: Write>(
    root: &Root,
    map: Option<IdMap>,
    target: W,
) -> Result<W, PackError> {
    let encoder = zstd::Encoder::new(target, LEVEL).map_err(PackError::Write)?;
    let target = BufWriter::with_capacity(BUFFER_BYTES, encoder);
    let target = pack_contents(root, map, target)?;
    let encoder = target.into_inner().map_err(io::IntoInnerError::into_error);
    encoder
        .and_then(zstd::Encoder::finish)
        .map_err(PackError::Write)
}

/// Finds where the path `below` in the directory `root` really lies, links followed inside it.
///
/// # Errors
/// When there is nothing.
pub fn locate_below(root: &Path, below: &Path) -> Result<PathBuf, SysError> {
    pinned::location(Pinned::below(&Root::open(root)?, below)?)
}

/// Says whether nothing lies in the directory at `path`, a path of the host.
///
/// # Errors
/// When it cannot be read.
pub fn is_empty(path: &Path) -> Result<bool, SysError> {
    let mut listing = Listing::of(&Dir::open(path)?)?;
    Ok(listing.next_names(1)?.is_empty())
}

/// Gives the directory at `path`, a path of the host, the owner and bits of what was copied into it.
///
/// # Errors
/// When the disk fails.
pub fn settle(path: &Path, content: &Content) -> Result<(), SysError> {
    let dir =
        File::open(path).map_err(|error| SysError::from_io("open", path.display(), &error))?;
    set_owner_of(&dir, content.owner.0, content.owner.1)?;
    set_mode_of(&dir, content.mode)
}
