//! The files that a build is given: received into a directory of their own.
//!
//! Everything belongs to root there, as it will in the image; there are no devices; no name leads
//! out, and what is written goes to new names in open directories.

use std::io::{BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use engine_build::context::Ignore;
use engine_storage::{
    AskedPath, Owner, PlaceBounds, PlaceError, PlaceOptions, TreeRoot, leave_out, place,
};

use crate::records::{BuildDir, write_file};
use crate::services::error::{Result, ServiceError, chain};

/// Where it lies in the build's directory.
pub(super) const CONTEXT: &str = "context";
/// How much may be sent.
const BOUNDS: PlaceBounds = PlaceBounds {
    bytes_max: 64 << 30,
    entries_max: 2_000_000,
};
const DOCKERFILE: &str = "Dockerfile";
const DOCKERFILE_BYTES_MAX: u64 = 4 << 20;
const IGNORE_BYTES_MAX: u64 = 1 << 20;
const ROOT: Owner = Owner { uid: 0, gid: 0 };
/// What of the first bytes tells an archive from a text.
const HEAD_BYTES: usize = 512;

/// Receives the context: an archive, compressed or not, a Dockerfile alone, or nothing when that is
/// enough. Blocks.
///
/// # Errors
/// When the archive is refused, or the disk fails.
pub(super) fn receive(
    build: &BuildDir,
    source: impl Read + Send,
    may_be_empty: bool,
) -> Result<()> {
    let root = build
        .make(CONTEXT)
        .map_err(ServiceError::failed("make room for the context"))?;
    let mut source = BufReader::with_capacity(HEAD_BYTES, source);
    let head = head(&mut source)?;
    if head.is_empty() && may_be_empty {
        return Ok(());
    }
    let all = head.as_slice().chain(source);
    if is_text(&head) {
        let mut text = Vec::new();
        let read = all.take(DOCKERFILE_BYTES_MAX).read_to_end(&mut text);
        read.map_err(ServiceError::failed("read the Dockerfile"))?;
        return write_file(&root, Path::new(DOCKERFILE), &text, 0o644)
            .map_err(ServiceError::failed("keep the Dockerfile"));
    }
    take(&root, "/", all)
}

/// Receives an archive that was made for it, at `at` in the directory `into` of the build. Blocks.
///
/// # Errors
/// When the archive is refused, or the disk fails.
pub(super) fn receive_archive(
    build: &BuildDir,
    into: &str,
    at: &str,
    source: impl Read + Send,
) -> Result<()> {
    let root = build
        .open(into)
        .map_err(ServiceError::failed("keep the files of a repository"))?;
    take(&root, at, source)
}

fn take(root: &TreeRoot, at: &str, archive: impl Read + Send) -> Result<()> {
    let options = PlaceOptions {
        keep_kinds: false,
        owner: Some(ROOT),
        map: None,
        bounds: Some(BOUNDS),
    };
    place(root, &AskedPath::new(at), archive, options).map_err(refused)
}

/// Reads the Dockerfile that stands before the context. Blocks.
///
/// # Errors
/// When it is too long, or breaks off.
pub(super) fn given(source: &mut impl Read, bytes: u64) -> Result<Vec<u8>> {
    if bytes > DOCKERFILE_BYTES_MAX {
        let message = format!("the Dockerfile is longer than {DOCKERFILE_BYTES_MAX} bytes");
        return Err(ServiceError::BadRequest(message));
    }
    let mut text = Vec::new();
    let read = source.take(bytes).read_to_end(&mut text);
    read.map_err(ServiceError::failed("read the Dockerfile"))?;
    if text.len() as u64 != bytes {
        let message = "the Dockerfile broke off".to_owned();
        return Err(ServiceError::BadRequest(message));
    }
    Ok(text)
}

fn head(source: &mut impl Read) -> Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let read = source.take(HEAD_BYTES as u64).read_to_end(&mut head);
    read.map_err(ServiceError::failed("read the context"))?;
    Ok(head)
}

/// An archive begins with a name and zeros behind it, or with the mark of a compression.
fn is_text(head: &[u8]) -> bool {
    !head.is_empty() && !head.contains(&0) && std::str::from_utf8(head).is_ok()
        || std::str::from_utf8(head).is_err_and(|error| {
            // A character may be cut by the end of what was looked at.
            error.error_len().is_none() && !head.contains(&0)
        })
}

fn refused(error: PlaceError) -> ServiceError {
    match &error {
        _ if error.is_full() => {
            ServiceError::failed("keep the build's files, the disk is full")(error)
        }
        PlaceError::Refused { .. } | PlaceError::Archive(_) => {
            ServiceError::BadRequest(format!("the build context is refused: {}", chain(&error)))
        }
        _ => ServiceError::failed("keep the build's files")(error),
    }
}

/// Reads the Dockerfile, unless it was given, and takes away what the ignore file leaves out. Blocks.
///
/// # Errors
/// When there is no Dockerfile, or the ignore file is malformed.
pub(super) fn dockerfile(
    build: &BuildDir,
    name: Option<&str>,
    given: Option<Vec<u8>>,
) -> Result<Vec<u8>> {
    let root = build
        .open(CONTEXT)
        .map_err(ServiceError::failed("open the context"))?;
    let (name, bytes) = match given {
        Some(bytes) => (PathBuf::from(DOCKERFILE), bytes),
        None => read_dockerfile(&root, name)?,
    };
    let beside = format!("{}.dockerignore", name.display());
    let ignore = [beside.as_str(), ".dockerignore"]
        .into_iter()
        .find_map(|name| root.read(Path::new(name), IGNORE_BYTES_MAX).ok());
    if let Some(ignore) = ignore {
        let text = String::from_utf8_lossy(&ignore);
        let ignore = Ignore::parse(&text).map_err(|error| {
            ServiceError::BadRequest(format!("failed to parse .dockerignore: {error}"))
        })?;
        let leaves_out = |path: &Path, _| ignore.is_left_out(path.as_os_str().as_bytes());
        leave_out(&root, &leaves_out).map_err(ServiceError::failed("apply .dockerignore"))?;
    }
    Ok(bytes)
}

fn read_dockerfile(root: &TreeRoot, name: Option<&str>) -> Result<(PathBuf, Vec<u8>)> {
    let asked = name.unwrap_or(DOCKERFILE);
    let path = PathBuf::from(engine_build::resolve("/", asked).trim_start_matches('/'));
    let lower = PathBuf::from(DOCKERFILE.to_lowercase());
    let read = |path: &Path| root.read(path, DOCKERFILE_BYTES_MAX);
    let found = match read(&path) {
        Err(_) if name.is_none_or(|name| name == DOCKERFILE) => {
            read(&lower).map(|bytes| (lower, bytes))
        }
        other => other.map(|bytes| (path, bytes)),
    };
    found.map_err(|_| {
        ServiceError::BadRequest(format!("Cannot locate specified Dockerfile: {asked}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_alone_is_told_from_an_archive() {
        assert!(is_text(b"FROM busybox\nRUN true\n"));
        assert!(is_text("FROM x # é".as_bytes()));
        assert!(is_text(&"FROM x # é".as_bytes()[..10]));
        assert!(!is_text(b""));
        assert!(!is_text(b"Dockerfile\0\0\x000644"));
        assert!(!is_text(b"\x1f\x8b\x08\x00"));
        assert!(!is_text(b"\x28\xb5\x2f\xfdabc"));
    }
}
