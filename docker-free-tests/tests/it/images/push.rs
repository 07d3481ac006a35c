//! Pushes to a real registry by the docker command, and back again on another engine.

use std::io::Write as _;

use docker_free_tests::registry::{NAME, PASSWORD, Registry};
use docker_free_tests::server::Server;
use docker_free_tests::{Engine, docker, need, wait};

const NEEDED: &[&str] = &["docker", "busybox", "docker-registry"];

/// Removes the image by all its names, so that a pull has to bring everything.
fn forget(engine: &Engine, name: &str) {
    let id = engine.ok(&["image", "inspect", "--format", "{{.Id}}", name]);
    engine.ok(&["rmi", "--force", &id]);
}

#[test]
fn an_image_that_was_made_here_is_pushed_and_pulled_elsewhere() {
    if !need::all(NEEDED) {
        return;
    }
    let registry = Registry::open();
    let name = format!("{}/shop/app:1", registry.address);
    let engine = Engine::with_busybox();
    engine.ok(&[
        "run",
        "--name",
        "maker",
        "busybox",
        "sh",
        "-c",
        "echo made here > /made",
    ]);
    engine.ok(&["commit", "maker", &name]);
    let id = engine.ok(&["image", "inspect", "--format", "{{.Id}}", &name]);

    let pushed = engine.docker(&["push", &name]).expect(0).out;
    for word in [
        "The push refers to repository",
        "Pushed",
        "1: digest: sha256:",
    ] {
        assert!(pushed.contains(word), "{word} is missing in {pushed}");
    }
    let digest = pushed.split("digest: ").nth(1).expect("a digest");
    let digest = digest.split(' ').next().expect("a digest");
    let by_digest = format!("{}@{digest}", name.trim_end_matches(":1"));
    let known = [
        "image",
        "inspect",
        "--format",
        "{{.Id}} {{.RepoDigests}}",
        &name,
    ];
    assert_eq!(
        engine.ok(&known),
        format!("{id} [{by_digest}]"),
        "the same image, and its digest"
    );

    let again = engine.docker(&["push", &name]).expect(0).out;
    assert!(again.contains("Layer already exists"), "{again}");
    assert!(again.contains(digest), "{again}");
    let other = name.replace("shop/app", "shop/copy");
    engine.ok(&["tag", &name, &other]);
    let mounted = engine.docker(&["push", &other]).expect(0).out;
    assert!(mounted.contains("Mounted from shop/app"), "{mounted}");

    // It is still whole here, from the archives that the push has made.
    assert_eq!(
        engine.ok(&["run", "--rm", &name, "cat", "/made"]),
        "made here"
    );
    let elsewhere = Engine::start();
    for name in [&name, &by_digest, &other] {
        elsewhere.ok(&["pull", name]);
        assert_eq!(
            elsewhere.ok(&["run", "--rm", name, "cat", "/made"]),
            "made here"
        );
        assert_eq!(
            elsewhere.ok(&["image", "inspect", "--format", "{{.Id}}", name]),
            id
        );
        forget(&elsewhere, name);
    }
}

#[test]
fn all_tags_of_a_repository_go_at_once_and_an_archive_has_what_was_pushed() {
    if !need::all(NEEDED) {
        return;
    }
    let registry = Registry::open();
    let repository = format!("{}/shop/app", registry.address);
    let engine = Engine::with_busybox();
    for tag in ["1", "2"] {
        engine.ok(&["tag", "busybox", &format!("{repository}:{tag}")]);
    }

    let pushed = engine
        .docker(&["push", "--all-tags", &repository])
        .expect(0)
        .out;

    for tag in ["1: digest: sha256:", "2: digest: sha256:"] {
        assert!(pushed.contains(tag), "{pushed}");
    }
    let file = engine.scratch().join("saved.tar");
    let file = file.to_str().expect("a text");
    engine.ok(&["save", "--output", file, &format!("{repository}:2")]);
    forget(&engine, "busybox");
    engine.ok(&["load", "--input", file]);
    let name = format!("{repository}:2");
    assert_eq!(engine.ok(&["run", "--rm", &name, "echo", "hi"]), "hi");
}

