//! Ways past the container into the kernel: handles, sockets, devices, mounts, memory.

use docker_free_tests::attack::{Canary, load_probe};
use docker_free_tests::{Engine, need, wait};
use serde_json::{Value, json};

#[test]
fn a013_a_mount_inside_does_not_spread() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let canary = Canary::below(engine.scratch());
    let bind = format!("{}/canary:/mnt", engine.scratch().display());

    let script = "mount -t tmpfs none /mnt && touch /mnt/inside && ls /mnt; sleep 1000";
    let powers = [
        "--cap-add",
        "SYS_ADMIN",
        "-v",
        &bind,
        "busybox",
        "sh",
        "-c",
        script,
    ];
    let started = engine.docker(&[&["run", "-d", "--name", "cc"], &powers[..]].concat());
    if started.code == 0 {
        wait::until_true("it is mounted inside", || engine.logs("cc") == "inside\n");
        canary.lives();
        engine.ok(&["rm", "-f", "cc"]);
    } else {
        assert!(started.err.contains("CAP_SYS_ADMIN"), "{}", started.err);
    }
    canary.lives();
    // The honest twin: a directory of the host is used as one.
    let said = engine.ok(&["run", "--rm", "-v", &bind, "busybox", "cat", "/mnt/bird"]);
    assert_eq!(said, "alive");
}

#[test]
fn a017_devices_stay_closed_when_the_engine_comes_back() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    engine.ok(&["run", "-d", "--name", "cc", "busybox", "sleep", "1000"]);
    let script =
        "rm -f /tmp/d; mknod /tmp/d b 8 0; head -c 1 /tmp/d | wc -c; head -c 1 /dev/zero | wc -c";
    let closed = |engine: &Engine| {
        let said = engine.docker(&["exec", "cc", "sh", "-c", script]);
        assert_eq!(said.out, "0\n1\n", "{}", said.err);
        assert!(said.err.contains("not permitted"), "{}", said.err);
    };

    closed(&engine);
    for _ in 0..3 {
        engine.kill();
        engine.again();
        closed(&engine);
    }
    engine.ok(&["restart", "-t", "0", "cc"]);
    closed(&engine);
}

#[test]
fn a035_no_file_is_opened_by_its_handle() {
    if !need::all(&["docker", "busybox", "cc"]) {
        return;
    }
    let engine = Engine::start();
    load_probe(&engine);

    let said = engine.ok(&["run", "--rm", "probe", "probe", "handle"]);
    assert_eq!(said, "/ EPERM\n/etc/hosts EPERM\n/dev/shm EPERM");
    let exec = {
        engine.ok(&["run", "-d", "--name", "cc", "probe", "sleep", "1000"]);
        engine.ok(&["exec", "cc", "probe", "handle"])
    };
    assert_eq!(exec, said);
}

#[test]
fn a037_sockets_into_the_kernel_are_closed() {
    if !need::all(&["docker", "busybox", "cc"]) {
        return;
    }
    let engine = Engine::start();
    load_probe(&engine);

    let said = engine.ok(&["run", "--rm", "probe", "probe", "sockets"]);

    for closed in ["native 38 EPERM", "native 40 EPERM"] {
        assert!(said.contains(closed), "{said}");
    }
    assert!(said.contains("native 2 OPENED"), "{said}");
    if cfg!(target_arch = "x86_64") {
        for line in [
            "i386 38 EPERM",
            "i386 40 EPERM",
            "i386 2 OPENED",
            "socketcall 2 OPENED",
            "connect OPENED",
        ] {
            assert!(said.contains(line), "{said}");
        }
        // A filter does not see this one; `info` says so wherever nothing else closes it.
        let info = engine.wire().get("/info").expect(200).json();
        assert!(
            info["Warnings"].to_string().contains("socketcall(AF_ALG)"),
            "{info}"
        );
    }
}

#[test]
fn a041_the_engine_listens_nowhere_but_at_its_socket() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("cc", "sleep 1000");
    let folder = format!("/proc/{}/fd", engine.pid());
    let fds = std::fs::read_dir(folder)
        .expect("the engine lives")
        .flatten();
    let sockets: Vec<String> = fds
        .filter_map(|fd| std::fs::read_link(fd.path()).ok())
        .filter_map(|link| {
            let link = link.display().to_string();
            Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())
        })
        .collect();

    assert!(!sockets.is_empty(), "its own socket is one");
    for table in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        let text = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        for line in text.lines().skip(1) {
            let inode = line.split_whitespace().nth(9).unwrap_or_default();
            assert!(!sockets.iter().any(|own| own == inode), "{table}: {line}");
        }
    }
}

#[test]
fn a049_what_fills_memory_pays_for_it_alone() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("neighbour", "sleep 1000");
    let body = json!({
        "Image": "busybox", "Cmd": ["sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=60; echo alive"],
        "HostConfig": { "Memory": 24 << 20, "Tmpfs": { "/fill": "size=200m" } },
    });
    let id = engine.create("greedy", &body);
    engine
        .wire()
        .post(&format!("/containers/{id}/start"), &Value::Null)
        .expect(204);

    let ended = engine.until_state(&id, "exited");
    let log = engine.logs(&id);
    let was_stopped = ended["State"]["OOMKilled"] == true || !log.contains("60+0 records out");
    assert!(was_stopped, "60 MiB went into 24: {log}");
    assert_eq!(engine.inspect("neighbour")["State"]["Running"], true);
    // The honest twin writes what it may.
    let id = engine.run_script(
        "modest",
        "dd if=/dev/zero of=/dev/shm/x bs=1M count=4 2>&1; ls -s /dev/shm",
    );
    engine.until_state(&id, "exited");
    assert!(
        engine.logs(&id).contains("4+0 records out"),
        "{}",
        engine.logs(&id)
    );
}
