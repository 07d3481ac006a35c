//! Volumes by the docker command: made, mounted in each of its ways, shown, kept and removed.

use docker_free_tests::{Engine, need};

#[test]
fn the_docker_command_makes_uses_and_removes_volumes() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    assert_eq!(
        engine.ok(&["volume", "create", "--label", "tier=db", "data"]),
        "data"
    );
    engine.ok(&[
        "run",
        "--rm",
        "-v",
        "data:/d",
        "busybox",
        "sh",
        "-c",
        "echo kept >/d/f",
    ]);
    let mount = "type=volume,source=data,target=/e,readonly";
    let read = engine.ok(&["run", "--rm", "--mount", mount, "busybox", "cat", "/e/f"]);
    assert_eq!(read, "kept");
    assert_eq!(
        engine.ok(&["volume", "ls", "-q", "-f", "label=tier=db"]),
        "data"
    );
    let driver = engine.ok(&["volume", "inspect", "-f", "{{.Driver}} {{.Scope}}", "data"]);
    assert_eq!(driver, "local local");

    engine.ok(&[
        "run", "-d", "--name", "holder", "-v", "data:/d", "-v", "/anon", "busybox", "sleep", "1000",
    ]);
    let refused = engine.docker(&["volume", "rm", "data"]);
    assert!(
        refused.code != 0 && refused.err.contains("volume is in use"),
        "{}",
        refused.err
    );
    let shown = engine.ok(&["ps", "-q", "--filter", "volume=data"]);
    assert_eq!(shown.lines().count(), 1);
    let from = engine.ok(&[
        "run",
        "--rm",
        "--volumes-from",
        "holder:ro",
        "busybox",
        "cat",
        "/d/f",
    ]);
    assert_eq!(from, "kept");
    assert_eq!(engine.ok(&["volume", "ls", "-q"]).lines().count(), 2);
    engine.ok(&["rm", "-f", "-v", "holder"]);
    assert_eq!(
        engine.ok(&["volume", "ls", "-q"]),
        "data",
        "the one without a name went along"
    );
    assert!(engine.ok(&["system", "df"]).contains("Local Volumes"));
    engine.ok(&["volume", "rm", "data"]);
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "");
}
