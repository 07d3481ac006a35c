//! Step 7: finding the program as a shell would, and executing it, with Docker's words and codes.

use std::ffi::CString;
use std::path::Path;

use engine_sys::dir::Metadata;
use engine_sys::path::{FileType, Mode, OFlags, Root};
use engine_sys::{Errno, SysError, dir, process};

use super::user::User;
use super::{Failure, Step};
use crate::spec::Process;

/// Where programs are looked for when the process has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const NOT_FOUND: i32 = 127;
const NOT_EXECUTABLE: i32 = 126;

/// A program with everything that execve takes.
pub(super) struct Program {
    path: CString,
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

/// Finds the program of a process inside the root, for a user.
pub(super) fn find(root: &Root, process: &Process, user: &User) -> Step<Program> {
    let Some(name) = process.args.first() else {
        return Err(Failure::new("no command is given"));
    };
    let mut environment = process.env.clone();
    if variable(&environment, "HOME").is_none() {
        environment.push(format!("HOME={}", user.home));
    }
    let path = variable(&environment, "PATH").unwrap_or(DEFAULT_PATH);
    let found = locate(root, name, path, &process.cwd, user)?;
    Ok(Program {
        path: text(&found)?,
        arguments: process
            .args
            .iter()
            .map(|one| text(one))
            .collect::<Step<_>>()?,
        environment: environment
            .iter()
            .map(|one| text(one))
            .collect::<Step<_>>()?,
    })
}

impl Program {
    /// Becomes the program; returns only the reason why not.
    pub(super) fn execute(&self) -> Failure {
        let error = process::execute(&self.path, &self.arguments, &self.environment);
        refusal(&self.path.to_string_lossy(), &error)
    }
}

fn variable<'a>(environment: &'a [String], name: &str) -> Option<&'a str> {
    let named = |entry: &'a String| entry.strip_prefix(name)?.strip_prefix('=');
    // The last one counts, as for a shell that reads them in order.
    environment.iter().rev().find_map(named)
}

fn text(text: &str) -> Step<CString> {
    CString::new(text).map_err(|_| Failure::new(format!("{text:?} has a zero byte in it")))
}

fn locate(root: &Root, name: &str, path: &str, cwd: &str, user: &User) -> Step<String> {
    if name.contains('/') {
        let absolute = Path::new(cwd).join(name);
        let refused = |why: String, code| refuse(name, &why, code);
        return match look_at(root, &absolute) {
            Err(error) if error.is_not_found() => Err(refused(
                format!("stat {name:.256}: {}", words(&error)),
                NOT_FOUND,
            )),
            Err(error) => Err(refused(words(&error), NOT_EXECUTABLE)),
            Ok(metadata) if metadata.kind == FileType::Directory => {
                Err(refused("is a directory".into(), NOT_EXECUTABLE))
            }
            Ok(metadata) if !may_execute(&metadata, user) => {
                Err(refused("permission denied".into(), NOT_EXECUTABLE))
            }
            Ok(_) => Ok(name.to_owned()),
        };
    }
    for directory in path
        .split(':')
        .map(|one| if one.is_empty() { "." } else { one })
    {
        let candidate = Path::new(directory).join(name);
        let found = look_at(root, &Path::new(cwd).join(&candidate));
        let fits = |one: &Metadata| one.kind == FileType::RegularFile && may_execute(one, user);
        if found.is_ok_and(|metadata| fits(&metadata)) && !name.is_empty() {
            return Ok(candidate.to_string_lossy().into_owned());
        }
    }
    Err(refuse(
        name,
        "executable file not found in $PATH",
        NOT_FOUND,
    ))
}

/// `/proc/self/exe` is a link by magic and may well be what one wants to run; looking at it through
/// the root is refused, so that only execve, as the user, decides.
fn look_at(root: &Root, path: &Path) -> engine_sys::Result<Metadata> {
    dir::metadata_of(root.open_at(path, OFlags::PATH, Mode::empty())?)
}

fn may_execute(metadata: &Metadata, user: &User) -> bool {
    let mode = metadata.mode;
    if user.uid == 0 {
        return mode & 0o111 != 0;
    }
    if user.uid == metadata.uid {
        return mode & 0o100 != 0;
    }
    if user.gid == metadata.gid || user.groups.contains(&metadata.gid) {
        return mode & 0o010 != 0;
    }
    mode & 0o001 != 0
}

fn refuse(name: &str, why: &str, exit_code: i32) -> Failure {
    /// A name of a hundred thousand letters helps nobody.
    const SHOWN: usize = 256;
    let name: String = name.chars().take(SHOWN).collect();
    Failure {
        message: format!("exec: {name:?}: {why}"),
        exit_code,
    }
}

fn refusal(path: &str, error: &SysError) -> Failure {
    let exit_code = if error.errno == Errno::NOENT {
        NOT_FOUND
    } else {
        NOT_EXECUTABLE
    };
    Failure {
        message: format!("exec {path}: {}", words(error)),
        exit_code,
    }
}

/// The reason in Go's spelling, which people search for.
fn words(error: &SysError) -> String {
    match error.errno {
        Errno::NOEXEC => "exec format error".into(),
        Errno::ACCESS | Errno::PERM => "permission denied".into(),
        Errno::NOENT => "no such file or directory".into(),
        Errno::NOTDIR => "not a directory".into(),
        Errno::LOOP => "too many levels of symbolic links".into(),
        Errno::TOOBIG => "argument list too long: the kernel takes 128 KiB in one word and a \
                          quarter of the stack's limit in all words and variables"
            .into(),
        errno => std::io::Error::from(errno).kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_variable_of_a_name_counts() {
        let environment = [
            "PATH=/a".to_owned(),
            "PATHS=/b".to_owned(),
            "PATH=/c".to_owned(),
        ];
        assert_eq!(variable(&environment, "PATH"), Some("/c"));
        assert_eq!(variable(&environment, "HOME"), None);
    }
}
