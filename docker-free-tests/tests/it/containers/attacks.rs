//! Attempts to get out of a container, each with the honest twin that must go on working. The ids
//! are those of the design's attack table.

use docker_free_tests::images::{Image, Layer, busybox_layer};
use docker_free_tests::{Engine, need};
use serde_json::{Value, json};

/// Runs `script` as root in a fresh container and gives all it said.
fn said(engine: &Engine, options: &[&str], script: &str) -> String {
    let mut arguments = vec!["run", "--rm"];
    arguments.extend(options);
    arguments.extend(["busybox", "sh", "-c", script]);
    let outcome = engine.docker(&arguments);
    outcome.out + &outcome.err
}

#[test]
fn a001_no_host_descriptor_reaches_the_container() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    // `ls` itself holds 3 while it lists.
    let descriptors = said(&engine, &[], "ls /proc/self/fd | tr '\\n' ' '");
    assert_eq!(descriptors.trim(), "0 1 2 3");
    for number in 3..24 {
        let folder = format!("/proc/self/fd/{number}");
        let outcome = engine.docker(&["run", "--rm", "-w", &folder, "busybox", "ls", ".."]);
        assert_ne!(outcome.code, 0, "{folder}: {}", outcome.out);
    }
    engine.ok(&["run", "-d", "--name", "cc", "busybox", "sleep", "1000"]);
    for number in 3..24 {
        let folder = format!("/proc/self/fd/{number}");
        let outcome = engine.docker(&["exec", "-w", &folder, "cc", "ls", "."]);
        assert_ne!(outcome.code, 0, "{folder}: {}", outcome.out);
    }
    assert_eq!(engine.ok(&["exec", "-w", "/tmp", "cc", "pwd"]), "/tmp");
}

#[test]
fn a007_proc_and_sys_of_an_image_may_not_be_links() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::start();
    let bad = [
        (
            "proc-link",
            Layer::new().folder(".wh.proc/", 0o755).link("proc", "/tmp"),
        ),
        ("sys-link", Layer::new().link("sys", "/")),
        ("proc-file", Layer::new().file("proc", 0o644, b"x")),
        ("dev-link", Layer::new().link("dev", "/tmp")),
    ];
    let base = {
        let program = std::fs::read(need::program("busybox")).expect("busybox can be read");
        let layer = Layer::new()
            .folder("bin/", 0o755)
            .file("bin/busybox", 0o755, &program);
        layer
            .link("bin/sh", "busybox")
            .link("bin/ls", "busybox")
            .folder("tmp/", 0o777)
            .tar()
    };
    for (name, layer) in bad {
        let image = Image::new(name, vec![base.clone(), layer.tar()]);
        let tar = [("Content-Type", "application/x-tar")];
        let loaded = engine
            .wire()
            .send("POST", "/images/load", &tar, &image.archive())
            .expect("an answer");
        if loaded.text().contains("errorDetail") {
            continue;
        }
        let outcome = engine.docker(&["run", "--rm", name, "sh", "-c", "ls /tmp; echo in"]);
        assert_ne!(outcome.code, 0, "{name} ran: {}", outcome.out);
        assert!(!outcome.err.trim().is_empty(), "{name} says nothing");
    }

    // The honest twin has neither /proc nor /sys: they are made.
    engine.load(&Image::new("bare", vec![base]).archive());
    assert_eq!(
        engine.ok(&["run", "--rm", "bare", "sh", "-c", "echo /proc/self/st?t"]),
        "/proc/self/stat"
    );
}

#[test]
fn a009_nothing_is_mounted_over_proc() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    for target in [
        "/proc",
        "/proc/self",
        "/proc/self/attr",
        "/sys",
        "/sys/fs",
        "/tmp/../proc",
    ] {
        let outcome = engine.docker(&["run", "--rm", "--tmpfs", target, "busybox", "true"]);
        assert_ne!(outcome.code, 0, "a tmpfs over {target}");
        assert!(
            outcome.err.contains("proc")
                || outcome.err.contains("sys")
                || outcome.err.contains("tmpfs")
                || outcome.err.contains("Tmpfs"),
            "{}",
            outcome.err
        );
    }
}

