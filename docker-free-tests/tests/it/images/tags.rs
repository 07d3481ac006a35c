//! Names of images: given, moved, listed, taken away.

use docker_free_tests::images::{Image, Layer, busybox_layer};
use docker_free_tests::{Engine, need};
use serde_json::json;

#[test]
fn an_image_has_many_names_and_goes_with_the_last() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::start();
    let before = engine.count();
    engine.load(&docker_free_tests::images::busybox());

    engine.ok(&["tag", "busybox", "shop/box:2"]);
    engine.ok(&["tag", "busybox:latest", "127.0.0.1:5000/box"]);
    let id = engine.ok(&["images", "-q", "--no-trunc", "busybox"]);
    assert_eq!(engine.ok(&["images", "-q", "--no-trunc", "shop/box:2"]), id);
    let names = engine.ok(&[
        "image",
        "inspect",
        "--format",
        "{{json .RepoTags}}",
        "busybox",
    ]);
    for name in [
        "\"busybox:latest\"",
        "\"shop/box:2\"",
        "\"127.0.0.1:5000/box:latest\"",
    ] {
        assert!(names.contains(name), "{names}");
    }
    assert_eq!(
        engine
            .wire()
            .get(&format!("/images/{id}/json"))
            .expect(200)
            .json()["Id"],
        json!(id)
    );

    let conflict = engine.docker(&["rmi", &id]).expect(1);
    assert!(
        conflict.err.contains("conflict: unable to delete"),
        "{}",
        conflict.err
    );
    assert_eq!(engine.ok(&["rmi", "busybox"]), "Untagged: busybox:latest");
    engine.ok(&["rmi", "127.0.0.1:5000/box"]);
    let last = engine.ok(&["rmi", "shop/box:2"]);
    assert!(last.contains(&format!("Deleted: {id}")), "{last}");
    before.holds_again(&engine);
}

#[test]
fn an_image_in_use_stays() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&["run", "-d", "--name", "shop", "busybox", "sleep", "1000"]);

    let refused = engine.docker(&["rmi", "busybox"]).expect(1);
    assert!(
        refused.err.contains("conflict: unable to"),
        "{}",
        refused.err
    );
    let running = engine.docker(&["rmi", "-f", &engine.ok(&["images", "-q", "busybox"])]);
    assert_ne!(
        running.code, 0,
        "an image of a running container went: {}",
        running.out
    );
    assert_eq!(engine.ok(&["exec", "shop", "echo", "hi"]), "hi");
    engine.ok(&["rm", "-f", "shop"]);
    engine.ok(&["rmi", "busybox"]);
}

#[test]
fn an_image_of_a_stopped_container_goes_by_force_and_the_container_stays_whole() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    let id = engine.inspect_image("busybox");
    let empty = {
        engine.ok(&["run", "--name", "shop", "busybox", "sh", "-c", "echo sold"]);
        let refused = engine.docker(&["rmi", &id]).expect(1);
        assert!(refused.err.contains("must be forced"), "{}", refused.err);
        let gone = engine.ok(&["rmi", "-f", "busybox"]);
        assert!(gone.contains("Untagged: busybox:latest"), "{gone}");
        assert!(gone.contains(&format!("Deleted: {id}")), "{gone}");
        engine.docker(&["image", "inspect", &id]).expect(1);
        engine
            .docker(&["run", "--rm", "busybox", "true"])
            .expect(125)
    };
    assert!(empty.err.contains("busybox"), "{}", empty.err);

    // Its files are there, after a crash too, and go with it.
    assert_eq!(engine.ok(&["start", "-a", "shop"]), "sold");
    engine.kill();
    engine.again();
    assert_eq!(engine.ok(&["start", "-a", "shop"]), "sold");
    assert_eq!(engine.inspect("shop")["Image"], id.as_str());
    let layers = || {
        let entries = engine.count().entries;
        let layers = entries.into_iter().filter(|entry| entry.ends_with("/diff"));
        layers.count()
    };
    let with = layers();
    engine.ok(&["rm", "shop"]);
    docker_free_tests::wait::until_true("its layer goes too", || layers() == with - 1);
}

#[test]
fn a_name_moves_to_the_newer_image() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let old = engine.ok(&["images", "-q", "--no-trunc", "busybox"]);
    let newer = Layer::new().file("etc/release", 0o644, b"2\n").tar();

    engine.load(&Image::new("busybox:latest", vec![busybox_layer(), newer]).archive());

    assert_eq!(
        engine.ok(&["run", "--rm", "busybox", "cat", "/etc/release"]),
        "2"
    );
    let all = engine.ok(&[
        "images",
        "-a",
        "--no-trunc",
        "--format",
        "{{.ID}} {{.Repository}}",
    ]);
    assert!(all.contains(&format!("{old} <none>")), "{all}");
    let history = engine.ok(&["history", "-q", "busybox"]);
    assert_eq!(history.lines().count(), 2, "{history}");
    let dangling = engine.ok(&["images", "-q", "--no-trunc", "--filter", "dangling=true"]);
    assert_eq!(dangling, old);
}

#[test]
fn wrong_names_are_refused_and_named() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let post = |path: &str| engine.wire().post(path, &serde_json::Value::Null);

    let upper = post("/images/busybox/tag?repo=Shop&tag=1").expect(400);
    assert!(upper.message().contains("Shop"), "{}", upper.message());
    let tag = post("/images/busybox/tag?repo=shop&tag=a%20b").expect(400);
    assert!(tag.message().contains("a b"), "{}", tag.message());
    post("/images/ghost/tag?repo=shop&tag=1").expect(404);
    assert_eq!(
        engine.wire().delete("/images/ghost").expect(404).message(),
        "No such image: ghost:latest"
    );
    let bad = post("/images/create?fromImage=UPPER&tag=1");
    assert_eq!(bad.status, 400, "{}", bad.text());
    post("/images/create").expect(400);
}
