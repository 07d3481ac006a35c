//! Git repositories as contexts: one commit, fetched by the host's git and taken as an archive.
//!
//! `https://host/shop.git#main:app` is the directory `app` of the branch, tag or commit `main`. As in
//! Docker the program is the host's own, and only this needs it. Nothing is checked out: `git
//! archive` writes the files and the context is received from it as from anybody else, so that links,
//! names and sizes are judged in one place. Submodules are not fetched.
//!
//! **Invariant:** git reads no settings but those given here, asks nobody for a password and reads
//! nobody's, runs no hook and no filter, and connects to the addresses that were judged, without
//! following redirects. It has bounds on memory and files, is the first to go when memory is short,
//! and ends, with every program that it began, when nobody waits for it any more.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use engine_images::{Downloads, Judged, Pin};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::context;
use crate::records::{BuildDir, write_file};
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::blocking;

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Nothing that git writes may be longer than 16 GiB, in blocks of 512 bytes, and no process of it
/// larger than 4 GiB, in blocks of 1,024: a few bytes of a repository may ask for any amount. Unlike
/// the engine it is as likely a victim as any when memory is short. Then, git itself.
const RUN: &str = "ulimit -f 33554432 && ulimit -v 4194304 && \
                   { echo 500 >/proc/self/oom_score_adj; exec git \"$@\"; }";
/// The first version that connects where it is told to (`http.curloptResolve`).
const VERSION: (u32, u32) = (2, 37);
/// What is kept of what git complains about.
const COMPLAINT_BYTES: u64 = 16 << 10;
const REPOSITORY: &str = "git";
/// What `sh` answers when there is no such program.
const NOT_FOUND: i32 = 127;
const ATTRIBUTES: &[u8] = b"* -export-ignore -export-subst\n";
const HASH_DIGITS: [usize; 2] = [40, 64];

/// What of which repository.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repository {
    url: String,
    /// A branch, a tag or a commit.
    reference: String,
    /// The directory that is the context; empty for all of it.
    dir: String,
}

