//! The beginning: from the engine's spawn to a container that waits for its start.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::process::ExitCode;
use std::time::Duration;

use engine_sys::dir::metadata_of;
use engine_sys::file::Lock;
use engine_sys::namespace::{self, Namespaces};
use engine_sys::path::FileType;
use engine_sys::process::{self, Forked};
use engine_sys::{Errno, fd, file, signal, socket};

use super::engine::Engine;
use super::streams::Streams;
use super::task;
use super::task::Task;
use super::watch::{Monitor, Root};
use crate::cgroups::{Cgroup, DeviceRule};
use crate::init::{self, Members, Report, Start, Word};
use crate::layout::Layout;
use crate::spec::{SPEC_VERSION, Spec};
use crate::users::Seed;
use crate::{Bundle, Event, chain, log, profile, wire};

/// How long init may take to set everything up; the engine waits a little longer.
const SETUP_LIMIT: Duration = Duration::from_secs(25);

/// How long the monitor of the life before may still take its mounts apart.
const PLACE_LIMIT: Duration = Duration::from_secs(10);

/// Why a second monitor refuses to begin.
const HAS_MONITOR: &str = "the container has a monitor already";

/// A step of the set-up that failed, in words.
type Step<T> = Result<T, String>;

/// Becomes the monitor of a bundle; standard input is the control socket.
///
/// The process that was spawned ends at once, so that the engine has nobody to wait for.
pub fn run(bundle: &Bundle) -> ExitCode {
    let forked = process::fork();
    match forked {
        Ok(Forked::Parent(_)) => ExitCode::SUCCESS,
        Ok(Forked::Child) => match live(bundle) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(_) => ExitCode::FAILURE,
    }
}

fn live(bundle: &Bundle) -> Step<()> {
    let (connection, filter) = take_standard_files()?;
    match set_up(bundle, filter) {
        Ok(mut monitor) => {
            monitor.engine.adopt(connection, &monitor.poller);
            monitor.greet();
            monitor.watch();
            Ok(())
        }
        Err(message) => {
            // The engine may have given up; nobody else would read it.
            let told = Event::SetupFailed {
                message: message.clone(),
            };
            let _ = wire::send(connection.as_fd(), &told, &[]);
            Err(message)
        }
    }
}

/// Moves the control socket and the compiled filter away from where a child would inherit them.
fn take_standard_files() -> Step<(OwnedFd, Option<OwnedFd>)> {
    let take = || -> engine_sys::Result<(OwnedFd, Option<OwnedFd>)> {
        process::set_name(c"gantry-monitor")?;
        process::begin_session()?;
        let connection = fd::duplicate(std::io::stdin())?;
        let output = fd::duplicate(std::io::stdout())?;
        let null = std::io::stderr();
        fd::install_stdio(null.as_fd(), null.as_fd(), null.as_fd())?;
        fd::set_nonblocking(&connection, true)?;
        let is_filter = metadata_of(&output)?.kind == FileType::RegularFile;
        Ok((connection, is_filter.then_some(output)))
    };
    take().map_err(|error| chain(&error))
}

fn set_up(bundle: &Bundle, filter: Option<OwnedFd>) -> Step<Monitor> {
    let children = signal::children_ending().map_err(|error| chain(&error))?;
    let (spec, claim) = read_spec(bundle)?;
    let place = bundle.hold(PLACE_LIMIT).map_err(|error| chain(&error))?;
    let listener = make_run_files(bundle)?;
    let work = Work {
        spec,
        claim,
        place,
        listener,
        filter,
        children,
    };
    // Only what this process made: the socket of a monitor that lives is not ours to remove.
    make(bundle, work).inspect_err(|_| bundle.remove_run_files())
}

/// What a monitor begins its work with.
struct Work {
    spec: Spec,
    claim: File,
    place: Lock,
    listener: OwnedFd,
    filter: Option<OwnedFd>,
    children: OwnedFd,
}

