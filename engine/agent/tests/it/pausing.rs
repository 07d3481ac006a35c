//! Standing still and going on.

use engine_api::execs::ExecCreateBody;
use engine_client::{AttachOptions, LogOptions, RemoveOptions};
use nix::sys::signal::Signal;

use crate::rig::{Rig, until};

const COUNTING: &str =
    "trap 'exit 3' TERM; i=0; while true; do echo $i; i=$((i+1)); sleep 0.01; done";

async fn lines(rig: &Rig, id: &str) -> usize {
    rig.logs(id, LogOptions::default()).await.lines().count()
}

#[tokio::test]
async fn a_paused_container_stands_still_and_goes_on_where_it_was() {
    let rig = Rig::new().await;
    let id = rig.run("counts", COUNTING).await;
    until("it counts", async || lines(&rig, &id).await > 3).await;
    rig.client.pause_container(&id).await.unwrap();
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!(
        (state.status.as_str(), state.running, state.paused),
        ("paused", true, true)
    );
    // What it wrote before may still be under way into its log.
    let mut counted = 0;
    until("nothing moves", async || {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        let before = std::mem::replace(&mut counted, lines(&rig, &id).await);
        before == counted
    })
    .await;
    let list = rig
        .client
        .containers(&engine_client::ListOptions::default())
        .await
        .unwrap();
    assert!(list[0].status.ends_with("(Paused)"), "{}", list[0].status);
    assert_eq!(list[0].state, "paused");

    let said = |result: engine_client::Result<()>| result.unwrap_err().to_string();
    assert!(said(rig.client.pause_container(&id).await).contains("is already paused"));
    assert!(said(rig.client.start_container(&id).await).contains("cannot start a paused"));
    let plain = RemoveOptions::default();
    let refused = said(rig.client.remove_container(&id, plain).await);
    assert!(
        refused.contains("container is paused: unpause and then stop"),
        "{refused}"
    );
    let exec = ExecCreateBody {
        cmd: Some(vec!["true".to_owned()]),
        ..ExecCreateBody::default()
    };
    let error = rig.client.create_exec(&id, &exec).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("unpause the container before exec"),
        "{error}"
    );
    let attach = AttachOptions {
        stdout: true,
        ..AttachOptions::default()
    };
    let error = rig
        .client
        .attach_container(&id, &attach)
        .await
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("unpause the container before attach"),
        "{error}"
    );

    rig.client.unpause_container(&id).await.unwrap();
    until("it counts on", async || lines(&rig, &id).await > counted).await;
    assert!(said(rig.client.unpause_container(&id).await).contains("is not paused"));
    rig.end().await;
}

#[tokio::test]
async fn a_paused_container_hears_a_stop_and_can_be_killed_and_removed() {
    let rig = Rig::new().await;
    let stopped = rig.run("stopped", COUNTING).await;
    let killed = rig.run("killed", COUNTING).await;
    let removed = rig.run("removed", COUNTING).await;
    for id in [&stopped, &killed, &removed] {
        until("it counts", async || lines(&rig, id).await > 0).await;
        rig.client.pause_container(id).await.unwrap();
    }
    rig.client.stop_container(&stopped, Some(10)).await.unwrap();
    let state = rig.client.container(&stopped).await.unwrap().state;
    assert_eq!((state.exit_code, state.paused), (3, false));
    rig.client.kill_container(&killed, None).await.unwrap();
    let state = rig.client.container(&killed).await.unwrap().state;
    assert_eq!((state.exit_code, state.paused), (137, false));
    let force = RemoveOptions {
        force: true,
        volumes: false,
    };
    rig.client.remove_container(&removed, force).await.unwrap();
    rig.end().await;
}

#[tokio::test]
async fn a_killed_engine_finds_a_paused_container_paused() {
    let mut rig = Rig::new().await;
    let id = rig.run("counts", COUNTING).await;
    rig.client.pause_container(&id).await.unwrap();
    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!((state.status.as_str(), state.paused), ("paused", true));
    let counted = lines(&rig, &id).await;
    rig.client.unpause_container(&id).await.unwrap();
    until("it counts on", async || lines(&rig, &id).await > counted).await;
    rig.end().await;
}

#[tokio::test]
async fn one_that_does_not_run_cannot_be_paused() {
    let rig = Rig::new().await;
    let id = rig.create("made", "true").await;
    let error = rig.client.pause_container(&id).await.unwrap_err();
    assert!(error.to_string().contains("is not running"), "{error}");
    rig.end().await;
}
