//! `--init`: a first process that hands signals on and buries orphans.

use engine_api::containers::{ContainerConfig, HostConfig, WaitCondition};

use crate::rig::{Rig, until};

fn with_init() -> HostConfig {
    HostConfig {
        init: Some(true),
        ..HostConfig::default()
    }
}

async fn run(rig: &Rig, name: &str, script: &str) -> String {
    let id = rig
        .create_with(name, script, ContainerConfig::default(), with_init())
        .await;
    rig.client.start_container(&id).await.unwrap();
    id
}

#[tokio::test]
async fn the_init_is_first_hands_signals_on_and_ends_with_the_programs_code() {
    let rig = Rig::new().await;
    let script = "trap 'exit 9' TERM; echo ready; while true; do sleep 0.02; done";
    let id = run(&rig, "web", script).await;
    until("it is ready", async || {
        rig.logs(&id, engine_client::LogOptions::default()).await == "ready\n"
    })
    .await;
    let first = rig.exec_text(&id, "tr '\\0' ' ' < /proc/1/cmdline").await;
    assert!(first.starts_with("/sbin/docker-init -- sh -c"), "{first}");
    let written = rig.exec_text(&id, "echo x > /sbin/docker-init").await;
    assert!(written.contains("Read-only"), "{written}");
    rig.client.stop_container(&id, Some(10)).await.unwrap();
    let container = rig.client.container(&id).await.unwrap();
    assert_eq!(container.state.exit_code, 9);
    assert_eq!(container.host_config().init, Some(true));
    rig.end().await;
}

#[tokio::test]
async fn orphans_are_buried() {
    let rig = Rig::new().await;
    // The log says when all three are on their way: before that, few processes prove nothing.
    let script = "for i in 1 2 3; do (sleep 0.05 &) ; done; echo begun; exec sleep 100";
    let id = run(&rig, "web", script).await;
    until("the orphans have begun", async || {
        rig.logs(&id, engine_client::LogOptions::default()).await == "begun\n"
    })
    .await;
    until(
        "only the init and its program are left, dead or alive",
        async || {
            let columns = Some("-eo pid,stat,args");
            let top = rig.client.container_top(&id, columns).await.unwrap();
            top.processes.len() == 2
        },
    )
    .await;
    rig.end().await;
}

#[tokio::test]
async fn among_the_processes_of_others_the_init_still_buries_its_own() {
    let rig = Rig::new().await;
    let donor = rig.run("donor", "sleep 1000").await;
    // The shell between ends before its command does.
    let script = "orphan=$(sh -c 'sleep 1000 >/dev/null & echo $!'); test $PPID -gt 1 && \
                  grep -q \"^PPid:[[:space:]]*$PPID$\" /proc/$orphan/status && echo adopted; \
                  kill $orphan; while test -d /proc/$orphan; do sleep 0.02; done; echo buried";
    for pid_mode in ["host".to_owned(), format!("container:{donor}")] {
        let host = HostConfig {
            pid_mode,
            ..with_init()
        };
        let id = rig
            .create_with("guest", script, ContainerConfig::default(), host)
            .await;
        rig.client.start_container(&id).await.unwrap();
        let wait = rig.client.wait_container(&id, WaitCondition::NotRunning);
        let code = wait.await.unwrap().status_code;
        let log = rig.logs(&id, engine_client::LogOptions::default()).await;
        assert_eq!((log.as_str(), code), ("adopted\nburied\n", 0));
        let force = engine_client::RemoveOptions {
            force: true,
            volumes: true,
        };
        rig.client.remove_container(&id, force).await.unwrap();
    }
    rig.end().await;
}

#[tokio::test]
async fn a_program_that_a_signal_ends_or_that_is_not_there_has_its_code() {
    let rig = Rig::new().await;
    let killed = run(&rig, "killed", "kill -9 $$").await;
    let config = ContainerConfig {
        entrypoint: Some(vec!["/nowhere".to_owned()]),
        ..ContainerConfig::default()
    };
    let absent = rig.create_with("absent", "x", config, with_init()).await;
    rig.client.start_container(&absent).await.unwrap();
    for (id, code) in [(&killed, 137), (&absent, 127)] {
        let wait = rig.client.wait_container(id, WaitCondition::NotRunning);
        assert_eq!(wait.await.unwrap().status_code, code);
    }
    rig.end().await;
}
