//! What a build fetches from the net: files that `ADD` names, and contexts.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use engine_images::{Digest, Hasher};

use super::context;
use super::executor::Stop;
use super::git::{self, Repository};
use super::service::Builds;
use super::stage::Stage;
use crate::records::BuildDir;
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::blocking;

/// How long a fetched file may be.
const BYTES_MAX: u64 = 16 << 30;
const REMOTE: &str = "remote";

/// A file that was fetched.
pub(super) struct Fetched {
    /// The directory of the build that it lies in.
    pub(super) dir: String,
    pub(super) name: String,
}

/// Fetches a file that `ADD` names, and compares it with what it must be.
pub(super) async fn fetch(
    stage: &Stage<'_>,
    url: &str,
    checksum: Option<&str>,
) -> Result<Fetched, Stop> {
    let bad = |why: String| Stop::Failed(ServiceError::BadRequest(format!("ADD failed: {why}")));
    let wanted = checksum.map(str::parse::<Digest>).transpose();
    let wanted = wanted.map_err(|error| bad(format!("--checksum: {error}")))?;
    let name = name_of(url).ok_or_else(|| bad(format!("cannot determine filename from {url}")))?;
    let dir = stage.new_name("fetched");
    let work = stage.work;
    let digest = download(&work.builds, &work.dir, &dir, &name, url).await?;
    if wanted.is_some_and(|wanted| wanted != digest) {
        let wanted = checksum.unwrap_or_default();
        return Err(bad(format!(
            "{url} is not what --checksum says: {wanted} was expected, {digest} came"
        )));
    }
    Ok(Fetched { dir, name })
}

/// Fetches a repository that `ADD` names; returns the directory of the build that its files lie in,
/// and the name of the commit.
pub(super) async fn repository(
    stage: &Stage<'_>,
    url: &str,
    checksum: Option<&str>,
    keeps_git: bool,
) -> Result<(String, String), Stop> {
    let bad = |why: String| Stop::Failed(ServiceError::BadRequest(format!("ADD failed: {why}")));
    let parsed = Repository::parse(url).transpose();
    let parsed = parsed.map_err(|error| bad(error.to_string()))?;
    let parsed = parsed.ok_or_else(|| bad(format!("{url} is no repository")))?;
    let dir = stage.new_name("fetched");
    let (work, downloads) = (stage.work, &stage.work.builds.images.downloads);
    let commit = git::receive(downloads, &work.dir, &parsed, &dir, keeps_git).await;
    let commit = commit.map_err(|error| bad(chain(&error)))?;
    if let Some(wanted) = checksum.filter(|wanted| *wanted != commit) {
        return Err(bad(format!(
            "{} is not what --checksum says: {wanted} was expected, {commit} came",
            git::without_password(url)
        )));
    }
    Ok((dir, commit))
}

/// Fetches the context: an archive, a Dockerfile alone, or a Git repository.
pub(super) async fn context(builds: &Builds, dir: &Arc<BuildDir>, remote: &str) -> Result<()> {
    if let Some(repository) = Repository::parse(remote) {
        let (downloads, into) = (&builds.images.downloads, context::CONTEXT);
        let received = git::receive(downloads, dir, &repository?, into, false).await;
        return received.map(drop);
    }
    download(builds, dir, REMOTE, REMOTE, remote).await?;
    let dir = Arc::clone(dir);
    blocking(move || {
        let file = dir
            .open(REMOTE)
            .and_then(|root| root.open_file(Path::new(REMOTE)))
            .map_err(ServiceError::failed("read the context"))?;
        context::receive(&dir, file, false)
    })
    .await
}

/// The last part of a URL's path, as a plain name.
fn name_of(url: &str) -> Option<String> {
    let path = url.split(['?', '#']).next()?;
    let (_, path) = path.split_once("://")?.1.split_once('/')?;
    let name = path.rsplit('/').next()?;
    let is_plain = !matches!(name, "" | "." | "..") && name.len() <= 255;
    is_plain.then(|| name.to_owned())
}

async fn download(
    builds: &Builds,
    build: &Arc<BuildDir>,
    dir: &str,
    name: &str,
    url: &str,
) -> Result<Digest> {
    let refused = |error| ServiceError::BadRequest(chain(&error));
    let mut download = builds.images.downloads.get(url).await.map_err(refused)?;
    let (build, dir, name) = (Arc::clone(build), dir.to_owned(), name.to_owned());
    let made = blocking(move || build.make(&dir)?.create_file(Path::new(&name), 0o600)).await;
    let mut file: File = made.map_err(ServiceError::failed("keep what is fetched"))?;
    let (mut hash, mut n_bytes) = (Hasher::default(), 0);
    while let Some(piece) = download.next().await.map_err(refused)? {
        hash.update(&piece);
        n_bytes += piece.len() as u64;
        if n_bytes > BYTES_MAX {
            return Err(ServiceError::BadRequest(format!(
                "{url} is longer than {BYTES_MAX} bytes"
            )));
        }
        let written = blocking(move || file.write_all(&piece).map(|()| file)).await;
        file = written.map_err(ServiceError::failed("keep what is fetched"))?;
    }
    Ok(hash.digest())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_the_path() {
        assert_eq!(name_of("http://h/a/b.tar?x=/y").as_deref(), Some("b.tar"));
        for url in ["http://h", "http://h/", "http://h/a/", "http://h/..", "b"] {
            assert_eq!(name_of(url), None, "{url}");
        }
    }
}
