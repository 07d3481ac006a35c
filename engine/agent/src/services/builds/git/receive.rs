//! One commit with its submodules, as files.

use std::sync::Arc;

use engine_images::Downloads;

use super::address::Repository;
use super::modules::{self, MODULES_MAX};
use super::program::Git;
use crate::records::BuildDir;
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::blocking;

/// Fetches the commit and receives its files in a new directory of the build, those of its submodules
/// among them. With `keeps_git`, the repository lies beside them. Returns the name of the commit.
///
/// # Errors
/// When an address is refused, git is not there, or what it says.
pub(in super::super) async fn receive(
    downloads: &Downloads,
    build: &Arc<BuildDir>,
    repository: &Repository,
    into: &str,
    keeps_git: bool,
) -> Result<String> {
    let (making, dir) = (Arc::clone(build), into.to_owned());
    let made = blocking(move || making.make(&dir).map(drop)).await;
    made.map_err(ServiceError::failed("make room for a repository"))?;
    let mut waiting = vec![(repository.clone(), String::from("/"))];
    let (mut first, mut n_fetched) = (None, 0);
    while let Some((repository, at)) = waiting.pop() {
        let judged = downloads.judge(&repository.url).await;
        let judged = judged.map_err(|error| ServiceError::BadRequest(chain(&error)))?;
        let git = Git::begin(build, format!("git-{into}-{n_fetched}"), &judged).await?;
        let commit = git.fetch(&repository).await?;
        let from = (commit.as_str(), repository.dir.as_str());
        git.archive(build, from, (into, &at)).await?;
        for module in modules::of(&git, &repository, &commit).await? {
            let path = format!("{}/{}", at.trim_end_matches('/'), module.path);
            waiting.push((module.repository, path));
        }
        n_fetched += 1;
        if n_fetched + waiting.len() > MODULES_MAX {
            return Err(git.refused("it has more submodules than are fetched"));
        }
        first.get_or_insert((git, commit));
    }
    let Some((git, commit)) = first else {
        let message = "no repository was fetched".to_owned();
        return Err(ServiceError::BadRequest(message));
    };
    if keeps_git && repository.dir.is_empty() {
        git.settle(build, &commit).await?;
        let (moving, place, into) = (Arc::clone(build), git.place().to_owned(), into.to_owned());
        let moved = blocking(move || moving.put_into(&place, &into, ".git")).await;
        moved.map_err(ServiceError::failed("keep a repository beside its files"))?;
    }
    Ok(commit)
}
