//! The power goes: what was acknowledged is there afterwards, and what was not is whole or gone.

use std::path::Path;

use docker_free_tests::fault::{Lie, LyingRegistry, SmallDisk};
use docker_free_tests::images::{Image, Layer, busybox, busybox_layer};
use docker_free_tests::{Engine, need, wait};
use serde_json::{Value, json};

/// Cuts the power, starts the machine and the engine again.
fn cut(disk: &SmallDisk, engine: &mut Engine) {
    disk.cut();
    engine.lose_power();
    disk.back();
    engine.again();
}

fn id_of(engine: &Engine, image: &str) -> Option<String> {
    let answer = engine.wire().get(&format!("/images/{image}/json"));
    let id = answer.json()["Id"].as_str().map(str::to_owned);
    id.filter(|_| answer.status == 200)
}

#[test]
fn the_rig_loses_what_is_not_synced_and_keeps_what_is() {
    if !need::all(&["mkfs.ext4", "losetup", "python3"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let write = |name: &str| {
        let path = disk.path().join(name);
        std::fs::write(&path, "words").expect("there is room");
        path
    };
    let kept = write("kept");
    let synced = std::fs::File::open(&kept).and_then(|file| file.sync_all());
    synced.expect("it is synced");
    let lost = write("lost");

    disk.cut();
    disk.back();

    let is_whole = |path: &Path| std::fs::read(path).is_ok_and(|bytes| bytes == b"words");
    assert!(is_whole(&kept) && !is_whole(&lost));
}

#[test]
fn what_was_acknowledged_is_there_after_a_power_cut() {
    if !need::all(&["docker", "busybox", "mkfs.ext4", "losetup", "python3"]) {
        return;
    }
    let disk = SmallDisk::of_mib(100);
    let mut engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    cut(&disk, &mut engine);
    assert!(id_of(&engine, "busybox").is_some(), "the load is lost");

    let layer = Layer::new().file("shelf", 0o644, b"full").tar();
    let image = Image::new("app", vec![busybox_layer(), layer]);
    let registry = LyingRegistry::serve(&image, Lie::None);
    engine.ok(&["pull", "-q", &registry.name]);
    cut(&disk, &mut engine);
    let script = ["run", "--rm", &registry.name, "cat", "/shelf"];
    assert_eq!(engine.ok(&script), "full", "the pull is lost or broken");

    engine.ok(&["tag", "busybox", "shop/box:2"]);
    cut(&disk, &mut engine);
    assert_eq!(id_of(&engine, "shop/box:2"), id_of(&engine, "busybox"));

    engine.ok(&["rmi", "shop/box:2"]);
    cut(&disk, &mut engine);
    assert_eq!(id_of(&engine, "shop/box:2"), None, "a name came back");

    let body =
        json!({ "Image": "busybox", "Cmd": ["sh", "-c", "echo open"], "Labels": { "app": "x" } });
    let id = engine.create("shop", &body);
    cut(&disk, &mut engine);
    let shop = engine.inspect("shop");
    assert_eq!(
        (&shop["Id"], &shop["Config"]["Labels"]["app"]),
        (&json!(id), &json!("x"))
    );

    engine
        .wire()
        .post("/containers/shop/rename?name=store", &Value::Null)
        .expect(204);
    cut(&disk, &mut engine);
    assert_eq!(engine.inspect("store")["Id"], json!(id));
    assert_eq!(engine.ok(&["start", "-a", "store"]), "open");
    cut(&disk, &mut engine);
    assert_eq!(engine.ok(&["start", "-a", "store"]), "open");

    engine.wire().delete("/containers/store").expect(204);
    cut(&disk, &mut engine);
    engine.wire().get("/containers/store/json").expect(404);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn a_running_container_is_over_after_a_power_cut_and_starts_again() {
    if !need::all(&["docker", "busybox", "mkfs.ext4", "losetup", "python3"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let mut engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    engine.run_script("shop", "echo open; sleep 1000");
    engine.until_state("shop", "running");

    cut(&disk, &mut engine);

    // Whether the start had reached the disk nobody knows; it must not look as if it still ran.
    let status = engine.inspect("shop")["State"]["Status"].clone();
    assert!(status == "exited" || status == "created", "{status}");
    engine.ok(&["start", "shop"]);
    engine.until_state("shop", "running");
    engine.ok(&["rm", "-f", "shop"]);
}

#[test]
fn what_was_not_acknowledged_is_whole_or_gone_after_a_power_cut() {
    if !need::all(&["docker", "busybox", "mkfs.ext4", "losetup", "python3"]) {
        return;
    }
    let disk = SmallDisk::of_mib(100);
    let mut engine = Engine::with_data_in(&disk.path().join("data"));
    let before = engine.count();
    let noise: Vec<u8> = (0..1_u32 << 20)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let layer = Layer::new().file("noise", 0o644, &noise).tar();
    let registry =
        LyingRegistry::serve(&Image::new("app", vec![busybox_layer(), layer]), Lie::None);

    for round in 0..6 {
        let client = engine.docker_running(&["pull", "-q", &registry.name]);
        // Another moment each time; which step it falls into is chance.
        std::thread::sleep(std::time::Duration::from_millis(20 + 35 * round));
        cut(&disk, &mut engine);
        client.kill();
        if id_of(&engine, &registry.name.replace('/', "%2F")).is_none() {
            before.holds_again(&engine);
            engine.ok(&["pull", "-q", &registry.name]);
        }
        let said = engine.ok(&["run", "--rm", &registry.name, "wc", "-c", "/noise"]);
        assert_eq!(said, format!("{} /noise", 4 << 20));
        engine.ok(&["rmi", &registry.name]);
        before.holds_again(&engine);
    }
}

#[test]
fn a_policy_acts_by_a_start_that_was_the_last_thing_before_the_power_went() {
    if !need::all(&["busybox", "mkfs.ext4", "losetup", "python3"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let mut engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    for policy in ["always", "unless-stopped", "on-failure", "no"] {
        let body = json!({
            "Image": "busybox", "Cmd": ["sleep", "1000"], "StopSignal": "SIGKILL",
            "HostConfig": { "RestartPolicy": { "Name": policy } },
        });
        engine.create(policy, &body);
        engine
            .wire()
            .post(&format!("/containers/{policy}/start"), &Value::Null)
            .expect(204);

        cut(&disk, &mut engine);

        if policy == "no" {
            let status = engine.inspect(policy)["State"]["Status"].clone();
            assert!(status == "created" || status == "exited", "{status}");
        } else {
            engine.until_state(policy, "running");
        }
        engine
            .wire()
            .delete(&format!("/containers/{policy}?force=1"))
            .expect(204);
    }
}

#[test]
fn a_policy_goes_on_when_the_power_goes_between_two_runs() {
    if !need::all(&["busybox", "mkfs.ext4", "losetup", "python3"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let mut engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    for policy in ["unless-stopped", "on-failure"] {
        let body = json!({
            "Image": "busybox", "Cmd": ["false"],
            "HostConfig": { "RestartPolicy": { "Name": policy } },
        });
        engine.create("ends", &body);
        engine
            .wire()
            .post("/containers/ends/start", &Value::Null)
            .expect(204);
        let n_runs = |engine: &Engine| engine.inspect("ends")["RestartCount"].as_u64();
        wait::until_true("it ran again", || n_runs(&engine) > Some(0));
        // Syncs the journal, and with it the name of every file that is not synced itself.
        engine.create("other", &body);

        cut(&disk, &mut engine);

        let before = n_runs(&engine);
        wait::until_true("it runs once more", || n_runs(&engine) > before);
        for name in ["ends", "other"] {
            let path = format!("/containers/{name}?force=1");
            engine.wire().delete(&path).expect(204);
        }
    }
}

#[test]
fn a_job_that_is_done_is_not_done_again_and_one_that_was_begun_anew_goes_on() {
    if !need::all(&["docker", "busybox", "mkfs.ext4", "losetup", "python3"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let mut engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    let begin = |engine: &Engine, name: &str| {
        let path = format!("/containers/{name}/start");
        engine.wire().post(&path, &Value::Null).expect(204);
    };
    let script = "trap 'exit 0' TERM; echo ready; while true; do sleep 0.05; done";
    for (name, script) in [("job", "exit 0"), ("serves", script)] {
        let body = json!({
            "Image": "busybox", "Cmd": ["sh", "-c", script],
            "HostConfig": { "RestartPolicy": { "Name": "on-failure" } },
        });
        engine.create(name, &body);
        begin(&engine, name);
    }
    wait::until_true("it listens", || engine.ok(&["logs", "serves"]) == "ready");
    engine.until_state("job", "exited");
    // Its end is a good one; nothing of that may come back once it was begun again.
    engine
        .wire()
        .post("/containers/serves/stop", &Value::Null)
        .expect(204);
    assert_eq!(engine.inspect("serves")["State"]["ExitCode"], json!(0));
    let done = engine.inspect("job");
    begin(&engine, "serves");

    cut(&disk, &mut engine);

    engine.until_state("serves", "running");
    let now = engine.inspect("job");
    for what in ["Status", "ExitCode", "StartedAt", "FinishedAt"] {
        assert_eq!(now["State"][what], done["State"][what], "{what}");
    }
    assert_eq!(now["RestartCount"], json!(0));
    engine.ok(&["rm", "-f", "serves", "job"]);
}
