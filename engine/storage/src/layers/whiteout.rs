//! Names that mean "this is gone", and how the overlay says it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use engine_sys::dir::{Dir, FileType, Metadata};
use engine_sys::{SysError, xattr};

const PREFIX: &[u8] = b".wh.";
const OPAQUE: &[u8] = b".wh..wh..opq";
const STORE_PREFIX: &[u8] = b".wh..wh.";
const OPAQUE_ATTRIBUTE: &str = "trusted.overlay.opaque";

/// What a name in a layer's archive means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// A thing of that name.
    Thing,
    /// Nothing of that name from the layers below.
    Gone(&'a OsStr),
    /// Nothing at all in this directory from the layers below.
    Opaque,
    /// A note that another storage driver left for itself.
    Note,
}

/// Reads a name.
pub(super) fn meaning(name: &OsStr) -> Result<Meaning<'_>, &'static str> {
    let name = name.as_bytes();
    if name == OPAQUE {
        return Ok(Meaning::Opaque);
    }
    if name.starts_with(STORE_PREFIX) {
        return Ok(Meaning::Note);
    }
    match name.strip_prefix(PREFIX) {
        None => Ok(Meaning::Thing),
        Some(b"" | b"." | b"..") => Err("is a malformed whiteout"),
        Some(target) => Ok(Meaning::Gone(OsStr::from_bytes(target))),
    }
}

/// Hides `name` from the layers below. Something of this very layer stays, but if it is a
/// directory, what it hid stays hidden.
pub(super) fn hide(dir: &Dir, name: &OsStr) -> Result<(), SysError> {
    match dir.metadata(name) {
        Ok(metadata) if metadata.kind == FileType::Directory => make_opaque(dir, name),
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => dir.make_node(name, FileType::CharacterDevice, 0, 0),
        Err(error) => Err(error),
    }
}

/// Hides everything that the layers below have in the directory `name`.
pub(super) fn make_opaque(dir: &Dir, name: &OsStr) -> Result<(), SysError> {
    xattr::set_at(dir, name, OsStr::new(OPAQUE_ATTRIBUTE), b"y")
}

/// Says whether nothing of the layers below is seen in the directory `name`.
pub(crate) fn is_opaque(dir: &Dir, name: &OsStr) -> Result<bool, SysError> {
    let value = xattr::get_at(dir, name, OsStr::new(OPAQUE_ATTRIBUTE))?;
    Ok(value.as_deref() == Some(b"y"))
}

/// Says whether this is how the overlay marks a thing as gone.
pub(crate) fn is_whiteout(metadata: &Metadata) -> bool {
    metadata.kind == FileType::CharacterDevice && metadata.device == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_image_format_says() {
        let cases = [
            ("file", Ok(Meaning::Thing)),
            (".whisper", Ok(Meaning::Thing)),
            (".wh.file", Ok(Meaning::Gone(OsStr::new("file")))),
            (".wh....", Ok(Meaning::Gone(OsStr::new("...")))),
            (".wh..wh..opq", Ok(Meaning::Opaque)),
            (".wh..wh.plnk", Ok(Meaning::Note)),
            (".wh.", Err("is a malformed whiteout")),
            (".wh..", Err("is a malformed whiteout")),
            (".wh...", Err("is a malformed whiteout")),
        ];
        for (name, expected) in cases {
            assert_eq!(meaning(OsStr::new(name)), expected, "{name}");
        }
    }
}
