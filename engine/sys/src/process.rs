//! Processes: made into namespaces, watched by descriptor, replaced by a program.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd as _, OwnedFd};

use rustix::process::{Pid, PidfdFlags, WaitOptions};

use crate::namespace::Namespaces;
use crate::{During as _, Errno, Result, SysError};

/// A process that was made here.
#[derive(Debug)]
pub struct Child {
    /// Its id, as this process counts.
    pub pid: i32,
    /// Stays with the process even when the id is used again.
    pub pidfd: OwnedFd,
}

/// Which of the two one is after a fork.
#[derive(Debug)]
pub enum Forked {
    /// The new process.
    Child,
    /// The old one.
    Parent(Child),
}

/// The kernel's `struct clone_args`, up to the field for a control group.
#[repr(C)]
#[derive(Default)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// Forks into new namespaces, and into a version 2 control group when one is given.
///
/// Signal handlers of the child are the kernel's own; ignored signals stay ignored.
///
/// # Errors
/// `EINVAL` also when this process has a second thread: the copy of its memory could hold locks
/// that nobody would ever open.
pub fn fork_into(namespaces: Namespaces, cgroup: Option<BorrowedFd<'_>>) -> Result<Forked> {
    refuse_threads()?;
    let mut pidfd: i32 = -1;
    let mut arguments = CloneArguments {
        flags: CLONE_CLEAR_SIGHAND
            | u64::from(libc::CLONE_PIDFD.unsigned_abs())
            | namespaces.bits(),
        pidfd: (&raw mut pidfd) as u64,
        exit_signal: libc::SIGCHLD.unsigned_abs().into(),
        ..CloneArguments::default()
    };
    if let Some(cgroup) = cgroup {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = cgroup.as_raw_fd().unsigned_abs().into();
    }
    // SAFETY: `arguments` has the kernel's layout and size; its only pointer is to `pidfd`, which
    // outlives the call. Without CLONE_VM the child has a copy of everything, and the process has
    // one thread, so the copy is consistent.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone3,
            &raw mut arguments,
            size_of::<CloneArguments>(),
        )
    };
    forked(pid, pidfd, "clone3")
}

/// Forks a brother: a process whose parent is this process's parent.
///
/// The old clone call is used because a container's filter refuses the new one.
///
/// # Errors
/// When the kernel allows no further process.
pub fn fork_brother(_: Alone) -> Result<Forked> {
    let mut pidfd: i32 = -1;
    let flags = libc::CLONE_PARENT | libc::CLONE_PIDFD;
    // SAFETY: clone(2) without CLONE_VM and with no stack is a fork; the one pointer is to
    // `pidfd`, which outlives the call. The process has one thread, so the copy is consistent.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            flags,
            0_usize,
            &raw mut pidfd,
            0_usize,
            0_usize,
        )
    };
    forked(pid, pidfd, "clone")
}

/// Forks plainly.
///
/// # Errors
/// As [`fork_into`].
pub fn fork() -> Result<Forked> {
    fork_into(Namespaces::NONE, None)
}

fn forked(pid: i64, pidfd: i32, call: &'static str) -> Result<Forked> {
    match i32::try_from(pid) {
        Ok(0) => Ok(Forked::Child),
        Ok(pid) if pid > 0 => {
            // SAFETY: the kernel has just opened this descriptor for us and told nobody else.
            let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
            Ok(Forked::Parent(Child { pid, pidfd }))
        }
        _ => Err(SysError::from_io(
            call,
            "a new process",
            &std::io::Error::last_os_error(),
        )),
    }
}

/// Proof that this process had one thread; it must not have started another since.
#[derive(Debug)]
pub struct Alone(());

/// Proves that this process has one thread, for [`fork_brother`] behind a filter that allows no
/// such question.
///
/// # Errors
/// `EINVAL` when there is a second thread.
pub fn prove_alone() -> Result<Alone> {
    refuse_threads().map(Alone)
}

/// The kernel agrees to unshare what threads share only when there are no other threads.
fn refuse_threads() -> Result<()> {
    // SAFETY: unshare(2) takes one integer; for a process with one thread these flags do nothing.
    let result =
        unsafe { libc::unshare(libc::CLONE_THREAD | libc::CLONE_SIGHAND | libc::CLONE_VM) };
    if result == 0 {
        return Ok(());
    }
    Err(SysError::new(
        "clone",
        "a process with threads",
        Errno::INVAL,
    ))
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It returned a code.
    Exited(i32),
    /// A signal ended it.
    Killed(i32),
}

/// Takes the result of one child that has ended; `None` when there is none now.
///
/// # Errors
/// Practically never: having no child at all is `None` too.
pub fn reap() -> Result<Option<(i32, End)>> {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(None) | Err(Errno::CHILD) => return Ok(None),
            Ok(Some((pid, status))) => {
                let pid = pid.as_raw_nonzero().get();
                if let Some(code) = status.exit_status() {
                    return Ok(Some((pid, End::Exited(code))));
                }
                if let Some(signal) = status.terminating_signal() {
                    return Ok(Some((pid, End::Killed(signal))));
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(SysError::new("wait4", "any child", errno)),
        }
    }
}

