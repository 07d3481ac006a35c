//! The way of a container's first process, from the clone to the program.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use engine_sys::pty::Terminal;
use engine_sys::{fd, process, pty, signal, socket};

use super::namespaces::Members;
use super::report::{give_up, tell};
use super::rootfs::Rootfs;
use super::security::Rights;
use super::{Failure, Report, Step, devices, namespaces, program, remap, rootfs, security, user};
use crate::bundle::Bundle;
use crate::cgroups::Cgroup;
use crate::layout::Layout;
use crate::spec::{Process, Spec};

/// Everything that init begins with.
pub(crate) struct Start<'a> {
    pub(crate) spec: &'a Spec,
    pub(crate) bundle: &'a Bundle,
    pub(crate) layout: &'a Layout,
    pub(crate) cgroup: &'a Cgroup,
    /// The compiled filter, when the engine has sent one.
    pub(crate) filter: Option<BorrowedFd<'a>>,
    pub(crate) members: &'a Members<'a>,
}

/// A program's ends of its streams; no standard input means `/dev/null`.
pub(crate) struct ChildStdio {
    pub(crate) stdin: Option<OwnedFd>,
    pub(crate) stdout: OwnedFd,
    pub(crate) stderr: OwnedFd,
}

impl ChildStdio {
    /// Every end.
    pub(super) fn all(&self) -> impl Iterator<Item = &OwnedFd> {
        self.stdin.iter().chain([&self.stdout, &self.stderr])
    }
}

/// What the monitor says to init, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    /// The groups are there, with their limits: enter them.
    Join,
    /// Become the program.
    Start,
}

impl Word {
    /// How it is sent.
    pub(crate) fn text(self) -> &'static [u8] {
        match self {
            Self::Join => b"join",
            Self::Start => b"start",
        }
    }
}

/// Sets everything up, waits for the word and becomes the container's program.
///
/// `stdio` is the program's ends of its streams, with a terminal nothing; reports go to `channel`,
/// from where the word to start comes.
pub(crate) fn start(start: &Start<'_>, stdio: Option<&ChildStdio>, channel: &OwnedFd) -> ! {
    let others = start.filter.into_iter().chain(start.members.fds());
    let prepared = keep_own(channel, stdio, others)
        .and_then(|()| prepare(start, stdio, channel))
        .and_then(|prepared| {
            let master = prepared
                .terminal
                .as_ref()
                .map(|terminal| terminal.master.as_fd());
            tell(channel, &Report::Ready, master.as_slice())?;
            wait_for(Word::Start, channel)?;
            Ok(prepared)
        });
    let failure = match prepared {
        Ok(prepared) => become_program(start, stdio, prepared),
        Err(failure) => failure,
    };
    give_up(channel, failure)
}

struct Prepared {
    rootfs: Rootfs,
    terminal: Option<Terminal>,
    user: user::User,
}

fn prepare(start: &Start<'_>, stdio: Option<&ChildStdio>, channel: &OwnedFd) -> Step<Prepared> {
    let spec = start.spec;
    process::hide_from_tracers().map_err(Failure::to("hide from tracers"))?;
    process::begin_session().map_err(Failure::to("begin a session"))?;
    // What is made below has the mode that is named.
    process::set_umask(0);
    namespaces::settle(spec, start.members)?;

    let shared = start.members.shared_memory()?;
    let mut rootfs = rootfs::build(start, shared, || join_groups(start, channel))?;
    if let Some(adjustment) = spec.oom_score_adj {
        rootfs::write(&rootfs.proc, "self/oom_score_adj", &adjustment.to_string())?;
    }
    apply_apparmor(spec, &rootfs)?;
    rootfs.finish(&spec.root)?;
    process::set_umask(0o022);
    if let Some(remap) = spec.remap {
        remap::prepare(remap, &spec.process, stdio)?;
        rootfs = remap::enter(rootfs, start.members)?;
    }

    let user = user::resolve(
        &rootfs.root,
        &spec.process.user,
        &spec.process.additional_groups,
    )?;
    let terminal = if spec.process.terminal {
        let terminal = make_terminal(&rootfs.root, &spec.process, &user)?;
        devices::attach_console(&rootfs.root, &terminal)?;
        Some(terminal)
    } else {
        None
    };
    Ok(Prepared {
        rootfs,
        terminal,
        user,
    })
}

/// Enters the groups, once they are there, and has their namespace show them as the topmost.
fn join_groups(start: &Start<'_>, channel: &OwnedFd) -> Step<()> {
    wait_for(Word::Join, channel)?;
    start
        .cgroup
        .enter_legacy()
        .map_err(Failure::to("enter the control group"))?;
    namespaces::separate_groups(start.spec)
}

