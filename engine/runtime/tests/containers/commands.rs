//! Execs: further processes in a container that runs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::Instant;

use engine_runtime::{Control, Event, Request, Rlimit};

use crate::sandbox::{LIMIT, Sandbox, exec, kill, process, run_exec, start, unframe, wait_for};

fn sleeper() -> (Sandbox, Control) {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    start(&control);
    (sandbox, control)
}

#[test]
fn a_command_runs_inside() {
    let (_sandbox, control) = sleeper();

    let script = "hostname; ps; echo $HOME; pwd; echo error >&2; exit 4";
    let (output, code) = run_exec(&control, "one", process(&["/bin/sh", "-c", script]));

    assert_eq!(code, 4, "{output}");
    assert!(output.starts_with("box\n"), "{output}");
    assert!(output.contains("sleep 1000"), "{output}");
    assert!(
        output.contains("/root\n/\n") && output.contains("error\n"),
        "{output}"
    );
}

#[test]
fn a_command_takes_input_to_its_end() {
    let (_sandbox, control) = sleeper();
    let mut wc = process(&["/bin/wc", "-c"]);
    wc.open_stdin = true;

    let mut viewer = exec(&control, "wc", wc);
    viewer.write_all(&vec![b'x'; 1 << 20]).unwrap();
    viewer.shutdown(Shutdown::Write).unwrap();

    let mut bytes = Vec::new();
    viewer.read_to_end(&mut bytes).unwrap();
    assert_eq!(unframe(&bytes), "1048576\n");
}

#[test]
fn all_output_of_a_command_arrives() {
    let (_sandbox, control) = sleeper();

    let count = process(&["/bin/seq", "1", "100000"]);
    let mut viewer = exec(&control, "count", count);

    let mut bytes = Vec::new();
    viewer.read_to_end(&mut bytes).unwrap();
    let text = unframe(&bytes);
    assert_eq!(
        (text.lines().count(), text.lines().last()),
        (100_000, Some("100000"))
    );
}

#[test]
fn a_command_is_held_to_what_the_container_is_held_to() {
    let mut sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    sandbox.spec.process.no_new_privileges = true;
    sandbox.spec.process.rlimits = vec![Rlimit {
        name: "nofile".into(),
        soft: 77,
        hard: 78,
    }];
    sandbox.spec.oom_score_adj = Some(300);
    let control = sandbox.launch().unwrap();
    start(&control);

    let script = "ulimit -n; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status";
    let (output, _) = run_exec(&control, "one", process(&["/bin/sh", "-c", script]));

    assert_eq!(output, "77\n300\nNoNewPrivs:\t1\n");
}

#[test]
fn a_command_that_is_not_there_says_so() {
    let (_sandbox, control) = sleeper();
    for (program, code, message) in [
        (
            "nothing",
            127,
            r#"exec: "nothing": executable file not found in $PATH"#,
        ),
        (
            "/etc/passwd",
            126,
            r#"exec: "/etc/passwd": permission denied"#,
        ),
        (
            "pwd",
            127,
            r#"the working directory "/nowhere" is not there: no such file or directory"#,
        ),
    ] {
        let mut wrong = process(&[program]);
        if program == "pwd" {
            wrong.cwd = "/nowhere".into();
        }
        let request = Request::Exec {
            id: program.into(),
            process: wrong,
            streams: engine_runtime::AttachStreams::default(),
        };
        control.send(&request, &[]).unwrap();

        let told = wait_for(&control, |event| match event {
            Event::ExecFailed {
                message, exit_code, ..
            } => Some((message, exit_code)),
            _ => None,
        });

        assert_eq!(told, (message.to_owned(), code));
    }
}

#[test]
fn a_command_is_in_the_containers_groups_and_ends_with_it() {
    let (sandbox, control) = sleeper();
    let mut long = process(&["/bin/sleep", "1000"]);
    long.env.clear();
    exec(&control, "long", long);
    let pid = wait_for(&control, |event| match event {
        Event::ExecStarted { pid, .. } => Some(pid),
        _ => None,
    });

    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    for line in groups.lines().filter(|line| !line.contains("name=")) {
        assert!(line.ends_with(&sandbox.spec.cgroup), "{line}");
    }

    kill(&control);
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap());
}

#[test]
fn a_thousand_commands_leave_nothing() {
    let (_sandbox, control) = sleeper();
    let monitor = control.state().monitor_pid;
    let count = || fs::read_dir(format!("/proc/{monitor}/fd")).unwrap().count();
    let n_before = count();

    for number in 0..1_000 {
        let (_, code) = run_exec(&control, &number.to_string(), process(&["/bin/true"]));
        assert_eq!(code, 0);
    }

    let deadline = Instant::now() + LIMIT;
    while count() != n_before {
        assert!(
            Instant::now() < deadline,
            "{} descriptors, not {n_before}",
            count()
        );
    }
    let children = format!("/proc/{monitor}/task/{monitor}/children");
    let n_children = || {
        let children = fs::read_to_string(&children).unwrap();
        children.split_whitespace().count()
    };
    while n_children() != 1 {
        assert!(Instant::now() < deadline, "{} children", n_children());
    }
}