/// Ends a child at once and takes its result, whatever that is.
pub fn end(child: &Child) {
    // It may have ended by itself; then the wait is for nothing more.
    let _ = signal(&child.pidfd, libc::SIGKILL);
    if let Some(pid) = Pid::from_raw(child.pid) {
        while let Err(Errno::INTR) = rustix::process::waitpid(Some(pid), WaitOptions::empty()) {}
    }
}

/// Waits for a child to end; it can be reaped then.
///
/// # Errors
/// Practically never.
pub fn wait_for_end(child: &Child) -> Result<()> {
    crate::socket::wait_readable(&child.pidfd, std::time::Duration::from_secs(5)).map(drop)
}

/// Opens a descriptor of a process that is our own child and not reaped yet.
///
/// # Errors
/// `ESRCH` when there is no such process.
pub fn open(pid: i32) -> Result<OwnedFd> {
    let raw = Pid::from_raw(pid).ok_or_else(|| SysError::new("pidfd_open", pid, Errno::SRCH))?;
    rustix::process::pidfd_open(raw, PidfdFlags::empty()).during("pidfd_open", pid)
}

/// Opens the root directory that a process sees, with everything mounted there.
///
/// The caller makes sure by a pidfd, before and after, that the id still means the process.
///
/// # Errors
/// When there is no such process, or it is a zombie.
pub fn root_of(pid: i32) -> Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let path = format!("/proc/{pid}/root");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(&path, flags, Mode::empty()).during("open", path)
}

/// Says whether the process behind a pidfd has not been reaped yet.
pub fn exists(pidfd: impl AsFd) -> bool {
    signal(pidfd, 0).is_ok()
}

/// Sends a signal, by number, to exactly this process.
///
/// # Errors
/// `ESRCH` when it has ended, `EINVAL` when the number is no signal.
pub fn signal(pidfd: impl AsFd, signal: i32) -> Result<()> {
    // SAFETY: pidfd_send_signal(2) takes a descriptor that is borrowed for the call, a number, no
    // siginfo (null is allowed) and no flags.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_fd().as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0_u32,
        )
    };
    nix::errno::Errno::result(result)
        .map(drop)
        .during("pidfd_send_signal", signal)
}

/// Replaces this process by a program; returns only when that fails.
pub fn execute(program: &CString, arguments: &[CString], environment: &[CString]) -> SysError {
    match nix::unistd::execve(program, arguments, environment) {
        Ok(never) => match never {},
        Err(errno) => SysError::from_nix("execve", program.to_string_lossy(), errno),
    }
}

/// Ends this process at once; no destructor and no exit handler runs.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit(2) takes an integer and does not return.
    unsafe { libc::_exit(code) }
}

/// Keeps others from tracing this process or reading its `/proc` entries, until the next exec.
///
/// # Errors
/// Practically never.
pub fn hide_from_tracers() -> Result<()> {
    nix::sys::prctl::set_dumpable(false).during("prctl(PR_SET_DUMPABLE)", "self")
}

/// Gives up every way to gain rights by executing a file.
///
/// # Errors
/// Practically never.
pub fn refuse_new_privileges() -> Result<()> {
    nix::sys::prctl::set_no_new_privs().during("prctl(PR_SET_NO_NEW_PRIVS)", "self")
}

/// Gives this process the name that `ps` shows.
///
/// # Errors
/// Practically never.
pub fn set_name(name: &CStr) -> Result<()> {
    nix::sys::prctl::set_name(name).during("prctl(PR_SET_NAME)", "self")
}

/// Becomes the parent of every descendant whose own parent ends.
///
/// # Errors
/// Practically never.
pub fn adopt_orphans() -> Result<()> {
    nix::sys::prctl::set_child_subreaper(true).during("prctl(PR_SET_CHILD_SUBREAPER)", "self")
}

/// Begins a session with no terminal; this process leads it.
///
/// # Errors
/// `EPERM` when this process leads a group already.
pub fn begin_session() -> Result<()> {
    rustix::process::setsid().map(drop).during("setsid", "self")
}

/// Sets which rights new files do not get.
pub fn set_umask(mask: u32) {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
}

/// Makes an open directory the working directory.
///
/// # Errors
/// When the process may not enter it.
pub fn enter_dir(dir: impl AsFd) -> Result<()> {
    rustix::process::fchdir(dir).during("fchdir", "the working directory")
}

/// Becomes a user with exactly these groups; single-threaded processes only, as all here.
///
/// # Errors
/// `EPERM` without the right.
pub fn become_user(user: u32, group: u32, groups: &[u32]) -> Result<()> {
    use rustix::process::{Gid, Uid};
    let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    rustix::thread::set_thread_groups(&groups).during("setgroups", "self")?;
    let gid = Gid::from_raw(group);
    rustix::thread::set_thread_res_gid(gid, gid, gid).during("setresgid", group)?;
    let uid = Uid::from_raw(user);
    rustix::thread::set_thread_res_uid(uid, uid, uid).during("setresuid", user)
}

/// The id of this process.
pub fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}
