//! Attach, exec and logs.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use engine_api::containers::{ContainerConfig, HostConfig, WaitCondition};
use engine_api::execs::{ExecCreateBody, ExecStartBody};
use engine_client::{AttachOptions, LogOptions};
use nix::sys::inotify::{InitFlags, Inotify};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::rig::{Rig, read_all, read_until, until};

fn all_streams() -> AttachOptions {
    AttachOptions {
        stdin: true,
        stdout: true,
        stderr: true,
        ..AttachOptions::default()
    }
}

fn exec(words: &[&str]) -> ExecCreateBody {
    ExecCreateBody {
        attach_stdin: true,
        attach_stdout: true,
        attach_stderr: true,
        cmd: Some(words.iter().map(ToString::to_string).collect()),
        ..ExecCreateBody::default()
    }
}

#[tokio::test]
async fn attached_before_the_start_nothing_is_missed_and_input_ends_by_half_close() {
    let rig = Rig::new().await;
    let config = ContainerConfig {
        open_stdin: true,
        stdin_once: true,
        ..ContainerConfig::default()
    };
    let script = "echo first; cat; echo gone >&2; exit 6";
    let id = rig
        .create_with("pipe", script, config, HostConfig::default())
        .await;
    let attached = rig
        .client
        .attach_container(&id, &all_streams())
        .await
        .unwrap();
    let (mut input, output) = attached.split();

    rig.client.start_container(&id).await.unwrap();
    input.write(b"typed\n").await.unwrap();
    input.close().await.unwrap();

    let (out, err) = read_all(output).await;
    assert_eq!((out.as_str(), err.as_str()), ("first\ntyped\n", "gone\n"));
    let answer = rig
        .client
        .wait_container(&id, WaitCondition::NotRunning)
        .await
        .unwrap();
    assert_eq!(answer.status_code, 6);
    rig.end().await;
}

#[tokio::test]
async fn a_terminal_has_a_size_and_the_detach_keys_leave_it_running() {
    let rig = Rig::new().await;
    let config = ContainerConfig {
        tty: true,
        open_stdin: true,
        ..ContainerConfig::default()
    };
    let id = rig
        .create_with("tty", "exec sh", config, HostConfig::default())
        .await;
    let attached = rig
        .client
        .attach_container(&id, &all_streams())
        .await
        .unwrap();
    let (mut input, mut output) = attached.split();
    rig.client.start_container(&id).await.unwrap();
    rig.client.resize_container(&id, 31, 97).await.unwrap();

    input.write(b"stty size\n").await.unwrap();
    read_until(&mut output, "31 97").await;
    input.write(b"\x10\x11").await.unwrap();
    let (rest, _) = read_all(output).await;

    assert!(rest.ends_with("read escape sequence\r\n"), "{rest:?}");
    assert!(rig.client.container(&id).await.unwrap().state.running);
    rig.end().await;
}

#[tokio::test]
async fn a_command_inside_has_its_own_streams_and_code() {
    let rig = Rig::new().await;
    let id = rig.run("base", "sleep 100").await;
    let asked = ExecCreateBody {
        env: vec!["WORD=hi".to_owned()],
        user: "web".to_owned(),
        working_dir: "/tmp".to_owned(),
        ..exec(&[
            "sh",
            "-c",
            "echo $WORD; pwd; id -un; cat; echo err >&2; exit 5",
        ])
    };
    let exec_id = rig.client.create_exec(&id, &asked).await.unwrap();
    let session = rig
        .client
        .start_exec(&exec_id, &ExecStartBody::default())
        .await
        .unwrap();
    let (mut input, output) = session.split();
    input.write(b"piped\n").await.unwrap();
    input.close().await.unwrap();
    let (out, err) = read_all(output).await;
    assert_eq!(
        (out.as_str(), err.as_str()),
        ("hi\n/tmp\nweb\npiped\n", "err\n")
    );

    let known = rig.client.exec(&exec_id).await.unwrap();
    assert_eq!((known.running, known.exit_code), (false, Some(5)));
    let again = rig
        .client
        .start_exec(&exec_id, &ExecStartBody::default())
        .await
        .unwrap_err();
    assert!(again.to_string().contains("has already run"), "{again}");
    rig.end().await;
}

