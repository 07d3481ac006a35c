//! The engine dies and comes back: containers do not notice.

use std::fs;
use std::process::Command;
use std::time::Duration;

use engine_api::containers::{ContainerConfig, HostConfig};
use engine_api::execs::ExecCreateBody;
use engine_api::filter::Filters;
use engine_client::{EventOptions, LogOptions, RemoveOptions};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::rig::{Rig, until};

#[tokio::test]
async fn a_killed_engine_finds_its_containers_as_they_are() {
    let mut rig = Rig::new().await;
    let counting = "i=0; while true; do echo $i; i=$((i+1)); sleep 0.01; done";
    let lives = rig.run("lives", counting).await;
    let asked = "trap 'exit 3' TERM; echo ready; while true; do sleep 0.1; done";
    let ends = rig.run("ends", asked).await;
    until("it listens", async || {
        rig.logs(&ends, LogOptions::default()).await == "ready\n"
    })
    .await;
    let pid = rig.client.container(&ends).await.unwrap().state.pid;
    rig.create("waits", "true").await;
    let before = rig.client.container(&lives).await.unwrap().state;

    rig.signal_engine(Signal::SIGKILL);
    // Not before: what the engine has told itself is not told again.
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    let exit = rig.path(&format!("d/containers/{ends}/exit.json"));
    until("the other one has ended", async || exit.exists()).await;
    rig.start().await;

    let after = rig.client.container(&lives).await.unwrap().state;
    assert_eq!(
        (after.pid, &after.started_at),
        (before.pid, &before.started_at)
    );
    let state = rig.client.container(&ends).await.unwrap().state;
    assert_eq!((state.status.as_str(), state.exit_code), ("exited", 3));
    assert_eq!(
        rig.client.container("waits").await.unwrap().state.status,
        "created"
    );
    let lines = rig.logs(&lives, LogOptions::default()).await;
    for (n, line) in lines.lines().enumerate() {
        assert_eq!(line, n.to_string(), "a line is missing");
    }
    let options = EventOptions {
        since: Some("1".to_owned()),
        until: None,
        filters: Filters::default().with("event", "die"),
    };
    let mut events = rig.client.events(&options).await.unwrap();
    assert_eq!(events.next().await.unwrap().unwrap().actor.id, ends);
    drop(events);

    rig.client.stop_container(&lives, Some(0)).await.unwrap();
    rig.end().await;
}

