//! The archive of a layer, thing by thing.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use engine_sys::dir::Dir;
use engine_sys::pinned::Pinned;
use engine_sys::users::IdMap;
use engine_tar::{Kind, Member, Time, Writer};

use crate::tree::{PackError, Seen, describe};

const WHITEOUT_PREFIX: &[u8] = b".wh.";

/// Writes a layer. Its names begin at the root, without a slash before them.
pub(crate) struct LayerWriter<W> {
    archive: Writer<W>,
    seen: Seen,
    /// The latest time that may stand in it.
    latest: Option<i64>,
}

impl<W: Write> LayerWriter<W> {
    /// Begins an archive whose owners are the users of `map`.
    pub(crate) fn new(target: W, map: Option<IdMap>, latest: Option<i64>) -> Self {
        Self {
            archive: Writer::new(target),
            seen: Seen::of_users(map),
            latest,
        }
    }

    /// Writes the thing that lies in `parent` under the last name of `path`, if it still does. Says
    /// whether it is a directory; what lies in that is left to the caller.
    pub(crate) fn thing(&mut self, parent: &Dir, path: &Path) -> Result<bool, PackError> {
        let Some(name) = path.file_name() else {
            return Ok(false);
        };
        let pinned = match Pinned::at(parent, name) {
            // It went while nothing was paused.
            Err(error) if error.is_not_found() => return Ok(false),
            other => other?,
        };
        let bytes = path.as_os_str().as_bytes().to_vec();
        let described = describe(Some((parent, name)), &pinned, bytes, &mut self.seen)?;
        let Some(mut member) = described else {
            return Ok(false);
        };
        if let Some(latest) = self.latest {
            member.modified.seconds = member.modified.seconds.min(latest);
        }
        match member.kind {
            // The overlay's own whiteouts are told by name here.
            Kind::CharacterDevice(0, 0) => Ok(false),
            Kind::File => {
                let mut file = pinned.read()?;
                let written = self.archive.file(&member, &mut file);
                written.map(|()| false).map_err(PackError::Write)
            }
            _ => {
                let is_directory = member.kind == Kind::Directory;
                let written = self.archive.member(&member);
                written.map(|()| is_directory).map_err(PackError::Write)
            }
        }
    }

    /// Says that what the layers below have at `path` is gone.
    pub(crate) fn whiteout(&mut self, path: &Path) -> Result<(), PackError> {
        let name = path.file_name().unwrap_or_default().as_bytes();
        let name = OsString::from_vec([WHITEOUT_PREFIX, name].concat());
        let member = Member {
            path: path.with_file_name(name).into_os_string().into_vec(),
            kind: Kind::File,
            size_bytes: 0,
            mode: 0,
            uid: 0,
            gid: 0,
            modified: Time {
                seconds: 0,
                nanoseconds: 0,
            },
            xattrs: Vec::new(),
        };
        self.archive.member(&member).map_err(PackError::Write)
    }

    /// Ends the archive.
    pub(crate) fn finish(self) -> Result<W, PackError> {
        self.archive.finish().map_err(PackError::Write)
    }
}
