//! Whoever enters a running container: what it shows of the host, and as whom it runs.

use std::process::Command;

use docker_free_tests::attack::{load_probe, tries};
use docker_free_tests::{Engine, Running, need, wait};
use serde_json::{Value, json};

/// Runs a command in a container by the API; its output, or the message of the refusal.
fn exec(engine: &Engine, container: &str, body: &Value) -> Result<String, String> {
    let path = format!("/containers/{container}/exec");
    let created = engine.wire().post(&path, body);
    if created.status != 201 {
        return Err(created.message());
    }
    let id = created.json()["Id"].as_str().map(str::to_owned);
    let id = id.expect("an exec has an id");
    let path = format!("/exec/{id}/start");
    let answer = engine.wire().post(&path, &json!({ "Detach": false }));
    let (out, err) = docker_free_tests::wire::frames(&answer.body);
    let inspect = engine.wire().get(&format!("/exec/{id}/json")).json();
    match inspect["ExitCode"].as_i64() {
        Some(0) => Ok(out),
        code => Err(format!("{code:?} {out} {err}")),
    }
}

#[test]
fn a003_whoever_enters_shows_nothing_to_a_tracer() {
    if !need::all(&["busybox", "cc"]) {
        return;
    }
    let engine = Engine::start();
    load_probe(&engine);
    let body = json!({
        "Image": "probe", "Cmd": ["sh", "-c", "probe trace & while true; do sleep 1000; done"],
        "HostConfig": { "CapAdd": ["SYS_PTRACE"] },
    });
    engine.create("cc", &body);
    engine
        .wire()
        .post("/containers/cc/start", &Value::Null)
        .expect(204);
    wait::until_true("somebody traces", || engine.logs("cc").contains("tracing"));

    let words = json!({ "Cmd": ["true"], "AttachStdout": true, "AttachStderr": true });
    for _ in 0..tries(150) {
        assert_eq!(exec(&engine, "cc", &words), Ok(String::new()));
    }
    // The honest twin: what has entered can be traced, as the capability says.
    let long = json!({ "Cmd": ["sleep", "0.3"], "AttachStdout": true, "AttachStderr": true });
    for _ in 0..3 {
        assert_eq!(exec(&engine, "cc", &long), Ok(String::new()));
    }

    let seen = engine.logs("cc");
    assert!(
        seen.contains("held") && seen.contains("exe -> /bin/busybox"),
        "{seen}"
    );
    for (what, target) in seen.lines().filter_map(|line| line.split_once(" -> ")) {
        let own = ["pipe:", "socket:", "/proc/", "anon_inode:"];
        let is_fine = match what {
            // The monitor's program is sealed, and whoever is seen with it has given up everything.
            "exe" => target.starts_with("/memfd:gantry-monitor") || target.starts_with("/bin/"),
            "root" | "cwd" => target == "/",
            _ => target == "/dev/null" || own.iter().any(|own| target.starts_with(own)),
        };
        assert!(is_fine, "{what} showed {target}");
    }
}

#[test]
fn a025_odd_users_of_an_exec_never_become_root() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let body = json!({ "Image": "busybox", "User": "ann", "Cmd": ["sleep", "1000"] });
    engine.create("cc", &body);
    engine
        .wire()
        .post("/containers/cc/start", &Value::Null)
        .expect(204);
    let as_user = |user: &str| {
        let words = ["sh", "-c", "echo $(id -u):$(id -g)"];
        let body =
            json!({ "Cmd": words, "User": user, "AttachStdout": true, "AttachStderr": true });
        exec(&engine, "cc", &body)
    };

    for odd in [
        "u:g:x",
        " ",
        "0 ",
        " 0",
        "+0",
        "-1",
        "4294967296",
        "1000:4294967296",
        "0x0",
        "nobody-here",
        "ann:nobody-here",
        "１",
    ] {
        let refused = as_user(odd);
        assert!(refused.is_err(), "{odd:?} ran as {refused:?}");
    }
    for (user, ids) in [
        ("", "1000:1000"),
        ("ann", "1000:1000"),
        ("1000", "1000:1000"),
        ("7", "7:0"),
        ("0", "0:0"),
        ("ann:0", "1000:0"),
    ] {
        assert_eq!(as_user(user), Ok(format!("{ids}\n")), "{user:?}");
    }
    // Docker takes an empty half for the default; nobody becomes root by it who was not asked for.
    for user in ["1000:", ":1000"] {
        let said = as_user(user);
        assert!(
            said.is_err() || user == ":1000" || said == Ok("1000:1000\n".to_owned()),
            "{user:?}: {said:?}"
        );
    }
}

#[test]
fn a047_nobody_is_signalled_by_number() {
    if !need::all(&["busybox", "docker", "strace"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let told = engine.scratch().join("signals");
    let mut tracer = Command::new(need::program("strace"));
    tracer.args(["-f", "-q", "-o"]).arg(&told);
    tracer.args([
        "-e",
        "trace=kill,tkill,tgkill,rt_sigqueueinfo,pidfd_send_signal",
    ]);
    tracer.args(["-p", &engine.pid().to_string()]);
    let tracer = Running::start(&mut tracer);
    let status = format!("/proc/{}/status", engine.pid());
    wait::until_true("the engine is traced", || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        !status.contains("TracerPid:\t0\n")
    });

    for name in ["one", "two"] {
        engine.ok(&["run", "-d", "--name", name, "busybox", "sleep", "1000"]);
        engine.ok(&["exec", name, "true"]);
        engine.ok(&["kill", "-s", "USR1", name]);
        engine.ok(&["restart", "-t", "0", name]);
        engine.ok(&["stop", "-t", "1", name]);
        engine.ok(&["start", name]);
        engine.ok(&["rm", "-f", name]);
    }
    tracer.kill();

    let told = std::fs::read_to_string(&told).expect("strace wrote it");
    // A thread that strace left in the middle of nothing is told with question marks.
    let calls = told
        .lines()
        .filter(|line| line.contains('(') && !line.contains("???("));
    let by_number: Vec<&str> = calls
        .filter(|line| !line.contains("pidfd_send_signal("))
        .collect();
    assert_eq!(by_number, Vec::<&str>::new());
    assert!(
        told.contains("pidfd_send_signal("),
        "nothing was traced: {told}"
    );
}
