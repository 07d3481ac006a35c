//! Starts a monitor for a bundle, or finds the one that lives; the only entry used by the agent.
//!
//! Everything here blocks, each wait with a limit; an async caller uses its blocking threads for
//! [`Launcher::launch`] and [`Launcher::reconnect`] and waits for [`Control`]'s descriptor itself.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use engine_sys::capability::{self, Capability, CapabilitySet};
use engine_sys::{Errno, fd, file, process, socket};

use crate::cgroups::Cgroup;
use crate::layout::Layout;
use crate::protocol::{Event, MonitorState, OLDEST_PROTOCOL, Outgoing, PROTOCOL_VERSION, Request};
use crate::{Bundle, Error, Remap, Result, Seccomp, Spec, chain, seccomp, users, wire};

/// How long a set-up may take: mounts on a slow disk are the long part.
const SETUP_LIMIT: Duration = Duration::from_secs(30);
/// How long a monitor that runs may take to answer; it never waits for anything itself.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Between two looks at whether a monitor is there.
const LOOK_PERIOD: Duration = Duration::from_millis(5);
const SIGKILL: i32 = 9;

/// What a filter is of: capabilities, which one, a given profile, and whether files stay counted.
type FilterOf = (CapabilitySet, Seccomp, Option<String>, bool);

/// Starts monitors from a sealed copy of their program.
#[derive(Debug)]
pub struct Launcher {
    program: OwnedFd,
    /// What this process may hand on.
    bounding: CapabilitySet,
    /// Compiled filters as sealed files.
    filters: Mutex<HashMap<FilterOf, OwnedFd>>,
}

impl Launcher {
    /// Keeps a sealed copy of the monitor's program, as the agent has it built in.
    pub fn new(monitor_elf: &[u8]) -> Result<Self> {
        let program = fd::sealed("gantry-monitor", monitor_elf)
            .map_err(Error::sys("keep a copy of the monitor"))?;
        let bounding = capability::bounding().map_err(Error::sys("read the own bounding set"))?;
        Ok(Self {
            program,
            bounding,
            filters: Mutex::default(),
        })
    }