impl Repository {
    /// Reads an address; `None` when it is that of a file.
    ///
    /// # Errors
    /// When it is a repository that is not fetched, or a part of it is malformed.
    pub(super) fn parse(remote: &str) -> Option<Result<Self>> {
        let (address, part) = remote.split_once('#').unwrap_or((remote, ""));
        if ["git://", "git@", "ssh://"]
            .iter()
            .any(|start| address.starts_with(start))
        {
            return Some(Err(bad(
                remote,
                "only repositories at https:// or http:// are fetched",
            )));
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

    fn is_commit(&self) -> bool {
        HASH_DIGITS.contains(&self.reference.len())
            && self.reference.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
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
    ServiceError::BadRequest(format!("{remote} cannot be the context: {reason}"))
}

/// Fetches the commit and receives its files as the context.
///
/// # Errors
/// When the address is refused, git is not there, or what it says.
pub(super) async fn receive(
    downloads: &Downloads,
    build: &Arc<BuildDir>,
    repository: &Repository,
) -> Result<()> {
    let judged = downloads.judge(&repository.url).await;
    let judged = judged.map_err(|error| ServiceError::BadRequest(chain(&error)))?;
    let git = Git::begin(build, &judged).await?;
    match git
        .fetch(&["--depth=1", "origin", &repository.reference])
        .await
    {
        // Some servers give no single commit away, but all of them.
        Err(_) if repository.is_commit() => {
            git.fetch(&["origin", "+refs/*:refs/fetched/*"]).await?;
            git.archive(build, &repository.reference, &repository.dir)
                .await
        }
        Err(refused) => Err(refused),
        Ok(()) => git.archive(build, "FETCH_HEAD", &repository.dir).await,
    }
}

/// The host's git at work for one build.
struct Git {
    dir: PathBuf,
    settings: Vec<(&'static str, String)>,
    /// How the repository is called in messages: without a password.
    name: String,
}

impl Git {
    async fn begin(build: &Arc<BuildDir>, judged: &Judged) -> Result<Self> {
        let git = Self {
            dir: build.path_of(REPOSITORY),
            settings: settings(judged),
            name: judged.shown.clone(),
        };
        let dir: OsString = git.dir.clone().into();
        let init = ["init", "--quiet", "--bare", "--template="].map(OsString::from);
        let making = Arc::clone(build);
        let made = blocking(move || making.make(REPOSITORY).map(drop)).await;
        made.map_err(ServiceError::failed("make room for a repository"))?;
        git.check_version().await?;
        let command = git.command(init.into_iter().chain([dir]));
        git.run(command).await?;
        let build = Arc::clone(build);
        // What a repository says of its own archives leaves files out, or writes into them.
        blocking(move || {
            let failed = "prepare a repository";
            let root = build.open(REPOSITORY);
            let root = root.map_err(ServiceError::failed(failed))?;
            let made = root.create_dir_all(Path::new("info"), 0o700);
            made.map_err(ServiceError::failed(failed))?;
            let name = Path::new("info/attributes");
            let written = write_file(&root, name, ATTRIBUTES, 0o600);
            written.map_err(ServiceError::failed(failed))
        })
        .await?;
        Ok(git)
    }

    async fn fetch(&self, what: &[&str]) -> Result<()> {
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-write-commit-graph"];
        let words = fetch.iter().chain(what).map(OsString::from);
        self.run(self.command(words)).await
    }

    /// Takes the files of a commit, or of one directory of it.
    async fn archive(&self, build: &Arc<BuildDir>, commit: &str, dir: &str) -> Result<()> {
        let tree = format!("{commit}^{{tree}}");
        let tree = if dir.is_empty() {
            tree
        } else {
            format!("{commit}:{dir}")
        };
        let words = ["archive", "--format=tar", &tree].map(OsString::from);
        let mut command = self.command(words);
        let mut group = Group::begin(command.stdout(Stdio::piped()))?;
        let output = group.child.stdout.take();
        let output = output.and_then(|output| output.into_owned_fd().ok());
        let output = output.ok_or_else(|| self.refused("its files cannot be read"))?;
        let build = Arc::clone(build);
        let receive =
            blocking(move || context::receive_archive(&build, std::fs::File::from(output)));
        match tokio::join!(receive, self.end(group)) {
            // Who takes no more is told apart from an archive that broke off.
            (Err(refused), Ok(Ended { was_cut: true, .. })) => Err(refused),
            (received, ended) => ended.and_then(|ended| self.judge(&ended)).and(received),
        }
    }

    /// Makes sure that the program connects where it is told to.
    async fn check_version(&self) -> Result<()> {
        let mut command = self.command(["version".into()]);
        let mut group = Group::begin(command.stdout(Stdio::piped()))?;
        let mut said = String::new();
        if let Some(output) = group.child.stdout.take() {
            // What cannot be read is no version.
            let _ = output.take(COMPLAINT_BYTES).read_to_string(&mut said).await;
        }
        let ended = self.end(group).await?;
        self.judge(&ended)?;
        match version(&said) {
            Some(found) if found >= VERSION => Ok(()),
            _ => Err(self.refused("the host's git is older than 2.37: send the files instead")),
        }
    }

    fn command(&self, words: impl IntoIterator<Item = OsString>) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", RUN, "git"]).args(words);
        command.env_clear();
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("LC_ALL", "C").env("GIT_DIR", &self.dir);
        for name in ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"] {
            command.env(name, "/dev/null");
        }
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "false");
        command.env("GIT_CONFIG_COUNT", self.settings.len().to_string());
        for (n, (key, value)) in self.settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{n}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{n}"), value);
        }
        command.current_dir(&self.dir).process_group(0);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    async fn run(&self, mut command: Command) -> Result<()> {
        let ended = self.end(Group::begin(&mut command)?).await?;
        self.judge(&ended)
    }

    /// Waits for its end, and hears what it complains about.
    async fn end(&self, mut group: Group) -> Result<Ended> {
        let complaints = group.child.stderr.take();
        let listen = async {
            let mut said = Vec::new();
            if let Some(complaints) = complaints {
                let mut complaints = complaints.take(COMPLAINT_BYTES);
                // What cannot be read is not told; what is too long is read all the same, since
                // git ends when nobody listens.
                let _ = complaints.read_to_end(&mut said).await;
                let _ = tokio::io::copy(&mut complaints.into_inner(), &mut tokio::io::sink()).await;
            }
            said
        };
        let both = async { tokio::join!(listen, group.child.wait()) };
        let Ok((said, status)) = tokio::time::timeout(PATIENCE, both).await else {
            return Err(self.refused("it takes longer than half an hour"));
        };
        let status = status.map_err(ServiceError::failed("wait for git"))?;
        Ok(Ended {
            is_success: status.success(),
            was_cut: status.code().is_none(),
            is_missing: status.code() == Some(NOT_FOUND),
            said: String::from_utf8_lossy(&said).into_owned(),
        })
    }

    fn judge(&self, ended: &Ended) -> Result<()> {
        if ended.is_success {
            return Ok(());
        }
        if ended.is_missing {
            return Err(self.refused("this host has no git: install it, or send the files"));
        }
        let said = ended.said.replace(&self.settings[0].1, &self.name);
        let last: Vec<&str> = said
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let last = last[last.len().saturating_sub(3)..].join("; ");
        Err(self.refused(if last.is_empty() {
            "git was ended"
        } else {
            &last
        }))
    }

    fn refused(&self, reason: &str) -> ServiceError {
        ServiceError::BadRequest(format!("failed to fetch {}: {reason}", self.name))
    }
}

/// git and the programs that it begins; none of them outlives this.
struct Group {
    child: Child,
    id: Option<Pid>,
}

impl Group {
    fn begin(command: &mut Command) -> Result<Self> {
        let child = command.spawn().map_err(ServiceError::failed("run git"))?;
        let id = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
        Ok(Self { child, id })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Once the first of them was waited for, its number may be anybody's.
        if let Some(id) = self.id.filter(|_| self.child.id().is_some()) {
            // They may have ended just now.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

/// How git ended.
struct Ended {
    is_success: bool,
    /// By a signal: of a pipe that nobody reads, above all.
    was_cut: bool,
    is_missing: bool,
    said: String,
}

/// The first two numbers of `git version 2.39.5 (…)`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("git version ")?.split('.');
    let mut next = || numbers.next()?.split_whitespace().next()?.parse().ok();
    Some((next()?, next()?))
}

/// All that git knows; the address comes first.
fn settings(judged: &Judged) -> Vec<(&'static str, String)> {
    let mut settings = vec![("remote.origin.url", judged.url.clone())];
    let fixed = [
        ("protocol.allow", "never"),
        ("protocol.https.allow", "always"),
        ("protocol.http.allow", "always"),
        ("http.followRedirects", "false"),
        ("http.proxy", ""),
        ("http.lowSpeedLimit", "1000"),
        ("http.lowSpeedTime", "60"),
        ("credential.helper", ""),
        ("core.hooksPath", "/dev/null"),
        ("core.bigFileThreshold", "64m"),
        ("core.packedGitWindowSize", "64m"),
        ("core.packedGitLimit", "1g"),
        ("pack.threads", "1"),
        ("maintenance.auto", "false"),
        ("tar.umask", "0022"),
    ];
    settings.extend(fixed.map(|(key, value)| (key, value.to_owned())));
    if let Some(pin) = &judged.pin {
        settings.push(("http.curloptResolve", pinned(pin)));
    }
    settings
}

fn pinned(pin: &Pin) -> String {
    let addresses = pin.addresses.iter().map(|address| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    });
    let addresses: Vec<String> = addresses.collect();
    format!("{}:{}:{}", pin.host, pin.port, addresses.join(","))
}

fn without_password(url: &str) -> String {
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
    fn the_connection_goes_where_the_address_was_judged() {
        let judged = Judged {
            url: "https://u:p@host.example/a.git".to_owned(),
            shown: "https://host.example/a.git".to_owned(),
            pin: Some(Pin {
                host: "host.example".to_owned(),
                port: 443,
                addresses: ["192.0.2.1", "2001:db8::1"]
                    .map(|text| text.parse().unwrap())
                    .into(),
            }),
        };
        let settings = settings(&judged);
        let pinned = settings
            .iter()
            .find(|(key, _)| *key == "http.curloptResolve");
        assert_eq!(
            pinned.unwrap().1,
            "host.example:443:192.0.2.1,[2001:db8::1]"
        );
        assert_eq!(settings[0], ("remote.origin.url", judged.url));
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
    fn versions_are_read_as_git_tells_them() {
        assert_eq!(version("git version 2.39.5\n"), Some((2, 39)));
        assert_eq!(version("git version 2.50 (of somebody)\n"), Some((2, 50)));
        assert_eq!(version("no git"), None);
    }
}
