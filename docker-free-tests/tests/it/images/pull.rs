//! Pulls from a real registry with and without a password, through a mirror, and from one that lies.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use docker_free_tests::fault::{Lie, LyingRegistry};
use docker_free_tests::images::{Image, busybox, busybox_layer};
use docker_free_tests::registry::{PASSWORD, Registry};
use docker_free_tests::{Engine, need};
use serde_json::json;

/// `ann:loopback-only`, as the docker command keeps it.
const SECRET: &str = "YW5uOmxvb3BiYWNrLW9ubHk=";
/// `{"username":"ann","password":"wrong"}`, as a client sends it.
const WRONG: &str = "eyJ1c2VybmFtZSI6ICJhbm4iLCAicGFzc3dvcmQiOiAid3JvbmcifQ==";

#[test]
fn an_image_is_pulled_with_its_progress_and_run() {
    if !need::all(&["docker", "busybox", "docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::open();
    let name = registry.push(&busybox(), "shop/busybox:1");
    let engine = Engine::start();
    let before = engine.count();

    let path = format!(
        "/images/create?fromImage={}&tag=1",
        name.trim_end_matches(":1")
    );
    let answer = engine
        .wire()
        .send("POST", &path, &[], &[])
        .expect("an answer")
        .expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let text = answer.text();
    let first: serde_json::Value =
        serde_json::from_str(text.lines().next().unwrap_or_default()).expect("JSON");
    assert_eq!(first["id"], "1", "{text}");
    for word in [
        "Pulling fs layer",
        "Download complete",
        "Pull complete",
        "Digest: sha256:",
        "Status: Downloaded newer image",
    ] {
        assert!(text.contains(word), "{word} is missing in {text}");
    }

    assert_eq!(engine.ok(&["run", "--rm", &name, "echo", "hi"]), "hi");
    let again = engine.ok(&["pull", &name]);
    assert!(again.contains("Image is up to date"), "{again}");
    let digests = engine.ok(&[
        "image",
        "inspect",
        "--format",
        "{{index .RepoDigests 0}}",
        &name,
    ]);
    assert!(digests.contains("@sha256:"), "{digests}");
    let by_digest = engine.ok(&["pull", &digests]);
    assert!(by_digest.contains("up to date"), "{by_digest}");
    for tag in [name.as_str(), digests.as_str()] {
        engine.docker(&["rmi", "-f", tag]);
    }
    before.holds_again(&engine);
}

#[test]
fn what_the_disk_has_damaged_is_brought_again() {
    if !need::all(&["docker", "busybox", "docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::open();
    let name = registry.push(&busybox(), "shop/busybox:1");
    let mut engine = Engine::start();
    // The engine's own image has a layer too, and which of the two is larger nobody knows.
    let not_its = blobs(&engine);
    engine.ok(&["pull", &name]);
    let script = ["run", "--rm", &name, "echo", "hi"];

    damage_layer(&mut engine, &not_its);
    let refused = engine.docker(&script);
    let said = "damaged on this disk: pull its image again";
    assert!(refused.err.contains(said), "{}", refused.err);
    assert_eq!(
        refused.code, 125,
        "docker's own code for a container that was not made"
    );
    engine.ok(&["pull", &name]);
    assert_eq!(engine.ok(&script), "hi");

    // Found out by the pull itself.
    damage_layer(&mut engine, &not_its);
    engine.ok(&["pull", &name]);
    assert_eq!(engine.ok(&script), "hi");
}

fn blobs(engine: &Engine) -> BTreeSet<PathBuf> {
    let files = fs::read_dir(engine.data().join("images/blobs/sha256")).expect("blobs");
    files.map(|file| file.expect("it is read").path()).collect()
}

/// Flips a bit of the image's layer while no engine runs, and takes away what was unpacked from it.
fn damage_layer(engine: &mut Engine, not_its: &BTreeSet<PathBuf>) {
    engine.stop();
    let of_image = blobs(engine)
        .into_iter()
        .filter(|blob| !not_its.contains(blob));
    let layer = of_image.max_by_key(|blob| fs::metadata(blob).map_or(0, |blob| blob.len()));
    let layer = layer.expect("a layer");
    let mut bytes = fs::read(&layer).expect("it is read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&layer, bytes).expect("it is written");
    fs::remove_dir_all(engine.data().join("layers")).expect("the layers go");
    engine.again();
}

#[test]
fn a_closed_registry_wants_its_password() {
    if !need::all(&["docker", "busybox", "docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::closed();
    let name = registry.push(&busybox(), "shop/busybox:1");
    let engine = Engine::start();
    let before = engine.count();

    let refused = engine.docker(&["pull", &name]).expect(1);
    assert!(
        refused.err.contains("may require 'docker login'"),
        "{}",
        refused.err
    );
    before.holds_again(&engine);
    let knows = |secret: &str| {
        let folder = engine.scratch().join("docker-config");
        std::fs::create_dir_all(&folder).expect("the directory is ours");
        let config = json!({ "auths": { &registry.address: { "auth": secret } } });
        std::fs::write(folder.join("config.json"), config.to_string())
            .expect("the directory is ours");
    };
    // With a wrong password the docker command would ask for another one on its terminal.
    let asked = format!("/images/create?fromImage={name}");
    let header = [("X-Registry-Auth", WRONG)];
    let refused = engine
        .wire()
        .send("POST", &asked, &header, &[])
        .expect("an answer")
        .expect(401);
    assert!(
        refused.message().contains(&registry.address),
        "{}",
        refused.message()
    );
    before.holds_again(&engine);
    knows(SECRET);
    engine.ok(&["pull", &name]);

    assert_eq!(engine.ok(&["run", "--rm", &name, "echo", "hi"]), "hi");
    assert!(!engine.log_text().contains(PASSWORD));
}

#[test]
fn every_tag_of_a_repository_is_pulled_at_once() {
    if !need::all(&["docker", "busybox", "docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::open();
    for tag in ["1", "2", "3"] {
        registry.push(&busybox(), &format!("shop/busybox:{tag}"));
    }
    let engine = Engine::start();
    let repository = format!("{}/shop/busybox", registry.address);

    let pulled = engine
        .docker(&["pull", "--all-tags", &repository])
        .expect(0)
        .out;

    let news = format!("Status: Downloaded newer image for {repository}");
    assert_eq!(pulled.matches("Digest: sha256:").count(), 3, "{pulled}");
    assert!(pulled.contains(&news), "{pulled}");
    let tags = engine.ok(&["images", "--format", "{{.Tag}}", &repository]);
    let mut tags: Vec<_> = tags.lines().collect();
    tags.sort_unstable();
    assert_eq!(tags, ["1", "2", "3"]);
    let absent = format!("{}/shop/nothing", registry.address);
    let refused = engine
        .docker(&["pull", "--all-tags", &absent])
        .expect(1)
        .err;
    assert!(refused.contains("repository does not exist"), "{refused}");
}

#[test]
fn a_mirror_stands_for_the_default_registry() {
    if !need::all(&["docker", "busybox", "docker-registry", "skopeo"]) {
        return;
    }
    let registry = Registry::open();
    registry.push(&busybox(), "library/tiny:latest");
    let mirror = format!("http://{}", registry.address);
    let engine = Engine::with(&["--registry-mirror", &mirror]);

    // `docker run` pulls what is missing.
    let outcome = engine
        .docker(&["run", "--rm", "tiny", "echo", "hi"])
        .expect(0);

    assert_eq!(outcome.out, "hi\n");
    assert!(
        outcome
            .err
            .contains("Unable to find image 'tiny:latest' locally"),
        "{}",
        outcome.err
    );
    assert_eq!(
        engine.ok(&["images", "--format", "{{.Repository}}:{{.Tag}}", "tiny"]),
        "tiny:latest"
    );
}

#[test]
fn a_registry_that_lies_leaves_nothing_behind() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::start();
    let before = engine.count();
    let image = Image::new("shop/app:1", vec![busybox_layer()]);
    let lies = [
        (Lie::WrongBytes, "other content"),
        (Lie::Truncated, ""),
        (Lie::ServerError, "500"),
        (Lie::Missing, ""),
    ];

    for (lie, word) in lies {
        let registry = LyingRegistry::serve(&image, lie);
        let path = format!("/images/create?fromImage={}", registry.name);
        let answer = engine
            .wire()
            .send("POST", &path, &[], &[])
            .expect("an answer");
        let text = answer.text();
        assert!(
            answer.status >= 400 || text.contains("errorDetail"),
            "{lie:?}: {text}"
        );
        assert!(text.to_lowercase().contains(word), "{lie:?}: {text}");
        assert!(!text.contains("Downloaded newer image"), "{lie:?}: {text}");
        before.holds_again(&engine);
    }
    let honest = LyingRegistry::serve(&image, Lie::None);
    let path = format!("/images/create?fromImage={}", honest.name);
    let text = engine
        .wire()
        .send("POST", &path, &[], &[])
        .expect("an answer")
        .expect(200)
        .text();
    assert!(
        text.contains("Downloaded newer image"),
        "the honest twin: {text}"
    );
}

#[test]
fn a_pull_that_nobody_waits_for_ends() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::start();
    let before = engine.count();
    // A registry that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = silent.local_addr().expect("a bound socket has an address");

    let mut connection = engine.wire().connect().expect("the engine listens");
    let request = format!(
        "POST /images/create?fromImage={address}/shop/app&tag=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    );
    std::io::Write::write_all(&mut connection, request.as_bytes()).expect("the engine reads");
    let (asked, _) = silent.accept().expect("the engine asks the registry");
    drop(connection);

    before.holds_again(&engine);
    drop(asked);
}
