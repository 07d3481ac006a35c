//! The local driver's options: file systems that are there while a container uses them, directories of
//! the host, and who may have what.

use std::fs;

use engine_api::containers::{ContainerConfig, HostConfig, WaitCondition};
use engine_api::volumes::VolumeCreateBody;
use engine_client::{EventOptions, RemoveOptions};
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::rig::{Rig, until};
use crate::volumes::{LOOK, SEEN, asked, create, create_of_data, image_with_data, refused, run};

const FORCE: RemoveOptions = RemoveOptions {
    force: true,
    volumes: true,
};

async fn volume(rig: &Rig, name: &str, options: Value) {
    let body = VolumeCreateBody {
        driver_opts: serde_json::from_value(options).unwrap(),
        ..asked(name)
    };
    rig.client.create_volume(&body).await.unwrap();
}

fn mounts_of(rig: &Rig) -> usize {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let ours = rig.path("d/volumes").display().to_string();
    mounts.lines().filter(|line| line.contains(&ours)).count()
}

#[tokio::test]
async fn a_volume_in_memory_is_one_for_all_and_gone_after_the_last() {
    let mut rig = Rig::new().await;
    let options = json!({"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=750,uid=7,noexec"});
    volume(&rig, "memory", options).await;
    let host = json!({"Binds": ["memory:/m"]});
    let one = create(&rig, "one", "sleep 600", host.clone()).await;
    let other = create(&rig, "other", "sleep 600", host).await;
    assert_eq!(mounts_of(&rig), 0, "nobody runs");
    rig.client.start_container(&one).await.unwrap();
    rig.client.start_container(&other).await.unwrap();
    assert_eq!(mounts_of(&rig), 1);
    rig.exec_text(&one, "echo shared >/m/f").await;
    let seen = rig
        .exec_text(
            &other,
            "cat /m/f; stat -c '%a %u' /m; grep ' /m ' /proc/mounts",
        )
        .await;
    assert!(seen.starts_with("shared\n750 7\n"), "{seen}");
    assert!(
        seen.contains("noexec") && seen.contains("size=1024k"),
        "{seen}"
    );
    let full = rig
        .exec_text(&other, "dd if=/dev/zero of=/m/big bs=100k count=20")
        .await;
    assert!(full.contains("No space left"), "{full}");
    // An engine that dies finds it again, as it is.
    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;
    rig.client.remove_container(&one, FORCE).await.unwrap();
    assert_eq!(mounts_of(&rig), 1, "the other one has it");
    assert_eq!(rig.exec_text(&other, "cat /m/f").await, "shared\n");
    rig.client.remove_container(&other, FORCE).await.unwrap();
    assert_eq!(mounts_of(&rig), 0);
    rig.end().await;
}

#[tokio::test]
async fn what_stays_mounted_without_an_engine_goes_with_the_next_one() {
    let mut rig = Rig::new().await;
    volume(&rig, "memory", json!({"type": "tmpfs", "device": "x"})).await;
    let id = create(&rig, "one", "sleep 600", json!({"Binds": ["memory:/m"]})).await;
    rig.client.start_container(&id).await.unwrap();
    rig.signal_engine(Signal::SIGKILL);
    rig.reboot().await;
    assert_eq!(mounts_of(&rig), 1);
    rig.start().await;
    until("it is unmounted", async || mounts_of(&rig) == 0).await;
    rig.end().await;
}

