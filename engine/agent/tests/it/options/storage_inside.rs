//! `--storage-opt size=…` against who would get around it from inside, or at the cost of another.

use std::fs;
use std::path::Path;
use std::process::Command;

use engine_api::containers::{ContainerConfig, HostConfig};
use engine_sys::quota;

use super::storage::{
    Disk, FILL, FORCE, MIB, is_full, is_given_back, number_in, number_of, said, sized,
};
use crate::rig::{Rig, until};

/// Defines `change`, the host's `chattr` by the host's loader: busybox's knows no projects.
fn with_chattr(script: &str) -> String {
    let chattr = Command::new("sh")
        .args(["-c", "command -v chattr"])
        .output()
        .unwrap();
    let chattr = String::from_utf8(chattr.stdout).unwrap();
    format!(
        "change() {{ $(ls /host/lib64/ld-linux-* /host/lib/ld-linux-* 2>/dev/null | head -n 1) \
         --library-path $(echo /host/lib/*-linux-gnu /host/lib64 | tr ' ' :) /host{} \"$@\" 2>&1; }}
         {script}",
        chattr.trim(),
    )
}

/// Shows the host's programs inside.
fn with_host(host: HostConfig) -> HostConfig {
    HostConfig {
        binds: Some(vec!["/:/host:ro".to_owned()]),
        ..host
    }
}

/// Without the usual filter.
fn unconfined(host: HostConfig) -> HostConfig {
    HostConfig {
        security_opt: Some(vec!["seccomp=unconfined".to_owned()]),
        ..host
    }
}

/// Returns how much of a file system is taken.
fn taken_bytes(dir: &Path) -> u64 {
    let shown = Command::new("df").arg("-k").arg(dir).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    let taken = shown.lines().last().unwrap().split_whitespace().nth(2);
    taken.unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn nothing_leaves_the_count_from_inside() {
    let Some(disk) = Disk::ext4() else { return };
    let rig = Rig::within(&disk.mounted()).await;
    let fill = FILL.replace("/big", "/out/big");
    let script = with_chattr(&format!(
        "mkdir /out; change -p 0 /out; change -P /out; {fill}"
    ));
    for (name, host) in [
        ("kept", sized("16m")),
        ("unconfined", unconfined(sized("16m"))),
    ] {
        let kept = rig
            .create_with(name, &script, ContainerConfig::default(), with_host(host))
            .await;
        let said = said(&rig, &kept).await;
        let n_refused = said.matches("Operation not permitted").count();
        assert!(n_refused == 2 && is_full(&said), "{name}: {said}");
    }

    // Their twin: who is privileged changes what it likes.
    let host = HostConfig {
        privileged: true,
        ..HostConfig::default()
    };
    let free = rig
        .create_with("free", &script, ContainerConfig::default(), with_host(host))
        .await;
    let said = said(&rig, &free).await;
    assert!(
        !said.contains("not permitted") && said.contains("code 0"),
        "{said}"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_free_container_takes_nothing_from_one_with_a_size() {
    let Some(disk) = Disk::ext4() else { return };
    let rig = Rig::within(&disk.mounted()).await;
    let config = ContainerConfig::default;
    let victim = rig
        .create_with("victim", FILL, config(), sized("16m"))
        .await;
    let number = number_of(&rig, &victim);

    let script = with_chattr(&format!("mkdir /out; change -p {number} /out; echo done"));
    let plain = HostConfig::default;
    for (name, host) in [("plain", plain()), ("unconfined", unconfined(plain()))] {
        let free = rig
            .create_with(name, &script, config(), with_host(host))
            .await;
        let said = said(&rig, &free).await;
        assert!(
            said.contains("Operation not permitted") && said.contains("done"),
            "{name}: {said}"
        );
        assert_eq!(number_in(&rig, &free, "upper/out"), 0);

        // As if it had been let: by an engine that did not refuse it yet.
        let upper = rig.path("d/containers").join(&free).join("upper");
        quota::set_project(fs::File::open(upper).unwrap(), number).unwrap();
        rig.client.remove_container(&free, FORCE).await.unwrap();
        until("it is deleted", async || {
            fs::read_dir(rig.path("d/containers")).unwrap().count() == 1
        })
        .await;
    }

    let account = quota::account(fs::File::open(disk.mounted()).unwrap(), number).unwrap();
    assert_eq!(account.limit_bytes, 16 * MIB);
    let said = said(&rig, &victim).await;
    assert!(is_full(&said), "{said}");
    rig.end().await;
}

#[tokio::test]
async fn the_files_that_the_engine_writes_take_no_more_than_their_share() {
    let xfs = Disk::with_quotas("xfs", &["-q"], "pquota");
    for disk in [Disk::ext4(), xfs].into_iter().flatten() {
        let rig = Rig::within(&disk.mounted()).await;
        let script = "head -n 1 /etc/hosts; : >/etc/hostname
            for name in hosts resolv.conf hostname; do
                dd if=/dev/zero of=/etc/$name bs=64k count=64 2>&1; echo code $?; done";
        let config = ContainerConfig::default;
        let small = rig
            .create_with("small", script, config(), sized("16m"))
            .await;
        let before = taken_bytes(&disk.mounted());
        let mut numbers = vec![number_of(&rig, &small)];
        for n_starts in 1..=2 {
            let said = said(&rig, &small).await;
            assert!(is_full(&said), "{said}");
            assert_eq!(said.matches("code 1").count(), 3 * n_starts, "{said}");
            assert_eq!(said.matches("127.0.0.1").count(), n_starts, "{said}");
            let grown = taken_bytes(&disk.mounted()).saturating_sub(before);
            // A log and a few small files of the engine's own besides.
            assert!(grown <= MIB + MIB / 2, "{grown} bytes: {said}");
            let number = number_in(&rig, &small, "etc");
            let account = quota::account(fs::File::open(disk.mounted()).unwrap(), number).unwrap();
            assert_eq!(account.limit_bytes, MIB);
            assert!(account.used_bytes <= MIB, "{account:?}");
            numbers.push(number);
        }

        // Its twin, to whose files nobody gave a size.
        let free = rig
            .create_with("free", script, config(), HostConfig::default())
            .await;
        let said = said(&rig, &free).await;
        assert_eq!(said.matches("code 0").count(), 3, "{said}");

        rig.client.remove_container(&small, FORCE).await.unwrap();
        for number in numbers {
            is_given_back(&disk.mounted(), number).await;
        }
        rig.end().await;
    }
}
