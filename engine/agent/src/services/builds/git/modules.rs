//! Which submodules a commit has: git reads the file that names them, and says what the tree has there.

use std::collections::BTreeMap;

use super::address::{Repository, is_hash};
use super::program::Git;
use crate::services::error::Result;

/// Repositories that one address may bring, itself among them.
pub(super) const MODULES_MAX: usize = 64;
const FILE: &str = ".gitmodules";
/// How a tree says that a commit of another repository belongs there.
const LINK: &str = "160000 commit ";

/// A repository in another one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Module {
    pub(super) repository: Repository,
    /// Where it belongs, below the directory that is taken.
    pub(super) path: String,
}

/// What `.gitmodules` says of one.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named {
    path: Option<String>,
    url: Option<String>,
}

/// The submodules of a commit that lie in the directory that is taken.
///
/// # Errors
/// When one has an address that is not fetched, or there are too many.
pub(super) async fn of(git: &Git, within: &Repository, commit: &str) -> Result<Vec<Module>> {
    let tree = ["ls-tree", "-z", "--full-tree", commit, "--"];
    if git.said([&tree[..], &[FILE]].concat()).await?.is_empty() {
        return Ok(Vec::new());
    }
    let blob = format!("--blob={commit}:{FILE}");
    let urls = urls(
        &git.said(["config", "--no-includes", &blob, "-z", "--list"])
            .await?,
    );
    if urls.len() >= MODULES_MAX {
        return Err(git.refused("it has more submodules than are fetched"));
    }
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    let paths: Vec<&str> = urls.keys().map(String::as_str).collect();
    let there = git.said([&tree[..], &paths].concat()).await?;
    let mut modules = Vec::new();
    for (path, commit) in links(&there) {
        let below = match within.dir.as_str() {
            "" => Some(path.as_str()),
            dir => path
                .strip_prefix(dir)
                .and_then(|rest| rest.strip_prefix('/')),
        };
        if let (Some(below), Some(url)) = (below, urls.get(&path)) {
            modules.push(Module {
                repository: within.module(url, &commit)?,
                path: below.to_owned(),
            });
        }
    }
    Ok(modules)
}

/// The addresses by path. `said` is a row of `submodule.NAME.path`, a line end, the value, a zero.
fn urls(said: &[u8]) -> BTreeMap<String, String> {
    let said = String::from_utf8_lossy(said);
    let mut named: BTreeMap<&str, Named> = BTreeMap::new();
    for entry in said.split('\0') {
        let Some((key, value)) = entry.split_once('\n') else {
            continue;
        };
        let name = key.strip_prefix("submodule.");
        let Some((name, member)) = name.and_then(|name| name.rsplit_once('.')) else {
            continue;
        };
        let named = named.entry(name).or_default();
        match member {
            "path" => named.path = Some(value.to_owned()),
            "url" => named.url = Some(value.to_owned()),
            _ => {}
        }
    }
    let whole = named.into_values();
    let whole = whole.filter_map(|named| Some((named.path?, named.url?)));
    whole.filter(|(path, _)| is_plain(path)).collect()
}

/// A path that means what it says, below the root of the tree.
fn is_plain(path: &str) -> bool {
    !path.is_empty() && engine_build::resolve("/", path).strip_prefix('/') == Some(path)
}

/// Paths and commits; `said` is a row of `MODE KIND NAME`, a tabulator, the path, a zero.
fn links(said: &[u8]) -> Vec<(String, String)> {
    let said = String::from_utf8_lossy(said);
    let link = |entry: &str| {
        let (commit, path) = entry.strip_prefix(LINK)?.split_once('\t')?;
        is_hash(commit).then(|| (path.to_owned(), commit.to_owned()))
    };
    said.split('\0').filter_map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_and_plain_entries_are_modules() {
        let said = b"submodule.a.path\nlib/a\0submodule.a.url\n../a\0submodule.b.path\nb\0\
                     submodule.x.y.url\nhttps://h/x\0submodule.x.y.path\n../out\0junk\0";
        let wanted = BTreeMap::from([("lib/a".to_owned(), "../a".to_owned())]);
        assert_eq!(urls(said), wanted);
        for path in ["", "/a", "a/", "a/../b", "./a", "..", "a//b"] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn only_links_of_a_tree_are_links() {
        let hash = "0123456789012345678901234567890123456789";
        let said =
            format!("160000 commit {hash}\tlib/a\x00100644 blob {hash}\tb\0160000 commit --x\tc\0");
        assert_eq!(
            links(said.as_bytes()),
            [("lib/a".to_owned(), hash.to_owned())]
        );
    }
}