#[test]
fn a015_only_the_default_capabilities_are_held() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    // chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw
    // sys_chroot mknod audit_write setfcap
    const DEFAULT: &str = "00000000a80425fb";
    let status = "grep -E '^(Cap(Eff|Bnd|Amb|Inh)|NoNewPrivs|Seccomp):' /proc/self/status | tr -s '\\t\\n' ' '";

    let root = said(&engine, &[], status);
    assert!(root.contains(&format!("CapEff: {DEFAULT}")), "{root}");
    assert!(root.contains(&format!("CapBnd: {DEFAULT}")), "{root}");
    assert!(root.contains("CapInh: 0000000000000000"), "{root}");
    assert!(root.contains("Seccomp: 2"), "{root}");
    let ann = said(&engine, &["-u", "ann"], status);
    assert!(ann.contains("CapEff: 0000000000000000"), "{ann}");
    assert!(ann.contains("CapAmb: 0000000000000000"), "{ann}");
    let none = said(&engine, &["--cap-drop", "ALL"], status);
    assert!(none.contains("CapBnd: 0000000000000000"), "{none}");
    let one = said(
        &engine,
        &["--cap-drop", "ALL", "--cap-add", "NET_ADMIN"],
        status,
    );
    assert!(one.contains("CapBnd: 0000000000001000"), "{one}");

    engine.ok(&["run", "-d", "--name", "cc", "busybox", "sleep", "1000"]);
    let exec = engine.ok(&["exec", "-u", "1000", "cc", "sh", "-c", status]);
    assert!(exec.contains("CapEff: 0000000000000000"), "{exec}");
    assert!(exec.contains(&format!("CapBnd: {DEFAULT}")), "{exec}");
}

#[test]
fn a019_control_groups_are_read_only_inside() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    let script = "for f in $(find /sys/fs/cgroup -name cgroup.procs); do echo 1 > $f && echo WROTE $f; done; \
                  mount -o remount,rw /sys/fs/cgroup && echo REMOUNTED; mount -o remount,rw /sys && echo REMOUNTED; true";
    let text = said(&engine, &[], script);
    assert!(
        !text.contains("WROTE") && !text.contains("REMOUNTED"),
        "{text}"
    );
    assert!(!text.contains("applet not found"), "{text}");
}

#[test]
fn a023_odd_users_never_become_root() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    let odd = [
        "4294967296",
        "4294967295",
        "2147483648",
        "-1",
        "0x0",
        "+0",
        " 0",
        "0 ",
        "1000:4294967296",
        "nobody-here",
        "１",
        "u:g:x",
        ":",
        "1000:1000:0",
    ];
    for user in odd {
        let body = json!({ "Image": "busybox", "User": user, "Cmd": ["id", "-u"] });
        let created = engine.wire().post("/containers/create", &body);
        if created.status != 201 {
            assert_eq!(created.status, 400, "{user:?}: {}", created.text());
            continue;
        }
        let id = created.json()["Id"].as_str().expect("an id").to_owned();
        let started = engine
            .wire()
            .post(&format!("/containers/{id}/start"), &Value::Null);
        if started.status == 204 {
            engine.until_state(&id, "exited");
            panic!("{user:?} ran as {}", engine.logs(&id));
        }
        assert!(
            started.message().contains("user") || started.message().contains("group"),
            "{user:?}: {}",
            started.message()
        );
    }
    for (user, ids) in [
        ("0", "0:0"),
        ("root", "0:0"),
        ("ann", "1000:1000"),
        ("1000", "1000:1000"),
        ("7:ann", "7:1000"),
        ("00", "0:0"),
    ] {
        let outcome = engine.docker(&[
            "run",
            "--rm",
            "-u",
            user,
            "busybox",
            "sh",
            "-c",
            "echo $(id -u):$(id -g)",
        ]);
        // `00` may be refused; it may not be anything but root's number.
        assert!(
            outcome.out.trim() == ids || (user == "00" && outcome.code == 125),
            "{user}: {} {}",
            outcome.out,
            outcome.err
        );
    }
}

#[test]
fn a027_a_newline_stays_inside_its_value() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    let text = said(
        &engine,
        &["-e", "HOME=/root\nx:0:0::/:/bin/sh"],
        "cat /etc/passwd /etc/hosts /etc/resolv.conf",
    );
    assert!(!text.contains("x:0:0::/:/bin/sh"), "{text}");
    for field in ["Hostname", "Domainname"] {
        let body = json!({ "Image": "busybox", field: "a\n10.0.0.1 evil" });
        let answer = engine.wire().post("/containers/create", &body);
        assert_eq!(answer.status, 400, "{field}: {}", answer.text());
    }
    let body = json!({ "Image": "busybox", "Env": ["A=b\u{0}C=d"] });
    assert_eq!(engine.wire().post("/containers/create", &body).status, 400);
}

