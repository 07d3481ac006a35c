//! Addresses of repositories, as contexts and Dockerfiles write them.

use crate::services::error::{Result, ServiceError};

const HASH_DIGITS: [usize; 2] = [40, 64];
const NOT_FETCHED: &str = "only repositories at https:// or http:// are fetched";

/// What of which repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Repository {
    pub(super) url: String,
    /// A branch, a tag or a commit.
    pub(super) reference: String,
    /// The directory that is wanted; empty for all of it.
    pub(super) dir: String,
}

impl Repository {
    /// Reads an address; `None` when it is that of a file.
    ///
    /// # Errors
    /// When it is a repository that is not fetched, or a part of it is malformed.
    pub(in super::super) fn parse(remote: &str) -> Option<Result<Self>> {
        let (address, part) = remote.split_once('#').unwrap_or((remote, ""));
        if ["git://", "git@", "ssh://"]
            .iter()
            .any(|start| address.starts_with(start))
        {
            return Some(Err(bad(remote, NOT_FETCHED)));
        }
        let url = match address.strip_prefix("github.com/") {
            Some(path) => format!("https://github.com/{path}"),
            None if address.ends_with(".git") => address.to_owned(),
            None => return None,
        };
        let (reference, dir) = part.split_once(':').unwrap_or((part, ""));
        let reference = if reference.is_empty() {
            "HEAD"
        } else {
            reference
        };
        if !is_reference(reference) {
            return Some(Err(bad(
                remote,
                "what stands behind # is no branch, tag or commit",
            )));
        }
        let dir = engine_build::resolve("/", dir);
        Some(Ok(Self {
            url,
            reference: reference.to_owned(),
            dir: dir.trim_matches('/').to_owned(),
        }))
    }

    /// The repository that `.gitmodules` of this one names, at one of its commits.
    ///
    /// # Errors
    /// When it is none that is fetched.
    pub(super) fn module(&self, url: &str, commit: &str) -> Result<Self> {
        let resolved = match url.starts_with("./") || url.starts_with("../") {
            true => relative(&self.url, url),
            false => Some(url.to_owned()),
        };
        let is_fetched = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        match resolved.filter(is_fetched) {
            Some(resolved) => Ok(Self {
                url: resolved,
                reference: commit.to_owned(),
                dir: String::new(),
            }),
            None => Err(bad(&format!("the submodule {url}"), NOT_FETCHED)),
        }
    }

    /// Whether the reference is the name of a commit.
    pub(super) fn is_commit(&self) -> bool {
        is_hash(&self.reference)
    }
}

/// Whether a text is the name of a commit.
pub(super) fn is_hash(text: &str) -> bool {
    HASH_DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Nothing that git would take for an option, a range, a pattern or two names.
fn is_reference(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_./@-+%=,".contains(&byte);
    !text.starts_with(['-', '+', '/'])
        && text.len() <= 255
        && text.bytes().all(is_plain)
        && !text.contains("..")
        && !text.contains("@{")
}

fn bad(remote: &str, reason: &str) -> ServiceError {
    let remote = without_password(remote);
    ServiceError::BadRequest(format!("{remote} cannot be fetched: {reason}"))
}

/// An address beside another one, on the same host.
fn relative(base: &str, url: &str) -> Option<String> {
    let (scheme, rest) = base.split_once("://")?;
    let (authority, path) = rest.split_once('/')?;
    let mut names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    for name in url.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(format!("{scheme}://{authority}/{}", names.join("/")))
}

pub(in super::super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(remote: &str) -> (String, String, String) {
        let Repository {
            url,
            reference,
            dir,
        } = Repository::parse(remote).unwrap().unwrap();
        (url, reference, dir)
    }

    #[test]
    fn repositories_are_told_from_files() {
        for (remote, url, reference, dir) in [
            ("https://h/a.git", "https://h/a.git", "HEAD", ""),
            ("https://h/a.git#v1.2", "https://h/a.git", "v1.2", ""),
            ("https://h/a.git#:app", "https://h/a.git", "HEAD", "app"),
            (
                "https://h/a.git#b/c:/x/../y/",
                "https://h/a.git",
                "b/c",
                "y",
            ),
            ("github.com/o/r", "https://github.com/o/r", "HEAD", ""),
        ] {
            let all = (url.to_owned(), reference.to_owned(), dir.to_owned());
            assert_eq!(parsed(remote), all, "{remote}");
        }
        assert!(Repository::parse("https://h/a.tar.gz#x").is_none());
    }

    #[test]
    fn what_git_would_take_for_something_else_is_refused() {
        for remote in [
            "https://h/a.git#--upload-pack=x",
            "https://h/a.git#+refs/*",
            "https://h/a.git#a..b",
            "https://h/a.git#a@{1}",
            "https://h/a.git#a b",
            "https://h/a.git#a\n",
            "git@h:a.git",
            "ssh://h/a.git",
            "git://h/a.git",
        ] {
            assert!(Repository::parse(remote).unwrap().is_err(), "{remote}");
        }
    }

    #[test]
    fn a_refusal_tells_no_password() {
        let refused = Repository::parse("https://ann:secret@h/a.git#a..b").unwrap();
        let said = refused.unwrap_err().to_string();
        assert!(
            said.contains("https://h/a.git#a..b") && !said.contains("secret"),
            "{said}"
        );
    }

    #[test]
    fn a_submodule_lies_beside_its_repository_or_at_an_address_of_its_own() {
        let of = Repository::parse("https://u:p@h/team/shop.git#main")
            .unwrap()
            .unwrap();
        for (url, wanted) in [
            ("../lib.git", "https://u:p@h/team/lib.git"),
            ("./in", "https://u:p@h/team/shop.git/in"),
            ("../../x/y", "https://u:p@h/x/y"),
            ("http://other/lib", "http://other/lib"),
        ] {
            assert_eq!(of.module(url, "c0").unwrap().url, wanted);
        }
        let hostile = [
            "../../../../x",
            "/etc",
            "file:///etc",
            "ext::sh -c id",
            "git@h:x",
            "--upload-pack=x",
            "",
        ];
        for url in hostile {
            let said = of.module(url, "c0").unwrap_err().to_string();
            assert!(said.contains("only repositories at https://"), "{said}");
        }
    }
}
