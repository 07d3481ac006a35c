//! How the server gives up root before it accepts a connection.
//!
//! It becomes an account of its own and keeps one group: the one that owns the engine's socket, so
//! that it can still ask the engine (which has the last word on what it does). The data directory is
//! handed over once, when root still owns it; what the account owns, root never touches again, for
//! a server that was taken over could have put links there.
//!
//! **Invariant:** runs before the first thread is started: an account belongs to a thread.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::Path;

use nix::unistd::{Gid, Uid, User, setgid, setgroups, setuid};

use super::error::StartError;

/// The account when nobody made one: outside what distributions and systemd hand out.
const NUMBER_WITHOUT_ACCOUNT: u32 = 64_440;

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
    hand_over(data, owner).map_err(|error| StartError::file("hand over", data, error))
}

fn hand_over(path: &Path, owner: Account) -> io::Result<()> {
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            hand_over(&entry?.path(), owner)?;
        }
    }
    lchown(path, Some(owner.uid.as_raw()), Some(owner.gid.as_raw()))
}

/// Becomes the account for good. The socket's group stays, where the socket is there.
///
/// # Errors
/// When the kernel refuses, or root could be had back.
pub fn give_up_root(account: Account, engine_socket: &Path) -> Result<(), StartError> {
    let socket_group = fs::metadata(engine_socket)
        .ok()
        .map(|found| Gid::from_raw(found.gid()));
    let groups: Vec<Gid> = socket_group.into_iter().collect();
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
}
