//! The first afternoon of somebody who knows the docker command.

use docker_free_tests::{Engine, images, need};

#[test]
fn the_whole_journey_with_the_docker_command() {
    if !need::all(&["docker", "busybox", "script"]) {
        return;
    }
    let engine = Engine::start();
    let archive = engine.scratch().join("busybox.tar");
    std::fs::write(&archive, images::busybox()).expect("the directory is ours");
    let before = engine.count();

    // An image comes by archive, and is listed.
    let loaded = engine.ok(&["load", "-i", &archive.to_string_lossy()]);
    assert_eq!(loaded, "Loaded image: busybox:latest");
    assert_eq!(engine.ok(&["images", "-q", "busybox"]).len(), 12);
    let with_image = engine.count();
    assert_ne!(with_image.entries, before.entries);

    // A container runs and its log is followed.
    let script = "i=0; while true; do echo line $i; i=$((i+1)); sleep 0.05; done";
    let id = engine.ok(&["run", "-d", "--name", "shop", "busybox", "sh", "-c", script]);
    assert_eq!(id.len(), 64, "{id}");
    let mut logs = engine.docker_running(&["logs", "-f", "shop"]);
    logs.until("line 3\n");

    // Its load is seen.
    let format = "{{.Name}} {{.PIDs}} {{.MemUsage}}";
    let stats = engine.ok(&["stats", "--no-stream", "--format", format, "shop"]);
    assert!(
        stats.starts_with("shop 2 ") || stats.starts_with("shop 1 "),
        "{stats}"
    );
    assert!(!stats.contains(" 0B / "), "{stats}");

    // Somebody types in its shell.
    let mut shell = engine.docker_on_a_terminal(&["exec", "-it", "shop", "sh"]);
    shell.until("#");
    shell.type_in("echo $((6 * 7)); tty; hostname\n");
    shell.until("42\r\n");
    shell.until("/dev/pts/0\r\n");
    shell.until(&id[..12]);
    shell.type_in("exit 3\n");
    let (code, _) = shell.finish();
    assert_eq!(code, 3);

    // It is listed, stopped, and listed no more.
    let ps = engine.ok(&["ps", "--format", "{{.Names}} {{.Image}} {{.State}}"]);
    assert_eq!(ps, "shop busybox running");
    assert_eq!(engine.ok(&["stop", "-t", "1", "shop"]), "shop");
    assert_eq!(engine.ok(&["ps", "-q"]), "");
    let (code, log) = logs.finish();
    assert_eq!(code, 0);
    assert!(log.contains("line 0\nline 1\nline 2\n"), "{log}");
    let exited = engine.ok(&["ps", "-a", "--format", "{{.Names}} {{.Status}}"]);
    assert!(exited.starts_with("shop Exited (137) "), "{exited}");

    // Nothing of it is left, and then nothing of the image.
    engine.ok(&["rm", "shop"]);
    with_image.holds_again(&engine);
    let removed = engine.ok(&["rmi", "busybox"]);
    assert!(
        removed.starts_with("Untagged: busybox:latest\nDeleted: sha256:"),
        "{removed}"
    );
    before.holds_again(&engine);
}

#[test]
fn a_fresh_engine_has_an_image_to_begin_with() {
    if !need::all(&["docker"]) {
        return;
    }
    let engine = Engine::start();

    assert_eq!(
        engine.ok(&["images", "--format", "{{.Repository}}"]),
        "gantry/hello"
    );
    engine.ok(&["run", "-d", "--name", "hello", "gantry/hello"]);
    let mut logs = engine.docker_running(&["logs", "-f", "hello"]);
    logs.until("\n");

    // It ends when it is asked to, with its own code.
    engine.ok(&["stop", "hello"]);
    assert_eq!(engine.inspect("hello")["State"]["ExitCode"], 0);
    let no_shell = engine
        .docker(&["run", "--rm", "--entrypoint", "sh", "gantry/hello"])
        .expect(127);
    assert!(no_shell.err.contains("sh"), "{}", no_shell.err);
    assert!(
        no_shell.err.contains("not found") || no_shell.err.contains("no such file"),
        "{}",
        no_shell.err
    );
}
