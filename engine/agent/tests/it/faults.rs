//! An engine that dies between two steps: the next one finds no half of anything, and nothing of
//! it is left once the container is removed.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use engine_api::containers::{
    ContainerConfig, CreateBody, HostConfig, RestartPolicy, UpdateBody, WaitCondition,
};
use engine_api::execs::{ExecCreateBody, ExecStartBody};
use engine_client::{CommitOptions, RemoveOptions};

use crate::rig::{Rig, until};

const FORCE: RemoveOptions = RemoveOptions {
    force: true,
    volumes: true,
};

const SCRIPT: &str = "trap 'exit 0' TERM; while true; do sleep 0.02; done";

fn host(policy: &str) -> HostConfig {
    HostConfig {
        restart_policy: RestartPolicy {
            name: policy.to_owned(),
            maximum_retry_count: 0,
        },
        ..HostConfig::default()
    }
}

async fn make(rig: &Rig, policy: &str) -> String {
    rig.create_with("it", SCRIPT, ContainerConfig::default(), host(policy))
        .await
}

/// Returns the state of the container, or nothing when there is none.
async fn status(rig: &Rig) -> Option<String> {
    let container = rig.client.container("it").await.ok();
    container.map(|container| container.state.status)
}

async fn settle(rig: &Rig, wanted: &[&str], place: &str) {
    let mut last = None;
    until(&format!("{place} ends well, as {wanted:?}"), async || {
        last = status(rig).await;
        wanted.contains(&last.as_deref().unwrap_or("absent"))
    })
    .await;
}

#[tokio::test]
async fn a_create_is_whole_or_never_was() {
    let mut rig = Rig::new().await;
    for (place, is_there) in [
        ("create.named", false),
        ("create.dir", false),
        ("create.root", false),
        ("create.record", true),
        ("create.registered", true),
    ] {
        rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        let body = CreateBody {
            config: ContainerConfig {
                image: "busybox".to_owned(),
                cmd: Some(vec!["true".to_owned()]),
                ..ContainerConfig::default()
            },
            ..CreateBody::default()
        };
        let made = rig.client.create_container(Some("it"), &body).await;
        assert!(made.is_err(), "{place}");
        rig.died().await;
        rig.start().await;
        assert_eq!(status(&rig).await.is_some(), is_there, "{place}");
        if is_there {
            rig.client.start_container("it").await.unwrap();
            rig.client.remove_container("it", FORCE).await.unwrap();
        }
        make(&rig, "no").await;
        rig.client.remove_container("it", FORCE).await.unwrap();
    }
    rig.end().await;
}

#[tokio::test]
async fn a_start_is_whole_or_can_be_repeated() {
    let mut rig = Rig::new().await;
    for place in [
        "start.spec",
        "start.marked",
        "start.launched",
        "start.sent",
        "start.running",
    ] {
        make(&rig, "no").await;
        rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        assert!(rig.client.start_container("it").await.is_err(), "{place}");
        rig.died().await;
        rig.start().await;
        settle(&rig, &["created", "running", "exited"], place).await;
        rig.client.start_container("it").await.unwrap();
        assert_eq!(status(&rig).await.as_deref(), Some("running"), "{place}");
        rig.client.remove_container("it", FORCE).await.unwrap();
    }
    rig.end().await;
}

#[tokio::test]
async fn a_stop_is_obeyed_by_the_next_engine_whatever_the_policy_says() {
    let mut rig = Rig::new().await;
    for place in [
        "stop.noted",
        "stop.signalled",
        "end.heard",
        "end.put_down",
        "end.told",
    ] {
        make(&rig, "unless-stopped").await;
        rig.client.start_container("it").await.unwrap();
        rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        assert!(
            rig.client.stop_container("it", Some(5)).await.is_err(),
            "{place}"
        );
        rig.died().await;
        rig.start().await;
        // The one whose signal was not sent any more runs on; a person asks once more.
        settle(&rig, &["running", "exited"], place).await;
        rig.client.stop_container("it", Some(5)).await.unwrap();
        assert_eq!(status(&rig).await.as_deref(), Some("exited"), "{place}");
        until("it is put down who asked", async || {
            let stop = rig.client.container("it").await.unwrap().gantry.last_stop;
            stop.is_some_and(|stop| stop.asked_by.is_some_and(|asked| asked.verb == "stop"))
        })
        .await;
        rig.client.remove_container("it", FORCE).await.unwrap();
    }
    rig.end().await;
}

#[tokio::test]
async fn an_end_that_a_policy_answers_is_answered_by_the_next_engine() {
    let mut rig = Rig::new().await;
    for place in ["end.heard", "end.put_down", "end.told"] {
        make(&rig, "always").await;
        rig.client.start_container("it").await.unwrap();
        rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        let pid = rig.client.container("it").await.unwrap().state.pid;
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(pid),
            nix::sys::signal::Signal::SIGTERM,
        )
        .unwrap();
        rig.died().await;
        rig.start().await;
        settle(&rig, &["running"], place).await;
        rig.client.remove_container("it", FORCE).await.unwrap();
    }
    rig.end().await;
}

