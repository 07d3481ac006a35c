//! Archives that are loaded and imported, and archives that must not be.

use docker_free_tests::images::{Image, Layer, busybox, busybox_layer, digest};
use docker_free_tests::wire::Answer;
use docker_free_tests::{Engine, docker, need};
use serde_json::json;

fn load(engine: &Engine, archive: &[u8]) -> Answer {
    let tar = [("Content-Type", "application/x-tar")];
    engine
        .wire()
        .send("POST", "/images/load", &tar, archive)
        .expect("an answer")
}

/// The error of an answer, whether it came as status or as the last line of progress.
fn error_of(answer: &Answer) -> Option<String> {
    if answer.status != 200 {
        return Some(answer.message());
    }
    let text = answer.text();
    let last = text.lines().rfind(|line| line.contains("errorDetail"))?;
    let line: serde_json::Value = serde_json::from_str(last).expect("progress is JSON");
    Some(
        line["errorDetail"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
    )
}

#[test]
fn an_oci_archive_loads_like_a_docker_archive() {
    if !need::all(&["docker", "busybox", "skopeo"]) {
        return;
    }
    let engine = Engine::start();
    let docker_archive = engine.scratch().join("docker.tar");
    let oci_archive = engine.scratch().join("oci.tar");
    std::fs::write(&docker_archive, busybox()).expect("the directory is ours");
    let (from, to) = (docker_archive.display(), oci_archive.display());
    let mut skopeo = std::process::Command::new(need::program("skopeo"));
    skopeo.args([
        "--insecure-policy",
        "copy",
        "-q",
        &format!("docker-archive:{from}"),
        &format!("oci-archive:{to}:busybox:oci"),
    ]);
    docker::run(&mut skopeo, &[]).expect(0);

    let loaded = engine.ok(&["load", "-i", &oci_archive.to_string_lossy()]);

    assert!(loaded.contains("busybox:oci"), "{loaded}");
    assert_eq!(
        engine.ok(&["run", "--rm", "busybox:oci", "echo", "hi"]),
        "hi"
    );
}

#[test]
fn a_root_file_system_is_imported_with_changes() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::start();
    let before = engine.count();
    let mut command = engine.docker_command();
    command.args([
        "import",
        "-c",
        "CMD [\"echo\", \"hi\"]",
        "-c",
        "ENV A=b",
        "-",
        "small:1",
    ]);

    let outcome = docker::run(&mut command, &busybox_layer()).expect(0);

    assert!(outcome.out.starts_with("sha256:"), "{}", outcome.out);
    assert_eq!(engine.ok(&["run", "--rm", "small:1"]), "hi");
    assert_eq!(
        engine.ok(&["run", "--rm", "small:1", "/bin/sh", "-c", "echo $A"]),
        "b"
    );
    engine.ok(&["rmi", "small:1"]);
    before.holds_again(&engine);
}

#[test]
fn upper_layers_hide_what_they_remove() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::start();
    let lower = Layer::new()
        .folder("a/", 0o755)
        .file("a/old", 0o644, b"old")
        .file("gone", 0o644, b"x")
        .tar();
    let upper = Layer::new()
        .file(".wh.gone", 0o644, b"")
        .folder("a/", 0o755)
        .file("a/.wh..wh..opq", 0o644, b"")
        .file("a/new", 0o644, b"new")
        .tar();

    engine.load(&Image::new("layers", vec![busybox_layer(), lower, upper]).archive());

    assert_eq!(engine.ok(&["run", "--rm", "layers", "ls", "/a"]), "new");
    engine
        .docker(&["run", "--rm", "layers", "ls", "/gone"])
        .expect(1);
}