    /// Starts a monitor, which sets everything up, and waits until it is ready for `Start`.
    ///
    /// # Errors
    /// [`Error::Setup`] with the failing step; whatever was made is undone then.
    pub fn launch(&self, bundle: &Bundle) -> Result<Control> {
        let filter = self.filter(&read_spec(bundle)?)?;
        let (ours, theirs) =
            socket::packet_pair().map_err(Error::sys("make the control socket"))?;
        // The process started here only forks the monitor and ends, so that the monitor is never
        // the engine's child and no engine has to wait for it.
        let mut forker = Command::new(format!("/proc/self/fd/{}", self.program.as_raw_fd()))
            .arg(bundle.data())
            .arg(bundle.run())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(filter)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::Spawn(error.to_string()))?;
        // Taken once the monitor has spoken or its end of the socket is closed: by then it has
        // forked, and as a rule ended.
        let begun = Control::begin(ours, SETUP_LIMIT);
        if begun.is_err() {
            // It may hang before its fork; one that has ended does not mind.
            let _ = forker.kill();
        }
        let status = forker
            .wait()
            .map_err(|error| Error::Spawn(error.to_string()))?;
        match begun {
            // What the monitor says counts; its forker may have been killed on its way out.
            Err(said @ Error::Setup(_)) => Err(said),
            _ if !status.success() => Err(Error::Spawn(format!("it ended with {status}"))),
            begun => begun,
        }
    }

    /// Opens a user namespace whose users are those of `remap`, to show files as theirs.
    ///
    /// # Errors
    /// When the kernel or its settings allow none.
    pub fn user_namespace(&self, remap: Remap) -> Result<OwnedFd> {
        let (ours, theirs) =
            socket::packet_pair().map_err(Error::sys("make the control socket"))?;
        let mut holder = Command::new(format!("/proc/self/fd/{}", self.program.as_raw_fd()))
            .arg(users::HOLD)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Error::Spawn(error.to_string()))?;
        let pid = i32::try_from(holder.id()).unwrap_or(i32::MAX);
        let taken = users::take(pid, &ours, remap.into());
        drop(ours);
        // It may have ended; the namespace lives by its descriptor.
        let _ = holder.kill();
        holder
            .wait()
            .map_err(|error| Error::Spawn(error.to_string()))?;
        taken.map_err(Error::sys("begin a user namespace"))
    }

    /// Returns the compiled filter of a container as a file, or nothing when it has none.
    ///
    /// Compiling costs more than everything else that init does, so it is done here, once.
    fn filter(&self, spec: &Spec) -> Result<Stdio> {
        if spec.seccomp == Seccomp::Unconfined && !spec.counted {
            return Ok(Stdio::null());
        }
        /// Who invents a profile for each container compiles each.
        const MOST: usize = 64;
        let keep = capabilities(&spec.capabilities)?.intersection(self.bounding);
        let profile = spec
            .seccomp_profile
            .as_ref()
            .filter(|_| spec.seccomp == Seccomp::Given);
        let mut filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        if filters.len() >= MOST {
            filters.clear();
        }
        let sealed = match filters.entry((keep, spec.seccomp, profile.cloned(), spec.counted)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let compiled = match (profile, spec.seccomp) {
                    (Some(text), _) => seccomp::given(text, keep, spec.counted)
                        .map_err(|e| Error::Setup(chain(&e)))?,
                    (None, Seccomp::Unconfined) => seccomp::only_counted(),
                    _ if spec.counted => seccomp::counted(&seccomp::filter(keep)),
                    _ => seccomp::filter(keep).to_vec(),
                };
                let bytes = seccomp::encode(&compiled);
                new.insert(fd::sealed("filter", &bytes).map_err(Error::sys("keep a filter"))?)
            }
        };
        fd::duplicate(sealed)
            .map(Stdio::from)
            .map_err(Error::sys("hand a filter on"))
    }

    /// Connects to the monitor of a bundle again; `None` when none lives: nobody listens, and no
    /// process has claimed the bundle.
    ///
    /// # Errors
    /// When a monitor lives, or may live, and does not answer within `limit`: it is stopped, or
    /// waits for a disk, or this process has no descriptors left. Its container is as well as ever.
    pub fn reconnect(&self, bundle: &Bundle, limit: Duration) -> Result<Option<Control>> {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let (error, nobody_listens) = match socket::connect(&bundle.socket()) {
                Ok(socket) => match Control::begin(socket, left) {
                    Ok(control) => return Ok(Some(control)),
                    Err(error @ Error::Protocol { .. }) => return Err(error),
                    // One that was about to end, or has given its word to somebody else.
                    Err(error) => (error, false),
                },
                Err(error) => {
                    let is_refused = matches!(error.errno, Errno::NOENT | Errno::CONNREFUSED);
                    (Error::sys("connect to the monitor")(error), is_refused)
                }
            };
            if nobody_listens && monitor_of(bundle)?.is_none() {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                return Err(error);
            }
            thread::sleep(LOOK_PERIOD);
        }
    }

    /// Ends a container by force; says whether anything of it was there.
    ///
    /// Its monitor is killed if one lives, then all its processes; the control group and the
    /// passing files are removed. For what is left when a monitor died, and for a container whose
    /// monitor does not do its work any more.
    ///
    /// # Errors
    /// When something does not die, in an uninterruptible call for example.
    pub fn kill_leftovers(&self, bundle: &Bundle) -> Result<bool> {
        let monitor = kill_monitor(bundle)?;
        let spec = match read_spec(bundle) {
            Err(Error::File { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(false);
            }
            result => result?,
        };
        let layout = Layout::detect().map_err(|error| Error::Setup(chain(&error)))?;
        let group = Cgroup::open(&layout, &spec.cgroup)?;
        let was_there = group.exists();
        if was_there {
            group.kill_all(ANSWER_LIMIT)?;
            group.remove(ANSWER_LIMIT)?;
        }
        if let Some(monitor) = &monitor {
            let has_ended = socket::wait_readable(monitor, ANSWER_LIMIT);
            if !has_ended.map_err(Error::sys("wait for the monitor's end"))? {
                return Err(Error::TimedOut("end"));
            }
        }
        bundle.remove_run_files();
        Ok(was_there || monitor.is_some())
    }
}

/// Returns the process that watches a bundle's container.
fn monitor_of(bundle: &Bundle) -> Result<Option<i32>> {
    match file::claimed_by(&bundle.spec()) {
        Err(error) if error.errno == Errno::NOENT => Ok(None),
        result => result.map_err(Error::sys("see whether the monitor lives")),
    }
}

/// Kills the process that watches a bundle's container; returns it, so that its end can be awaited.
fn kill_monitor(bundle: &Bundle) -> Result<Option<OwnedFd>> {
    let Some(pid) = monitor_of(bundle)? else {
        return Ok(None);
    };
    let failed = || Error::sys("kill the monitor");
    let monitor = match process::open(pid) {
        Err(error) if error.errno == Errno::SRCH => return Ok(None),
        result => result.map_err(failed())?,
    };
    // Looked at again: the number may have become somebody else's before it was opened.
    if monitor_of(bundle)? != Some(pid) {
        return Ok(None);
    }
    match process::signal(&monitor, SIGKILL) {
        Err(error) if error.errno != Errno::SRCH => Err(failed()(error)),
        _ => Ok(Some(monitor)),
    }
}

