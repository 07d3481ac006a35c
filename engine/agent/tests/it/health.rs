//! Health: looked at while it runs, told when it changes, kept over an engine.

use engine_api::containers::{ContainerConfig, Health, HealthConfig, HostConfig};
use engine_api::filter::Filters;
use engine_client::{EventOptions, ListOptions};
use nix::sys::signal::Signal;

use crate::rig::{Rig, until};

const MS: i64 = 1_000_000;

fn looked_at(test: &[&str], more: &HealthConfig) -> ContainerConfig {
    ContainerConfig {
        healthcheck: Some(HealthConfig {
            test: Some(test.iter().map(ToString::to_string).collect()),
            interval: 50 * MS,
            ..more.clone()
        }),
        ..ContainerConfig::default()
    }
}

async fn run(rig: &Rig, name: &str, script: &str, config: ContainerConfig) -> String {
    let id = rig
        .create_with(name, script, config, HostConfig::default())
        .await;
    rig.client.start_container(&id).await.unwrap();
    id
}

async fn health(rig: &Rig, id: &str) -> Health {
    let state = rig.client.container(id).await.unwrap().state;
    state.health.unwrap_or_default()
}

#[tokio::test]
async fn a_program_is_starting_then_healthy_then_unhealthy_and_each_change_is_told() {
    let rig = Rig::new().await;
    let config = looked_at(
        &["CMD-SHELL", "echo looked; test -e /well"],
        &HealthConfig {
            retries: 2,
            start_period: 60_000 * MS,
            start_interval: 20 * MS,
            ..HealthConfig::default()
        },
    );
    // Each turn is called for: how long one takes differs from machine to machine.
    let script = "called() { while test ! -e $1; do sleep 0.02; done; }; \
                  called /begun; touch /well; called /ill; rm /well; sleep 100";
    let id = run(&rig, "web", script, config).await;
    assert_eq!(health(&rig, &id).await.status, "starting");
    let words = async || {
        let list = rig
            .client
            .containers(&ListOptions::default())
            .await
            .unwrap();
        list[0].status.clone()
    };
    assert!(words().await.ends_with("(health: starting)"));
    rig.exec_text(&id, "touch /begun").await;
    until("it is healthy", async || {
        health(&rig, &id).await.status == "healthy"
    })
    .await;
    assert!(words().await.ends_with("(healthy)"));
    let listed = async |health: &str| {
        let options = ListOptions {
            all: false,
            limit: None,
            filters: Filters::default().with("health", health),
        };
        rig.client.containers(&options).await.unwrap().len()
    };
    assert_eq!((listed("healthy").await, listed("none").await), (1, 0));

    rig.exec_text(&id, "touch /ill").await;
    until("it is unhealthy", async || {
        health(&rig, &id).await.status == "unhealthy"
    })
    .await;
    let found = health(&rig, &id).await;
    assert!(found.failing_streak >= 2, "{found:?}");
    until("five results are kept", async || {
        health(&rig, &id).await.log.len() == 5
    })
    .await;
    assert!(found.log.iter().all(|one| one.output == "looked\n"));
    let container = rig.client.container(&id).await.unwrap();
    assert_eq!(container.exec_ids, None, "a look is no exec of a person's");

    let options = EventOptions {
        since: Some("1".to_owned()),
        until: Some(i64::from(u32::MAX).to_string()),
        filters: Filters::default()
            .with("event", "health_status: healthy")
            .with("event", "health_status: unhealthy"),
    };
    let mut events = rig.client.events(&options).await.unwrap();
    for action in ["health_status: healthy", "health_status: unhealthy"] {
        assert_eq!(events.next().await.unwrap().unwrap().action, action);
    }
    drop(events);
    rig.client.stop_container(&id, Some(0)).await.unwrap();
    let stop = rig.client.container(&id).await.unwrap().gantry.last_stop;
    assert_eq!(stop.unwrap().last_health.unwrap().exit_code, 1);
    rig.end().await;
}

#[tokio::test]
async fn a_slow_look_is_killed_at_its_deadline_and_never_overlaps_itself() {
    let rig = Rig::new().await;
    let config = looked_at(
        &["CMD-SHELL", "mkdir /one || touch /two; echo slow; sleep 50"],
        &HealthConfig {
            // Time to say its word, on an emulated machine too.
            timeout: 3_000 * MS,
            retries: 1,
            ..HealthConfig::default()
        },
    );
    let id = run(&rig, "slow", "sleep 100", config).await;
    until("it is unhealthy", async || {
        health(&rig, &id).await.status == "unhealthy"
    })
    .await;
    let found = health(&rig, &id).await;
    assert_eq!(found.log[0].exit_code, -1);
    assert_eq!(
        found.log[0].output,
        "Health check exceeded timeout (3s): slow\n"
    );
    until("looks that were killed are gone", async || {
        let top = rig.client.container_top(&id, None).await.unwrap();
        top.processes.len() <= 3
    })
    .await;
    rig.end().await;
}

#[tokio::test]
async fn nobody_looks_while_it_stands_still_and_the_next_engine_knows_how_it_fared() {
    let mut rig = Rig::new().await;
    let config = looked_at(&["CMD", "true"], &HealthConfig::default());
    let id = run(&rig, "web", "sleep 100", config).await;
    until("it is healthy", async || {
        health(&rig, &id).await.status == "healthy"
    })
    .await;
    rig.client.pause_container(&id).await.unwrap();
    let pause = std::time::Duration::from_millis(200);
    // A look that was under way when it stopped may still be told.
    let mut before = health(&rig, &id).await;
    until("nothing is under way", async || {
        tokio::time::sleep(pause).await;
        let earlier = std::mem::replace(&mut before, health(&rig, &id).await);
        earlier == before
    })
    .await;
    tokio::time::sleep(pause).await;
    assert_eq!(health(&rig, &id).await, before);

    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;
    assert_eq!(health(&rig, &id).await, before);
    rig.client.unpause_container(&id).await.unwrap();
    until("it is looked at again", async || {
        health(&rig, &id).await.log.last() != before.log.last()
    })
    .await;
    assert_eq!(health(&rig, &id).await.status, "healthy");
    rig.end().await;
}

#[tokio::test]
async fn what_a_look_says_is_kept_up_to_a_limit_and_one_that_cannot_run_says_why() {
    let rig = Rig::new().await;
    let much = looked_at(
        &["CMD-SHELL", "head -c 9000 /dev/zero | tr '\\0' x"],
        &HealthConfig::default(),
    );
    let much = run(&rig, "much", "sleep 100", much).await;
    let none = looked_at(&["CMD", "/nowhere"], &HealthConfig::default());
    let none = run(&rig, "none", "sleep 100", none).await;
    for id in [&much, &none] {
        until("it was looked at", async || {
            !health(&rig, id).await.log.is_empty()
        })
        .await;
    }
    let said = health(&rig, &much).await.log[0].output.clone();
    assert_eq!(said.len(), 4096 + "...".len());
    let found = health(&rig, &none).await.log[0].clone();
    assert_eq!(found.exit_code, -1);
    assert!(found.output.contains("/nowhere"), "{}", found.output);
    rig.end().await;
}
