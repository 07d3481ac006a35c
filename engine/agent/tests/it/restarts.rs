//! Restart policies: who is started again, when, and what a person's word changes.

use engine_api::containers::{ContainerConfig, HostConfig, RestartPolicy, WaitCondition};
use engine_client::{LogOptions, RemoveOptions};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::rig::{Rig, until};

fn policy(name: &str, max: i64) -> HostConfig {
    HostConfig {
        restart_policy: RestartPolicy {
            name: name.to_owned(),
            maximum_retry_count: max,
        },
        ..HostConfig::default()
    }
}

async fn run(rig: &Rig, name: &str, script: &str, host: HostConfig) -> String {
    let id = rig
        .create_with(name, script, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    id
}

async fn state(rig: &Rig, id: &str) -> (String, u64) {
    let container = rig.client.container(id).await.unwrap();
    (container.state.status, container.restart_count)
}

#[tokio::test]
async fn a_failing_program_is_started_again_so_often_as_its_policy_says() {
    let rig = Rig::new().await;
    let id = run(&rig, "fails", "echo try; exit 3", policy("on-failure", 2)).await;
    let fine = run(&rig, "fine", "exit 0", policy("on-failure", 2)).await;
    until("it has given up", async || {
        state(&rig, &id).await == ("exited".to_owned(), 2)
    })
    .await;
    let log = rig.logs(&id, engine_client::LogOptions::default()).await;
    assert_eq!(log, "try\ntry\ntry\n");
    assert_eq!(state(&rig, &fine).await, ("exited".to_owned(), 0));

    rig.client.start_container(&id).await.unwrap();
    until("it has given up once more", async || {
        state(&rig, &id).await == ("exited".to_owned(), 2)
    })
    .await;
    let log = rig.logs(&id, engine_client::LogOptions::default()).await;
    assert_eq!(log.lines().count(), 6, "a person's start counts anew");
    rig.end().await;
}

#[tokio::test]
async fn one_that_waits_for_its_restart_is_up_and_a_stop_keeps_it_down() {
    let rig = Rig::new().await;
    let id = run(&rig, "loops", "exit 1", policy("always", 0)).await;
    until("it waits long enough to be met", async || {
        // From here on it rests for three seconds and more.
        state(&rig, &id).await.1 >= 5
    })
    .await;
    until("it is met between two runs", async || {
        state(&rig, &id).await.0 == "restarting"
    })
    .await;
    until(
        "it is shown as running, restarting and without a process",
        async || {
            let now = rig.client.container(&id).await.unwrap().state;
            (now.running, now.restarting, now.pid) == (true, true, 0)
        },
    )
    .await;
    // On a slow machine it may run again before it is asked.
    until("a removal meets it between two runs", async || {
        let plain = RemoveOptions::default();
        let removed = rig.client.remove_container(&id, plain).await;
        let said = removed.unwrap_err().to_string();
        said.contains("is restarting: stop")
    })
    .await;
    until("a pause meets it between two runs", async || {
        let paused = rig.client.pause_container(&id).await;
        if paused.is_ok() {
            rig.client.unpause_container(&id).await.unwrap();
        }
        paused.is_err_and(|error| error.to_string().contains("is restarting, wait"))
    })
    .await;

    rig.client.stop_container(&id, None).await.unwrap();
    let (status, count) = state(&rig, &id).await;
    assert_eq!(status, "exited");
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(state(&rig, &id).await, ("exited".to_owned(), count));
    rig.end().await;
}

#[tokio::test]
async fn a_wait_ends_with_the_run_although_the_next_one_follows() {
    let rig = Rig::new().await;
    let id = run(&rig, "loops", "sleep 0.2; exit 5", policy("always", 0)).await;
    for condition in [WaitCondition::NotRunning, WaitCondition::NextExit] {
        let answer = rig.client.wait_container(&id, condition).await.unwrap();
        assert_eq!(answer.status_code, 5);
    }
    rig.end().await;
}

#[tokio::test]
async fn what_a_person_stopped_stays_down_over_an_engine_but_for_always() {
    let mut rig = Rig::new().await;
    let script = "trap 'exit 0' TERM; while true; do sleep 0.05; done";
    let always = run(&rig, "always", script, policy("always", 0)).await;
    let unless = run(&rig, "unless", script, policy("unless-stopped", 0)).await;
    let kept = run(&rig, "kept", script, policy("unless-stopped", 0)).await;
    let none = run(&rig, "none", script, HostConfig::default()).await;
    let killed = run(&rig, "killed", script, policy("always", 0)).await;
    for id in [&always, &unless, &none] {
        rig.client.stop_container(id, None).await.unwrap();
    }
    rig.client.kill_container(&killed, None).await.unwrap();
    assert_eq!(state(&rig, &killed).await.0, "exited", "a kill is a stop");
    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;
    for id in [&always, &killed, &kept] {
        until("it runs", async || state(&rig, id).await.0 == "running").await;
    }
    for id in [&unless, &none] {
        assert_eq!(state(&rig, id).await.0, "exited");
    }
    rig.end().await;
}

#[tokio::test]
async fn an_end_that_no_engine_saw_is_told_and_its_policy_goes_on() {
    let mut rig = Rig::new().await;
    let script = "trap 'exit 7' TERM
        test -e /n || { touch /n; echo ready; while true; do sleep 0.05; done; }; sleep 100";
    let id = run(&rig, "dies", script, policy("on-failure", 5)).await;
    until("it listens", async || {
        rig.logs(&id, LogOptions::default()).await == "ready\n"
    })
    .await;
    let pid = rig.client.container(&id).await.unwrap().state.pid;
    rig.signal_engine(Signal::SIGKILL);
    // Not before: an engine that sees the end starts it again itself.
    kill(Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    let exit = rig.path(&format!("d/containers/{id}/exit.json"));
    until("it has ended", async || exit.exists()).await;
    rig.start().await;
    until("it runs again", async || {
        state(&rig, &id).await == ("running".to_owned(), 1)
    })
    .await;
    let container = rig.client.container(&id).await.unwrap();
    let stop = container.gantry.last_stop.unwrap();
    assert_eq!(stop.exit_code, 7);
    assert_eq!(container.state.finished_at, stop.finished_at);
    rig.end().await;
}

#[tokio::test]
async fn a_host_that_rebooted_gets_its_containers_back() {
    let mut rig = Rig::new().await;
    let id = run(&rig, "serves", "sleep 100", policy("always", 0)).await;
    let plain = run(&rig, "plain", "sleep 100", HostConfig::default()).await;
    let made = rig
        .create_with(
            "made",
            "true",
            ContainerConfig::default(),
            policy("always", 0),
        )
        .await;
    rig.signal_engine(Signal::SIGKILL);
    rig.reboot().await;
    rig.start().await;
    until("it runs again", async || {
        state(&rig, &id).await.0 == "running"
    })
    .await;
    let lost = rig.client.container(&plain).await.unwrap();
    assert_eq!(
        (lost.state.status.as_str(), lost.state.exit_code),
        ("exited", 255)
    );
    assert_eq!(
        state(&rig, &made).await.0,
        "created",
        "it was never started"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_restart_by_hand_keeps_one_that_goes_by_itself() {
    let rig = Rig::new().await;
    let host = HostConfig {
        auto_remove: true,
        ..HostConfig::default()
    };
    let script = "trap 'exit 0' TERM; while true; do sleep 0.05; done";
    let id = run(&rig, "brief", script, host).await;
    rig.client.restart_container(&id, Some(5)).await.unwrap();
    assert_eq!(state(&rig, &id).await.0, "running");
    rig.client.stop_container(&id, Some(5)).await.unwrap();
    until("it is gone", async || {
        rig.client.container(&id).await.is_err()
    })
    .await;
    rig.end().await;
}

#[tokio::test]
async fn a_policy_that_cannot_be_is_refused_in_dockers_words() {
    let rig = Rig::new().await;
    for (host, word) in [
        (policy("sometimes", 0), "unknown policy 'sometimes'"),
        (policy("always", 2), "can only be used with 'on-failure'"),
        (
            HostConfig {
                auto_remove: true,
                ..policy("always", 0)
            },
            "can't create 'AutoRemove' container with restart policy",
        ),
    ] {
        let body = engine_api::containers::CreateBody {
            config: ContainerConfig {
                image: "busybox".to_owned(),
                cmd: Some(vec!["true".to_owned()]),
                ..ContainerConfig::default()
            },
            host_config: host,
            ..Default::default()
        };
        let error = rig.client.create_container(None, &body).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    rig.end().await;
}
