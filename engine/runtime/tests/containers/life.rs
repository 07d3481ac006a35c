//! Starting, ending and what is left.

use std::fs;

use engine_runtime::{Event, ExitRecord, Request, Resources, Target};

use crate::sandbox::{Sandbox, kill, start, wait_for, wait_for_exit};

#[test]
fn a_program_runs_and_its_code_is_kept() {
    let sandbox = Sandbox::shell("echo hello; echo wrong >&2; exit 7");

    let (output, record) = sandbox.run();

    assert_eq!(output, "hello\nwrong\n");
    assert_eq!(
        (record.code, record.signal, record.error.clone()),
        (7, None, None)
    );
    assert!(record.started_at_unix_ns <= record.finished_at_unix_ns);
    let kept = fs::read(sandbox.bundle.exit()).unwrap();
    assert_eq!(serde_json::from_slice::<ExitRecord>(&kept).unwrap(), record);
}

#[test]
fn a_killed_program_ends_with_128_and_the_signal() {
    let sandbox = Sandbox::new(&["/bin/sleep", "100"]);
    let control = sandbox.launch().unwrap();
    start(&control);

    let record = kill(&control);

    assert_eq!(
        (record.code, record.signal, record.oom_killed),
        (137, Some(9), false)
    );
}

#[test]
fn a_signal_reaches_the_program() {
    let sandbox = Sandbox::shell("trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done");
    let control = sandbox.launch().unwrap();
    start(&control);
    while !sandbox.output().contains("up") {
        std::thread::yield_now();
    }

    control
        .send(
            &Request::Signal {
                target: Target::Init,
                signal: 15,
            },
            &[],
        )
        .unwrap();

    assert_eq!(wait_for_exit(&control).code, 5);
}

#[test]
fn a_missing_or_unusable_program_says_so_in_dockers_words() {
    for (program, code, message) in [
        (
            "nothing",
            127,
            r#"exec: "nothing": executable file not found in $PATH"#,
        ),
        (
            "/nothing",
            127,
            r#"exec: "/nothing": stat /nothing: no such file or directory"#,
        ),
        (
            "/etc/passwd",
            126,
            r#"exec: "/etc/passwd": permission denied"#,
        ),
        ("/etc", 126, r#"exec: "/etc": is a directory"#),
        ("/etc/broken", 126, "exec /etc/broken: exec format error"),
    ] {
        let mut sandbox = Sandbox::new(&[program]);
        let layer = sandbox.layer();
        fs::create_dir(layer.join("etc")).unwrap();
        fs::write(layer.join("etc/passwd"), "").unwrap();
        fs::write(layer.join("etc/broken"), "\u{7f}ELF").unwrap();
        executable(&layer.join("etc/broken"));
        let control = sandbox.launch().unwrap();
        control.send(&Request::Start, &[]).unwrap();

        let told = wait_for(&control, |event| match event {
            Event::StartFailed { message, exit_code } => Some((message, exit_code)),
            _ => None,
        });

        assert_eq!(told, (message.to_owned(), code), "{program}");
        let kept = fs::read(sandbox.bundle.exit()).unwrap();
        let kept: ExitRecord = serde_json::from_slice(&kept).unwrap();
        assert_eq!((kept.code, kept.error.as_deref()), (code, Some(message)));
    }
}

fn executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn nothing_is_left_after_the_end() {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let sandbox = Sandbox::shell("mount; exit 0");

    sandbox.run();

    assert_eq!(fs::read_to_string("/proc/self/mountinfo").unwrap(), mounts);
    assert!(!sandbox.bundle.run().exists());
    for hierarchy in fs::read_dir("/sys/fs/cgroup").unwrap() {
        let group = hierarchy.unwrap().path().join(&sandbox.spec.cgroup);
        assert!(!group.exists(), "{} is left", group.display());
    }
}

#[test]
fn a_failed_set_up_undoes_everything() {
    let mut sandbox = Sandbox::new(&["/bin/true"]);
    sandbox.spec.root.lower[0] = "/nowhere".into();

    let error = sandbox.launch().unwrap_err().to_string();

    assert!(error.contains("failed to mount the overlay"), "{error}");
    assert!(!sandbox.bundle.run().exists());
    assert!(sandbox.reconnect().is_none());
}

#[test]
fn a_container_can_run_again_with_what_it_changed() {
    let sandbox = Sandbox::shell("cat /tmp/file; echo kept > /tmp/file");

    let (first, _) = sandbox.run();
    let (both, record) = sandbox.run();

    assert!(first.contains("can't open"), "{first}");
    assert_eq!((both.lines().last(), record.code), (Some("kept"), 0));
}

#[test]
fn a_program_that_takes_too_much_memory_is_told_apart() {
    let mut sandbox = Sandbox::shell("dd if=/dev/zero of=/dev/shm/a bs=1M count=60");
    sandbox.spec.resources = Resources {
        memory_bytes: Some(16 << 20),
        memory_swap_bytes: Some(16 << 20),
        ..Resources::default()
    };

    let (_, record) = sandbox.run();

    assert!(record.oom_killed, "{record:?}");
}
