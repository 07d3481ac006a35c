//! `--storage-opt size=…`: what is written beyond it fails, for that container alone.
//!
//! The disks are images of file systems with project quotas; a kernel that has none of those
//! mounts them without, or not at all, and then it is the refusal that is looked at.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use engine_api::containers::{ContainerConfig, HostConfig, WaitCondition};
use engine_client::{LogOptions, RemoveOptions};
use engine_sys::quota;
use nix::sys::signal::Signal;
use serde_json::json;

use super::refusal;
use crate::rig::{Rig, until};

pub(super) const MIB: u64 = 1 << 20;

pub(super) const FORCE: RemoveOptions = RemoveOptions {
    force: true,
    volumes: true,
};

/// Writes until it may not, and says how that ended and how much there is.
pub(super) const FILL: &str =
    "dd if=/dev/zero of=/big bs=64k count=768 2>&1; echo code $?; stat -c 'size %s' /big";

/// A file system in a file, mounted; gone with the test.
pub(super) struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    /// Makes and mounts one; `None` where the kernel keeps no project quotas on such a one.
    pub(super) fn with_quotas(kind: &str, make: &[&str], option: &str) -> Option<Self> {
        let disk = Self {
            dir: tempfile::Builder::new()
                .prefix("gq")
                .tempdir_in("/tmp")
                .unwrap(),
        };
        let image = fs::File::create(disk.image()).unwrap();
        image.set_len(512 * MIB).unwrap();
        let made = Command::new(format!("mkfs.{kind}"))
            .args(make)
            .arg(disk.image())
            .output();
        let made = made.unwrap_or_else(|error| panic!("mkfs.{kind}: {error}"));
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        fs::create_dir(disk.mounted()).unwrap();
        if !disk.mount(option) {
            assert!(!is_strict(), "{kind} cannot be mounted with {option}");
            return None;
        }
        let has_quotas = quota::is_enforced(fs::File::open(disk.mounted()).unwrap());
        assert!(
            has_quotas || !is_strict(),
            "{kind} keeps no quotas with {option}"
        );
        has_quotas.then_some(disk)
    }

    pub(super) fn ext4() -> Option<Self> {
        Self::with_quotas("ext4", &["-q", "-O", "quota,project"], "prjquota")
    }

    fn image(&self) -> std::path::PathBuf {
        self.dir.path().join("image")
    }

    pub(super) fn mounted(&self) -> std::path::PathBuf {
        self.dir.path().join("m")
    }

    fn mount(&self, option: &str) -> bool {
        let mut command = Command::new("mount");
        command.args(["-o", &format!("loop,{option}")]);
        command
            .arg(self.image())
            .arg(self.mounted())
            .output()
            .unwrap()
            .status
            .success()
    }

    fn unmount(&self) -> bool {
        Command::new("umount")
            .arg(self.mounted())
            .output()
            .unwrap()
            .status
            .success()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// In the machine whose kernel has everything, nothing is passed over.
fn is_strict() -> bool {
    std::env::var_os("GANTRY_TESTS_WHOLE_KERNEL").is_some()
}

pub(super) fn sized(size: &str) -> HostConfig {
    serde_json::from_value(json!({"StorageOpt": {"size": size}})).unwrap()
}

/// Runs a container to its end and returns what it said.
pub(super) async fn said(rig: &Rig, id: &str) -> String {
    rig.client.start_container(id).await.unwrap();
    let wait = WaitCondition::NotRunning;
    rig.client.wait_container(id, wait).await.unwrap();
    rig.logs(id, LogOptions::default()).await
}

/// Takes the size out of what [`FILL`] said.
fn size_in(said: &str) -> u64 {
    let size = said.lines().find_map(|line| line.strip_prefix("size "));
    size.unwrap_or_else(|| panic!("{said}")).parse().unwrap()
}

pub(super) fn is_full(said: &str) -> bool {
    said.contains("code 1") && (said.contains("quota exceeded") || said.contains("No space left"))
}

/// Returns the number that a container's files are counted under.
pub(super) fn number_of(rig: &Rig, id: &str) -> u32 {
    number_in(rig, id, "upper")
}

/// Returns the number of a directory that belongs to a container.
pub(super) fn number_in(rig: &Rig, id: &str, name: &str) -> u32 {
    let dir = rig.path("d/containers").join(id).join(name);
    quota::project_of(fs::File::open(dir).unwrap()).unwrap()
}

pub(super) async fn is_given_back(disk: &Path, number: u32) {
    until("the number is free again", async || {
        let account = quota::account(fs::File::open(disk).unwrap(), number).unwrap();
        (account.limit_bytes, account.used_bytes, account.n_files) == (0, 0, 0)
    })
    .await;
}

#[tokio::test]
async fn a_storage_size_is_refused_where_the_file_system_keeps_none() {
    let rig = Rig::new().await;
    let plain = quota::is_enforced(fs::File::open(rig.path("d")).unwrap());
    assert!(!plain, "/tmp of this machine has project quotas");
    let (status, message) = refusal(&rig, json!({"StorageOpt": {"size": "1G"}})).await;
    assert_eq!(status, 400, "{message}");
    let words = "--storage-opt size needs project quotas: ";
    assert!(message.contains(words), "{message}");
    assert!(
        message.contains(rig.path("d").to_str().unwrap()),
        "{message}"
    );
    for (option, words) in [
        (json!({"sizes": "1G"}), "unknown option sizes"),
        (json!({"size": "-1"}), "invalid size: \"-1\""),
        (json!({"size": "16777216t"}), "invalid size"),
        (json!({"size": "9223372036854775807"}), "invalid size"),
    ] {
        let (status, message) = refusal(&rig, json!({"StorageOpt": option})).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    rig.end().await;
}

#[tokio::test]
async fn what_is_written_beyond_the_size_fails_and_nobody_else_notices() {
    let xfs = Disk::with_quotas("xfs", &["-q"], "pquota");
    for disk in [Disk::ext4(), xfs].into_iter().flatten() {
        let rig = Rig::within(&disk.mounted()).await;
        let config = ContainerConfig::default;
        let small = rig.create_with("small", FILL, config(), sized("16m")).await;
        let large = rig
            .create_with("large", FILL, config(), sized("32 MiB"))
            .await;
        let free = rig.create("free", FILL).await;
        assert_ne!(number_of(&rig, &small), number_of(&rig, &large));

        for (id, limit) in [(&small, 16 * MIB), (&large, 32 * MIB)] {
            let said = said(&rig, id).await;
            assert!(is_full(&said), "{said}");
            let size = size_in(&said);
            assert!(limit - MIB <= size && size <= limit, "{said}");
        }
        let said = said(&rig, &free).await;
        assert!(
            said.contains("code 0") && size_in(&said) == 48 * MIB,
            "{said}"
        );

        let shown = rig.client.container(&small).await.unwrap();
        let shown = shown.host_config().storage_opt.unwrap();
        assert_eq!(shown["size"], "16m");
        rig.end().await;
    }
}

#[tokio::test]
async fn a_size_outlives_the_engine_and_is_given_back_with_the_container() {
    let Some(disk) = Disk::ext4() else { return };
    let mut rig = Rig::within(&disk.mounted()).await;
    let script = "trap 'exit 0' TERM; while true; do sleep 0.02; done";
    let id = rig
        .create_with("it", script, ContainerConfig::default(), sized("16m"))
        .await;
    rig.client.start_container(&id).await.unwrap();
    let number = number_of(&rig, &id);

    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;
    let said = rig.exec_text(&id, FILL).await;
    assert!(is_full(&said) && size_in(&said) <= 16 * MIB, "{said}");
    let room = rig.exec_text(&id, "df -k / | tail -n 1").await;
    let total = room.split_whitespace().nth(1).unwrap();
    assert_eq!(total, "16384", "{room}");

    rig.client.stop_container(&id, Some(5)).await.unwrap();
    rig.client.start_container(&id).await.unwrap();
    assert_eq!(number_of(&rig, &id), number);
    let said =
        rig.exec_text(&id, "rm /big; ".to_owned().as_str()).await + &rig.exec_text(&id, FILL).await;
    assert!(is_full(&said) && size_in(&said) >= 15 * MIB, "{said}");

    rig.client.remove_container(&id, FORCE).await.unwrap();
    is_given_back(&disk.mounted(), number).await;
    rig.end().await;
}

#[tokio::test]
async fn a_create_that_broke_off_keeps_no_number() {
    let Some(disk) = Disk::ext4() else { return };
    let mut rig = Rig::within(&disk.mounted()).await;
    rig.signal_engine(Signal::SIGTERM);
    rig.start_to_die_at("create.root").await;
    let body = engine_api::containers::CreateBody {
        config: ContainerConfig {
            image: "busybox".to_owned(),
            cmd: Some(vec!["true".to_owned()]),
            ..ContainerConfig::default()
        },
        host_config: sized("16m"),
        ..Default::default()
    };
    assert!(
        rig.client
            .create_container(Some("half"), &body)
            .await
            .is_err()
    );
    rig.died().await;
    let half = fs::read_dir(rig.path("d/containers"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let upper = fs::File::open(half.path().join("upper")).unwrap();
    let number = quota::project_of(&upper).unwrap();
    assert_eq!(
        quota::account(&upper, number).unwrap().limit_bytes,
        16 * MIB
    );
    drop(upper);

    rig.start().await;
    is_given_back(&disk.mounted(), number).await;
    rig.end().await;
}

#[tokio::test]
async fn a_size_that_is_kept_no_more_stops_the_start() {
    let Some(disk) = Disk::ext4() else { return };
    let mut rig = Rig::within(&disk.mounted()).await;
    let id = rig
        .create_with("it", "true", ContainerConfig::default(), sized("16m"))
        .await;
    let inode = fs::metadata(rig.path("d")).unwrap().ino();
    rig.signal_engine(Signal::SIGTERM);
    until("nothing uses the disk", async || disk.unmount()).await;
    assert!(disk.mount("noquota"));
    assert_eq!(fs::metadata(rig.path("d")).unwrap().ino(), inode);

    rig.start().await;
    let refused = rig
        .client
        .start_container(&id)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("needs project quotas"), "{refused}");
    assert!(refused.contains("ext4 without prjquota"), "{refused}");
    rig.end().await;
}
