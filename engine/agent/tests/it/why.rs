//! Why did it stop? What inspect says about the last end.

use engine_api::containers::{ContainerConfig, HostConfig, WaitCondition};
use engine_api::ours::{LastStop, StopCause};

use crate::rig::Rig;

async fn last_stop(rig: &Rig, id: &str) -> LastStop {
    let container = rig.client.container(id).await.unwrap();
    container.gantry.last_stop.unwrap()
}

async fn end(rig: &Rig, name: &str, script: &str, host: HostConfig) -> LastStop {
    let id = rig
        .create_with(name, script, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    rig.client
        .wait_container(&id, WaitCondition::NotRunning)
        .await
        .unwrap();
    last_stop(rig, &id).await
}

#[tokio::test]
async fn an_end_by_itself_has_its_code_and_its_last_lines() {
    let rig = Rig::new().await;
    let script = "for i in $(seq 40); do echo $i; done; echo bad >&2; printf unfinished; exit 3";
    let stop = end(&rig, "ends", script, HostConfig::default()).await;
    assert_eq!((stop.cause, stop.exit_code), (StopCause::Exited, 3));
    assert_eq!(stop.words, "ended by itself with code 3");
    assert_eq!(stop.last_lines.len(), 30);
    let has = |stream: &str, text: &str| {
        let mut lines = stop.last_lines.iter();
        lines.any(|line| line.stream == stream && line.text == text)
    };
    assert!(has("stdout", "40") && has("stderr", "bad") && has("stdout", "unfinished"));
    assert_eq!(stop.asked_by, None);
    rig.end().await;
}

#[tokio::test]
async fn an_end_that_somebody_asked_for_names_who_and_how() {
    let rig = Rig::new().await;
    let id = rig
        .run("deaf", "trap '' TERM; while true; do sleep 0.05; done")
        .await;
    let anna = rig.client.on_behalf_of(&engine_api::caller::Caller {
        actor: "anna".to_owned(),
        request_id: "r".to_owned(),
        permission: "container.stop".to_owned(),
        scope: format!("container/{id}"),
    });
    anna.stop_container(&id, Some(1)).await.unwrap();
    let stop = last_stop(&rig, &id).await;
    let asked = stop.asked_by.unwrap();
    assert_eq!(
        (
            asked.verb.as_str(),
            asked.who.as_str(),
            asked.signal.as_str(),
            asked.forced
        ),
        ("stop", "anna", "SIGTERM", true)
    );
    assert_eq!(
        (stop.cause, stop.signal.as_deref()),
        (StopCause::Asked, Some("SIGKILL"))
    );

    let id = rig.run("plain", "sleep 100").await;
    rig.client.kill_container(&id, Some("KILL")).await.unwrap();
    let asked = last_stop(&rig, &id).await.asked_by.unwrap();
    assert_eq!((asked.verb.as_str(), asked.who.as_str()), ("kill", "uid 0"));
    rig.end().await;
}

#[tokio::test]
async fn an_end_for_want_of_memory_has_its_peak_and_its_limit() {
    let rig = Rig::new().await;
    let host = HostConfig {
        memory: 8 << 20,
        ..HostConfig::default()
    };
    let stop = end(&rig, "greedy", "x=a; while true; do x=$x$x; done", host).await;
    assert_eq!(stop.cause, StopCause::Oom);
    assert_eq!(stop.memory_limit_bytes, Some(8 << 20));
    let peak = stop.memory_peak_bytes.unwrap();
    assert!((7 << 20..=8 << 20).contains(&peak), "{peak}");
    rig.end().await;
}

#[tokio::test]
async fn a_start_that_failed_is_told_and_the_container_stays_exited() {
    let rig = Rig::new().await;
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("run");
    std::fs::copy("/usr/bin/busybox", &program).unwrap();
    let host = HostConfig {
        binds: Some(vec![format!("{}:/x", dir.path().display())]),
        ..HostConfig::default()
    };
    let config = ContainerConfig {
        entrypoint: Some(vec!["/x/run".to_owned()]),
        ..ContainerConfig::default()
    };
    let id = rig.create_with("breaks", "exit 0", config, host).await;
    let made = rig.client.container(&id).await.unwrap();
    assert_eq!(made.gantry.last_stop, None);
    rig.client.start_container(&id).await.unwrap();
    rig.client
        .wait_container(&id, WaitCondition::NotRunning)
        .await
        .unwrap();
    assert_eq!(last_stop(&rig, &id).await.cause, StopCause::Exited);
    std::fs::remove_file(&program).unwrap();
    rig.client.start_container(&id).await.unwrap_err();
    let stop = last_stop(&rig, &id).await;
    assert_eq!(stop.cause, StopCause::NotStarted);
    assert!(
        stop.words
            .contains("could not be started: exec: \"/x/run\""),
        "{}",
        stop.words
    );
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!((state.status.as_str(), state.exit_code), ("exited", 127));
    rig.end().await;
}

#[tokio::test]
async fn what_changed_since_the_last_good_run_is_listed() {
    let rig = Rig::new().await;
    let id = rig
        .run("web", "test ! -e /again || exit 1; touch /again")
        .await;
    let wait = async || {
        rig.client
            .wait_container(&id, WaitCondition::NotRunning)
            .await
            .unwrap();
    };
    wait().await;
    assert_eq!(last_stop(&rig, &id).await.exit_code, 0);
    rig.client.rename_container(&id, "site").await.unwrap();
    rig.client.start_container(&id).await.unwrap();
    wait().await;
    let stop = last_stop(&rig, &id).await;
    assert!(stop.good_start_at.is_some());
    let changes: Vec<_> = stop
        .changes
        .iter()
        .map(|change| {
            (
                change.what.as_str(),
                change.before.as_str(),
                change.after.as_str(),
            )
        })
        .collect();
    assert_eq!(changes, [("Name", "web", "site")]);
    rig.end().await;
}