fn make(bundle: &Bundle, work: Work) -> Step<Monitor> {
    let Work {
        spec,
        claim,
        place,
        listener,
        filter,
        children,
    } = work;
    let log = log::Writer::open(&bundle.log(), spec.log).map_err(|error| chain(&error))?;
    let layout = match &spec.layout {
        Some(layout) => layout.clone(),
        None => Layout::detect().map_err(|error| chain(&error))?,
    };
    let cgroup = Cgroup::begin(&layout, &spec.cgroup).map_err(|error| chain(&error))?;

    let made = begin_users(&spec).and_then(|seed| {
        let members = Members::open(&spec, seed.as_ref()).map_err(|failure| failure.message)?;
        let start = Start {
            members: &members,
            spec: &spec,
            bundle,
            layout: &layout,
            cgroup: &cgroup,
            filter: filter.as_ref().map(OwnedFd::as_fd),
        };
        let (init, namespaces) = make_init(&start)?;
        let mounts = mounts_of(&init)?;
        Ok((init, namespaces, mounts))
    });
    match made {
        Ok((init, namespaces, mounts)) => {
            let engine = Engine::new(listener);
            let parts = super::watch::Parts {
                filter,
                spec,
                namespaces,
                cgroup,
                log,
                init,
                children,
                root: Root {
                    _mounts: mounts,
                    _place: place,
                },
                claim,
            };
            Monitor::new(bundle.clone(), engine, parts).map_err(|error| chain(&error))
        }
        Err(message) => {
            // The first failure is the one to tell.
            let _ = cgroup.kill_all(Duration::from_secs(5));
            let _ = process::reap();
            let _ = cgroup.remove(Duration::from_secs(5));
            Err(message)
        }
    }
}

/// Claims the bundle, so that no second process watches it, and reads the work order.
///
/// The file is opened once: to close it another time would give the claim up.
fn read_spec(bundle: &Bundle) -> Step<(Spec, File)> {
    let path = bundle.spec();
    let claim = file::claim(&path).map_err(|error| chain(&error))?;
    let mut claim = claim.ok_or(HAS_MONITOR)?;
    let mut bytes = Vec::new();
    claim
        .read_to_end(&mut bytes)
        .map_err(|error| format!("read {}: {error}", path.display()))?;
    let spec: Spec = serde_json::from_slice(&bytes)
        .map_err(|error| format!("{} is damaged: {error}", path.display()))?;
    if spec.version != SPEC_VERSION {
        return Err(format!(
            "the spec has version {}, not {SPEC_VERSION}",
            spec.version
        ));
    }
    Ok((spec, claim))
}

/// Makes the passing directory and listens in it.
fn make_run_files(bundle: &Bundle) -> Step<OwnedFd> {
    let run = bundle.run();
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(run)
        .map_err(|error| format!("failed to make {}: {error}", run.display()))?;
    let path = bundle.socket();
    match socket::listen(&path) {
        Err(error) if error.errno == Errno::ADDRINUSE => {
            // A monitor that lives would answer; this name is left over from one that was killed.
            if socket::connect(&path).is_ok() {
                return Err(HAS_MONITOR.into());
            }
            fs::remove_file(&path)
                .map_err(|error| format!("failed to remove {}: {error}", path.display()))?;
            socket::listen(&path).map_err(|error| chain(&error))
        }
        result => result.map_err(|error| chain(&error)),
    }
}

fn limit(cgroup: &Cgroup, spec: &Spec) -> Step<()> {
    cgroup
        .apply(&spec.resources)
        .map_err(|error| chain(&error))?;
    let rules: Vec<DeviceRule> = profile::DEVICE_RULES
        .into_iter()
        .chain(spec.devices.rules.iter().copied())
        .collect();
    cgroup.allow_devices(&rules).map_err(|error| chain(&error))
}

/// Begins the user namespace of a container that has one of its own.
fn begin_users(spec: &Spec) -> Step<Option<Seed>> {
    let Some(remap) = spec.remap else {
        return Ok(None);
    };
    Seed::begin(remap.into(), init::owned_by_users(spec))
        .map(Some)
        .map_err(|error| format!("failed to begin a user namespace: {}", chain(&error)))
}

