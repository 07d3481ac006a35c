//! The end: what is written down, what is cleaned away, and in which order.
//!
//! Everything that others can see is done before the engine is told. The mounts, which only the
//! container saw, are taken apart after that; the next start waits for them (see `Bundle::hold`).

use std::fs;
use std::time::{Duration, Instant};

use engine_sys::process::{self, End};

use super::task::TaskPhase;
use super::watch::{INIT, Monitor};
use crate::exit::ExitRecord;
use crate::{Bundle, Event, clock};

/// How long processes may take to leave the control group after they were killed.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);

/// The container's first process has ended.
pub(super) fn conclude(monitor: &mut Monitor, end: End) {
    let (code, signal) = match end {
        End::Exited(code) => (code, None),
        End::Killed(signal) => (128 + signal, Some(signal)),
    };
    let record = record(monitor, code, signal, None);
    clean_up(monitor, Some(&record));
    tell_last(monitor, Event::Exited(record));
}

/// The container's program could not be executed.
pub(super) fn start_failed(monitor: &mut Monitor, message: String, exit_code: i32) {
    let record = record(monitor, exit_code, None, Some(message.clone()));
    clean_up(monitor, Some(&record));
    tell_last(monitor, Event::StartFailed { message, exit_code });
}

/// Nobody will start the container, or init died before its start: everything is undone.
pub(super) fn give_up(monitor: &mut Monitor) {
    if monitor.is_over {
        return;
    }
    if let Some((_, task)) = monitor.tasks.iter_mut().find(|(key, _)| *key == INIT) {
        task.phase = TaskPhase::Draining(Instant::now());
        if let Some(init) = &task.process {
            // One that has ended already needs no signal.
            let _ = process::signal(&init.pidfd, 9);
            let _ = process::wait_for_end(init);
        }
    }
    monitor.take_ended();
    clean_up(monitor, None);
    let event = Event::StartFailed {
        message: "the container was never started".to_owned(),
        exit_code: 128,
    };
    tell_last(monitor, event);
}

fn tell_last(monitor: &mut Monitor, event: Event) {
    monitor.engine.tell(event, &monitor.poller);
    monitor.root = None;
}

fn record(monitor: &Monitor, code: i32, signal: Option<i32>, error: Option<String>) -> ExitRecord {
    ExitRecord {
        code,
        signal,
        oom_killed: monitor.cgroup.oom_kills().unwrap_or(0) > 0,
        started_at_unix_ns: monitor.started_at_unix_ns.unwrap_or(0),
        finished_at_unix_ns: clock::unix_ns(),
        log_dropped_bytes: monitor
            .log
            .as_ref()
            .map_or(0, crate::log::Writer::lost_bytes),
        error,
        memory_peak_bytes: monitor.cgroup.memory_peak().unwrap_or(None),
        lost: false,
    }
}

fn clean_up(monitor: &mut Monitor, record: Option<&ExitRecord>) {
    monitor.is_over = true;
    monitor.log = None;
    if let Some(record) = record {
        write(&monitor.bundle, record);
    }
    // Ordinarily nobody is left: the end of the first process ended all others.
    if monitor.cgroup.remove(Duration::ZERO).is_err() {
        let _ = monitor.cgroup.kill_all(LEAVE_LIMIT);
        monitor.take_ended();
        // What cannot be removed is found by the engine's next start.
        let _ = monitor.cgroup.remove(LEAVE_LIMIT);
    }
    monitor.bundle.remove_run_files();
    // Whoever asks from here on finds the record; viewers may take their time.
    monitor.claim = None;
}

/// Puts the record in place whole; a full disk leaves none, and the engine says so.
fn write(bundle: &Bundle, record: &ExitRecord) {
    let Ok(json) = serde_json::to_vec(record) else {
        return;
    };
    let path = bundle.exit();
    let fresh = path.with_extension("new");
    if fs::write(&fresh, json)
        .and_then(|()| fs::rename(&fresh, &path))
        .is_err()
    {
        let _ = fs::remove_file(&fresh);
    }
}
