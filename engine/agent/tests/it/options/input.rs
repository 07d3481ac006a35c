//! Much of everything: the kernel's limits are told in a sentence, and nothing below them breaks.

use engine_api::containers::{ContainerConfig, HostConfig};
use engine_api::execs::ExecCreateBody;
use engine_client::ClientError;
use serde_json::json;

use super::refusal_of;
use crate::rig::{Rig, until};

#[tokio::test]
async fn long_variables_and_ten_thousand_labels_are_kept_as_they_are() {
    let rig = Rig::new().await;
    let config = ContainerConfig {
        env: Some(vec![format!("LONG={}", "x".repeat(64 << 10))]),
        labels: (0..10_000)
            .map(|n| (format!("label-{n}"), format!("value {n}")))
            .collect(),
        ..ContainerConfig::default()
    };
    let script = "echo ${#LONG}";
    let id = rig
        .create_with("much", script, config, HostConfig::default())
        .await;
    rig.client.start_container(&id).await.unwrap();
    until("it has said how long", async || {
        rig.logs(&id, Default::default()).await == "65536\n"
    })
    .await;
    let shown = rig.client.container(&id).await.unwrap();
    assert_eq!(shown.config.labels.len(), 10_000);
    assert_eq!(shown.config.labels["label-9999"], "value 9999");
    rig.end().await;
}

#[tokio::test]
async fn a_command_line_that_no_kernel_takes_is_refused_in_a_sentence() {
    let rig = Rig::new().await;
    let config = |cmd: Vec<String>, env: Vec<String>| ContainerConfig {
        image: "busybox".to_owned(),
        cmd: Some(cmd),
        env: Some(env),
        ..ContainerConfig::default()
    };
    let word = || "true".to_owned();
    for (config, words) in [
        (
            config(vec![word(), "x".repeat(1 << 20)], Vec::new()),
            "Cmd: one text is 1048576 bytes long, and the kernel takes at most 131071",
        ),
        (
            config(vec![word()], vec![format!("A={}", "x".repeat(200_000))]),
            "Env: one text is 200002 bytes long",
        ),
        (
            config(vec!["x".repeat(100_000); 70], Vec::new()),
            "and the kernel takes at most 6291456",
        ),
    ] {
        let (status, message) = refusal_of(&rig, config, json!({})).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }

    // Below that the limit is the stack's, which only the start knows.
    let mut words = vec!["x".repeat(100_000); 30];
    words[0] = word();
    let config = config(words, Vec::new());
    let body = engine_api::containers::CreateBody {
        config,
        ..Default::default()
    };
    let id = rig.client.create_container(None, &body).await.unwrap().id;
    match rig.client.start_container(&id).await {
        Err(ClientError::Refused {
            status, message, ..
        }) => {
            assert!(status == 400 || status == 500, "{message}");
            assert!(
                message.len() < 400,
                "a sentence, not the command: {}",
                message.len()
            );
        }
        other => panic!("{other:?}"),
    }

    let base = rig.run("base", "sleep 1000").await;
    let body = ExecCreateBody {
        cmd: Some(vec![word(), "x".repeat(1 << 20)]),
        ..ExecCreateBody::default()
    };
    match rig.client.create_exec(&base, &body).await {
        Err(ClientError::Refused {
            status: 400,
            message,
            ..
        }) => {
            assert!(message.contains("kernel takes at most"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    rig.end().await;
}