#[tokio::test]
async fn a_command_that_is_not_there_says_so_in_its_stream() {
    let rig = Rig::new().await;
    let id = rig.run("base", "sleep 100").await;
    for (words, code, says) in [
        (&["nope"][..], 127, "executable file not found"),
        (&["/etc/passwd"][..], 126, "permission denied"),
    ] {
        let exec_id = rig.client.create_exec(&id, &exec(words)).await.unwrap();
        let session = rig
            .client
            .start_exec(&exec_id, &ExecStartBody::default())
            .await
            .unwrap();
        let (_, err) = read_all(session.output).await;
        assert!(err.contains(says), "{err}");
        assert_eq!(
            rig.client.exec(&exec_id).await.unwrap().exit_code,
            Some(code)
        );
    }
    rig.end().await;
}

#[tokio::test]
async fn a_command_in_a_container_full_of_processes_is_answered() {
    let rig = Rig::new().await;
    let host = HostConfig {
        pids_limit: Some(3),
        ..HostConfig::default()
    };
    let full = "sleep 1000 & sleep 1000 & echo full; wait";
    let id = rig
        .create_with("full", full, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    let said = async || rig.logs(&id, LogOptions::default()).await;
    until("it is full", async || said().await == "full\n").await;
    let exec_id = rig.client.create_exec(&id, &exec(&["true"])).await.unwrap();

    // Version 2 refuses the process, version 1 lets it in: either way somebody says so.
    let start = ExecStartBody::default();
    let started = rig.client.start_exec(&exec_id, &start);
    let started = tokio::time::timeout(Duration::from_secs(10), started).await;
    match started.expect("an answer") {
        Ok(attached) => assert_eq!(read_all(attached.output).await.0, ""),
        Err(error) => assert!(error.to_string().contains("temporarily"), "{error}"),
    }
    assert!(!rig.client.exec(&exec_id).await.unwrap().running);
    rig.client.stop_container(&id, Some(0)).await.unwrap();
    rig.end().await;
}

#[tokio::test]
async fn a_detached_command_runs_on() {
    let rig = Rig::new().await;
    let id = rig.run("base", "sleep 100").await;
    let exec_id = rig
        .client
        .create_exec(&id, &exec(&["sleep", "100"]))
        .await
        .unwrap();
    rig.client.start_exec_detached(&exec_id).await.unwrap();
    let known = rig.client.exec(&exec_id).await.unwrap();
    assert_eq!((known.running, known.exit_code), (true, None));
    assert!(known.pid > 0);

    rig.client.kill_container(&id, None).await.unwrap();
    assert_eq!(
        rig.client.exec(&exec_id).await.unwrap().exit_code,
        Some(137)
    );
    rig.end().await;
}

#[tokio::test]
async fn logs_are_chosen_by_tail_and_time() {
    let rig = Rig::new().await;
    let id = rig
        .run(
            "chatty",
            "for i in 1 2 3; do echo line $i; done; printf tail",
        )
        .await;
    rig.client
        .wait_container(&id, WaitCondition::NotRunning)
        .await
        .unwrap();

    let all = rig.logs(&id, LogOptions::default()).await;
    assert_eq!(all, "line 1\nline 2\nline 3\ntail");
    let last = rig
        .logs(
            &id,
            LogOptions {
                tail: Some(2),
                ..LogOptions::default()
            },
        )
        .await;
    assert_eq!(last, "line 3\ntail");
    let stamped = LogOptions {
        timestamps: true,
        tail: Some(2),
        ..LogOptions::default()
    };
    let stamped = rig.logs(&id, stamped).await;
    let (time, text) = stamped.lines().next().unwrap().split_once(' ').unwrap();
    assert_eq!(
        (time.len(), text),
        ("2026-01-01T00:00:00.000000000Z".len(), "line 3")
    );
    let later = LogOptions {
        since: Some("4000000000".to_owned()),
        ..LogOptions::default()
    };
    assert_eq!(rig.logs(&id, later).await, "");
    let error = rig
        .client
        .container_logs(&id, &LogOptions::default())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("you must choose at least one stream"),
        "{error}"
    );
    rig.end().await;
}

