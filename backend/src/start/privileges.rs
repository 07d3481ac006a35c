//! How the server gives up root before it accepts a connection.
//!
//! It becomes an account of its own and keeps one group: the one that owns the engine's socket, so
//! that it can still ask the engine (which has the last word on what it does). Never root's: that
//! group opens more than the engine. A socket that is of root's group is given to ours first.
//!
//! The data directory is handed over once, when root still owns it, and only if it is ours: made just
//! now, empty, or with our database in it. What the account owns, root never touches again, for a
//! server that was taken over could have put links there.
//!
//! **Invariant:** runs before the first thread is started: an account belongs to a thread.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, lchown};
use std::path::Path;

use engine_api::ours::{GROUP, GROUP_NUMBER};
use nix::unistd::{Gid, Group, Uid, User, setgid, setgroups, setuid};

use super::error::StartError;

/// The account when nobody made one: outside what distributions and systemd hand out.
const NUMBER_WITHOUT_ACCOUNT: u32 = GROUP_NUMBER;

/// What lies in the data directory, the database first.
const FILES: &[&str] = &[
    "gantry.db",
    "gantry.db-wal",
    "gantry.db-shm",
    "lock",
    "certificate.pem",
    "certificate.key",
    "secrets.key",
];

/// Who the server is after start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    uid: Uid,
    gid: Gid,
}

impl Account {
    /// Finds the account by name or number; the default one when none is named.
    ///
    /// # Errors
    /// When a name was given that nobody has, or the account is root.
    pub fn find(named: Option<&str>) -> Result<Self, StartError> {
        let number = named.map_or(Some(NUMBER_WITHOUT_ACCOUNT), |text| text.parse().ok());
        let name = named.unwrap_or("gantry");
        let user = User::from_name(name)
            .map_err(|error| StartError::Other(format!("failed to look up {name}: {error}")))?;
        let account = match (user, number) {
            (Some(user), _) => Self {
                uid: user.uid,
                gid: user.gid,
            },
            (None, Some(number)) => Self {
                uid: number.into(),
                gid: number.into(),
            },
            (None, None) => {
                return Err(StartError::Usage(format!(
                    "--user {name}: there is no such account"
                )));
            }
        };
        if account.uid.is_root() {
            return Err(StartError::Usage(format!(
                "--user {name}: the server never runs as root"
            )));
        }
        Ok(account)
    }
}

impl Account {
    /// Returns who owns a directory, unless that is root or nobody.
    pub fn owner_of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let account = Self {
            uid: found.uid().into(),
            gid: found.gid().into(),
        };
        (!account.uid.is_root()).then_some(account)
    }
}

/// Returns whether this process is root.
pub fn is_root() -> bool {
    Uid::effective().is_root()
}

/// Makes the data directory, and hands it to the account where root owns it.
///
/// # Errors
/// When it cannot be made, or belongs to somebody else.
pub fn prepare_data(data: &Path, owner: Option<Account>) -> Result<(), StartError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data);
    made.map_err(|error| StartError::file("make the data directory", data, error))?;
    let Some(owner) = owner else { return Ok(()) };
    let found = fs::metadata(data)
        .map_err(|error| StartError::file("read", data, error))?
        .uid();
    if found == owner.uid.as_raw() {
        return Ok(());
    }
    if found != 0 {
        return Err(StartError::Other(format!(
            "{} belongs to uid {found}, not to {}: start with --user {found}, or give another \
             directory with --data",
            data.display(),
            owner.uid
        )));
    }
    if !is_ours(data)? {
        return Err(StartError::Other(format!(
            "{} is not empty and holds no data of gantry: give a directory of its own with --data",
            data.display()
        )));
    }
    hand_over(data, owner).map_err(|error| StartError::file("hand over", data, error))
}

/// Tells whether a directory is empty or has our database. A mistyped `--data` must not give
/// somebody else's files away.
fn is_ours(data: &Path) -> Result<bool, StartError> {
    let failed = |error| StartError::file("read", data, error);
    let is_empty = fs::read_dir(data).map_err(failed)?.next().is_none();
    Ok(is_empty || fs::symlink_metadata(data.join(FILES[0])).is_ok_and(|found| found.is_file()))
}

