//! Engines come and go; the container and its monitor do not care.

use std::fs;
use std::time::{Duration, Instant};

use engine_runtime::{AttachStreams, Control, Event, ExitRecord, Request};

use crate::sandbox::{LIMIT, Sandbox, kill, process, run_exec, start, wait_for};

#[test]
fn a_second_engine_finds_the_same_container() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    let pid = start(&control);
    drop(control);

    let control = sandbox.reconnect().unwrap();

    assert_eq!(control.state().init_pid, pid);
    assert!(control.state().started_at_unix_ns.is_some());
    assert_eq!(run_exec(&control, "one", process(&["/bin/true"])).1, 0);
    kill(&control);
}

#[test]
fn an_end_without_an_engine_is_written_down() {
    let sandbox = Sandbox::shell("sleep 0.2; echo late; exit 3");
    let control = sandbox.launch().unwrap();
    start(&control);
    drop(control);

    let deadline = Instant::now() + LIMIT;
    while sandbox.bundle.run().exists() {
        assert!(Instant::now() < deadline, "the monitor has not ended");
    }

    let record: ExitRecord =
        serde_json::from_slice(&fs::read(sandbox.bundle.exit()).unwrap()).unwrap();
    assert_eq!((record.code, sandbox.output().as_str()), (3, "late\n"));
    assert!(sandbox.reconnect().is_none());
}

#[test]
fn a_container_that_nobody_started_is_undone() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    let init = control.state().init_pid;
    drop(control);

    let deadline = Instant::now() + LIMIT;
    while sandbox.bundle.run().exists() {
        assert!(Instant::now() < deadline, "the monitor has not ended");
    }
    assert!(!fs::exists(format!("/proc/{init}")).unwrap());
    assert!(!sandbox.bundle.exit().exists());
}

#[test]
fn an_exec_that_ended_without_an_engine_is_listed() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    start(&control);
    let request = Request::Exec {
        id: "short".into(),
        process: process(&["/bin/sleep", "1000"]),
        streams: AttachStreams::default(),
    };
    control.send(&request, &[]).unwrap();
    let pid = wait_for(&control, |event| match event {
        Event::ExecStarted { pid, .. } => Some(pid),
        _ => None,
    });
    drop(control);
    // Not before: an end that was told is not listed.
    signal(pid, 9);
    while fs::exists(format!("/proc/{pid}")).unwrap() {
        std::thread::yield_now();
    }

    let control = sandbox.reconnect().unwrap();

    let execs = &control.state().execs;
    assert_eq!(
        (execs.len(), execs[0].id.as_str(), execs[0].code),
        (1, "short", Some(137))
    );
    kill(&control);
}

#[test]
fn the_newest_engine_has_the_word() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let old = sandbox.launch().unwrap();
    start(&old);

    let new = sandbox.reconnect().unwrap();

    let error = loop {
        if let Err(error) = old.receive_within(LIMIT) {
            break error;
        }
    };
    assert!(matches!(error, engine_runtime::Error::Closed), "{error}");
    kill(&new);
}

#[test]
fn what_a_killed_monitor_left_is_ended() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    let pid = start(&control);
    let monitor = control.state().monitor_pid;
    nix_kill(monitor);
    let error = loop {
        if let Err(error) = control.receive_within(LIMIT) {
            break error;
        }
    };
    assert!(matches!(error, engine_runtime::Error::Closed), "{error}");
    assert!(fs::exists(format!("/proc/{pid}")).unwrap());
    assert!(sandbox.reconnect().is_none());

    let was_there = sandbox.kill_leftovers();

    assert!(was_there);
    assert!(
        !fs::exists(format!("/proc/{pid}/exe"))
            .is_ok_and(|_| fs::read_link(format!("/proc/{pid}/exe")).is_ok())
    );
    assert!(!sandbox.bundle.run().exists());
    let (_, record) = Sandbox::shell("exit 0").run();
    assert_eq!(record.code, 0);
}

fn nix_kill(pid: i32) {
    signal(pid, 9);
}

fn signal(pid: i32, signal: i32) {
    let pidfd = engine_sys::process::open(pid).unwrap();
    engine_sys::process::signal(pidfd, signal).unwrap();
}

/// Stops a monitor, as a disk that does not answer would.
fn stop(control: &Control) -> i32 {
    const SIGSTOP: i32 = 19;
    let monitor = control.state().monitor_pid;
    signal(monitor, SIGSTOP);
    monitor
}

#[test]
fn a_monitor_that_does_not_answer_is_not_taken_for_a_dead_one() {
    const SIGCONT: i32 = 18;
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    let pid = start(&control);
    let monitor = stop(&control);

    let silent = sandbox.try_reconnect(Duration::from_millis(100));
    // Somebody cleans the passing directory: nobody can be asked, and it lives all the same.
    fs::remove_file(sandbox.bundle.socket()).unwrap();
    let unreachable = sandbox.try_reconnect(Duration::from_millis(100));
    signal(monitor, SIGCONT);

    assert!(silent.is_err(), "{silent:?}");
    assert!(unreachable.is_err(), "{unreachable:?}");
    assert!(fs::read_link(format!("/proc/{pid}/exe")).is_ok());
    assert!(sandbox.kill_leftovers());
}

#[test]
fn a_container_whose_monitor_does_not_answer_is_ended_by_force() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    let pid = start(&control);
    stop(&control);

    assert!(sandbox.kill_leftovers());

    assert!(fs::read_link(format!("/proc/{pid}/exe")).is_err());
    assert!(!sandbox.bundle.run().exists());
    assert!(sandbox.reconnect().is_none());
    assert!(!sandbox.kill_leftovers(), "nothing is left");
}

#[test]
fn a_second_monitor_refuses_to_begin_and_leaves_the_first_alone() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    let pid = start(&control);
    drop(control);

    for _ in 0..2 {
        let refused = sandbox.launch().unwrap_err().to_string();
        assert!(refused.contains("has a monitor already"), "{refused}");
    }

    let control = sandbox.reconnect().unwrap();
    assert_eq!(control.state().init_pid, pid);
    kill(&control);
}

#[test]
fn an_unknown_request_is_refused_and_nothing_else_happens() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    start(&control);
    control.send(&Request::Start, &[]).unwrap();

    let refused = loop {
        if let Event::Refused { message, .. } = control.receive_within(LIMIT).unwrap() {
            break message;
        }
    };

    assert_eq!(refused, "the container is started already");
    engine_sys::socket::send(&control, b"\0{\"seq\":77,\"request\":{\"dance\":1}}", &[]).unwrap();
    let Event::Refused { seq: 77, .. } = control.receive_within(LIMIT).unwrap() else {
        panic!("it was not refused");
    };
    kill(&control);
}
