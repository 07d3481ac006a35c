//! Whose processes, names, shared memory and control groups a container sees.

use std::fs;

use engine_api::containers::{ContainerConfig, HostConfig};
use engine_client::ClientError;
use serde_json::{Value, json};

use super::exec::run_exec;
use super::{inspected, outcome, output, refusal, refusal_of};
use crate::rig::{Rig, until};

fn own(kind: &str) -> String {
    let link = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
    link.display().to_string()
}

async fn run_with(rig: &Rig, name: &str, host: Value, script: &str) -> String {
    let host: HostConfig = serde_json::from_value(host).unwrap();
    let config = ContainerConfig::default();
    let id = rig.create_with(name, script, config, host).await;
    rig.client.start_container(&id).await.unwrap();
    id
}

#[tokio::test]
async fn namespaces_are_its_own_unless_the_hosts_are_asked_for() {
    let rig = Rig::new().await;
    for (kind, option) in [
        ("pid", "PidMode"),
        ("ipc", "IpcMode"),
        ("uts", "UTSMode"),
        ("cgroup", "CgroupnsMode"),
    ] {
        let script = format!("readlink /proc/self/ns/{kind}");
        let separate = output(&rig, json!({}), &script).await;
        assert_ne!(separate, own(kind), "{option}");
        let shared = output(&rig, json!({ option: "host" }), &script).await;
        assert_eq!(shared, own(kind), "{option}");
        let shown = inspected(&rig, json!({ option: "host" })).await;
        assert_eq!(shown.host_config_json[option], "host");
    }
    let shown = inspected(&rig, json!({})).await.host_config();
    assert_eq!(
        (shown.ipc_mode.as_str(), shown.cgroupns_mode.as_str()),
        ("private", "private")
    );
    rig.end().await;
}

#[tokio::test]
async fn a_container_among_the_hosts_processes_takes_its_own_with_it() {
    let rig = Rig::new().await;
    let script = "sleep 31415.5 & echo $!; test $$ -gt 1";
    let pid = output(&rig, json!({"PidMode": "host"}), script).await;
    let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert!(!command.contains("31415.5"), "it outlived its container");

    let id = run_with(&rig, "host-pid", json!({"PidMode": "host"}), "sleep 1000").await;
    let (found, code) = run_exec(&rig, &id, &["sh", "-c", "readlink /proc/self/ns/pid"]).await;
    assert_eq!((found.trim(), code), (own("pid").as_str(), 0));
    rig.end().await;
}

