//! The host's git, kept short.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use engine_images::{Judged, Pin};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::super::context;
use super::address::{Repository, is_hash};
use crate::records::{BuildDir, write_file};
use crate::services::error::{Result, ServiceError};
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
/// What `sh` answers when there is no such program.
const NOT_FOUND: i32 = 127;
const ATTRIBUTES: &[u8] = b"* -export-ignore -export-subst\n";
/// What is read of what git says of a repository.
const SAID_BYTES: u64 = 1 << 20;
const SETTLE: &str = "keep a repository beside its files";

/// The host's git at work for one build.
pub(super) struct Git {
    /// The name of its directory in the build.
    place: String,
    dir: PathBuf,
    settings: Vec<(&'static str, String)>,
    /// How the repository is called in messages: without a password.
    name: String,
}

impl Git {
    /// Begins an empty repository in a directory of the build that is called `place`.
    ///
    /// # Errors
    /// When git is not there, or too old.
    pub(super) async fn begin(
        build: &Arc<BuildDir>,
        place: String,
        judged: &Judged,
    ) -> Result<Self> {
        let git = Self {
            dir: build.path_of(&place),
            place,
            settings: settings(judged),
            name: judged.shown.clone(),
        };
        let dir: OsString = git.dir.clone().into();
        let init = ["init", "--quiet", "--bare", "--template="].map(OsString::from);
        let (making, place) = (Arc::clone(build), git.place.clone());
        let made = blocking(move || making.make(&place).map(drop)).await;
        made.map_err(ServiceError::failed("make room for a repository"))?;
        git.check_version().await?;
        let command = git.command(init.into_iter().chain([dir]));
        git.run(command).await?;
        let (build, place) = (Arc::clone(build), git.place.clone());
        // What a repository says of its own archives leaves files out, or writes into them.
        blocking(move || {
            let failed = "prepare a repository";
            let root = build.open(&place);
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

    /// Fetches what is wanted; returns the name of the commit.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) async fn fetch(&self, repository: &Repository) -> Result<String> {
        let reference = repository.reference.as_str();
        let fetched = self.fetch_what(&["--depth=1", "origin", reference]).await;
        let name = match fetched {
            // Some servers give no single commit away, but all of them.
            Err(_) if repository.is_commit() => {
                self.fetch_what(&["origin", "+refs/*:refs/fetched/*"])
                    .await?;
                reference
            }
            Err(refused) => return Err(refused),
            Ok(()) => "FETCH_HEAD",
        };
        let wanted = format!("{name}^{{commit}}");
        let said = self.said(["rev-parse", "--verify", "--end-of-options", &wanted]);
        let said = String::from_utf8_lossy(&said.await?).trim().to_owned();
        match is_hash(&said) {
            true => Ok(said),
            false => Err(self.refused("it has no such commit")),
        }
    }

    async fn fetch_what(&self, what: &[&str]) -> Result<()> {
        let fetch = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules"];
        let fetch = [&fetch[..], &["--no-write-commit-graph"]].concat();
        let words = fetch.iter().chain(what).map(OsString::from);
        self.run(self.command(words)).await
    }

    /// Takes the files of a commit, or of one directory of it, into the directory `into` of the
    /// build, at `at` in that.
    ///
    /// # Errors
    /// When they are refused, or the disk fails.
    pub(super) async fn archive(
        &self,
        build: &Arc<BuildDir>,
        (commit, dir): (&str, &str),
        (into, at): (&str, &str),
    ) -> Result<()> {
        let tree = match dir.is_empty() {
            true => format!("{commit}^{{tree}}"),
            false => format!("{commit}:{dir}"),
        };
        let words = ["archive", "--format=tar", &tree].map(OsString::from);
        let mut command = self.command(words);
        let mut group = Group::begin(command.stdout(Stdio::piped()))?;
        let output = group.child.stdout.take();
        let output = output.and_then(|output| output.into_owned_fd().ok());
        let output = output.ok_or_else(|| self.refused("its files cannot be read"))?;
        let (build, into, at) = (Arc::clone(build), into.to_owned(), at.to_owned());
        let receive = blocking(move || {
            context::receive_archive(&build, &into, &at, std::fs::File::from(output))
        });
        match tokio::join!(receive, self.end(group)) {
            // Who takes no more is told apart from an archive that broke off.
            (Err(refused), Ok(Ended { was_cut: true, .. })) => Err(refused),
            (received, ended) => ended.and_then(|ended| self.judge(&ended)).and(received),
        }
    }

    /// Makes sure that the program connects where it is told to.
    async fn check_version(&self) -> Result<()> {
        let said = self.said(["version"]).await?;
        let said = String::from_utf8_lossy(&said);
        match version(&said) {
            Some(found) if found >= VERSION => Ok(()),
            _ => Err(self.refused("the host's git is older than 2.37: send the files instead")),
        }
    }

    /// Runs git; returns what it says, which must not be long.
    ///
    /// # Errors
    /// When it fails, or goes on and on.
    pub(super) async fn said<'w>(
        &self,
        words: impl IntoIterator<Item = &'w str>,
    ) -> Result<Vec<u8>> {
        let mut command = self.command(words.into_iter().map(OsString::from));
        let mut group = Group::begin(command.stdout(Stdio::piped()))?;
        let output = group.child.stdout.take();
        let listen = async {
            let mut said = Vec::new();
            if let Some(output) = output {
                // What cannot be read is not said; git ends when nobody listens.
                let _ = output.take(SAID_BYTES).read_to_end(&mut said).await;
            }
            said
        };
        let (said, ended) = tokio::join!(listen, self.end(group));
        let ended = ended?;
        if said.len() as u64 == SAID_BYTES {
            return Err(self.refused("it says more of itself than is read"));
        }
        self.judge(&ended)?;
        Ok(said)
    }

    /// Makes the repository one that lies beside its files: at a commit, of a remote without a
    /// password.
    ///
    /// # Errors
    /// When git fails, or the disk.
    pub(super) async fn settle(&self, build: &Arc<BuildDir>, commit: &str) -> Result<()> {
        let config = self.dir.join("config").display().to_string();
        let set = ["config", "--file", &config];
        for words in [
            &["update-ref", "--no-deref", "HEAD", commit][..],
            &["read-tree", commit],
            &[&set[..], &["core.bare", "false"]].concat(),
            &[&set[..], &["remote.origin.url", &self.name]].concat(),
        ] {
            self.said(words.iter().copied()).await?;
        }
        let (build, place) = (Arc::clone(build), self.place.clone());
        blocking(move || {
            let root = build.open(&place).map_err(ServiceError::failed(SETTLE))?;
            // The first says the address with its password, the other is ours.
            for name in ["FETCH_HEAD", "info"] {
                let removed = root.remove_all(Path::new(name));
                removed.map_err(ServiceError::failed(SETTLE))?;
            }
            Ok(())
        })
        .await
    }

    /// Where it lies in the build.
    pub(super) fn place(&self) -> &str {
        &self.place
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
            .env("GIT_ASKPASS", "false")
            .env("GIT_LITERAL_PATHSPECS", "1");
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

    pub(super) fn refused(&self, reason: &str) -> ServiceError {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn versions_are_read_as_git_tells_them() {
        assert_eq!(version("git version 2.39.5\n"), Some((2, 39)));
        assert_eq!(version("git version 2.50 (of somebody)\n"), Some((2, 50)));
        assert_eq!(version("no git"), None);
    }
}
