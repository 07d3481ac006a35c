//! What flows in and out, and who waits for whom.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use engine_runtime::{Event, Request};

use crate::sandbox::{
    ALL, BOTH, LIMIT, Sandbox, attach, kill, start, unframe, wait_for, wait_for_exit,
};

#[test]
fn a_viewer_who_is_there_before_the_start_sees_everything() {
    let sandbox = Sandbox::shell("echo one; echo two >&2");
    let control = sandbox.launch().unwrap();
    let mut viewer = attach(&control, BOTH);

    start(&control);

    let mut bytes = Vec::new();
    viewer.read_to_end(&mut bytes).unwrap();
    assert_eq!(unframe(&bytes), "one\ntwo\n");
    assert!(bytes.starts_with(&[1, 0, 0, 0, 0, 0, 0, 4]));
    assert_eq!(wait_for_exit(&control).code, 0);
}

#[test]
fn what_is_typed_arrives_and_its_end_too() {
    let mut sandbox = Sandbox::shell("cat; echo done");
    sandbox.spec.process.open_stdin = true;
    sandbox.spec.process.stdin_once = true;
    let control = sandbox.launch().unwrap();
    let mut viewer = attach(&control, ALL);
    start(&control);

    let typed = "x".repeat(300_000);
    viewer.write_all(typed.as_bytes()).unwrap();
    viewer.shutdown(Shutdown::Write).unwrap();

    let mut bytes = Vec::new();
    viewer.read_to_end(&mut bytes).unwrap();
    assert_eq!(unframe(&bytes), format!("{typed}done\n"));
}

#[test]
fn input_stays_open_for_the_next_viewer_unless_asked_otherwise() {
    let mut sandbox = Sandbox::shell("head -n 2");
    sandbox.spec.process.open_stdin = true;
    let control = sandbox.launch().unwrap();
    start(&control);

    for line in ["first\n", "second\n"] {
        let mut viewer = attach(&control, ALL);
        viewer.write_all(line.as_bytes()).unwrap();
        viewer.shutdown(Shutdown::Write).unwrap();
        while !sandbox.output().contains(line) && line == "first\n" {
            if sandbox.output().is_empty() {
                break;
            }
        }
    }

    assert_eq!(wait_for_exit(&control).code, 0);
    assert_eq!(sandbox.output(), "first\nsecond\n");
}

#[test]
fn input_is_closed_on_request() {
    let mut sandbox = Sandbox::shell("cat; echo ended");
    sandbox.spec.process.open_stdin = true;
    let control = sandbox.launch().unwrap();
    start(&control);

    control.send(&Request::CloseStdin, &[]).unwrap();

    assert_eq!(wait_for_exit(&control).code, 0);
    assert_eq!(sandbox.output(), "ended\n");
}

#[test]
fn without_open_input_there_is_the_null_device() {
    let (output, record) = Sandbox::shell("cat; readlink /proc/self/fd/0").run();

    assert_eq!((output.as_str(), record.code), ("/dev/null\n", 0));
}

#[test]
fn a_viewer_who_does_not_read_makes_the_program_wait_and_memory_stays() {
    let sandbox = Sandbox::shell("yes 0123456789012345678901234567890123456789");
    let control = sandbox.launch().unwrap();
    let viewer = attach(&control, BOTH);
    start(&control);
    let monitor = control.state().monitor_pid;

    let written = wait_until_still(|| bytes_logged(&sandbox));

    assert!(written < 8 << 20, "{written}");
    assert!(
        resident_kib(monitor) < 2_000,
        "{} KiB",
        resident_kib(monitor)
    );
    drop(viewer);
    let deadline = Instant::now() + LIMIT;
    while bytes_logged(&sandbox) < written + (4 << 20) {
        assert!(Instant::now() < deadline, "the program did not go on");
    }
    kill(&control);
}

#[test]
fn a_viewer_who_does_not_read_does_not_hold_up_the_end() {
    let sandbox = Sandbox::shell("yes");
    let control = sandbox.launch().unwrap();
    let viewer = attach(&control, BOTH);
    start(&control);
    wait_until_still(|| bytes_logged(&sandbox));

    let record = kill(&control);

    assert_eq!(record.code, 137);
    drop(viewer);
    let monitor = control.state().monitor_pid;
    let deadline = Instant::now() + LIMIT;
    while fs::exists(format!("/proc/{monitor}")).unwrap() {
        assert!(Instant::now() < deadline, "the monitor waits for ever");
    }
}

#[test]
fn a_viewer_who_reads_late_gets_all_that_was_written() {
    const N_BYTES: usize = 1_000_000;
    let sandbox = Sandbox::shell(&format!("head -c {N_BYTES} /dev/zero"));
    let control = sandbox.launch().unwrap();
    let mut viewer = attach(&control, BOTH);
    start(&control);
    assert_eq!(wait_for_exit(&control).code, 0);
    // Longer than the two seconds after which such a viewer was cut off once.
    std::thread::sleep(Duration::from_millis(2_200));

    let mut frames = Vec::new();
    viewer.read_to_end(&mut frames).unwrap();

    assert_eq!(unframe(&frames).len(), N_BYTES);
}

#[test]
fn viewers_come_and_go_without_a_trace() {
    let mut sandbox = Sandbox::new(&["/bin/cat"]);
    sandbox.spec.process.open_stdin = true;
    let control = sandbox.launch().unwrap();
    start(&control);
    let monitor = control.state().monitor_pid;
    let n_before = n_descriptors(monitor);

    for _ in 0..1_000 {
        drop(attach(&control, ALL));
        wait_for(&control, |event| {
            matches!(event, Event::AttachEnded { .. }).then_some(())
        });
    }

    assert_eq!(n_descriptors(monitor), n_before);
    kill(&control);
}

fn bytes_logged(sandbox: &Sandbox) -> u64 {
    // The number of the newest file counts too: old ones are rotated away.
    let files = fs::read_dir(sandbox.bundle.log()).unwrap().flatten();
    let newest = files.max_by_key(fs::DirEntry::file_name).unwrap();
    let number: u64 = newest.file_name().to_str().unwrap().parse().unwrap();
    number * sandbox.spec.log.max_bytes + newest.metadata().map_or(0, |metadata| metadata.len())
        - sandbox.spec.log.max_bytes
}

fn wait_until_still(read: impl Fn() -> u64) -> u64 {
    let mut last = read();
    let mut since = Instant::now();
    while last == 0 || since.elapsed() < Duration::from_millis(300) {
        let now = read();
        if now != last {
            (last, since) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    last
}

fn n_descriptors(pid: i32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

fn resident_kib(pid: i32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = rollup
        .lines()
        .find(|line| line.starts_with("Pss:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