#[tokio::test]
async fn another_containers_processes_are_seen_and_it_must_run() {
    let rig = Rig::new().await;
    let donor = run_with(&rig, "donor", json!({}), "sleep 4242").await;
    let guest = run_with(
        &rig,
        "guest",
        json!({"PidMode": "container:donor"}),
        "ps -o args; sleep 1000",
    )
    .await;
    until("the guest sees the donor", async || {
        let log = rig.logs(&guest, Default::default()).await;
        log.contains("sleep 4242") && log.contains("ps -o args")
    })
    .await;
    let shown = rig.client.container(&guest).await.unwrap().host_config();
    assert_eq!(shown.pid_mode, format!("container:{donor}"));
    let (found, _) = run_exec(&rig, &guest, &["ps", "-o", "args"]).await;
    assert!(found.contains("sleep 4242"), "{found}");

    rig.client.kill_container("donor", None).await.unwrap();
    until(
        "the guest ended with the processes it lived among",
        async || !rig.client.container(&guest).await.unwrap().state.running,
    )
    .await;
    match rig.client.start_container(&guest).await {
        Err(ClientError::Refused { message, .. }) => {
            assert!(
                message.contains("cannot join PID of a non running container"),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
    let (status, message) = refusal(&rig, json!({"PidMode": "container:nobody"})).await;
    assert!(
        status == 404 && message.contains("No such container: nobody"),
        "{message}"
    );
    rig.end().await;
}

#[tokio::test]
async fn shared_memory_is_shared_with_whom_it_is_shared() {
    let rig = Rig::new().await;
    let script = "echo hello >/dev/shm/word; readlink /proc/self/ns/ipc; sleep 1000";
    let donor = run_with(&rig, "donor", json!({"IpcMode": "shareable"}), script).await;
    until("the word is there", async || {
        rig.logs(&donor, Default::default()).await.contains("ipc:")
    })
    .await;
    let theirs = rig.logs(&donor, Default::default()).await;
    let script = "cat /dev/shm/word; readlink /proc/self/ns/ipc; echo back >/dev/shm/answer";
    let found = output(&rig, json!({"IpcMode": "container:donor"}), script).await;
    assert_eq!(found, format!("hello\n{}", theirs.trim()));
    let (found, _) = run_exec(&rig, &donor, &["cat", "/dev/shm/answer"]).await;
    assert_eq!(found, "back\n");

    run_with(&rig, "alone", json!({}), "sleep 1000").await;
    let (status, message) = refusal(&rig, json!({"IpcMode": "container:alone"})).await;
    assert!(
        status == 409 && message.contains("non-shareable IPC"),
        "{message}"
    );
    let (_, code) = outcome(&rig, json!({"IpcMode": "none"}), "test -e /dev/shm").await;
    assert_eq!(code, 1, "there is no /dev/shm");
    rig.end().await;
}

#[tokio::test]
async fn modes_that_there_are_not_and_names_that_conflict_are_refused() {
    let rig = Rig::bare().await;
    let config = |hostname: &str| ContainerConfig {
        image: "gantry/hello".to_owned(),
        hostname: hostname.to_owned(),
        ..ContainerConfig::default()
    };
    for (hostname, host, words) in [
        ("", json!({"PidMode": "guest"}), "invalid PID mode: guest"),
        ("", json!({"IpcMode": "guest"}), "invalid IPC mode: guest"),
        ("", json!({"UTSMode": "container:x"}), "invalid UTS mode"),
        (
            "",
            json!({"CgroupnsMode": "x"}),
            "invalid cgroup namespace mode: x",
        ),
        ("", json!({"UsernsMode": "keep-id"}), "invalid userns mode"),
        (
            "web",
            json!({"UTSMode": "host"}),
            "conflicting options: hostname and the UTS mode",
        ),
        (
            "",
            json!({"CgroupParent": "/a/../b"}),
            "HostConfig.CgroupParent",
        ),
        (
            "",
            json!({"Runtime": "kata"}),
            "unknown or invalid runtime name: kata",
        ),
        ("", json!({"Annotations": {"": "x"}}), "invalid Annotations"),
    ] {
        let (status, message) = refusal_of(&rig, config(hostname), host).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    rig.end().await;
}

#[tokio::test]
async fn names_groups_and_parents_are_as_asked() {
    let rig = Rig::new().await;
    let config = ContainerConfig {
        hostname: "web".to_owned(),
        domainname: "example.org".to_owned(),
        user: "web".to_owned(),
        ..ContainerConfig::default()
    };
    let parent = "gantry-test-parent/deep";
    let host = json!({
        "GroupAdd": ["0", "4242"], "CgroupParent": format!("/{parent}"), "CgroupnsMode": "host",
        "UsernsMode": "host", "Runtime": "runc", "Annotations": {"a.b": "c"},
    });
    let host: HostConfig = serde_json::from_value(host).unwrap();
    let script = "hostname; cat /proc/sys/kernel/domainname; id -G; cat /proc/self/cgroup";
    let id = rig.create_with("named", script, config, host).await;
    rig.client.start_container(&id).await.unwrap();
    until("it has ended", async || {
        rig.client.container(&id).await.unwrap().state.status == "exited"
    })
    .await;
    let found = rig.logs(&id, Default::default()).await;
    assert!(
        found.starts_with("web\nexample.org\n1000 0 4242\n"),
        "{found}"
    );
    assert!(found.contains(&format!("/{parent}/{id}")), "{found}");
    let shown = rig.client.container(&id).await.unwrap().host_config();
    assert_eq!(shown.annotations.unwrap()["a.b"], "c");
    assert_eq!(shown.runtime, "runc");
    rig.end().await;
    for tree in fs::read_dir("/sys/fs/cgroup").unwrap().flatten() {
        for dir in [parent, "gantry-test-parent"] {
            let _ = fs::remove_dir(tree.path().join(dir));
        }
    }
    for dir in [parent, "gantry-test-parent"] {
        let _ = fs::remove_dir(format!("/sys/fs/cgroup/{dir}"));
    }
}
