//! A full disk is said, and what was begun is gone again.

use docker_free_tests::fault::{Lie, LyingRegistry, SmallDisk};
use docker_free_tests::images::{Image, Layer, busybox, busybox_layer};
use docker_free_tests::{Engine, need, wait};
use serde_json::{Value, json};
use std::io::Write;

#[test]
fn a_full_disk_stops_a_load_and_leaves_nothing_of_it() {
    if !need::all(&["busybox", "mkfs.ext4"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    let before = engine.count();
    let noise: Vec<u8> = (0..60_u32 * 1024 * 1024 / 4)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let big = Image::new(
        "big",
        vec![
            busybox_layer(),
            Layer::new().file("noise", 0o644, &noise).tar(),
        ],
    );

    let tar = [("Content-Type", "application/x-tar")];
    let answer = engine
        .wire()
        .send("POST", "/images/load", &tar, &big.archive())
        .expect("an answer");

    let text = answer.text();
    assert!(
        answer.status >= 400 || text.contains("errorDetail"),
        "{text}"
    );
    assert!(text.to_lowercase().contains("no space left"), "{text}");
    before.holds_again(&engine);
    engine.wire().get("/images/big/json").expect(404);
    let id = engine.run_script("cc", "echo still");
    engine.until_state(&id, "exited");
    assert_eq!(engine.logs("cc"), "still\n");
}

#[test]
fn a_full_disk_stops_a_create_and_a_later_one_works() {
    if !need::all(&["busybox", "mkfs.ext4"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let mut engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    engine.run_script("before", "sleep 1000");
    let before = engine.count();
    let ballast = disk.fill();

    let body = json!({ "Image": "busybox", "Cmd": ["true"] });
    let refused = engine.wire().post("/containers/create?name=cc", &body);
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert!(
        refused.message().to_lowercase().contains("no space left"),
        "{}",
        refused.message()
    );
    before.holds_again(&engine);
    assert_eq!(engine.inspect("before")["State"]["Running"], true);

    // Even a crash on a full disk loses nothing.
    engine.kill();
    engine.again();
    assert_eq!(engine.inspect("before")["State"]["Running"], true);
    std::fs::remove_file(ballast).expect("the ballast is ours");
    engine.create("cc", &body);
    engine
        .wire()
        .post("/containers/cc/start", &Value::Null)
        .expect(204);
    assert_eq!(engine.until_state("cc", "exited")["State"]["ExitCode"], 0);
    engine
        .wire()
        .delete("/containers/before?force=1")
        .expect(204);
}

#[test]
fn a_full_disk_stops_a_copy_and_a_commit_and_no_more() {
    if !need::all(&["docker", "busybox", "mkfs.ext4"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    engine.ok(&["run", "-d", "--name", "box", "busybox", "sleep", "1000"]);
    let big = engine.scratch().join("big");
    std::fs::write(&big, vec![7; 60 << 20]).expect("a file on the other disk");
    let big = big.to_str().expect("a plain path");

    let copied = engine.docker(&["cp", big, "box:/root/big"]);
    assert_ne!(copied.code, 0);
    assert!(copied.err.contains("disk is full"), "{}", copied.err);
    assert_eq!(
        engine.ok(&["exec", "box", "ls", "-A", "/root"]),
        "",
        "a half of it stayed"
    );
    engine.ok(&[
        "exec",
        "box",
        "dd",
        "if=/dev/urandom",
        "of=/root/f",
        "bs=1M",
        "count=18",
    ]);
    let committed = engine.docker(&["commit", "box", "made"]);
    assert_ne!(committed.code, 0);
    assert!(
        committed.err.contains("no space left") || committed.err.contains("disk is full"),
        "{}",
        committed.err
    );

    assert_eq!(engine.inspect("box")["State"]["Status"], "running");
    assert_ne!(engine.docker(&["image", "inspect", "made"]).code, 0);
    engine.ok(&["exec", "box", "rm", "/root/f"]);
    engine.ok(&["commit", "box", "made"]);
    engine.ok(&["rm", "-f", "box"]);
}

/// What to do is said with every refusal.
fn says_what_to_do(text: &str) {
    let text = text.to_lowercase();
    assert!(
        text.contains("no space left") && text.contains("make room"),
        "{text}"
    );
}

#[test]
fn a_full_disk_stops_a_pull_and_a_tag_and_leaves_nothing_of_them() {
    if !need::all(&["docker", "busybox", "mkfs.ext4"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    engine.ok(&["run", "-d", "--name", "box", "busybox", "sleep", "1000"]);
    let before = engine.count();
    let noise: Vec<u8> = (0..60_u32 * 1024 * 1024 / 4)
        .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let big = Layer::new().file("noise", 0o644, &noise).tar();
    let registry = LyingRegistry::serve(&Image::new("big", vec![busybox_layer(), big]), Lie::None);

    let pulled = engine.docker(&["pull", "-q", &registry.name]);
    assert_ne!(pulled.code, 0);
    says_what_to_do(&pulled.err);
    before.holds_again(&engine);

    let ballast = disk.fill();
    let body = json!({ "Image": "busybox", "Cmd": ["true"] });
    let refused = engine.wire().post("/containers/create?name=cc", &body);
    says_what_to_do(&refused.message());
    let tagged = engine
        .wire()
        .post("/images/busybox/tag?repo=shop/box&tag=1", &Value::Null);
    if tagged.status != 201 {
        says_what_to_do(&tagged.message());
        engine.wire().get("/images/shop/box:1/json").expect(404);
    }
    // What takes away works at any time, and makes room.
    engine.ok(&["rm", "-f", "box"]);
    engine.ok(&["rmi", "-f", "busybox"]);
    std::fs::remove_file(ballast).expect("the ballast is ours");
    engine.load(&busybox());
    engine.ok(&["run", "--rm", "busybox", "true"]);
}

#[test]
fn a_container_writes_on_when_its_log_is_full_and_the_log_says_what_is_missing() {
    if !need::all(&["docker", "busybox", "mkfs.ext4"]) {
        return;
    }
    let disk = SmallDisk::of_mib(40);
    let engine = Engine::with_data_in(&disk.path().join("data"));
    engine.load(&busybox());
    let script = "echo first; read x; i=0; while [ $i -lt 3000 ]; do echo line $i of many; i=$((i+1)); done; \
                  echo written >/dev/shm/done; read x; echo last; sleep 1000";
    let body = json!({ "Image": "busybox", "Cmd": ["sh", "-c", script], "OpenStdin": true });
    let id = engine.create("cc", &body);
    let attach = format!("/containers/{id}/attach?stream=1&stdin=1");
    let mut stream = engine.wire().upgrade(&attach, &Value::Null);
    engine
        .wire()
        .post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);
    wait::until_true("its first line", || engine.logs(&id) == "first\n");
    let ballast = disk.fill();

    stream
        .get_mut()
        .write_all(b"go\n")
        .expect("the stream takes input");
    // It is not held up: all of it is written although none of it has a place.
    wait::until_true("it has written everything", || {
        engine.docker(&["exec", "cc", "cat", "/dev/shm/done"]).code == 0
    });
    std::fs::remove_file(ballast).expect("the ballast is ours");
    stream
        .get_mut()
        .write_all(b"go\n")
        .expect("the stream takes input");
    wait::until_true("its last line", || engine.logs(&id).contains("last\n"));

    let log = engine.logs(&id);
    assert!(log.contains("bytes of output are missing here"), "{log}");
    engine.ok(&["rm", "-f", "cc"]);
}