#[test]
fn a029_a_working_directory_through_a_link_stays_inside() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::start();
    let canary = engine.scratch().join("canary");
    std::fs::create_dir(&canary).expect("the directory is ours");
    let climb = format!("/../../../..{}", canary.display());
    let layer = Layer::new()
        .link("out", &climb)
        .link("loop", "loop")
        .link("fine", "tmp")
        .tar();
    engine.load(&Image::new("linked", vec![busybox_layer(), layer]).archive());

    let outcome = engine.docker(&["run", "--rm", "-w", "/out/made", "linked", "pwd"]);
    assert_eq!(
        std::fs::read_dir(&canary).expect("still there").count(),
        0,
        "made on the host"
    );
    assert!(
        outcome.code != 0 || outcome.out.starts_with('/'),
        "{}",
        outcome.out
    );
    assert_ne!(
        engine
            .docker(&["run", "--rm", "-w", "/loop/x", "linked", "pwd"])
            .code,
        0
    );
    assert_eq!(
        engine.ok(&[
            "run",
            "--rm",
            "-w",
            "/fine/x",
            "linked",
            "sh",
            "-c",
            "ls -d /tmp/x"
        ]),
        "/tmp/x"
    );
}

#[test]
fn a033_the_hosts_settings_cannot_be_read_or_written() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    let reads = "for f in /proc/kcore /proc/keys /proc/timer_list /proc/sched_debug /proc/latency_stats; do \
                 test -e $f && n=$(head -c 64 $f 2>/dev/null | wc -c) && test $n -gt 0 && echo READ $f; done; \
                 for d in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do \
                 test -d $d && test $(ls $d | wc -l) -gt 0 && echo LISTED $d; done; true";
    let text = said(&engine, &[], reads);
    assert_eq!(text.trim(), "");

    let writes = "for f in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/sys/kernel/hostname /proc/irq/0/smp_affinity; do \
                  test -e $f && (echo x > $f) 2>/dev/null && echo WROTE $f; done; \
                  umount /proc/kcore 2>/dev/null && echo UMOUNTED; mount -t proc proc /tmp 2>/dev/null && echo MOUNTED; \
                  mount -o remount,rw /proc/sys 2>/dev/null && echo REMOUNTED; \
                  (echo x > /proc/1/root/proc/sysrq-trigger) 2>/dev/null && echo WROTE by 1; true";
    assert_eq!(said(&engine, &[], writes).trim(), "");
    // The honest twin: a container's own settings can be read.
    assert_eq!(
        said(&engine, &["-h", "shop"], "cat /proc/sys/kernel/hostname").trim(),
        "shop"
    );
}

#[test]
fn devices_are_the_few_harmless_ones() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    let nodes = said(
        &engine,
        &[],
        "find /dev -type b -o -type c | sort | tr '\\n' ' '",
    );
    for name in nodes.split_whitespace() {
        let harmless = [
            "null", "zero", "full", "random", "urandom", "tty", "ptmx", "console",
        ];
        assert!(
            harmless.contains(&name.rsplit('/').next().unwrap_or(name)),
            "{nodes}"
        );
    }
    let disk = said(
        &engine,
        &[],
        "mknod /tmp/disk b 254 0 && head -c 1 /tmp/disk | wc -c; mknod /tmp/mem c 1 1 && head -c 1 /tmp/mem | wc -c",
    );
    assert!(disk.contains("Operation not permitted"), "{disk}");
    assert!(
        !disk.contains('1') || !disk.lines().any(|line| line.trim() == "1"),
        "{disk}"
    );
    assert_eq!(
        said(
            &engine,
            &[],
            "echo x > /dev/null && head -c 3 /dev/zero | wc -c"
        )
        .trim(),
        "3"
    );
}

#[test]
fn the_host_is_out_of_sight() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    assert_eq!(
        said(&engine, &[], "echo $$; ls -d /proc/[0-9]* | wc -l")
            .lines()
            .next(),
        Some("1")
    );
    // Only the root, the kernel's own, and the files we bind by name.
    let mounts = said(&engine, &[], "cut -d' ' -f5,9- /proc/self/mountinfo");
    assert!(
        !mounts.contains(&engine.scratch().display().to_string())
            || mounts
                .lines()
                .next()
                .is_some_and(|line| line.starts_with("/ ")),
        "{mounts}"
    );
    assert!(!said(&engine, &[], "ls /proc/1/root/ /").contains("engine.sock"));
    let interfaces = said(&engine, &["--network", "none"], "ls /sys/class/net");
    assert_eq!(interfaces.trim(), "lo");
    // A whole system that it cannot touch: unshare, reboot, modules, clock.
    let calls = "unshare -m true 2>/dev/null && echo UNSHARED; date -s 2001-01-01 >/dev/null 2>&1; date | grep 2001 && echo SET; \
                 hostname evil 2>/dev/null && echo NAMED; swapoff -a 2>/dev/null; dmesg >/dev/null 2>&1 && echo DMESG; true";
    let text = said(&engine, &[], calls);
    assert_eq!(text.trim(), "");
}