#[tokio::test]
async fn followed_logs_come_as_they_are_written_and_end_with_the_container() {
    let rig = Rig::new().await;
    let script = "echo one; while ! test -e /tmp/go; do sleep 0.02; done; echo two";
    let id = rig.run("slow", script).await;
    let options = LogOptions {
        follow: true,
        stdout: true,
        ..LogOptions::default()
    };
    let mut stream = rig.client.container_logs(&id, &options).await.unwrap();
    assert_eq!(&stream.next().await.unwrap().unwrap().bytes[..], b"one\n");

    let touch = rig
        .client
        .create_exec(&id, &exec(&["touch", "/tmp/go"]))
        .await
        .unwrap();
    rig.client.start_exec_detached(&touch).await.unwrap();
    assert_eq!(&stream.next().await.unwrap().unwrap().bytes[..], b"two\n");
    assert_eq!(stream.next().await.unwrap(), None);
    rig.end().await;
}

#[tokio::test]
async fn an_attached_client_that_never_reads_does_not_hold_up_kill_and_remove() {
    let rig = Rig::new().await;
    let id = rig
        .create(
            "loud",
            "while true; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
        )
        .await;
    let attached = rig
        .client
        .attach_container(&id, &all_streams())
        .await
        .unwrap();
    rig.client.start_container(&id).await.unwrap();
    until("the log has grown", async || {
        !rig.logs(
            &id,
            LogOptions {
                tail: Some(1),
                ..LogOptions::default()
            },
        )
        .await
        .is_empty()
    })
    .await;

    let force = engine_client::RemoveOptions {
        force: true,
        volumes: false,
    };
    let removed = rig.client.remove_container(&id, force);
    tokio::time::timeout(std::time::Duration::from_secs(10), removed)
        .await
        .unwrap()
        .unwrap();
    drop(attached);
    rig.end().await;
}

#[tokio::test]
async fn a_follower_misses_nothing_when_the_kernel_watches_no_more() {
    let rig = Rig::new().await;
    let script = "echo one; until test -e /go; do sleep 0.02; done; echo two";
    let id = rig.run("talks", script).await;
    let options = LogOptions {
        follow: true,
        stdout: true,
        ..LogOptions::default()
    };
    // Each user may watch so many things; this one takes all that are left, for a moment.
    let all = take_all_notices();
    let mut log = rig.client.container_logs(&id, &options).await.unwrap();
    drop(all);
    assert_eq!(
        log.next().await.unwrap().unwrap().bytes,
        "one
"
    );
    rig.exec_text(&id, "touch /go").await;
    assert_eq!(
        log.next().await.unwrap().unwrap().bytes,
        "two
"
    );
    assert!(log.next().await.unwrap().is_none());
    rig.end().await;
}

#[tokio::test]
async fn a_client_that_goes_while_its_input_waits_is_noticed() {
    let rig = Rig::new().await;
    let config = ContainerConfig {
        open_stdin: true,
        ..ContainerConfig::default()
    };
    let id = rig
        .create_with("deaf", "sleep 1000", config, HostConfig::default())
        .await;
    rig.client.start_container(&id).await.unwrap();
    let fds = format!("/proc/{}/fd", rig.engine_pid());
    let n_fds = || std::fs::read_dir(&fds).unwrap().count();
    let before = n_fds();

    let mut client = UnixStream::connect(rig.path("s")).unwrap();
    let ask = format!("POST /containers/{id}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1");
    let upgrade = "Host: x\r\nConnection: Upgrade\r\nUpgrade: tcp";
    write!(client, "{ask}\r\n{upgrade}\r\n\r\n").unwrap();
    assert!(client.read(&mut [0; 1024]).unwrap() > 0);
    assert!(n_fds() > before + 1, "it is attached");
    let patience = Duration::from_millis(500);
    client.set_write_timeout(Some(patience)).unwrap();
    // Until nothing fits any more, all the way to the program.
    while client.write(&[0; 64 << 10]).is_ok() {}
    drop(client);

    until("nothing of it is left", async || n_fds() <= before + 1).await;
    rig.end().await;
}

fn take_all_notices() -> Vec<Inotify> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let mut all = Vec::new();
    while let Ok(one) = Inotify::init(InitFlags::IN_CLOEXEC) {
        all.push(one);
    }
    let own = u64::try_from(all.len()).unwrap();
    assert!(
        own < most / 2,
        "the user may watch more than this process may open"
    );
    all
}
