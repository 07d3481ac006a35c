//! The way of an exec: from a fork of the monitor into a container that runs.
//!
//! Two processes go it. The first enters the namespaces and gives up every right while nobody
//! inside can see it, since it is not in the container's process namespace yet. The second, its
//! brother, is born there with nothing left to steal: no descriptor of the host, no capability
//! beyond the container's. Then it executes the program. The first reports the second and ends.

use std::iter;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use engine_sys::Errno;
use engine_sys::namespace::{self, Namespaces};
use engine_sys::path::Root;
use engine_sys::process::{self, Alone, Forked};
use engine_sys::pty::Terminal;

use super::program::Program;
use super::report::{give_up, tell};
use super::security::Rights;
use super::start::{ChildStdio, install_stdio, keep_own, last_words, make_terminal};
use super::{Failure, Report, Step, program, remap, security, user};
use crate::cgroups::Cgroup;
use crate::spec::{Process, Remap, Seccomp};

/// Everything that an exec begins with.
pub(crate) struct Entry<'a> {
    /// The container's first process.
    pub(crate) init: BorrowedFd<'a>,
    pub(crate) namespaces: Namespaces,
    pub(crate) cgroup: &'a Cgroup,
    pub(crate) process: &'a Process,
    /// The container's own capabilities.
    pub(crate) capabilities: &'a [String],
    pub(crate) seccomp: Seccomp,
    pub(crate) oom_score_adj: Option<i32>,
    pub(crate) apparmor: Option<&'a str>,
    pub(crate) remap: Option<Remap>,
    /// The container's filter, compiled, when the engine has sent one.
    pub(crate) filter: Option<BorrowedFd<'a>>,
    pub(crate) stdio: Option<ChildStdio>,
    pub(crate) channel: OwnedFd,
}

/// Enters the container and lets a brother become the program.
pub(crate) fn enter(entry: &Entry<'_>) -> ! {
    let channel = &entry.channel;
    match prepare(entry).and_then(|inside| become_two(entry, inside)) {
        Ok(()) => process::exit_now(0),
        Err(failure) => give_up(channel, failure),
    }
}

struct Inside {
    alone: Alone,
    program: Program,
    terminal: Option<Terminal>,
}

fn prepare(entry: &Entry<'_>) -> Step<Inside> {
    process::hide_from_tracers().map_err(Failure::to("hide from tracers"))?;
    keep_own(
        &entry.channel,
        entry.stdio.as_ref(),
        iter::once(entry.init).chain(entry.filter),
    )?;
    entry
        .cgroup
        .enter_legacy()
        .map_err(Failure::to("enter the control group"))?;
    if let Some(adjustment) = entry.oom_score_adj {
        // The host's procfs, which alone knows this process.
        std::fs::write("/proc/self/oom_score_adj", adjustment.to_string())
            .map_err(Failure::to("set oom_score_adj"))?;
    }
    if let Some(profile) = entry.apparmor {
        std::fs::write("/proc/self/attr/exec", format!("exec {profile}")).map_err(Failure::to(
            format!("choose the AppArmor profile {profile}"),
        ))?;
    }
    if let Some(remap) = entry.remap {
        remap::prepare(remap, entry.process, entry.stdio.as_ref())?;
    }
    namespace::enter(entry.init, entry.namespaces).map_err(Failure::to("enter the container"))?;
    if entry.remap.is_some() {
        remap::become_root()?;
    }
    process::set_umask(0o022);

    let dir = engine_sys::dir::Dir::open(Path::new("/"))
        .map_err(Failure::to("open the container's root"))?;
    let root = Root::new(dir);
    let user = user::resolve(&root, &entry.process.user, &entry.process.additional_groups)?;
    let terminal = if entry.process.terminal {
        Some(make_terminal(&root, entry.process, &user)?)
    } else {
        None
    };
    enter_cwd(&root, &entry.process.cwd)?;
    if terminal.is_none() {
        install_stdio(&root, entry.stdio.as_ref(), None, &user)?;
    }
    let alone = process::prove_alone().map_err(Failure::to("fork the process"))?;
    let rights = Rights {
        process: entry.process,
        user: &user,
        capabilities: entry
            .process
            .capabilities
            .as_deref()
            .unwrap_or(entry.capabilities),
        seccomp: entry.seccomp,
        filter: entry.filter,
    };
    let last = security::give_up(&rights)?;
    let program = program::find(&root, entry.process, &user)?;
    // The brother is seen inside from its first moment: it begins with nothing to take.
    let ends = terminal
        .iter()
        .flat_map(|one| [one.master.as_fd(), one.slave.as_fd()]);
    drop(root);
    keep_own(&entry.channel, None, ends)?;
    last_words()?;
    last.seal()?;
    Ok(Inside {
        alone,
        program,
        terminal,
    })
}

/// Enters the working directory, which lies in the root. It is not made for an exec, and a missing
/// one is told as a missing program.
fn enter_cwd(root: &Root, cwd: &str) -> Step<()> {
    let action = || Failure::to(format!("enter the working directory {cwd:?}"));
    match root.open_dir(Path::new(cwd)) {
        Err(error) if error.errno == Errno::NOENT => Err(Failure {
            message: format!(
                "the working directory {cwd:?} is not there: no such file or directory"
            ),
            exit_code: 127,
        }),
        opened => process::enter_dir(&opened.map_err(action())?).map_err(action()),
    }
}

fn become_two(entry: &Entry<'_>, inside: Inside) -> Step<()> {
    let Inside {
        alone,
        program,
        terminal,
    } = inside;
    match process::fork_brother(alone).map_err(Failure::to("fork the process"))? {
        Forked::Child => give_up(&entry.channel, become_program(&program, terminal.as_ref())),
        Forked::Parent(brother) => {
            let mut fds = vec![brother.pidfd.as_fd()];
            fds.extend(terminal.iter().map(|terminal| terminal.master.as_fd()));
            tell(&entry.channel, &Report::Forked { pid: brother.pid }, &fds)
        }
    }
}

fn become_program(program: &Program, terminal: Option<&Terminal>) -> Failure {
    let ready = process::begin_session()
        .map_err(Failure::to("begin a session"))
        .and_then(|()| match terminal {
            Some(terminal) => take_terminal(terminal),
            None => Ok(()),
        });
    match ready {
        Ok(()) => program.execute(),
        Err(failure) => failure,
    }
}

fn take_terminal(Terminal { slave, .. }: &Terminal) -> Step<()> {
    engine_sys::fd::install_stdio(slave.as_fd(), slave.as_fd(), slave.as_fd())
        .and_then(|()| engine_sys::pty::control(slave))
        .map_err(Failure::to("take the terminal"))
}
