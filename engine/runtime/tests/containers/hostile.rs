//! Images that try to steer the host.

use std::fs;
use std::os::unix::fs::symlink;

use engine_runtime::{BindHow, Mount, MountKind, Source, TmpfsHow};

use crate::sandbox::{Sandbox, process, run_exec, start};

fn refusal(sandbox: &Sandbox) -> String {
    sandbox.launch().unwrap_err().to_string()
}

#[test]
fn a_kernel_directory_that_is_something_else_is_refused() {
    for (name, is_link) in [
        ("proc", true),
        ("sys", true),
        ("dev", true),
        ("proc", false),
    ] {
        let mut sandbox = Sandbox::new(&["/bin/true"]);
        let layer = sandbox.layer();
        if is_link {
            symlink("/tmp", layer.join(name)).unwrap();
        } else {
            fs::write(layer.join(name), "").unwrap();
        }

        let message = refusal(&sandbox);

        assert!(message.contains(&format!("its /{name} is a")), "{message}");
    }
}

#[test]
fn a_working_directory_behind_a_descriptor_is_refused() {
    for number in 3..24 {
        let mut sandbox = Sandbox::shell("pwd; ls");
        sandbox.spec.process.cwd = format!("/proc/self/fd/{number}");
        let control = sandbox.launch().unwrap();
        control.send(&engine_runtime::Request::Start, &[]).unwrap();
        let message = crate::sandbox::wait_for(&control, |event| match event {
            engine_runtime::Event::StartFailed { message, .. } => Some(message),
            _ => None,
        });
        assert!(message.contains("working directory"), "{message}");
    }
}

#[test]
fn an_exec_into_a_descriptor_is_refused() {
    let sandbox = Sandbox::new(&["/bin/sleep", "1000"]);
    let control = sandbox.launch().unwrap();
    start(&control);
    for number in 3..16 {
        let mut pwd = process(&["/bin/pwd"]);
        pwd.cwd = format!("/proc/self/fd/{number}");
        let (output, code) = run_exec(&control, &number.to_string(), pwd);
        assert!(
            output.is_empty() && [127, 128].contains(&code),
            "{output} {code}"
        );
    }
}

#[test]
fn a_working_directory_is_made_inside_the_root_or_not_at_all() {
    let canary = tempfile::tempdir().unwrap();
    let mut sandbox = Sandbox::new(&["/bin/pwd"]);
    let layer = sandbox.layer();
    let outside = format!("../../../../..{}", canary.path().display());
    symlink(&outside, layer.join("a")).unwrap();
    symlink("/tmp", layer.join("inside")).unwrap();

    sandbox.spec.process.cwd = "/inside/b/c".into();
    let (output, record) = sandbox.run();
    assert_eq!((output.as_str(), record.code), ("/tmp/b/c\n", 0));
    sandbox.spec.process.cwd = "/a/b".into();
    let control = sandbox.launch().unwrap();
    control.send(&engine_runtime::Request::Start, &[]).unwrap();
    while control.receive_within(crate::sandbox::LIMIT).is_ok() {}

    assert_eq!(fs::read_dir(canary.path()).unwrap().count(), 0);
}

#[test]
fn a_mount_over_a_file_of_the_kernel_is_refused() {
    for target in [
        "/proc",
        "/proc/self",
        "/proc/sys",
        "/sys",
        "/sys/fs/cgroup",
        "/tmp/link",
    ] {
        let mut sandbox = Sandbox::new(&["/bin/true"]);
        let layer = sandbox.layer();
        fs::create_dir(layer.join("tmp")).unwrap();
        symlink("/proc/sys", layer.join("tmp/link")).unwrap();
        sandbox.spec.mounts.push(Mount {
            kind: MountKind::Tmpfs {
                bytes: 0,
                mode: 0o755,
                how: TmpfsHow::default(),
            },
            target: target.into(),
            readonly: false,
        });

        let message = refusal(&sandbox);

        assert!(
            message.contains("a file of the kernel") || message.contains("sys/fs"),
            "{message}"
        );
    }
}

#[test]
fn a_process_that_enters_shows_nothing_of_the_host_to_a_tracer() {
    let watch = "while :; do for new in /proc/[0-9]*; do case $new in /proc/1) ;; *) \
        ls -l $new/fd $new/cwd $new/root; esac; done; done 2>/dev/null";
    let mut sandbox = Sandbox::shell(watch);
    sandbox.spec.capabilities.push("CAP_SYS_PTRACE".into());
    let control = sandbox.launch().unwrap();
    start(&control);

    for number in 0..300 {
        run_exec(&control, &number.to_string(), process(&["/bin/true"]));
    }

    crate::sandbox::kill(&control);
    let output = sandbox.output();
    let links: Vec<&str> = output
        .lines()
        .filter_map(|line| line.split_once(" -> "))
        .map(|(_, target)| target)
        .collect();
    let is_fine = |link: &&&str| {
        ["/", "/dev/null", "anon_inode:[pidfd]"].contains(link)
            || ["pipe:", "socket:", "/proc/"]
                .iter()
                .any(|own| link.starts_with(own))
    };
    let leaks: Vec<_> = links.iter().filter(|link| !is_fine(link)).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    assert!(output.contains("pipe:"), "the watcher saw nobody");
}

#[test]
fn a_source_that_is_another_than_was_judged_is_not_mounted() {
    let links = tempfile::tempdir().unwrap();
    let link = links.path().join("link");
    for (judged, mounted, is_same) in [("/usr", "/usr", true), ("/usr", "/etc", false)] {
        symlink(judged, &link).unwrap();
        let source = Source::open(&link).unwrap();
        assert_eq!(source.location(), std::path::Path::new(judged));
        fs::remove_file(&link).unwrap();
        symlink(mounted, &link).unwrap();
        for how in [
            BindHow::default(),
            BindHow {
                alone: true,
                ..BindHow::default()
            },
        ] {
            let mut sandbox = Sandbox::new(&["/bin/true"]);
            sandbox.spec.mounts.push(Mount {
                kind: MountKind::Bind {
                    source: link.clone(),
                    judged: Some(source.identity()),
                    how,
                },
                target: "/m".into(),
                readonly: true,
            });
            match sandbox.launch() {
                Ok(_) => assert!(is_same, "{mounted} was mounted instead of {judged}"),
                Err(error) => {
                    let error = error.to_string();
                    assert!(
                        !is_same && error.contains("find what was judged"),
                        "{error}"
                    );
                }
            }
        }
        fs::remove_file(&link).unwrap();
    }
}