#[tokio::test]
async fn a_directory_of_the_host_is_a_volume_filled_at_its_first_start() {
    let rig = Rig::new().await;
    image_with_data(&rig).await;
    let share = rig.path("share");
    fs::create_dir(&share).unwrap();
    let options = json!({"type": "none", "device": share, "o": "bind"});
    volume(&rig, "shared", options).await;
    let id = create_of_data(&rig, "one", LOOK, json!({"Binds": ["shared:/data"]})).await;
    assert_eq!(fs::read_dir(&share).unwrap().count(), 0);
    rig.client.start_container(&id).await.unwrap();
    let wait = WaitCondition::NotRunning;
    rig.client.wait_container(&id, wait).await.unwrap();
    assert_eq!(rig.logs(&id, Default::default()).await, SEEN);
    assert!(share.join("sub/b").exists());
    let read_only = json!({"type": "none", "device": share, "o": "bind,ro"});
    volume(&rig, "locked", read_only).await;
    let found = run(
        &rig,
        "two",
        "cat /l/a; touch /l/x",
        json!({"Binds": ["locked:/l"]}),
    )
    .await;
    assert!(
        found.starts_with("one\n") && found.contains("Read-only"),
        "{found}"
    );
    rig.client.remove_container("one", FORCE).await.unwrap();
    rig.client.remove_volume("shared", false).await.unwrap();
    assert!(
        share.join("sub/b").exists(),
        "what lies there is the host's"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_volume_that_cannot_be_mounted_says_why_and_leaves_nothing() {
    let rig = Rig::new().await;
    for (name, options, says) in [
        (
            "gone",
            json!({"type": "none", "device": "/no/such/place", "o": "bind"}),
            "No such file",
        ),
        (
            "odd",
            json!({"type": "tmpfs", "device": "x", "o": "colour=red"}),
            "failed to mount local volume",
        ),
        (
            "disk",
            json!({"type": "ext4", "device": "/dev/null"}),
            "failed to mount local volume",
        ),
        (
            "remote",
            json!({"type": "nfs", "device": ":/x", "o": "addr=no-such-host.invalid"}),
            "failed to mount local volume: mount :/x:",
        ),
    ] {
        volume(&rig, name, options).await;
        let id = create(&rig, name, "true", json!({"Binds": [format!("{name}:/m")]})).await;
        let (_, words) = refused(rig.client.start_container(&id).await);
        assert!(words.contains(says), "{words}");
    }
    assert_eq!(mounts_of(&rig), 0);
    rig.end().await;
}

#[tokio::test]
async fn a_volume_leads_nowhere_that_a_bind_may_not() {
    let rig = Rig::with(&["--confined"]).await;
    let own = rig.path("d");
    let link = rig.path("link");
    std::os::unix::fs::symlink("/usr", &link).unwrap();
    for options in [
        json!({"type": "none", "device": own, "o": "bind"}),
        json!({"type": "none", "device": "/", "o": "bind"}),
        json!({"type": "ext4", "device": "/dev/sda"}),
        json!({"type": "nfs", "device": ":/x", "o": "addr=127.0.0.1"}),
    ] {
        let body = VolumeCreateBody {
            driver_opts: serde_json::from_value(options).unwrap(),
            ..asked("data")
        };
        let (status, words) = refused(rig.client.create_volume(&body).await);
        assert!(
            status == 403 && words.contains("profile of this host"),
            "{words}"
        );
    }
    // Where it leads is judged again when it is opened.
    volume(
        &rig,
        "later",
        json!({"type": "none", "device": link, "o": "bind"}),
    )
    .await;
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&own, &link).unwrap();
    let id = create(&rig, "one", "ls /m", json!({"Binds": ["later:/m"]})).await;
    let (_, words) = refused(rig.client.start_container(&id).await);
    assert!(words.contains("belongs to the engine"), "{words}");
    rig.end().await;
}

#[tokio::test]
async fn remapped_users_own_what_is_copied_up() {
    let rig = Rig::with(&["--userns-remap", "100000+65536"]).await;
    image_with_data(&rig).await;
    let script = format!("{LOOK}; touch /data/sub/mine && stat -c %u /data/sub/mine");
    let id = create_of_data(&rig, "one", &script, json!({"Binds": ["data:/data"]})).await;
    rig.client.start_container(&id).await.unwrap();
    let wait = WaitCondition::NotRunning;
    rig.client.wait_container(&id, wait).await.unwrap();
    let seen = rig.logs(&id, Default::default()).await;
    assert_eq!(seen, format!("{SEEN}0\n"));
    let data = rig.path("d/volumes/data/_data");
    let owner = |path: &str| {
        let metadata = fs::metadata(data.join(path)).unwrap();
        std::os::unix::fs::MetadataExt::uid(&metadata)
    };
    assert_eq!(
        (owner(""), owner("a"), owner("sub")),
        (101_000, 100_000, 101_000)
    );
    let fresh = run(
        &rig,
        "two",
        "touch /f/x && stat -c %u /f",
        json!({"Binds": ["fresh:/f"]}),
    )
    .await;
    assert_eq!(fresh, "0\n");
    rig.end().await;
}

#[tokio::test]
async fn each_step_of_a_volumes_life_is_told() {
    let rig = Rig::new().await;
    let host: HostConfig = serde_json::from_value(json!({"Binds": ["data:/d:ro"]})).unwrap();
    let id = rig
        .create_with("one", "true", ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    let wait = WaitCondition::NotRunning;
    rig.client.wait_container(&id, wait).await.unwrap();
    rig.client.remove_container(&id, FORCE).await.unwrap();
    rig.client.remove_volume("data", false).await.unwrap();
    let options = EventOptions {
        since: Some("0".to_owned()),
        filters: engine_api::filter::Filters::default().with("type", "volume"),
        ..EventOptions::default()
    };
    let mut events = rig.client.events(&options).await.unwrap();
    let mut told = Vec::new();
    while told.len() < 4 {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.actor.id, "data");
        assert_eq!(event.actor.attributes["driver"], "local");
        if event.action == "mount" {
            assert_eq!(event.actor.attributes["destination"], "/d");
            assert_eq!(event.actor.attributes["read/write"], "false");
            assert_eq!(event.actor.attributes["container"], id);
        }
        told.push(event.action);
    }
    assert_eq!(told, ["create", "mount", "unmount", "destroy"]);
    rig.end().await;
}
