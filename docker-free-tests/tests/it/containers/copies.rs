//! `docker cp` by Docker's own command: where things land, whatever the container's state.

use std::fs;
use std::os::unix::fs::symlink;

use docker_free_tests::{Engine, need};

/// Runs a script in the container and gives what it said.
fn inside(engine: &Engine, script: &str) -> String {
    engine.ok(&["exec", "box", "sh", "-c", script])
}

#[test]
fn files_and_directories_land_where_docker_puts_them() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&["create", "--name", "box", "busybox", "sleep", "1000"]);
    let here = engine.scratch().join("tree");
    fs::create_dir_all(here.join("sub")).expect("a directory");
    fs::write(here.join("sub/file"), "content").expect("a file");
    symlink("sub/file", here.join("link")).expect("a link");
    let tree = here.to_str().expect("a plain path");
    let file = format!("{tree}/sub/file");

    // Before the start: into a directory, under another name, over a file, into a new directory.
    engine.ok(&["cp", &file, "box:/tmp"]);
    engine.ok(&["cp", &file, "box:/tmp/renamed"]);
    engine.ok(&["cp", tree, "box:/fresh"]);
    engine.ok(&["start", "box"]);
    assert_eq!(
        inside(&engine, "cat /tmp/file /tmp/renamed /fresh/link"),
        "contentcontentcontent"
    );

    // While it runs: a directory into one that is there, and only what is in it.
    engine.ok(&["cp", tree, "box:/fresh"]);
    engine.ok(&["cp", &format!("{tree}/."), "box:/tmp"]);
    assert_eq!(
        inside(
            &engine,
            "cat /fresh/tree/sub/file /tmp/sub/file; readlink /tmp/link"
        ),
        "contentcontentsub/file"
    );

    for running in [true, false] {
        if !running {
            engine.ok(&["stop", "-t", "0", "box"]);
        }
        let out = engine.scratch().join(format!("out-{running}"));
        let target = out.to_str().expect("a plain path").to_owned();
        engine.ok(&["cp", "box:/fresh", &target]);
        assert_eq!(fs::read(out.join("sub/file")).expect("copied"), b"content");
        assert_eq!(
            fs::read_link(out.join("link")).expect("a link").to_str(),
            Some("sub/file")
        );
        engine.ok(&["cp", "-L", "box:/fresh/link", &format!("{target}/followed")]);
        assert_eq!(fs::read(out.join("followed")).expect("copied"), b"content");
        engine.ok(&["cp", "box:/fresh/.", &format!("{target}/sub")]);
        assert_eq!(
            fs::read(out.join("sub/sub/file")).expect("copied"),
            b"content"
        );
    }
}

#[test]
fn what_cannot_be_copied_is_refused_in_dockers_words() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&["run", "-d", "--name", "box", "busybox", "sleep", "1000"]);
    engine.ok(&[
        "run",
        "-d",
        "--name",
        "sealed",
        "--read-only",
        "busybox",
        "sleep",
        "1000",
    ]);
    let file = engine.scratch().join("file");
    fs::write(&file, "x").expect("a file");
    let file = file.to_str().expect("a plain path");

    for (from, to, words) in [
        (
            "box:/nope",
            "-",
            "Could not find the file /nope in container box",
        ),
        (file, "box:/nope/x/", "no such directory"),
        (file, "sealed:/tmp/", "container rootfs is marked read-only"),
        ("nobody:/etc", "-", "No such container: nobody"),
        ("box:/proc/1/environ", "-", "refused"),
        (".", "box:/etc/passwd", "cannot copy directory"),
    ] {
        let outcome = engine.docker(&["cp", from, to]);
        assert_ne!(outcome.code, 0, "{from} {to}");
        assert!(outcome.err.contains(words), "{from} {to}: {}", outcome.err);
    }
}

#[test]
fn changes_become_an_image_that_others_read() {
    if !need::all(&["docker", "busybox", "skopeo"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&[
        "run",
        "--name",
        "box",
        "busybox",
        "sh",
        "-c",
        "echo mine > /root/f; rm /bin/vi",
    ]);
    let changes = engine.ok(&["diff", "box"]);
    assert_eq!(changes, "C /bin\nD /bin/vi\nC /root\nA /root/f");
    let id = engine.ok(&[
        "commit",
        "-c",
        "CMD cat /root/f",
        "-m",
        "word",
        "box",
        "made:1",
    ]);
    assert_eq!(engine.ok(&["run", "--rm", "made:1"]), "mine");

    let saved = engine.scratch().join("made.tar");
    let saved = saved.to_str().expect("a plain path").to_owned();
    engine.ok(&["save", "-o", &saved, "made:1"]);
    let copied = format!("{saved}.copy");
    let mut skopeo = std::process::Command::new(need::program("skopeo"));
    skopeo.args(["copy", "--insecure-policy"]);
    skopeo.args([
        format!("docker-archive:{saved}"),
        format!("docker-archive:{copied}:made:2"),
    ]);
    docker_free_tests::docker::run(&mut skopeo, &[]).expect(0);
    engine.ok(&["rmi", "made:1"]);
    engine.ok(&["load", "-i", &saved]);
    assert_eq!(
        engine.ok(&["image", "inspect", "-f", "{{.Id}}", "made:1"]),
        id
    );
    engine.ok(&["load", "-i", &copied]);
    assert_eq!(engine.ok(&["run", "--rm", "made:2"]), "mine");

    let usage = engine.ok(&["system", "df", "--format", "{{.Type}} {{.TotalCount}}"]);
    assert!(
        usage.contains("Containers 1") && usage.contains("Local Volumes 0"),
        "{usage}"
    );
    let pruned = engine.ok(&["system", "prune", "-a", "-f"]);
    assert!(pruned.contains("Total reclaimed space"), "{pruned}");
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    assert_eq!(engine.ok(&["images", "-q"]), "");
}