fn wait_for(word: Word, channel: &OwnedFd) -> Step<()> {
    let mut text = [0; 16];
    let said = socket::receive(channel, &mut text).map_err(Failure::to("wait for the monitor"))?;
    match said {
        socket::Received::Packet(n, _) if text.get(..n) == Some(word.text()) => Ok(()),
        socket::Received::Packet(..) => Err(Failure::new("the monitor said nonsense")),
        socket::Received::Nothing | socket::Received::Closed => {
            Err(Failure::new("the monitor has gone"))
        }
    }
}

/// Takes the last steps; returns only with the reason why there is no program.
fn become_program(start: &Start<'_>, stdio: Option<&ChildStdio>, prepared: Prepared) -> Failure {
    let Prepared {
        rootfs,
        terminal,
        user,
    } = prepared;
    let process = &start.spec.process;
    let ready = enter_cwd(&rootfs.root, &process.cwd)
        .and_then(|()| install_stdio(&rootfs.root, stdio, terminal.as_ref(), &user))
        .and_then(|()| {
            let rights = Rights {
                process,
                user: &user,
                capabilities: &start.spec.capabilities,
                seccomp: start.spec.seccomp,
                filter: start.filter,
            };
            let last = security::give_up(&rights)?;
            // As the user, and before the filter: a given one need not know these calls.
            let program = program::find(&rootfs.root, process, &user)?;
            last_words()?;
            last.seal()?;
            Ok(program)
        });
    match ready {
        Ok(program) => program.execute(),
        Err(failure) => failure,
    }
}

/// Chooses the profile that the program begins with.
fn apply_apparmor(spec: &Spec, rootfs: &Rootfs) -> Step<()> {
    let Some(profile) = &spec.apparmor else {
        return Ok(());
    };
    rootfs::write(&rootfs.proc, "self/attr/exec", &format!("exec {profile}"))
}

/// Closes the copies of everything that the monitor has open.
pub(super) fn keep_own<'b>(
    channel: &'b OwnedFd,
    stdio: Option<&'b ChildStdio>,
    others: impl IntoIterator<Item = BorrowedFd<'b>>,
) -> Step<()> {
    let mut kept = vec![channel.as_fd()];
    kept.extend(others);
    if let Some(stdio) = stdio {
        kept.extend(stdio.all().map(OwnedFd::as_fd));
    }
    fd::keep_only(&kept).map_err(Failure::to("close the monitor's descriptors"))
}

/// Closes what the program shall not inherit, and gives signals back.
pub(super) fn last_words() -> Step<()> {
    fd::close_others_on_exec().map_err(Failure::to("close descriptors"))?;
    signal::reset_for_exec().map_err(Failure::to("reset signals"))
}

/// Enters the working directory, which is made when it is missing and proven to lie in the root.
pub(super) fn enter_cwd(root: &engine_sys::path::Root, cwd: &str) -> Step<()> {
    let action = || Failure::to(format!("enter the working directory {cwd:?}"));
    if !cwd.starts_with('/') {
        return Err(Failure::new(format!(
            "the working directory {cwd:?} is not absolute"
        )));
    }
    // The lookup stays below the root and follows no link of procfs: what it opens is inside.
    let dir = root
        .create_dir_all(Path::new(cwd), 0o755)
        .map_err(action())?;
    process::enter_dir(&dir).map_err(action())
}

/// Makes a terminal that belongs to the user and has the wanted size.
pub(super) fn make_terminal(
    root: &engine_sys::path::Root,
    process: &Process,
    user: &user::User,
) -> Step<Terminal> {
    let terminal = devices::terminal(root)?;
    if let Some(size) = process.size {
        pty::set_size(&terminal.master, size.rows, size.columns)
            .map_err(Failure::to("set the size of the terminal"))?;
    }
    if user.uid != 0 {
        // Its group stays `tty`, as the mount says.
        fd::give_to(&terminal.slave, user.uid, 5).map_err(Failure::to("give away the terminal"))?;
    }
    Ok(terminal)
}

/// Puts the streams in their places; pipes belong to the user, who may open them by name.
pub(super) fn install_stdio(
    root: &engine_sys::path::Root,
    stdio: Option<&ChildStdio>,
    terminal: Option<&Terminal>,
    user: &user::User,
) -> Step<()> {
    let action = || Failure::to("set up the standard streams");
    if let Some(Terminal { slave, .. }) = terminal {
        fd::install_stdio(slave.as_fd(), slave.as_fd(), slave.as_fd()).map_err(action())?;
        return pty::control(slave).map_err(action());
    }
    let Some(ChildStdio {
        stdin,
        stdout,
        stderr,
    }) = stdio
    else {
        return Err(Failure::new("there are no standard streams"));
    };
    if user.uid != 0 {
        for stream in stdin.iter().chain([stdout, stderr]) {
            fd::give_to(stream, user.uid, user.gid).map_err(action())?;
        }
    }
    let null;
    let stdin = if let Some(stdin) = stdin {
        stdin
    } else {
        null = devices::open_null(root)?;
        &null
    };
    fd::install_stdio(stdin.as_fd(), stdout.as_fd(), stderr.as_fd()).map_err(action())
}
