//! The setting `--userns-remap`: who the users of containers are on this host, and whether that
//! can be.

use std::collections::HashMap;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use engine_runtime::Launcher;
pub(crate) use engine_runtime::Remap;
use engine_sys::namespace::{self, Namespaces};
use engine_sys::{mount, users};

/// The user that `default` stands for, as with Docker.
const DEFAULT: &str = "dockremap";

/// Numbers that a program may use without being told so: `nobody` is 65534.
const COUNT_MIN: u32 = 65_536;

/// Below it are the host's own users.
const FIRST_MIN: u32 = 65_536;

/// Reads the setting: `user`, `user:group` (names or numbers, as `/etc/subuid` and `/etc/subgid`
/// have them), `default`, or the numbers themselves as `FIRST+COUNT`.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Remap, String> {
    if let Some((first, count)) = text.split_once('+')
        && let (Ok(first), Ok(count)) = (first.parse(), count.parse())
    {
        return checked(Remap { first, count });
    }
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    let of_user = range_of("/etc/subuid", user)?;
    let of_group = range_of("/etc/subgid", group)?;
    if of_user.first != of_group.first {
        return Err(format!(
            "the range of {user:?} begins at {} in /etc/subuid and that of {group:?} at {} in \
             /etc/subgid: users and groups must begin at the same number",
            of_user.first, of_group.first
        ));
    }
    checked(Remap {
        count: of_user.count.min(of_group.count),
        ..of_user
    })
}

fn range_of(path: &str, whose: &str) -> Result<Remap, String> {
    let whose = if whose == "default" { DEFAULT } else { whose };
    let file =
        fs::read_to_string(path).map_err(|error| format!("{path} cannot be read: {error}"))?;
    range(&file, &names(whose)).ok_or_else(|| format!("{whose:?} has no range in {path}"))
}

/// A user as a line may begin: by name and by number.
fn names(whose: &str) -> Vec<String> {
    use nix::unistd::{Uid, User};
    let other = match whose.parse() {
        Ok(number) => User::from_uid(Uid::from_raw(number)).map(|user| user.map(|user| user.name)),
        Err(_) => User::from_name(whose).map(|user| user.map(|user| user.uid.to_string())),
    };
    [whose.to_owned()]
        .into_iter()
        .chain(other.ok().flatten())
        .collect()
}

fn checked(remap: Remap) -> Result<Remap, String> {
    let Remap { first, count } = remap;
    if first == 0 {
        return Err("it begins at 0, which is the host's root".to_owned());
    }
    if count < COUNT_MIN || first.checked_add(count).is_none() {
        return Err(format!(
            "it has {count} numbers from {first} on, and at least {COUNT_MIN} are needed"
        ));
    }
    if first < FIRST_MIN {
        return Err(format!(
            "it begins at {first}: numbers below {FIRST_MIN} are the host's own users"
        ));
    }
    Ok(remap)
}

/// Finds the first range of a user.
fn range(file: &str, names: &[String]) -> Option<Remap> {
    file.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let whose = fields.next()?;
        let is_it = names.iter().any(|name| name == whose);
        let first = fields.next()?.parse().ok()?;
        let count = fields.next()?.parse().ok()?;
        is_it.then_some(Remap { first, count })
    })
}

/// Who the users of containers are, and the namespaces that show files as theirs.
#[derive(Debug, Default)]
pub(crate) struct Users {
    remap: Option<Remap>,
    namespaces: Mutex<HashMap<Remap, Arc<OwnedFd>>>,
}

impl Users {
    pub(crate) fn new(remap: Option<Remap>) -> Self {
        Self {
            remap,
            namespaces: Mutex::default(),
        }
    }

    /// Who the users of new containers are; `None` when they are the host's.
    pub(crate) fn remap(&self) -> Option<Remap> {
        self.remap
    }

    /// Opens a namespace with these users, once. Blocks for the start of a small program.
    pub(crate) fn namespace(
        &self,
        remap: Remap,
        launcher: &Launcher,
    ) -> engine_runtime::Result<Arc<OwnedFd>> {
        let mut namespaces = self
            .namespaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = namespaces.get(&remap) {
            return Ok(Arc::clone(known));
        }
        let opened = Arc::new(launcher.user_namespace(remap)?);
        namespaces.insert(remap, Arc::clone(&opened));
        Ok(opened)
    }

    /// Checks that files of `data` can be shown as those of the containers' users.
    ///
    /// # Errors
    /// Says what this machine lacks.
    pub(crate) fn check(
        &self,
        data: &Path,
        run: &Path,
        launcher: &Launcher,
    ) -> Result<(), Refused> {
        let Some(remap) = self.remap else {
            return Ok(());
        };
        let refused = |why: String| Refused {
            data: data.to_owned(),
            why,
        };
        if !users::are_there() {
            return Err(refused("this kernel has no user namespaces".to_owned()));
        }
        let namespace = self.namespace(remap, launcher).map_err(|error| {
            let why = engine_runtime::chain(&error);
            refused(format!("{why} (see user.max_user_namespaces)"))
        })?;
        let tried = std::thread::scope(|scope| {
            let thread = scope.spawn(|| try_overlay(data, run, &namespace));
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        tried.map_err(|error| refused(engine_runtime::chain(&error)))
    }
}

/// Makes an overlay of a directory that is shown as another's, and of one that is not, on a thread
/// that nothing outlives.
fn try_overlay(data: &Path, run: &Path, namespace: &OwnedFd) -> engine_sys::Result<()> {
    namespace::unshare(Namespaces::MOUNT)?;
    mount::make_all_slaves()?;
    mount::cover_shifted(&[data], namespace)?;
    let (data, run) = (data.display().to_string(), run.display().to_string());
    match mount::create_readonly_overlay(&[&data, &run]) {
        // A kernel that takes no layers one by one is asked by the first container.
        Err(error) if !mount::is_unknown(&error) => Err(error),
        _ => Ok(()),
    }
}

/// The users of containers cannot be others than the host's here.
#[derive(Debug, thiserror::Error)]
#[error(
    "--userns-remap cannot be: files below {data} cannot be shown as those of other users ({why}); \
     it takes Linux 5.19 and a file system that can, such as ext4, xfs or btrfs"
)]
pub struct Refused {
    data: PathBuf,
    why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_as_it_is_written() {
        let remap = |first, count| Remap { first, count };
        assert_eq!(parse("100000+65536"), Ok(remap(100_000, 65_536)));
        for (text, word) in [
            ("0+65536", "the host's root"),
            ("1000+10", "at least 65536"),
            ("1000+65536", "own users"),
            ("4294967295+65536", "numbers from"),
            ("no-such-user", "/etc/subuid"),
            // Numbers of a user and a group, as dockerd reads them, and no range.
            ("3999999999:65536", "/etc/subuid"),
            ("", "/etc/subuid"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn a_users_range_is_found_by_name_or_number() {
        let file = "other:1:2\nweb:200000:65536\n1001:300000:65536\nweb:1:1\n";
        let first = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            range(file, &names).map(|remap| remap.first)
        };
        assert_eq!(first(&["web"]), Some(200_000));
        assert_eq!(first(&["anna", "1001"]), Some(300_000));
        assert_eq!(first(&["anna"]), None);
        assert_eq!(names("root"), ["root", "0"]);
        assert_eq!(names("0"), ["0", "root"]);
    }
}