#[test]
fn what_cannot_be_pushed_says_why_and_changes_nothing() {
    if !need::all(NEEDED) {
        return;
    }
    let registry = Registry::closed();
    let name = format!("{}/shop/app:1", registry.address);
    let engine = Engine::with_busybox();
    let absent = engine.docker(&["push", &name]).expect(1).err;
    let word = "An image does not exist locally with the tag";
    assert!(absent.contains(word), "{absent}");

    engine.ok(&["tag", "busybox", &name]);
    let refused = engine.docker(&["push", &name]).expect(1).err;
    assert!(refused.contains("push access denied"), "{refused}");
    assert!(refused.contains("log in"), "{refused}");
    let nobody = engine
        .docker(&["push", "127.0.0.1:1/shop/app:1"])
        .expect(1)
        .err;
    assert!(nobody.contains(word), "{nobody}");
    engine.ok(&["tag", "busybox", "127.0.0.1:1/shop/app:1"]);
    let nobody = engine
        .docker(&["push", "127.0.0.1:1/shop/app:1"])
        .expect(1)
        .err;
    assert!(
        nobody.contains("cannot reach the registry 127.0.0.1:1"),
        "{nobody}"
    );
    engine.ok(&["rmi", "127.0.0.1:1/shop/app:1"]);
    let by_digest = format!("{}/shop/app@sha256:{}", registry.address, "0".repeat(64));
    let path = format!("/images/{by_digest}/push");
    let refused = engine
        .wire()
        .send("POST", &path, &[], &[])
        .expect("an answer")
        .expect(400);
    assert!(
        refused.message().contains("cannot push a digest"),
        "{}",
        refused.message()
    );

    let wrong = [
        "login",
        "--username",
        NAME,
        "--password",
        "wrong",
        &registry.address,
    ];
    let refused = engine.docker(&wrong).expect(1).err;
    assert!(
        refused.contains("refused the user name or password"),
        "{refused}"
    );
    let login = [
        "login",
        "--username",
        NAME,
        "--password-stdin",
        &registry.address,
    ];
    let mut command = engine.docker_command();
    docker::run(command.args(login), PASSWORD.as_bytes()).expect(0);
    let pushed = engine.docker(&["push", &name]).expect(0).out;
    assert!(pushed.contains("1: digest: sha256:"), "{pushed}");
    assert!(!engine.log_text().contains(PASSWORD));
}

#[test]
fn a_damaged_layer_is_not_pushed_and_a_push_that_nobody_waits_for_ends() {
    if !need::all(NEEDED) {
        return;
    }
    let registry = Registry::open();
    let name = format!("{}/shop/app:1", registry.address);
    let engine = Engine::with_busybox();
    engine.ok(&["tag", "busybox", &name]);
    let blobs = engine.data().join("images/blobs/sha256");
    let largest = std::fs::read_dir(blobs).expect("blobs").flatten();
    let largest = largest.max_by_key(|entry| entry.metadata().map_or(0, |facts| facts.len()));
    let largest = largest.expect("a layer").path();
    let whole = std::fs::read(&largest).expect("a layer");
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    std::fs::write(&largest, damaged).expect("the directory is ours");

    let refused = engine.docker(&["push", &name]).expect(1).err;

    assert!(refused.contains("damaged"), "{refused}");
    std::fs::write(&largest, whole).expect("the directory is ours");
    // A registry that takes the connection and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    let address = silent.local_addr().expect("a bound socket has an address");
    engine.ok(&["tag", "busybox", &format!("{address}/shop/app:1")]);
    let before = engine.count();
    let mut connection = engine.wire().connect().expect("the engine listens");
    let request = format!(
        "POST /images/{address}/shop/app/push?tag=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    );
    connection
        .write_all(request.as_bytes())
        .expect("the engine reads");
    let (asked, _) = silent.accept().expect("the engine asks the registry");
    drop(connection);
    before.holds_again(&engine);
    drop(asked);
    engine.ok(&["push", &name]);
}

#[test]
fn an_owner_pushes_from_the_page_with_a_password_that_nobody_keeps() {
    if !need::all(NEEDED) {
        return;
    }
    let registry = Registry::closed();
    let name = format!("{}/shop/app:1", registry.address);
    let engine = Engine::with_busybox();
    engine.ok(&["tag", "busybox", &name]);
    let server = Server::start(&engine);
    let mut owner = server.first_owner();
    let path = format!("/images/{}/push", engine.inspect_image(&name));
    wait::until_true("the server knows the image", || {
        owner.get("/images").text().contains(&name)
    });

    let strange = owner
        .post(&path, &[("push", "127.0.0.1:1/x:1")])
        .expect(422);
    assert!(strange.text().contains("127.0.0.1:1/x:1") || strange.text().contains(&name));
    let without = [("push", name.as_str())];
    let refused = owner.post(&path, &without).expect(303);
    let job = refused.header("location").expect("a job").to_owned();
    wait::until_true("the registry refuses", || {
        owner.get(&job).text().contains("push access denied")
    });
    let known = [
        ("push", name.as_str()),
        ("user", NAME),
        ("password", PASSWORD),
    ];
    let begun = owner.post(&path, &known).expect(303);
    let job = begun.header("location").expect("a job").to_owned();
    wait::until_true("it is pushed", || {
        owner.get(&job).text().contains("1: digest: sha256:")
    });

    let audit = owner.get("/audit").text();
    assert!(audit.contains("image.push") && audit.contains(&name));
    assert!(!audit.contains(PASSWORD) && !server.log_text().contains(PASSWORD));
    assert!(!engine.log_text().contains(PASSWORD));
}
