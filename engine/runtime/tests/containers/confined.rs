//! What a container may do, see and reach.

use std::fs;

use engine_runtime::{BindHow, Mount, MountKind, Rlimit, TmpfsHow};

use crate::sandbox::{Sandbox, process, run_exec, start};

fn status(sandbox: &Sandbox, field: &str) -> String {
    let (output, record) = sandbox.run();
    assert_eq!(record.code, 0, "{output}");
    let line = output.lines().find(|line| line.starts_with(field)).unwrap();
    line[field.len()..].trim().to_owned()
}

#[test]
fn capabilities_are_exactly_the_default_ones() {
    for (field, bits) in [
        ("CapBnd:", "00000000a80425fb"),
        ("CapEff:", "00000000a80425fb"),
        ("CapPrm:", "00000000a80425fb"),
        ("CapInh:", "0000000000000000"),
        ("CapAmb:", "0000000000000000"),
        ("NoNewPrivs:", "0"),
    ] {
        let sandbox = Sandbox::new(&["/bin/cat", "/proc/self/status"]);
        assert_eq!(status(&sandbox, field), bits, "{field}");
    }
}

#[test]
fn a_user_has_no_effective_capability_and_an_exec_neither() {
    let mut sandbox = Sandbox::shell("cat /proc/self/status; sleep 1000");
    sandbox.spec.process.user = "ada".into();
    let control = sandbox.launch().unwrap();
    start(&control);

    let mut cat = process(&["/bin/cat", "/proc/1/status", "/proc/self/status"]);
    cat.user = "ada".into();
    let (output, code) = run_exec(&control, "cat", cat);

    assert_eq!(code, 0, "{output}");
    for (field, bits) in [
        ("CapEff:", "0000000000000000"),
        ("CapPrm:", "0000000000000000"),
        ("CapAmb:", "0000000000000000"),
        ("CapBnd:", "00000000a80425fb"),
    ] {
        let found: Vec<&str> = output
            .lines()
            .filter_map(|line| line.strip_prefix(field))
            .map(str::trim)
            .collect();
        assert_eq!(found, [bits, bits], "{field}");
    }
}

#[test]
fn new_privileges_are_refused_when_asked() {
    let mut sandbox = Sandbox::new(&["/bin/cat", "/proc/self/status"]);
    sandbox.spec.process.no_new_privileges = true;
    assert_eq!(status(&sandbox, "NoNewPrivs:"), "1");
}

#[test]
fn only_three_descriptors_are_open() {
    let sandbox = Sandbox::shell("ls /proc/self/fd; sleep 1000");
    let control = sandbox.launch().unwrap();
    start(&control);

    let (output, _) = run_exec(
        &control,
        "ls",
        process(&["/bin/ls", "/proc/self/fd", "/proc/1/fd"]),
    );

    // One more is the listing's own.
    assert_eq!(
        output,
        "/proc/1/fd:\n0\n1\n2\n\n/proc/self/fd:\n0\n1\n2\n3\n"
    );
}

#[test]
fn kernel_settings_are_hidden_or_read_only() {
    let script = "for path in /proc/kcore /proc/keys /proc/timer_list /proc/interrupts; do \
        [ -e $path ] && wc -c < $path; done; ls /sys/firmware; \
        for path in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/irq/default_smp_affinity \
        /sys/kernel/uevent_helper /sys/fs/cgroup/memory/memory.limit_in_bytes; do \
        [ -e $path ] && (echo 1 > $path) 2>&1; done; umount /proc/interrupts 2>&1; mount -o remount,rw /sys 2>&1; true";
    let (output, record) = Sandbox::shell(script).run();

    assert_eq!(record.code, 0, "{output}");
    for line in output.lines() {
        let is_fine = line == "0"
            || line.contains("Read-only file system")
            || line.contains("ermitted")
            || line.contains("denied");
        assert!(is_fine, "{line}");
    }
    assert!(output.contains("Read-only"), "{output}");
}

#[test]
fn a_container_sees_its_own_names_processes_and_groups() {
    let script = "hostname; ls -d /proc/[0-9]* | wc -l; cat /proc/self/cgroup; \
        ls /sys/fs/cgroup/memory/cgroup.procs /sys/fs/cgroup/cgroup.procs 2>/dev/null; ls /sys/class/net";
    let (output, _) = Sandbox::shell(script).run();

    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "box");
    for line in lines
        .iter()
        .filter(|line| line.contains("::") || line.contains(":memory:"))
    {
        assert!(line.ends_with(":/"), "{line}");
    }
    assert!(output.contains("cgroup.procs"), "{output}");
    assert_eq!(lines.last(), Some(&"lo"));
}

#[test]
fn devices_are_the_default_ones() {
    let script = "ls -1 /dev; head -c 3 /dev/zero | wc -c; echo gone > /dev/null; \
        mknod /tmp/sda b 8 0 && cat /tmp/sda 2>&1; echo $?";
    let (output, _) = Sandbox::shell(script).run();

    let expected = "core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\n\
        tty\nurandom\nzero\n3\n";
    assert!(output.starts_with(expected), "{output}");
    assert!(output.ends_with("Operation not permitted\n1\n"), "{output}");
}

#[test]
fn a_read_only_root_is_that_and_shm_is_not() {
    let mut sandbox = Sandbox::shell("touch /file; touch /dev/shm/file && echo fine");
    sandbox.spec.root.readonly = true;

    let (output, _) = sandbox.run();

    assert!(
        output.contains("Read-only file system") && output.contains("fine"),
        "{output}"
    );
}

#[test]
fn files_of_the_host_are_bound_and_their_mount_points_made() {
    let mut sandbox =
        Sandbox::shell("cat /etc/hosts /etc/resolv.conf; touch /etc/hosts; ls -ld /data/deep");
    let layer = sandbox.layer();
    fs::create_dir(layer.join("etc")).unwrap();
    std::os::unix::fs::symlink("../run/resolve/stub", layer.join("etc/resolv.conf")).unwrap();
    let source = layer.parent().unwrap().join("hosts");
    fs::write(&source, "127.0.0.1 localhost\n").unwrap();
    for target in ["/etc/hosts", "/etc/resolv.conf"] {
        sandbox.spec.mounts.push(Mount {
            kind: MountKind::Bind {
                source: source.clone(),
                judged: None,
                how: BindHow::default(),
            },
            target: target.into(),
            readonly: true,
        });
    }
    sandbox.spec.mounts.push(Mount {
        kind: MountKind::Tmpfs {
            bytes: 1 << 20,
            mode: 0o1777,
            how: TmpfsHow::default(),
        },
        target: "/data/deep".into(),
        readonly: false,
    });

    let (output, record) = sandbox.run();

    assert_eq!(record.code, 0, "{output}");
    assert!(
        output.starts_with("127.0.0.1 localhost\n127.0.0.1 localhost\n"),
        "{output}"
    );
    assert!(output.contains("Read-only file system"), "{output}");
    assert!(output.contains("drwxrwxrwt"), "{output}");
}

#[test]
fn limits_are_set() {
    let mut sandbox = Sandbox::shell("ulimit -n; ulimit -c");
    let limit = |name: &str, soft, hard| Rlimit {
        name: name.into(),
        soft,
        hard,
    };
    sandbox.spec.process.rlimits = vec![limit("nofile", 100, 200), limit("core", 0, 0)];

    assert_eq!(sandbox.run().0, "100\n0\n");
}
