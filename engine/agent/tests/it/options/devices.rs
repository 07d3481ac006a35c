//! Devices of the host and the rules about them.

use std::path::Path;

use serde_json::json;

use super::{inspected, outcome, output, refusal};
use crate::rig::Rig;

#[tokio::test]
async fn a_device_is_there_under_its_name_with_its_permissions() {
    let rig = Rig::new().await;
    let host = json!({"Devices": [
        {"PathOnHost": "/dev/kmsg", "PathInContainer": "/dev/log/kernel", "CgroupPermissions": "w"},
        {"PathOnHost": "/dev/full", "PathInContainer": "/opt/full", "CgroupPermissions": ""},
    ]});
    let script = "test -c /dev/log/kernel && test -c /opt/full && : >/dev/log/kernel && echo written; \
                  : </dev/log/kernel";
    let (found, code) = outcome(&rig, host.clone(), script).await;
    assert!(code != 0 && found.starts_with("written\n"), "{found}");
    assert!(found.contains("Operation not permitted"), "{found}");
    let shown = inspected(&rig, host).await.host_config();
    assert_eq!(shown.devices[0].cgroup_permissions, "w");
    if Path::new("/dev/net/tun").exists() {
        let host = json!({"Devices": [{"PathOnHost": "/dev/net"}]});
        output(&rig, host, "test -c /dev/net/tun").await;
    }
    rig.end().await;
}

#[tokio::test]
async fn a_rule_lets_a_node_that_was_made_inside_be_opened() {
    let rig = Rig::new().await;
    let script = "mknod /tmp/k c 1 11 && : >/tmp/k";
    let (found, code) = outcome(&rig, json!({}), script).await;
    assert!(code != 0 && found.contains("not permitted"), "{found}");
    let host = json!({"DeviceCgroupRules": ["c 1:11 r", "c 1:* w"]});
    output(&rig, host, script).await;
    rig.end().await;
}

#[tokio::test]
async fn what_is_no_device_or_no_rule_is_refused_by_name() {
    let rig = Rig::new().await;
    for (host, words) in [
        (
            json!({"Devices": [{"PathOnHost": "/dev/nothing-here"}]}),
            "error gathering device information while adding custom device \
             \"/dev/nothing-here\": no such file or directory",
        ),
        (
            json!({"Devices": [{"PathOnHost": "/etc/passwd"}]}),
            "\"/etc/passwd\": not a device node",
        ),
        (
            json!({"Devices": [{"PathOnHost": "/dev/full", "CgroupPermissions": "x"}]}),
            "invalid device mode: \"x\"",
        ),
        (
            json!({"DeviceCgroupRules": ["c 1:11"]}),
            "invalid device cgroup rule format: 'c 1:11'",
        ),
        (
            json!({"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]}),
            "could not select device driver \"\" with capabilities: [[gpu]]",
        ),
    ] {
        let (status, message) = refusal(&rig, host).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    rig.end().await;
}
