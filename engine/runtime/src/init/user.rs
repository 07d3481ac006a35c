//! Step 5: who the program runs as, resolved from text inside the container's own root.
//!
//! The words are Docker's: empty, `user`, `uid`, `user:group`, `uid:gid`. Text that is a number is
//! always that number, never a name, and a number has one spelling only, so that no odd form ends
//! as user 0. The files are the image's: read in-root, with a size limit, odd lines skipped.

use std::path::Path;

use engine_sys::Errno;
use engine_sys::path::Root;

use super::{Failure, Step};

/// The longest `/etc/passwd` or `/etc/group` that is read.
const FILE_MAX_BYTES: u64 = 4 << 20;
/// The highest user or group number, as in Docker.
const NUMBER_MAX: u32 = i32::MAX.cast_unsigned();
/// The most supplementary groups that the kernel takes.
const GROUPS_MAX: usize = 65_536;

/// The numbers a program runs with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

/// Resolves a process's user and further groups with the root's own files.
pub(super) fn resolve(root: &Root, user: &str, additional: &[String]) -> Step<User> {
    let passwd = read(root, "/etc/passwd")?;
    // Most images and most users need no groups; those files can be long.
    let group = read(root, "/etc/group")?;
    look_up(user, additional, &passwd, &group)
}

fn read(root: &Root, path: &str) -> Step<String> {
    match root.read(Path::new(path), FILE_MAX_BYTES) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if matches!(error.errno, Errno::NOENT | Errno::NOTDIR) => Ok(String::new()),
        Err(error) => Err(Failure::to(format!("read {path} of the image"))(error)),
    }
}

/// One line of `/etc/passwd`.
struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

/// One line of `/etc/group`.
struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

fn look_up(text: &str, additional: &[String], passwd: &str, group: &str) -> Step<User> {
    let refused = |why: &str| Failure::new(format!("the user {text:?} is refused: {why}"));
    let (user, group_text) = match text.split_once(':') {
        Some((user, group)) if user.is_empty() || group.is_empty() || group.contains(':') => {
            return Err(refused("it is neither user nor user:group"));
        }
        Some((user, group)) => (user, Some(group)),
        None if text.is_empty() => ("0", None),
        None => (text, None),
    };
    let account = match number(user) {
        Number::Odd => return Err(refused("it is not a plain number")),
        Number::Plain(uid) => accounts(passwd)
            .find(|account| account.uid == uid)
            .unwrap_or(Account {
                name: "",
                uid,
                gid: 0,
                home: "/",
            }),
        Number::Name => accounts(passwd)
            .find(|account| account.name == user)
            .ok_or_else(|| {
                Failure::new(format!(
                    "unable to find user {user}: no matching entries in passwd file"
                ))
            })?,
    };
    let mut chosen = User {
        uid: account.uid,
        gid: account.gid,
        groups: Vec::new(),
        home: if account.home.is_empty() {
            "/".into()
        } else {
            account.home.into()
        },
    };
    match group_text {
        Some(text) => chosen.gid = group_number(text, group)?,
        None => chosen.groups.extend(memberships(account.name, group)),
    }
    for text in additional {
        chosen.groups.push(group_number(text, group)?);
    }
    // The own group counts as a further one too: without it a process that changes its group would
    // lose what the group may do (CVE-2022-36109).
    chosen.groups.push(chosen.gid);
    chosen.groups.sort_unstable();
    chosen.groups.dedup();
    chosen.groups.truncate(GROUPS_MAX);
    Ok(chosen)
}

fn group_number(text: &str, file: &str) -> Step<u32> {
    match number(text) {
        Number::Plain(gid) => Ok(gid),
        Number::Odd => Err(Failure::new(format!(
            "the group {text:?} is refused: it is not a plain number"
        ))),
        Number::Name => groups(file)
            .find(|group| group.name == text)
            .map(|group| group.gid)
            .ok_or_else(|| {
                Failure::new(format!(
                    "unable to find group {text}: no matching entries in group file"
                ))
            }),
    }
}

fn memberships<'a>(user: &'a str, file: &'a str) -> impl Iterator<Item = u32> + 'a {
    groups(file)
        .filter(move |group| !user.is_empty() && group.members.split(',').any(|name| name == user))
        .map(|group| group.gid)
}