fn make_init(start: &Start<'_>) -> Step<(Task, Namespaces)> {
    let spec = start.spec;
    let (streams, stdio) = Streams::open(&spec.process).map_err(|error| chain(&error))?;
    let (channel, theirs) = socket::packet_pair().map_err(|error| chain(&error))?;
    let (child, namespaces) = match fork_init(start)? {
        (Forked::Child, _) => init::start(start, stdio.as_ref(), &theirs),
        (Forked::Parent(child), namespaces) => (child, namespaces),
    };
    drop((theirs, stdio));
    // Init has enough to do until it has to be in its groups.
    start.cgroup.complete().map_err(|error| chain(&error))?;
    limit(start.cgroup, spec)?;
    // If it has gone, it has said why.
    let _ = socket::send(&channel, Word::Join.text(), &[]);
    let mut init = Task::init(child, streams, channel);
    wait_until_ready(&mut init)?;
    Ok((init, init::joined(namespaces, spec)))
}

/// Opens the container's mount namespace.
fn mounts_of(init: &Task) -> Step<OwnedFd> {
    let path = format!("/proc/{}/ns/mnt", init.pid().unwrap_or(0));
    fs::File::open(&path)
        .map(OwnedFd::from)
        .map_err(|error| format!("failed to open {path}: {error}"))
}

/// Clones init, into another container's process namespace if it is to share that.
fn fork_init(start: &Start<'_>) -> Step<(Forked, Namespaces)> {
    let Some(member) = &start.members.pid else {
        return clone_init(start);
    };
    let failed = "failed to share the other container's processes";
    let home = fs::File::open("/proc/self/ns/pid").map_err(|error| format!("{failed}: {error}"))?;
    let said = |error| format!("{failed}: {}", chain(&error));
    namespace::enter(member, Namespaces::PID).map_err(said)?;
    let forked = clone_init(start);
    if let Ok((Forked::Child, _)) = forked {
        return forked;
    }
    // What the monitor forks later comes from outside again.
    namespace::enter(&home, Namespaces::PID).map_err(said)?;
    forked
}

/// Clones init; a kernel without time namespaces goes without.
fn clone_init(start: &Start<'_>) -> Step<(Forked, Namespaces)> {
    let into = start.cgroup.unified().map_err(|error| chain(&error))?;
    let into = into.as_ref().map(OwnedFd::as_fd);
    let wanted = init::wanted(start.spec);
    match process::fork_into(wanted, into) {
        Err(error) if error.errno == Errno::INVAL => {
            let fewer = wanted.without(Namespaces::TIME);
            process::fork_into(fewer, into).map(|forked| (forked, fewer))
        }
        result => result.map(|forked| (forked, wanted)),
    }
    .map_err(|error| format!("failed to make the namespaces: {}", chain(&error)))
}

fn wait_until_ready(init: &mut Task) -> Step<()> {
    let Some(channel) = &init.channel else {
        return Err("init has no channel".into());
    };
    let is_told = socket::wait_readable(channel, SETUP_LIMIT).map_err(|error| chain(&error))?;
    if !is_told {
        return Err(format!(
            "init was not ready within {} s",
            SETUP_LIMIT.as_secs()
        ));
    }
    match wire::receive(channel.as_fd()) {
        Ok(Some((bytes, mut fds))) => match task::parse(&bytes)? {
            Report::Ready => {
                if let Some(master) = fds.pop() {
                    init.streams
                        .bring_terminal(master)
                        .map_err(|error| chain(&error))?;
                }
                let channel = init.channel.as_ref().map(OwnedFd::as_fd);
                channel.map_or(Ok(()), |channel| {
                    fd::set_nonblocking(channel, true).map_err(|error| chain(&error))
                })
            }
            Report::Failed { message, .. } => Err(message),
            Report::Forked { .. } => Err("init reported nonsense".into()),
        },
        Ok(None) => Err("init said nothing".into()),
        Err(_) => Err("init ended while it set the container up".into()),
    }
}
