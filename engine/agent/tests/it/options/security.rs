//! Capabilities, filters, privileges, and what of the kernel is hidden.

use serde_json::json;

use super::{inspected, is_unified, outcome, output, own_status, refusal};
use crate::rig::Rig;

const CAPABILITIES: &str = "grep -E 'Cap(Bnd|Eff)' /proc/self/status | cut -f2 | uniq";

#[tokio::test]
async fn capabilities_are_added_and_dropped() {
    let rig = Rig::new().await;
    for (host, bits) in [
        (json!({}), "00000000a80425fb".to_owned()),
        (json!({"CapDrop": ["ALL"]}), "0000000000000000".to_owned()),
        (
            json!({"CapDrop": ["all"], "CapAdd": ["CHOWN", "cap_kill"]}),
            "0000000000000021".to_owned(),
        ),
        (
            json!({"CapAdd": ["NET_ADMIN"]}),
            "00000000a80435fb".to_owned(),
        ),
        (json!({"CapDrop": ["MKNOD"]}), "00000000a00425fb".to_owned()),
        (json!({"CapAdd": ["ALL"]}), own_status("CapBnd:")),
        (json!({"Privileged": true}), own_status("CapBnd:")),
    ] {
        let shown = host.to_string();
        assert_eq!(output(&rig, host, CAPABILITIES).await, bits, "{shown}");
    }
    let (status, message) = refusal(&rig, json!({"CapAdd": ["CAP_FLY"]})).await;
    assert!(status == 400 && message.contains("CAP_FLY"), "{message}");
    rig.end().await;
}

#[tokio::test]
async fn who_is_privileged_sees_and_may_do_what_the_machine_allows() {
    let rig = Rig::new().await;
    let script = "grep Seccomp: /proc/self/status; test -c /dev/kmsg && : >/dev/kmsg && echo kmsg; \
                  grep -c ' /proc/keys ' /proc/mounts; grep ' /sys ' /proc/mounts | cut -d' ' -f4 \
                  | cut -d, -f1; mount -t tmpfs none /tmp && echo mounted; \
                  for group in /sys/fs/cgroup /sys/fs/cgroup/pids; do \
                  mkdir $group/inner 2>/dev/null && rmdir $group/inner && echo group; done; true";
    let (found, _) = outcome(&rig, json!({"Privileged": true}), script).await;
    assert_eq!(found, "Seccomp:\t0\nkmsg\n0\nrw\nmounted\ngroup\n");
    let (found, _) = outcome(&rig, json!({}), script).await;
    assert!(found.starts_with("Seccomp:\t2\n1\nro\n"), "{found}");
    assert!(
        !found.contains("group") && !found.contains("mounted"),
        "{found}"
    );
    let shown = inspected(&rig, json!({"Privileged": true})).await;
    assert!(shown.host_config().privileged);
    assert_eq!(shown.host_config().masked_paths, Some(Vec::new()));
    rig.end().await;
}

#[tokio::test]
async fn filters_are_the_default_none_or_ones_own() {
    let rig = Rig::new().await;
    let script = "grep -E 'Seccomp:|NoNewPrivs' /proc/self/status | cut -f2";
    for (options, found) in [
        (json!([]), "0\n2"),
        (json!(["seccomp=unconfined"]), "0\n0"),
        (json!(["seccomp=builtin", "no-new-privileges"]), "1\n2"),
        (json!(["no-new-privileges=true", "label=disable"]), "1\n2"),
        (json!(["apparmor=unconfined"]), "0\n2"),
    ] {
        let host = json!({ "SecurityOpt": options });
        assert_eq!(output(&rig, host, script).await, found);
    }
    // A profile that knows none of the newer calls, as old ones do.
    let profile = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"]}],
        "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38},
            {"names": ["openat2", "close_range", "clone3"], "action": "SCMP_ACT_ERRNO"},
            {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
             "args": [{"index": 1, "value": 31, "op": "SCMP_CMP_EQ"}]},
        ],
    });
    let host = json!({ "SecurityOpt": [format!("seccomp={profile}")] });
    let script = "mkdir /tmp/a; kill -31 1; kill -0 1 && echo alive";
    let (found, code) = outcome(&rig, host.clone(), script).await;
    assert_eq!(code, 0, "{found}");
    assert!(found.contains("Function not implemented"), "{found}");
    assert!(
        found.contains("Operation not permitted") && found.contains("alive"),
        "{found}"
    );
    let mut host = host;
    host["Privileged"] = true.into();
    let (found, _) = outcome(&rig, host, script).await;
    assert!(found.contains("Function not implemented"), "{found}");

    for (option, words) in [
        ("seccomp={", "the seccomp profile is not in Docker's format"),
        (
            "seccomp=/etc/profile.json",
            "the seccomp profile is not in Docker's format",
        ),
        (
            r#"seccomp={"defaultAction":"SCMP_ACT_NOTIFY"}"#,
            "SCMP_ACT_NOTIFY",
        ),
        ("label=type:x", "SELinux"),
        ("colour=red", "knows no such option"),
    ] {
        let (status, message) = refusal(&rig, json!({ "SecurityOpt": [option] })).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    let (status, message) =
        refusal(&rig, json!({"SecurityOpt": ["apparmor=no-such-profile"]})).await;
    assert!(
        status == 400 && message.contains("no-such-profile"),
        "{message}"
    );
    rig.end().await;
}

#[tokio::test]
async fn what_is_hidden_and_what_is_read_only_can_be_said() {
    let rig = Rig::new().await;
    let script = "grep -c ' /proc/keys ' /proc/mounts; \
                  grep -c ' /proc/sys ' /proc/mounts; true";
    for (host, found) in [
        (json!({"SecurityOpt": ["systempaths=unconfined"]}), "0\n0"),
        (json!({"MaskedPaths": [], "ReadonlyPaths": []}), "0\n0"),
        (
            json!({"MaskedPaths": ["/proc/keys"], "ReadonlyPaths": ["/proc/sys"]}),
            "1\n1",
        ),
    ] {
        assert_eq!(output(&rig, host, script).await, found);
    }
    let shown = inspected(&rig, json!({})).await.host_config();
    assert!(
        shown
            .masked_paths
            .unwrap()
            .contains(&"/proc/kcore".to_owned())
    );
    let host = json!({"SecurityOpt": ["writable-cgroups=true"]});
    let dir = if is_unified() { "" } else { "/pids" };
    let script = format!("mkdir /sys/fs/cgroup{dir}/x && rmdir /sys/fs/cgroup{dir}/x");
    output(&rig, host, &script).await;
    let (status, _) = refusal(&rig, json!({"MaskedPaths": ["proc/kcore"]})).await;
    assert_eq!(status, 400);
    rig.end().await;
}
