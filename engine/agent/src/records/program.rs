//! A program of the engine's own that containers see as a file.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Keeps a program at a path for everybody to read and execute. One that is there already stays as
/// it is: containers that run have it mounted.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn keep_program(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|kept| kept == bytes) {
        return Ok(());
    }
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o755))?;
    fs::rename(&fresh, path)
}