/// What a word is as a number.
#[derive(Debug, PartialEq, Eq)]
enum Number {
    /// In its one spelling, within the limits.
    Plain(u32),
    /// It looks like a number and is none that we take: `00`, `+1`, `-1`, ` 1`, `0x0`, too large.
    Odd,
    /// It is a name.
    Name,
}

fn number(text: &str) -> Number {
    let names = |letter: char| letter.is_ascii_alphanumeric() || "_-.$@\\".contains(letter);
    if text.is_empty() || !text.chars().all(names) {
        return Number::Odd;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let is_canonical = text == "0" || !text.starts_with('0');
        return match text.parse() {
            Ok(value) if is_canonical && value <= NUMBER_MAX => Number::Plain(value),
            _ => Number::Odd,
        };
    }
    let looks_numeric = text.starts_with('-') || text.starts_with("0x") || text.starts_with("0X");
    if looks_numeric {
        Number::Odd
    } else {
        Number::Name
    }
}

fn plain(text: &str) -> Option<u32> {
    match number(text) {
        Number::Plain(value) => Some(value),
        Number::Odd | Number::Name => None,
    }
}

fn accounts(file: &str) -> impl Iterator<Item = Account<'_>> {
    file.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = plain(fields.nth(1)?)?;
        let gid = plain(fields.next()?)?;
        Some(Account {
            name,
            uid,
            gid,
            home: fields.nth(1).unwrap_or_default(),
        })
    })
}

fn groups(file: &str) -> impl Iterator<Item = Group<'_>> {
    file.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = plain(fields.nth(1)?)?;
        Some(Group {
            name,
            gid,
            members: fields.next().unwrap_or_default(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
        ada:x:1000:1001:Ada:/home/ada:/bin/sh\n\
        1234:x:0:0:numeric:/:/bin/sh\n\
        odd:x:00:0::/:\n\
        short:x:5\n";
    const GROUP: &str =
        "root:x:0:\nada:x:1001:\naudio:x:29:bob,ada\nvideo:x:44:ada\nbad:x:+1:ada\n";

    fn check(text: &str, expected: Option<(u32, u32, &[u32], &str)>) {
        let found = look_up(text, &[], PASSWD, GROUP).ok();
        let expected = expected.map(|(uid, gid, groups, home)| User {
            uid,
            gid,
            groups: groups.to_vec(),
            home: home.to_owned(),
        });
        assert_eq!(found, expected, "{text:?}");
    }

    #[test]
    fn names_and_numbers_are_what_docker_makes_of_them() {
        check("", Some((0, 0, &[0], "/root")));
        check("0", Some((0, 0, &[0], "/root")));
        check("root", Some((0, 0, &[0], "/root")));
        check("ada", Some((1000, 1001, &[29, 44, 1001], "/home/ada")));
        check("1000", Some((1000, 1001, &[29, 44, 1001], "/home/ada")));
        check("ada:audio", Some((1000, 29, &[29], "/home/ada")));
        check("ada:0", Some((1000, 0, &[0], "/home/ada")));
        check("4242", Some((4242, 0, &[0], "/")));
        check("4242:17", Some((4242, 17, &[17], "/")));
        check("2147483647", Some((2_147_483_647, 0, &[0], "/")));
    }

    #[test]
    fn a_name_that_looks_like_a_number_is_the_number() {
        check("1234", Some((1234, 0, &[0], "/")));
    }

    #[test]
    fn odd_forms_are_refused() {
        for text in [
            "4294967296",
            "2147483648",
            "-1",
            "0x0",
            "+0",
            "00",
            " 0",
            "0 ",
            "1000:4294967296",
            "1000:",
            ":1000",
            ":",
            "ada:audio:x",
            " ",
            "\u{661}",
            "root\n",
            "nobody",
            "odd",
            "short",
            "ada:nogroup",
            "ada:bad",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn further_groups_are_added_once() {
        let further = ["video".to_owned(), "7".to_owned(), "29".to_owned()];
        let user = look_up("ada", &further, PASSWD, GROUP).expect("all exist");
        // Her own primary group is among them, as with Docker since its fix of CVE-2022-36109.
        assert_eq!(user.groups, [7, 29, 44, 1001]);
    }
}