#[test]
fn a_broken_archive_leaves_nothing() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::start();
    let before = engine.count();
    let good = busybox();
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0xff;
    let no_manifest = Layer::new().file("a", 0o644, b"x").tar();
    let nonsense = Layer::new().file("manifest.json", 0o644, b"{").tar();
    let missing =
        json!([{ "Config": "no.json", "RepoTags": ["x:1"], "Layers": ["no.tar"] }]).to_string();
    let missing = Layer::new()
        .file("manifest.json", 0o644, missing.as_bytes())
        .tar();
    let climbing =
        json!([{ "Config": "../../etc/passwd", "RepoTags": ["x:1"], "Layers": [] }]).to_string();
    let climbing = Layer::new()
        .file("manifest.json", 0o644, climbing.as_bytes())
        .tar();
    let linked = json!([{ "Config": "config.json", "RepoTags": ["x:1"], "Layers": ["layer.tar"] }])
        .to_string();
    let linked = Layer::new()
        .link("config.json", "/etc/passwd")
        .link("layer.tar", "/etc/shadow")
        .file("manifest.json", 0o644, linked.as_bytes())
        .tar();
    let bad: [(&str, &[u8]); 9] = [
        ("empty", b""),
        ("text", b"this is no archive"),
        ("half", &good[..good.len() / 2]),
        ("flipped", &flipped),
        ("no manifest", &no_manifest),
        ("nonsense", &nonsense),
        ("missing parts", &missing),
        ("climbing", &climbing),
        ("linked", &linked),
    ];

    for (name, archive) in bad {
        let answer = load(&engine, archive);
        let error = error_of(&answer);
        assert!(
            error.as_ref().is_some_and(|text| !text.is_empty()),
            "{name}: {} {}",
            answer.status,
            answer.text()
        );
        let error = error.unwrap_or_default();
        assert!(
            !error.contains("root:") && !error.contains(&engine.data().display().to_string()),
            "{name}: {error}"
        );
    }
    before.holds_again(&engine);
    assert_eq!(error_of(&load(&engine, &good)), None, "the honest twin");
}

/// Layers that try to reach the host, each with what it tries.
fn layers_that_reach_out(climb: &str) -> Vec<(&'static str, Layer)> {
    vec![
        (
            "a name that climbs",
            Layer::new().file(climb, 0o644, b"dead"),
        ),
        (
            "a folder in between",
            Layer::new()
                .folder("a/", 0o755)
                .file("a/../../../../x", 0o644, b"dead"),
        ),
        (
            "a hard link out",
            Layer::new().hard_link("a", "/etc/shadow"),
        ),
        (
            "a hard link up",
            Layer::new().hard_link("a", "../../../../etc/shadow"),
        ),
        (
            "a hard link through a link",
            Layer::new().link("l", "/etc").hard_link("a", "l/shadow"),
        ),
        (
            "a write through a link",
            Layer::new()
                .link("l", "/tmp")
                .file("l/gantry-was-here", 0o644, b"dead"),
        ),
        (
            "a whiteout of the parent",
            Layer::new().file(".wh...", 0o644, b""),
        ),
        (
            "a whiteout that climbs",
            Layer::new().file("a/.wh.../../x", 0o644, b""),
        ),
    ]
}

#[test]
fn a051_a_layer_cannot_write_outside_itself() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::start();
    let before = engine.count();
    let canary = engine.scratch().join("canary");
    std::fs::write(&canary, "alive").expect("the directory is ours");
    let target = canary.display().to_string();
    let climb = format!("../../../../../../../..{target}");
    for (name, layer) in layers_that_reach_out(&climb) {
        let image = Image::new("evil", vec![layer.tar()]);
        let answer = load(&engine, &image.archive());
        if error_of(&answer).is_none() {
            // Taken in as harmless content is fine too, as long as it stays inside.
            engine.ok(&["rmi", "evil"]);
        }
        assert_eq!(
            std::fs::read_to_string(&canary).ok().as_deref(),
            Some("alive"),
            "{name}"
        );
        assert!(
            !std::path::Path::new("/tmp/gantry-was-here").exists(),
            "{name} wrote on the host"
        );
    }
    before.holds_again(&engine);
    let twin = Layer::new()
        .folder("a/", 0o755)
        .file("a/b", 0o644, b"x")
        .link("a/c", "../etc")
        .hard_link("a/d", "a/b");
    assert_eq!(
        error_of(&load(
            &engine,
            &Image::new("good", vec![twin.tar()]).archive()
        )),
        None
    );
}

#[test]
fn a063_settings_of_monstrous_shape_are_refused() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::start();
    let before = engine.count();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let archive = Layer::new()
        .file("manifest.json", 0o644, deep.as_bytes())
        .tar();
    assert!(error_of(&load(&engine, &archive)).is_some());

    let huge = vec![b' '; 9 * 1024 * 1024];
    let config = format!("{}.json", &digest(&huge)["sha256:".len()..]);
    let manifest = json!([{ "Config": config, "RepoTags": ["x:1"], "Layers": [] }]).to_string();
    let archive = Layer::new()
        .file(&config, 0o644, &huge)
        .file("manifest.json", 0o644, manifest.as_bytes())
        .tar();
    assert!(error_of(&load(&engine, &archive)).is_some());

    before.holds_again(&engine);
}
