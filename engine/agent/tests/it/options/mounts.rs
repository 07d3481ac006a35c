//! File systems in memory, directories of the host, and the root itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{inspected, outcome, output, refusal};
use crate::rig::Rig;

#[tokio::test]
async fn a_tmpfs_has_the_options_that_it_is_given() {
    let rig = Rig::new().await;
    let host = json!({
        "Tmpfs": {"/a": "size=1m,mode=700,uid=7,gid=8", "/b": "exec,ro", "/root": ""},
        "Mounts": [{"Type": "tmpfs", "Target": "/c", "TmpfsOptions":
            {"SizeBytes": 2 << 20, "Mode": 0o750, "Options": [["exec"], ["uid", "9"]]}}],
    });
    let script = "stat -c '%a %u %g' /a /c /root; grep -E ' /(a|b|c) ' /proc/mounts | sort -k2";
    let found = output(&rig, host.clone(), script).await;
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines[..2], ["700 7 8", "750 9 0"], "{found}");
    assert_eq!(lines[2], "755 0 0", "as the directory it covers: {found}");
    assert!(
        lines[3].contains("nosuid,nodev,noexec") && lines[3].contains("size=1024k"),
        "{found}"
    );
    assert!(lines[4].contains(" ro,nosuid,nodev,relatime"), "{found}");
    assert!(lines[5].contains(" rw,nosuid,nodev,relatime"), "{found}");
    let script = "cp /bin/busybox /c/echo && /c/echo runs; cp /bin/busybox /a/echo && /a/echo no";
    let (found, code) = outcome(&rig, json!({"Tmpfs": {"/a": "", "/c": "exec"}}), script).await;
    assert!(code == 126 && found.starts_with("runs\n"), "{found}");
    let shown = inspected(&rig, host).await.host_config();
    assert_eq!(shown.tmpfs["/b"], "exec,ro");
    for options in ["mode=99999", "size=x", "huge=always", "uid=-1"] {
        let (status, message) = refusal(&rig, json!({"Tmpfs": {"/a": options}})).await;
        assert!(status == 400 && message.contains("tmpfs"), "{message}");
    }
    rig.end().await;
}

#[tokio::test]
async fn a_root_that_is_read_only_leaves_its_mounts_writable() {
    let rig = Rig::new().await;
    let host = json!({"ReadonlyRootfs": true, "Tmpfs": {"/tmp": ""}});
    let script = "touch /tmp/x && echo written; touch /x";
    let (found, code) = outcome(&rig, host, script).await;
    assert!(code != 0 && found.starts_with("written\n"), "{found}");
    assert!(found.contains("Read-only file system"), "{found}");
    rig.end().await;
}

fn mount(arguments: &[&str]) {
    let status = Command::new("mount").args(arguments).status().unwrap();
    assert!(status.success(), "mount {arguments:?}");
}

fn unmount(path: &Path) {
    // A test that failed half-way may have done it already.
    let _ = Command::new("umount").arg(path).status();
}

#[tokio::test]
async fn what_is_mounted_below_a_bind_comes_along_if_asked() {
    let rig = Rig::new().await;
    let share = rig.path("share");
    fs::create_dir_all(share.join("below")).unwrap();
    mount(&["-t", "tmpfs", "none", share.join("below").to_str().unwrap()]);
    fs::write(share.join("below/word"), "deep").unwrap();
    let source = share.to_str().unwrap();
    let bind = |options: serde_json::Value, read_only: bool| {
        json!({"Mounts": [{"Type": "bind", "Source": source, "Target": "/m",
            "ReadOnly": read_only, "BindOptions": options}]})
    };
    let found = output(&rig, bind(json!({}), false), "cat /m/below/word").await;
    assert_eq!(found, "deep");
    let (_, code) = outcome(
        &rig,
        bind(json!({"NonRecursive": true}), false),
        "test -e /m/below/word",
    )
    .await;
    assert_eq!(code, 1, "it stays outside");
    let (found, code) = outcome(&rig, bind(json!({}), true), "touch /m/x; touch /m/below/x").await;
    assert!(
        code != 0 && found.matches("Read-only").count() == 2,
        "{found}"
    );
    let (found, code) = outcome(
        &rig,
        bind(json!({"ReadOnlyNonRecursive": true}), true),
        "touch /m/x; touch /m/below/x",
    )
    .await;
    assert!(
        code == 0 && found.matches("Read-only").count() == 1,
        "{found}"
    );
    let made = rig.path("made");
    let host = json!({"Mounts": [{"Type": "bind", "Source": made.to_str().unwrap(),
        "Target": "/m", "BindOptions": {"CreateMountpoint": true}}]});
    output(&rig, host, "test -d /m").await;
    assert!(made.is_dir());
    for (options, read_only) in [
        (json!({"Propagation": "sideways"}), false),
        (json!({"ReadOnlyForceRecursive": true}), false),
        (
            json!({"ReadOnlyForceRecursive": true, "ReadOnlyNonRecursive": true}),
            true,
        ),
    ] {
        let (status, message) = refusal(&rig, bind(options, read_only)).await;
        assert!(
            status == 400 && message.contains("HostConfig.Mounts"),
            "{message}"
        );
    }
    unmount(&share.join("below"));
    rig.end().await;
}

#[tokio::test]
async fn mounts_spread_as_the_host_and_the_bind_allow() {
    let rig = Rig::new().await;
    let share = rig.path("share");
    let source = share.to_str().unwrap().to_owned();
    fs::create_dir(&share).unwrap();
    mount(&["-t", "tmpfs", "none", &source]);
    mount(&["--make-private", &source]);
    for (option, words) in [
        ("rshared", "it is not a shared mount"),
        ("rslave", "it is not a shared or slave mount"),
    ] {
        let host = json!({"Binds": [format!("{source}:/m:{option}")]});
        let (status, message) = refusal(&rig, host).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    mount(&["--make-shared", &source]);
    for dir in ["in", "out"] {
        fs::create_dir(share.join(dir)).unwrap();
    }
    let host = json!({"Privileged": true, "Binds": [format!("{source}:/m:rshared")]});
    assert_eq!(
        inspected(&rig, host.clone()).await.mounts[0].propagation,
        "rshared"
    );
    let host: engine_api::containers::HostConfig = serde_json::from_value(host).unwrap();
    let script = "mount -t tmpfs none /m/out && echo word >/m/out/file && touch /m/ready; \
                  while ! test -e /m/in/file; do sleep 0.02; done; umount /m/out; touch /m/seen";
    let id = rig
        .create_with("spreading", script, Default::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    crate::rig::until("the container's mount is seen outside", async || {
        share.join("out/file").exists()
    })
    .await;
    mount(&["-t", "tmpfs", "none", share.join("in").to_str().unwrap()]);
    fs::write(share.join("in/file"), "x").unwrap();
    crate::rig::until("the host's mount is seen inside", async || {
        share.join("seen").exists()
    })
    .await;
    unmount(&share.join("in"));
    unmount(&share);
    rig.end().await;
}