fn hand_over(data: &Path, owner: Account) -> io::Result<()> {
    let (uid, gid) = (owner.uid.as_raw(), owner.gid.as_raw());
    for file in FILES {
        match lchown(data.join(file), Some(uid), Some(gid)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    lchown(data, Some(uid), Some(gid))
}

/// Becomes the account for good. The group of the engine's socket stays, where the socket is there.
///
/// # Errors
/// When the kernel refuses, or root could be had back.
pub fn give_up_root(account: Account, engine_socket: Option<&Path>) -> Result<(), StartError> {
    let groups = match engine_socket {
        Some(socket) => Vec::from_iter(group_of_socket(socket)?),
        None => Vec::new(),
    };
    let refused = |step: &str, error: nix::Error| {
        StartError::Other(format!(
            "failed to give up root ({step} for uid {}): {error}",
            account.uid
        ))
    };
    setgroups(&groups).map_err(|error| refused("setgroups", error))?;
    setgid(account.gid).map_err(|error| refused("setgid", error))?;
    setuid(account.uid).map_err(|error| refused("setuid", error))?;
    nix::sys::prctl::set_no_new_privs().map_err(|error| refused("no_new_privs", error))?;
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(StartError::Other(
            "root was given up but could be had back".to_owned(),
        ));
    }
    Ok(())
}

/// Finds the group to keep. An engine that was started for root's group alone, as one of an older
/// version, has its socket given to the group that engines give it to by themselves.
fn group_of_socket(socket: &Path) -> Result<Option<Gid>, StartError> {
    let Ok(found) = fs::symlink_metadata(socket) else {
        return Ok(None);
    };
    if found.gid() != 0 {
        return Ok(Some(found.gid().into()));
    }
    if !found.file_type().is_socket() || found.uid() != 0 {
        return Ok(None);
    }
    let ours = Group::from_name(GROUP).ok().flatten();
    let ours = ours.map_or(Gid::from_raw(GROUP_NUMBER), |group| group.gid);
    lchown(socket, None, Some(ours.as_raw()))
        .map_err(|error| StartError::file("give the server's group", socket, error))?;
    tracing::info!(group = %ours, socket = %socket.display(), "the engine's socket was root's alone");
    Ok(Some(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_number_and_never_root() {
        let account = Account::find(Some("12345")).unwrap();
        assert_eq!((account.uid.as_raw(), account.gid.as_raw()), (12345, 12345));
        for (name, word) in [
            ("root", "never runs as root"),
            ("0", "never"),
            ("no-such", "no such"),
        ] {
            let message = Account::find(Some(name)).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn a_directory_of_somebody_else_is_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let Ok(()) = lchown(directory.path(), Some(4711), Some(4711)) else {
            return assert!(!is_root(), "root may change owners");
        };
        let owner = Account::find(Some("12345")).unwrap();
        let message = prepare_data(directory.path(), Some(owner))
            .unwrap_err()
            .to_string();
        assert!(message.contains("belongs to uid 4711"), "{message}");
    }

    #[test]
    fn a_directory_of_other_things_is_not_given_away() {
        let directory = tempfile::tempdir().unwrap();
        let (file, below) = (
            directory.path().join("file"),
            directory.path().join("below"),
        );
        fs::write(&file, "somebody's").unwrap();
        fs::create_dir(&below).unwrap();
        let owner = Account::find(Some("12345")).unwrap();

        let refused = prepare_data(directory.path(), Some(owner));
        if !is_root() {
            return;
        }
        let message = refused.unwrap_err().to_string();

        assert!(message.contains("no data of gantry"), "{message}");
        let uid = |path: &Path| fs::metadata(path).unwrap().uid();
        assert_eq!((uid(directory.path()), uid(&file)), (0, 0));

        fs::write(directory.path().join("gantry.db"), "").unwrap();
        prepare_data(directory.path(), Some(owner)).unwrap();
        assert_eq!(uid(directory.path()), 12345);
        assert_eq!(uid(&directory.path().join("gantry.db")), 12345);
        assert_eq!((uid(&file), uid(&below)), (0, 0), "only what is ours");
    }

    #[test]
    fn a_socket_of_roots_group_is_given_to_ours() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("engine.sock");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        if !is_root() {
            return;
        }

        let kept = group_of_socket(&path).unwrap().unwrap();

        assert_ne!(kept.as_raw(), 0);
        assert_eq!(fs::metadata(&path).unwrap().gid(), kept.as_raw());
        lchown(&path, None, Some(4711)).unwrap();
        assert_eq!(group_of_socket(&path).unwrap(), Some(Gid::from_raw(4711)));
        let absent = directory.path().join("absent");
        assert_eq!(group_of_socket(&absent).unwrap(), None);
    }
}
