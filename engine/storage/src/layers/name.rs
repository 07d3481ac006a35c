//! The names of an archive's entries, as paths below a layer's root.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const PATH_BYTES_MAX: usize = 4096;
const NAME_BYTES_MAX: usize = 255;

/// A name as a path below the root. Every component is plain, and none but the last may look
/// like a whiteout.
pub(super) fn clean(name: &[u8], depth_max: usize) -> Result<PathBuf, &'static str> {
    let path = clean_plain(name, depth_max)?;
    let parents = path.parent().into_iter().flat_map(Path::components);
    if parents
        .into_iter()
        .any(|part| part.as_os_str().as_bytes().starts_with(b".wh."))
    {
        return Err("lies below a whiteout");
    }
    Ok(path)
}

/// A name as a path below the root, where no name has a meaning of its own.
pub(crate) fn clean_plain(name: &[u8], depth_max: usize) -> Result<PathBuf, &'static str> {
    if name.len() > PATH_BYTES_MAX {
        return Err("has too long a name");
    }
    if name.first() == Some(&b'/') {
        return Err("has an absolute name");
    }
    let mut path = PathBuf::new();
    let mut depth = 0;
    for component in name.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => continue,
            b".." => return Err("leads upwards"),
            _ if component.contains(&0) => return Err("has a zero byte in its name"),
            _ if component.len() > NAME_BYTES_MAX => return Err("has too long a name"),
            _ => path.push(OsString::from(OsStr::from_bytes(component))),
        }
        depth += 1;
    }
    if depth > depth_max {
        return Err("lies too deep");
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_clean_name_never_leads_out(name in prop::collection::vec(
            prop_oneof![Just(b'/'), Just(b'.'), Just(0), any::<u8>()], 0..40)) {
            if let Ok(path) = clean(&name, 8) {
                let plain = |part| matches!(part, std::path::Component::Normal(_));
                prop_assert!(path.components().all(plain));
                prop_assert!(path.components().count() <= 8);
            }
        }
    }
}
