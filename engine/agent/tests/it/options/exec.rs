//! The options of an exec.

use engine_api::execs::{ExecCreateBody, ExecStartBody};
use serde_json::json;

use super::own_status;
use crate::rig::{Rig, read_all};

/// Runs a command beside a container's program; returns its output and code.
pub(super) async fn run_exec(rig: &Rig, container: &str, words: &[&str]) -> (String, i32) {
    run_body(rig, container, ExecCreateBody::default(), words).await
}

async fn run_body(
    rig: &Rig,
    container: &str,
    body: ExecCreateBody,
    words: &[&str],
) -> (String, i32) {
    let body = ExecCreateBody {
        attach_stdout: true,
        attach_stderr: true,
        cmd: Some(words.iter().map(ToString::to_string).collect()),
        ..body
    };
    let id = rig.client.create_exec(container, &body).await.unwrap();
    let start = ExecStartBody::default();
    let stream = rig.client.start_exec(&id, &start).await.unwrap();
    let (out, err) = read_all(stream.output).await;
    let code = rig.client.exec(&id).await.unwrap().exit_code.unwrap();
    (out + &err, code)
}

#[tokio::test]
async fn an_exec_has_the_environment_directory_user_and_groups_that_are_asked_for() {
    let rig = Rig::new().await;
    let host = serde_json::from_value(json!({"GroupAdd": ["4242"]})).unwrap();
    let id = rig
        .create_with("base", "sleep 1000", Default::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    let body = ExecCreateBody {
        user: "web:0".to_owned(),
        working_dir: "/tmp".to_owned(),
        env: vec!["WORD=x y".to_owned(), "HOSTNAME=other".to_owned()],
        ..ExecCreateBody::default()
    };
    let script = "echo $WORD $HOSTNAME $HOME; pwd; id -u; id -g; id -G";
    let (found, code) = run_body(&rig, &id, body, &["sh", "-c", script]).await;
    assert_eq!(code, 0, "{found}");
    assert_eq!(found, "x y other /\n/tmp\n1000\n0\n0 4242\n");
    rig.end().await;
}

#[tokio::test]
async fn a_privileged_exec_has_all_capabilities_of_the_machine_and_its_container_has_not() {
    let rig = Rig::new().await;
    let id = rig.run("base", "sleep 1000").await;
    let status = ["grep", "CapEff", "/proc/self/status"];
    let body = ExecCreateBody {
        privileged: true,
        ..ExecCreateBody::default()
    };
    let (found, _) = run_body(&rig, &id, body.clone(), &status).await;
    assert!(found.contains(&own_status("CapBnd:")), "{found}");
    let (found, _) = run_exec(&rig, &id, &status).await;
    assert!(found.contains("00000000a80425fb"), "{found}");
    let body = ExecCreateBody {
        cmd: Some(vec!["true".to_owned()]),
        ..body
    };
    let exec = rig.client.create_exec(&id, &body).await.unwrap();
    assert!(
        rig.client
            .exec(&exec)
            .await
            .unwrap()
            .process_config
            .privileged
    );
    rig.end().await;
}

#[tokio::test]
async fn a_terminal_of_an_exec_begins_with_the_callers_size() {
    let rig = Rig::new().await;
    let id = rig.run("base", "sleep 1000").await;
    let body = ExecCreateBody {
        tty: true,
        console_size: Some([33, 77]),
        ..ExecCreateBody::default()
    };
    let (found, _) = run_body(&rig, &id, body, &["stty", "size"]).await;
    assert!(found.contains("33 77"), "{found:?}");
    rig.end().await;
}
