//! Changing what a container may use while it runs.

use engine_api::containers::{ContainerConfig, HostConfig, RestartPolicy, UpdateBody};

use crate::rig::{Rig, until};

const SCRIPT: &str = "while true; do sleep 0.05; done";

#[tokio::test]
async fn limits_change_while_it_runs_and_stay_for_the_next_start() {
    let rig = Rig::new().await;
    let id = rig.run("web", SCRIPT).await;
    let body = UpdateBody {
        memory: 64 << 20,
        cpu_shares: 512,
        pids_limit: Some(20),
        restart_policy: RestartPolicy {
            name: "on-failure".to_owned(),
            maximum_retry_count: 3,
        },
        ..UpdateBody::default()
    };
    let answer = rig.client.update_container(&id, &body).await.unwrap();
    assert_eq!(answer.warnings, Vec::<String>::new());
    let limits = || {
        (
            rig.limit(&id, "memory/memory.limit_in_bytes", "memory.max"),
            rig.limit(&id, "pids/pids.max", "pids.max"),
        )
    };
    assert_eq!(limits(), ((64 << 20).to_string(), "20".to_owned()));
    let shown = rig.client.container(&id).await.unwrap().host_config();
    assert_eq!((shown.memory, shown.cpu_shares), (64 << 20, 512));
    assert_eq!(shown.restart_policy.maximum_retry_count, 3);

    rig.client.restart_container(&id, Some(0)).await.unwrap();
    assert_eq!(limits(), ((64 << 20).to_string(), "20".to_owned()));
    let none = UpdateBody {
        pids_limit: Some(-1),
        ..UpdateBody::default()
    };
    rig.client.update_container(&id, &none).await.unwrap();
    assert_ne!(limits().1, "20");
    rig.end().await;
}

#[tokio::test]
async fn what_the_kernel_refuses_changes_nothing() {
    let rig = Rig::new().await;
    let host = HostConfig {
        memory: 256 << 20,
        ..HostConfig::default()
    };
    let script = "dd if=/dev/zero of=/dev/shm/full bs=1M count=40; sleep 100";
    let id = rig
        .create_with("web", script, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    crate::rig::until("the memory is in use", async || {
        rig.exec_text(&id, "test -s /dev/shm/full && du -m /dev/shm/full")
            .await
            .starts_with("40")
    })
    .await;
    let before = rig.limit(&id, "memory/memory.limit_in_bytes", "memory.max");
    let body = UpdateBody {
        cpu_shares: 300,
        memory: 6 << 20,
        ..UpdateBody::default()
    };
    // Where there is swap, the kernel finds room and agrees.
    let swaps = std::fs::read_to_string("/proc/swaps").unwrap_or_default();
    let updated = rig.client.update_container(&id, &body).await;
    assert!(updated.is_err() || swaps.lines().count() > 1, "{updated:?}");
    if let Err(error) = updated {
        assert!(
            error.to_string().contains("Cannot update container"),
            "{error}"
        );
        assert!(rig.client.container(&id).await.unwrap().state.running);
        let after = rig.limit(&id, "memory/memory.limit_in_bytes", "memory.max");
        assert_eq!(after, before);
        let shown = rig.client.container(&id).await.unwrap().host_config();
        assert_eq!((shown.memory, shown.cpu_shares), (256 << 20, 0));
    }
    for (body, word) in [
        (
            UpdateBody {
                memory: 1,
                ..UpdateBody::default()
            },
            "Minimum memory limit",
        ),
        (
            UpdateBody {
                restart_policy: RestartPolicy {
                    name: "never".to_owned(),
                    maximum_retry_count: 0,
                },
                ..UpdateBody::default()
            },
            "unknown policy",
        ),
    ] {
        let error = rig.client.update_container(&id, &body).await.unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    rig.end().await;
}

#[tokio::test]
async fn one_that_goes_by_itself_gets_no_policy() {
    let rig = Rig::new().await;
    let host = HostConfig {
        auto_remove: true,
        ..HostConfig::default()
    };
    let id = rig
        .create_with("brief", SCRIPT, ContainerConfig::default(), host)
        .await;
    let body = UpdateBody {
        restart_policy: RestartPolicy {
            name: "always".to_owned(),
            maximum_retry_count: 0,
        },
        ..UpdateBody::default()
    };
    let error = rig.client.update_container(&id, &body).await.unwrap_err();
    assert!(
        error.to_string().contains("AutoRemove is enabled"),
        "{error}"
    );
    rig.end().await;
}

#[tokio::test]
async fn who_looks_on_sees_what_a_change_of_the_limits_brings() {
    let rig = Rig::new().await;
    let id = rig.run("busy", "while true; do :; done").await;
    let mut stats = rig.client.container_stats(&id).await.unwrap();
    until("it is looked at as it was", async || {
        let look = stats.next().await.unwrap().unwrap();
        look.pids_stats.limit != Some(20) && look.cpu_stats.throttling_data.periods == 0
    })
    .await;
    let body = UpdateBody {
        nano_cpus: 100_000_000,
        pids_limit: Some(20),
        ..UpdateBody::default()
    };
    rig.client.update_container(&id, &body).await.unwrap();

    until("it is held back, and that is seen", async || {
        let look = stats.next().await.unwrap().unwrap();
        let throttled = look.cpu_stats.throttling_data.throttled_periods > 0;
        throttled && look.pids_stats.limit == Some(20)
    })
    .await;
    drop(stats);
    rig.end().await;
}