#[tokio::test]
async fn a_removed_container_is_gone_or_still_there() {
    let mut rig = Rig::new().await;
    for (place, is_there) in [
        ("remove.begun", true),
        ("remove.retired", false),
        ("remove.told", false),
    ] {
        make(&rig, "no").await;
        rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        assert!(
            rig.client.remove_container("it", FORCE).await.is_err(),
            "{place}"
        );
        rig.died().await;
        rig.start().await;
        assert_eq!(status(&rig).await.is_some(), is_there, "{place}");
        if is_there {
            rig.client.remove_container("it", FORCE).await.unwrap();
        }
    }
    rig.end().await;
}

/// Everything on the disk that belongs to images: content, layers, and what is half written.
fn of_images(rig: &Rig) -> BTreeSet<PathBuf> {
    let dirs = [
        "images/blobs/sha256",
        "images/blobs/tmp",
        "layers",
        "layers/tmp",
    ];
    let dirs = dirs.map(|dir| rig.path("d").join(dir));
    let entries = dirs.iter().flat_map(|dir| fs::read_dir(dir).unwrap());
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_commit_is_whole_or_never_was_and_nothing_stands_still_for_it() {
    let mut rig = Rig::new().await;
    let id = make(&rig, "no").await;
    rig.client.start_container(&id).await.unwrap();
    rig.inside(&id, "echo mine > /root/f").await;
    let pid = rig.client.container(&id).await.unwrap().state.pid;
    let before = of_images(&rig);
    for (place, is_there) in [
        ("commit.marked", Some(false)),
        ("commit.paused", Some(false)),
        ("commit.writing", Some(false)),
        ("commit.read", Some(false)),
        // It goes on while its image is being kept: which is first, nobody knows.
        ("commit.unpaused", None),
        ("commit.kept", Some(false)),
        ("commit.unpacked", Some(false)),
        ("commit.listed", Some(true)),
        ("commit.told", Some(true)),
    ] {
        rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        let options = CommitOptions {
            repository: Some("made".to_owned()),
            ..CommitOptions::default()
        };
        let made = rig.client.commit_container(&id, &options).await;
        assert!(made.is_err(), "{place}");
        rig.died().await;
        rig.start().await;

        settle(&rig, &["running"], place).await;
        assert_eq!(rig.client.container(&id).await.unwrap().state.pid, pid);
        until("no mark is left", async || {
            fs::read_dir(rig.path("r/commits"))
                .unwrap()
                .next()
                .is_none()
        })
        .await;
        let found = rig.client.image("made").await.is_ok();
        assert_eq!(is_there.unwrap_or(found), found, "{place}");
        if found {
            let words = ContainerConfig::default();
            let again = rig.create_image("again", "made", Some("grep -qx mine /root/f"), words);
            let again = again.await;
            rig.client.start_container(&again).await.unwrap();
            let ended = rig.client.wait_container(&again, WaitCondition::NotRunning);
            assert_eq!(ended.await.unwrap().status_code, 0, "{place}");
            rig.client.remove_container(&again, FORCE).await.unwrap();
            rig.client.remove_image("made", false).await.unwrap();
        }
        until(&format!("nothing is left after {place}"), async || {
            of_images(&rig) == before
        })
        .await;
    }
    rig.end().await;
}

#[tokio::test]
async fn an_exec_a_pause_and_an_update_leave_the_container_as_it_was() {
    let mut rig = Rig::new().await;
    let id = make(&rig, "no").await;
    rig.client.start_container("it").await.unwrap();
    let pid = rig.client.container("it").await.unwrap().state.pid;
    for (place, most_processes) in [
        ("exec.sent", 0),
        ("exec.begun", 0),
        ("pause.frozen", 0),
        ("update.marked", 71),
        ("update.recorded", 72),
        ("update.applied", 73),
    ] {
        rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        match place.split('.').next().unwrap() {
            "exec" => {
                let asked = ExecCreateBody {
                    cmd: Some(vec!["true".to_owned()]),
                    ..ExecCreateBody::default()
                };
                let exec = rig.client.create_exec("it", &asked).await.unwrap();
                let start = ExecStartBody {
                    detach: true,
                    ..ExecStartBody::default()
                };
                // A start without streams is not spoken of here: only that the engine dies of it.
                drop(rig.client.start_exec(&exec, &start).await);
            }
            "pause" => assert!(rig.client.pause_container("it").await.is_err()),
            _ => {
                let body = UpdateBody {
                    pids_limit: Some(most_processes),
                    ..UpdateBody::default()
                };
                assert!(rig.client.update_container("it", &body).await.is_err());
            }
        }
        rig.died().await;
        rig.start().await;
        if place == "pause.frozen" {
            assert_eq!(status(&rig).await.as_deref(), Some("paused"));
            rig.client.unpause_container("it").await.unwrap();
        }
        let container = rig.client.container("it").await.unwrap();
        assert_eq!(
            (container.state.pid, container.state.running),
            (pid, true),
            "{place}"
        );
        if place == "update.recorded" || place == "update.applied" {
            assert_eq!(container.host_config().pids_limit, Some(most_processes));
            let told = || rig.limit(&id, "pids/pids.max", "pids.max");
            until("the limit is told once more", async || {
                told() == most_processes.to_string()
            })
            .await;
        }
    }
    rig.end().await;
}