#[tokio::test]
async fn a_container_that_should_go_by_itself_goes_although_nobody_was_there() {
    let mut rig = Rig::new().await;
    let host = HostConfig {
        auto_remove: true,
        ..HostConfig::default()
    };
    let id = rig
        .create_with("brief", "sleep 1000", ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    let pid = rig.client.container(&id).await.unwrap().state.pid;
    rig.signal_engine(Signal::SIGKILL);
    // Not before: an engine that sees the end removes the container itself.
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
    let exit = rig.path(&format!("d/containers/{id}/exit.json"));
    until("it has ended", async || exit.exists()).await;
    rig.start().await;
    until("it is gone", async || {
        rig.client.container(&id).await.is_err()
    })
    .await;
    rig.end().await;
}

#[tokio::test]
async fn a_stopped_engine_leaves_containers_running_and_ends_its_streams() {
    let mut rig = Rig::new().await;
    let id = rig.run("lives", "sleep 100").await;
    let follow = LogOptions {
        follow: true,
        stdout: true,
        ..LogOptions::default()
    };
    let mut stream = rig.client.container_logs(&id, &follow).await.unwrap();
    rig.signal_engine(Signal::SIGTERM);
    assert!(!matches!(stream.next().await, Ok(Some(_))));
    rig.start().await;
    assert!(rig.client.container(&id).await.unwrap().state.running);
    rig.end().await;
}

#[tokio::test]
async fn a_lost_monitor_is_noticed_and_what_it_left_is_ended() {
    let rig = Rig::new().await;
    let id = rig.run("orphan", "sleep 100").await;
    let pid = rig.client.container(&id).await.unwrap().state.pid;
    kill(monitor_of(pid), Signal::SIGKILL).unwrap();
    until("the engine has noticed", async || {
        !rig.client.container(&id).await.unwrap().state.running
    })
    .await;
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!(state.exit_code, 255);
    assert!(
        state.error.contains("its monitor is gone"),
        "{}",
        state.error
    );
    rig.end().await;
}

#[tokio::test]
async fn a_monitor_that_does_not_answer_costs_its_container_nothing() {
    let mut rig = Rig::new().await;
    let id = rig.run("lives", "sleep 1000").await;
    let before = rig.client.container(&id).await.unwrap().state;
    let monitor = monitor_of(before.pid);
    kill(monitor, Signal::SIGSTOP).unwrap();
    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;

    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!(
        (state.running, state.pid, &state.started_at),
        (true, before.pid, &before.started_at)
    );
    let body = ExecCreateBody {
        cmd: Some(vec!["true".to_owned()]),
        ..ExecCreateBody::default()
    };
    let exec = rig.client.create_exec(&id, &body).await.unwrap();
    let refused = rig.client.start_exec_detached(&exec).await.unwrap_err();
    assert!(refused.to_string().contains("does not answer"), "{refused}");

    kill(monitor, Signal::SIGCONT).unwrap();
    until("it answers again", async || {
        rig.log().contains("a monitor answers again")
    })
    .await;
    assert_eq!(rig.exec_text(&id, "echo well").await, "well\n");
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!(
        (state.pid, &state.started_at),
        (before.pid, &before.started_at)
    );
    rig.client.stop_container(&id, Some(0)).await.unwrap();
    rig.end().await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_and_no_end_is_missed() {
    let rig = Rig::new().await;
    let id = rig.run("lives", "sleep 1000").await;
    let pid = rig.client.container(&id).await.unwrap().state.pid;
    let body = ExecCreateBody {
        cmd: Some(
            ["sh", "-c", "until test -e /go; do sleep 0.02; done; exit 7"]
                .map(str::to_owned)
                .to_vec(),
        ),
        ..ExecCreateBody::default()
    };
    let exec = rig.client.create_exec(&id, &body).await.unwrap();
    rig.client.start_exec_detached(&exec).await.unwrap();

    for n in 1..=3 {
        // Whoever calls last has the monitor's ear: the engine's own connection is ended.
        let socket = rig.path(&format!("r/containers/{}/monitor.sock", &id[..12]));
        let other = engine_sys::socket::connect(&socket).unwrap();
        until("the engine has called again", async || {
            rig.log().matches("a monitor answers again").count() == n
        })
        .await;
        drop(other);
    }
    assert_eq!(rig.exec_text(&id, "touch /go; echo done").await, "done\n");
    until("its end is known", async || {
        rig.client.exec(&exec).await.unwrap().exit_code == Some(7)
    })
    .await;
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!((state.running, state.pid), (true, pid));
    rig.end().await;
}

#[tokio::test]
async fn a_container_whose_monitor_hangs_can_be_removed_and_holds_nobody_up() {
    let rig = Rig::new().await;
    let id = rig.run("hangs", "sleep 1000").await;
    let pid = rig.client.container(&id).await.unwrap().state.pid;
    kill(monitor_of(pid), Signal::SIGSTOP).unwrap();

    let force = RemoveOptions {
        force: true,
        ..RemoveOptions::default()
    };
    let client = rig.client.clone();
    let others = async {
        loop {
            let answer = tokio::time::timeout(Duration::from_secs(10), client.ping());
            answer.await.expect("others are served").unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        removed = rig.client.remove_container(&id, force) => removed.unwrap(),
        () = others => {}
    }
    assert!(
        fs::read_link(format!("/proc/{pid}/exe")).is_err(),
        "it is dead"
    );
    rig.end().await;
}

/// Returns the process that watches a container's program.
fn monitor_of(pid: i32) -> Pid {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t"));
    Pid::from_raw(parent.unwrap().parse().unwrap())
}

#[tokio::test]
async fn a_damaged_image_takes_nothing_from_its_containers() {
    let mut rig = Rig::new().await;
    let id = rig.run("lives", "sleep 1000").await;
    let image = rig.client.container(&id).await.unwrap().image;
    let config = rig
        .path("d/images/blobs/sha256")
        .join(&image["sha256:".len()..]);
    let whole = fs::read(&config).unwrap();
    let mut flipped = whole.clone();
    flipped[0] ^= 1;
    rig.signal_engine(Signal::SIGKILL);
    fs::write(&config, flipped).unwrap();
    rig.start().await;

    assert!(
        rig.client.image("busybox").await.is_err(),
        "it cannot be read"
    );
    assert_eq!(rig.exec_text(&id, "echo still here").await, "still here\n");
    rig.client.stop_container(&id, Some(0)).await.unwrap();
    rig.client.start_container(&id).await.unwrap();

    rig.signal_engine(Signal::SIGTERM);
    fs::write(&config, whole).unwrap();
    rig.start().await;
    rig.client.image("busybox").await.unwrap();
    rig.end().await;
}

#[tokio::test]
async fn a_leftover_that_cannot_be_deleted_does_not_keep_the_engine_from_starting() {
    let mut rig = Rig::new().await;
    let id = rig.create("stays", "true").await;
    rig.signal_engine(Signal::SIGTERM);
    let leftover = rig.path("d/containers/.removing-0123");
    fs::create_dir(&leftover).unwrap();
    let file = leftover.join("hosts");
    fs::write(&file, "").unwrap();
    let chattr = |flag: &str| {
        let done = Command::new("chattr").arg(flag).arg(&file).status();
        assert!(done.unwrap().success(), "chattr {flag}");
    };
    chattr("+i");
    rig.start().await;
    let name = rig.client.container(&id).await.unwrap().name;
    chattr("-i");

    assert_eq!(name, "/stays");
    assert!(rig.log().contains("is still there"), "{}", rig.log());
    rig.signal_engine(Signal::SIGTERM);
    rig.start().await;
    assert!(!leftover.exists());
    rig.end().await;
}
