//! Programs with a terminal.

use std::io::{Read as _, Write as _};

use engine_runtime::{Event, Request, Target, TerminalSize};

use crate::sandbox::{ALL, Sandbox, attach, exec, process, start, wait_for, wait_for_exit};

fn with_terminal(script: &str) -> Sandbox {
    let mut sandbox = Sandbox::shell(script);
    sandbox.spec.process.terminal = true;
    sandbox.spec.process.open_stdin = true;
    sandbox.spec.process.size = Some(TerminalSize {
        rows: 33,
        columns: 99,
    });
    sandbox
}

#[test]
fn a_terminal_is_the_containers_own() {
    let sandbox = with_terminal(
        "tty; stty size; ls -l /dev/console | head -c 1; echo; exec 3<>/dev/console && echo works >&3",
    );

    let (output, record) = sandbox.run();

    assert_eq!(record.code, 0, "{output}");
    assert_eq!(output, "/dev/pts/0\r\n33 99\r\nc\r\nworks\r\n");
}

#[test]
fn a_terminal_echoes_resizes_and_interrupts() {
    let sandbox = with_terminal(
        "stty size; trap 'echo caught; exit 3' INT; while read line; do eval \"$line\"; done",
    );
    let control = sandbox.launch().unwrap();
    let mut viewer = attach(&control, ALL);
    start(&control);
    expect(&mut viewer, "33 99\r\n");

    let size = TerminalSize {
        rows: 10,
        columns: 20,
    };
    control
        .send(
            &Request::Resize {
                target: Target::Init,
                size,
            },
            &[],
        )
        .unwrap();
    wait_for(&control, |event| {
        matches!(event, Event::Done { seq: 3, .. }).then_some(())
    });
    viewer.write_all(b"stty size\n").unwrap();
    expect(&mut viewer, "stty size\r\n10 20\r\n");
    viewer.write_all(b"\x03").unwrap();
    expect(&mut viewer, "^Ccaught\r\n");

    assert_eq!(wait_for_exit(&control).code, 3);
}

#[test]
fn a_shell_in_a_running_container_has_a_terminal_too() {
    let sandbox = Sandbox::new(&["/bin/sleep", "100"]);
    let control = sandbox.launch().unwrap();
    start(&control);
    let script = "while read line; do eval \"$line\"; done";
    let mut shell = process(&["/bin/sh", "-c", script]);
    shell.terminal = true;
    shell.open_stdin = true;
    shell.size = Some(TerminalSize {
        rows: 5,
        columns: 50,
    });

    let mut viewer = exec(&control, "shell", shell);
    viewer.write_all(b"tty; stty size\n").unwrap();
    expect(&mut viewer, "/dev/pts/0\r\n5 50\r\n");
    let size = TerminalSize {
        rows: 6,
        columns: 60,
    };
    let target = Target::Exec("shell".into());
    control
        .send(&Request::Resize { target, size }, &[])
        .unwrap();
    wait_for(&control, |event| {
        matches!(event, Event::Done { seq: 3, .. }).then_some(())
    });
    viewer.write_all(b"stty size; exit 9\n").unwrap();
    expect(&mut viewer, "6 60\r\n");
    let code = wait_for(&control, |event| match event {
        Event::ExecExited { code, .. } => Some(code),
        _ => None,
    });
    assert_eq!(code, 9);
}

/// Reads until the text ends with what is expected.
fn expect(viewer: &mut std::os::unix::net::UnixStream, end: &str) {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut byte = [0];
        let read = viewer.read(&mut byte);
        assert!(
            matches!(read, Ok(1)),
            "{end:?} did not come after {:?}",
            String::from_utf8_lossy(&text)
        );
        text.push(byte[0]);
    }
}