fn read_spec(bundle: &Bundle) -> Result<Spec> {
    let path = bundle.spec();
    let bytes = fs::read(&path).map_err(|source| Error::File {
        action: "read",
        path: path.clone(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Damaged {
        subject: path.display().to_string(),
        source,
    })
}

fn capabilities(names: &[String]) -> Result<CapabilitySet> {
    let parse = |name: &String| name.parse::<Capability>();
    names
        .iter()
        .map(parse)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::Setup(chain(&error)))
}

/// The engine's end of the conversation with one monitor.
///
/// Its descriptor is non-blocking and becomes readable when [`Control::receive`] has something.
#[derive(Debug)]
pub struct Control {
    socket: OwnedFd,
    state: MonitorState,
    next_seq: AtomicU64,
}

impl Control {
    fn begin(socket: OwnedFd, limit: Duration) -> Result<Self> {
        fd::set_nonblocking(&socket, true).map_err(Error::sys("prepare the control socket"))?;
        let mut control = Self {
            socket,
            state: MonitorState::default(),
            next_seq: AtomicU64::new(1),
        };
        match control.receive_within(limit)? {
            // Words are only ever added: an older monitor refuses what it does not know, and what a
            // newer one says besides is skipped.
            Event::Ready { protocol, state } if protocol >= OLDEST_PROTOCOL => {
                control.state = state;
                Ok(control)
            }
            Event::Ready { protocol, .. } => Err(Error::Protocol {
                theirs: protocol,
                ours: PROTOCOL_VERSION,
            }),
            Event::SetupFailed { message } => Err(Error::Setup(message)),
            other => Err(Error::Setup(format!("the monitor began with {other:?}"))),
        }
    }

    /// How things stood when this connection began.
    pub fn state(&self) -> &MonitorState {
        &self.state
    }

    /// Sends a request and returns its number, which its answer will carry.
    ///
    /// # Errors
    /// [`Error::Closed`] when the monitor has gone.
    pub fn send(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<u64> {
        let deadline = Instant::now() + ANSWER_LIMIT;
        loop {
            if let Some(seq) = self.offer(request, fds)? {
                return Ok(seq);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::TimedOut("take a request"));
            }
            socket::wait_writable(&self.socket, left)
                .map_err(Error::sys("wait for the monitor"))?;
        }
    }

    /// Sends a request without waiting and returns its number; `None` when the monitor has so much
    /// to read that nothing more fits.
    ///
    /// # Errors
    /// As [`Control::send`].
    pub fn offer(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<Option<u64>> {
        let seq = self.next_seq.fetch_add(1, Ordering::Relaxed);
        match wire::send(self.socket.as_fd(), &Outgoing { seq, request }, fds) {
            Ok(()) => Ok(Some(seq)),
            Err(Error::Sys { source, .. }) if source.errno == Errno::AGAIN => Ok(None),
            Err(Error::Sys { source, .. })
                if matches!(source.errno, Errno::PIPE | Errno::CONNRESET) =>
            {
                Err(Error::Closed)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the next event, or `None` when none is waiting.
    ///
    /// # Errors
    /// [`Error::Closed`] when the monitor has gone.
    pub fn receive(&self) -> Result<Option<Event>> {
        loop {
            let Some((bytes, _)) = wire::receive(self.socket.as_fd())? else {
                return Ok(None);
            };
            // An event that this engine does not know comes from a newer monitor and is skipped.
            if let Ok(event) = serde_json::from_slice(&bytes) {
                return Ok(Some(event));
            }
        }
    }

    /// Waits for the next event.
    pub fn receive_within(&self, limit: Duration) -> Result<Event> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(event) = self.receive()? {
                return Ok(event);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Error::TimedOut("answer"));
            }
            socket::wait_readable(&self.socket, left)
                .map_err(Error::sys("wait for the monitor"))?;
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(first_word: &str) -> Result<Control> {
        let (ours, theirs) = socket::packet_pair().expect("pair");
        let word: serde_json::Value = serde_json::from_str(first_word).expect("json");
        wire::send(theirs.as_fd(), &word, &[]).expect("send");
        Control::begin(ours, Duration::from_secs(5))
    }

    #[test]
    fn an_older_and_a_newer_monitor_are_spoken_to() {
        let older = r#"{"ready":{"protocol":1,"state":{"init_pid":7,"started_at_unix_ns":5}}}"#;
        assert_eq!(begin(older).expect("it is understood").state().init_pid, 7);
        let newer = r#"{"ready":{"protocol":9,"state":{"init_pid":8,"mood":"good"}}}"#;
        assert_eq!(begin(newer).expect("it is understood").state().init_pid, 8);
        let before_all = r#"{"ready":{"protocol":0,"state":{}}}"#;
        assert!(matches!(begin(before_all), Err(Error::Protocol { .. })));
    }

    #[test]
    fn the_last_word_of_an_older_monitor_is_understood() {
        let exited = r#"{"exited":{"code":3,"signal":null,"oom_killed":false,
            "started_at_unix_ns":1,"finished_at_unix_ns":2,"log_dropped_bytes":0,"error":null}}"#;
        let event: Event = serde_json::from_str(exited).expect("it is understood");
        let Event::Exited(exit) = event else {
            panic!("it is an end");
        };
        assert_eq!(
            (exit.code, exit.memory_peak_bytes, exit.lost),
            (3, None, false)
        );
    }
}
