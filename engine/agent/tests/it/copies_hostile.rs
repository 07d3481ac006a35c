//! What a container or an archive tries to reach through a copy that is not its own, each with
//! the honest twin beside it. Cases of the attack table.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use bytes::Bytes;
use engine_api::containers::{ContainerConfig, HostConfig};
use engine_client::{ClientError, ExtractOptions};
use nix::sys::signal::Signal;
use tar::EntryType;

use crate::copies::Tar;
use crate::rig::{Rig, until};

/// How often a racer's victim is asked.
const N_RACES: usize = 150;

/// A directory of the host that nobody may touch.
struct Canary(std::path::PathBuf);

impl Canary {
    fn new(rig: &Rig) -> Self {
        let path = rig.path("canary");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("secret"), "secret of the host").unwrap();
        Self(path)
    }

    fn path(&self) -> String {
        self.0.display().to_string()
    }

    fn is_untouched(&self) {
        let names: Vec<_> = fs::read_dir(&self.0)
            .unwrap()
            .flatten()
            .map(|e| e.file_name())
            .collect();
        assert_eq!(names, ["secret"]);
        assert_eq!(
            fs::read(self.0.join("secret")).unwrap(),
            b"secret of the host"
        );
    }
}

async fn refused(rig: &Rig, id: &str, archive: Vec<u8>) -> String {
    match rig
        .put(id, "/tmp", ExtractOptions::default(), archive)
        .await
    {
        Err(ClientError::Refused {
            status: 400,
            message,
            ..
        }) => message,
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn names_and_links_of_an_archive_never_lead_out() {
    let rig = Rig::new().await;
    let canary = Canary::new(&rig);
    for state in ["resting", "running"] {
        let id = rig.create(state, "sleep 1000").await;
        if state == "running" {
            rig.client.start_container(&id).await.unwrap();
        }
        let up = format!("../../../../../../..{}/x", canary.path());
        for name in ["../x", "a/../../x", up.as_str(), ".."] {
            let message = refused(&rig, &id, Tar::new().file(name, "out").bytes()).await;
            assert!(message.contains("leads upwards"), "{name}: {message}");
        }
        let secret = format!("{}/secret", canary.path());
        for target in ["../etc/passwd", secret.as_str(), "nowhere", "link/secret"] {
            let archive = Tar::new()
                .raw(EntryType::Symlink, "link", &canary.path(), b"")
                .raw(EntryType::Link, "hard", target, b"");
            let message = refused(&rig, &id, archive.bytes()).await;
            assert!(message.contains("hard link"), "{target}: {message}");
        }
        // A link to a place of the host is data; behind it is the container's own such place.
        let archive = Tar::new()
            .raw(
                EntryType::Symlink,
                "l",
                &format!("/../../..{}", canary.path()),
                b"",
            )
            .file("m/f", "honest");
        rig.place(&id, "/tmp", archive).await;
        let through = Tar::new().file("l/f", "through").bytes();
        let through = rig
            .put(&id, "/tmp", ExtractOptions::default(), through)
            .await;
        assert!(through.is_err(), "the link leads nowhere inside");
        assert_eq!(rig.fetch(&id, "/tmp/m/f").await[0].1, b"honest");
        canary.is_untouched();
    }
    rig.end().await;
}

#[tokio::test]
async fn links_of_a_container_lead_only_to_its_own_files() {
    let rig = Rig::new().await;
    let canary = Canary::new(&rig);
    let script = format!(
        "mkdir -p {0} /real /var; echo own > {0}/secret; ln -s {0} /way; ln -s ../../../..{0} /up; \
         ln -s /real /var/run; ln -s loop /loop; ln -s /proc/1/root /magic; touch /ready; sleep 1000",
        canary.path()
    );
    let id = rig.run("links", &script).await;
    until("the links are there", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;

    for running in [true, false] {
        if !running {
            rig.client.kill_container(&id, None).await.unwrap();
            rig.client
                .wait_container(&id, Default::default())
                .await
                .unwrap();
        }
        for path in ["/way/secret", "/up/secret"] {
            assert_eq!(rig.fetch(&id, path).await[0].1, b"own\n", "{path}");
        }
        let passwd = rig.fetch(&id, "/up/../../../../../etc/passwd").await;
        assert!(String::from_utf8_lossy(&passwd[0].1).contains("web:x:1000"));
        for path in [
            "/loop/x",
            "/magic/etc/passwd",
            "/proc/1/root/etc/shadow",
            "/proc/self/fd/3",
        ] {
            let stat = rig.client.container_path_stat(&id, path).await;
            assert!(
                matches!(
                    stat,
                    Err(ClientError::Refused {
                        status: 403 | 404,
                        ..
                    })
                ),
                "{path}: {stat:?}"
            );
        }
        // The honest twin: a directory behind a link is written to.
        rig.place(&id, "/var/run", Tar::new().file("pid", "1"))
            .await;
        assert_eq!(rig.fetch(&id, "/real/pid").await[0].1, b"1");
        rig.place(&id, "/way", Tar::new().file("new", "inside"))
            .await;
        canary.is_untouched();
    }
    rig.end().await;
}

#[tokio::test]
async fn a_racer_gains_nothing() {
    let rig = Rig::new().await;
    let canary = Canary::new(&rig);
    fs::create_dir(rig.path("shared")).unwrap();
    let host = HostConfig {
        binds: Some(vec![format!("{}:/v/a", rig.path("shared").display())]),
        ..HostConfig::default()
    };
    // The parent of a mount and a plain directory take turns with links to the host's canary.
    let script = format!(
        "mkdir -p /d/x /v; cd /; touch ready; while true; do \
           mv d d1; ln -s {0} d; rm d; mv d1 d; \
           mv d/x d/y; ln -s {0} d/x; rm d/x; mv d/y d/x; done",
        canary.path()
    );
    let id = rig
        .create_with("racer", &script, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    until("it races", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;

    for n in 0..N_RACES {
        let archive = Tar::new()
            .file("x/f", "in")
            .file(&format!("g{n}"), "in")
            .bytes();
        // It may find nothing there at that moment; what it finds is the container's.
        let _ = rig.put(&id, "/d", ExtractOptions::default(), archive).await;
        if let Ok((_, chunks)) = rig.client.container_archive(&id, "/d/x").await {
            let archive = crate::copies::whole(chunks).await;
            assert!(!String::from_utf8_lossy(&archive).contains("secret of the host"));
        }
        canary.is_untouched();
    }
    rig.place(&id, "/v/a", Tar::new().file("honest", "twin"))
        .await;
    assert_eq!(fs::read(rig.path("shared/honest")).unwrap(), b"twin");
    rig.end().await;
}

#[tokio::test]
async fn devices_stay_off_mounts_and_nothing_of_the_kernel_is_opened() {
    let rig = Rig::new().await;
    fs::create_dir(rig.path("shared")).unwrap();
    let host = HostConfig {
        binds: Some(vec![format!("{}:/v", rig.path("shared").display())]),
        ..HostConfig::default()
    };
    let script =
        "mkfifo /tmp/pipe; nc -l -p 1 & mknod /tmp/mem c 1 1; touch /tmp/ready; sleep 1000";
    let id = rig
        .create_with("dev", script, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    until("the files are there", async || {
        rig.client
            .container_path_stat(&id, "/tmp/ready")
            .await
            .is_ok()
    })
    .await;

    let device = Tar::new().raw(EntryType::Char, "null", "", b"").bytes();
    let put = rig
        .put(&id, "/v", ExtractOptions::default(), device.clone())
        .await;
    assert!(put.unwrap_err().to_string().contains("is a device"));
    assert!(!rig.path("shared/null").exists());
    rig.put(&id, "/tmp", ExtractOptions::default(), device)
        .await
        .unwrap();
    // A pipe nobody writes to and the memory of the machine: named, never opened.
    let read = tokio::time::timeout(Duration::from_secs(10), rig.fetch(&id, "/tmp")).await;
    let names: Vec<_> = read.unwrap().into_iter().map(|member| member.0).collect();
    assert_eq!(
        names,
        ["tmp/", "tmp/mem", "tmp/null", "tmp/pipe", "tmp/ready"]
    );
    let (_, all) = rig.client.container_archive(&id, "/").await.unwrap();
    let all = crate::copies::members(&crate::copies::whole(all).await);
    let below = |name: &str| {
        all.iter()
            .filter(|(path, _)| path.starts_with(name))
            .count()
    };
    assert_eq!(
        (below("/proc/"), below("/sys/")),
        (1, 1),
        "directories without content"
    );
    rig.end().await;
}

#[tokio::test]
async fn lying_archives_change_nothing_outside_and_leave_the_container_whole() {
    let rig = Rig::new().await;
    let id = rig.run("lies", "sleep 1000").await;
    let honest = Tar::new().file("f", "honest").bytes();
    let mut size = honest.clone();
    size[124..136].copy_from_slice(b"77777777777\0");
    let mut negative = honest.clone();
    negative[124] = 0xff;
    let mut sum = honest.clone();
    sum[148] = b'7';
    for (lie, archive) in [
        ("size", size),
        ("negative", negative),
        ("sum", sum),
        ("cut", honest[..700].to_vec()),
    ] {
        let message = refused(&rig, &id, archive).await;
        assert!(!message.is_empty(), "{lie}");
    }
    rig.place(&id, "/tmp", Tar::new().file("f", "honest")).await;
    assert_eq!(rig.inside(&id, "cat /tmp/f; ls /tmp").await, "honestf\n");
    rig.end().await;
}

#[tokio::test]
async fn nothing_is_left_of_a_client_that_goes_or_an_engine_that_is_killed() {
    let mut rig = Rig::new().await;
    let id = rig
        .run(
            "big",
            "dd if=/dev/zero of=/tmp/big bs=1M count=64 2>/dev/null; touch /tmp/ready; sleep 1000",
        )
        .await;
    until("the file is there", async || {
        rig.client
            .container_path_stat(&id, "/tmp/ready")
            .await
            .is_ok()
    })
    .await;
    let engine = rig.engine_pid();
    let n_threads = || {
        let tasks = fs::read_dir(format!("/proc/{engine}/task"))
            .unwrap()
            .flatten();
        let names =
            tasks.map(|task| fs::read_to_string(task.path().join("comm")).unwrap_or_default());
        names
            .filter(|name| matches!(name.trim(), "archive" | "extract" | "merged"))
            .count()
    };

    let (_, mut chunks) = rig.client.container_archive(&id, "/tmp/big").await.unwrap();
    assert!(chunks.next().await.unwrap().is_some());
    assert_eq!(
        n_threads(),
        1,
        "it waits for its client, and has not read all"
    );
    drop(chunks);
    until("the reading ends", async || n_threads() == 0).await;

    // An upload into a resting container stands still; a start waits for it, and the kill of the
    // engine leaves no mount.
    let rest = rig.create("rest", "true").await;
    let client = rig.client.clone();
    let target = rest.clone();
    let stalled = futures_util::stream::once(async {
        Ok(Bytes::from(
            Tar::new().file("f", "x").bytes()[..512].to_vec(),
        ))
    });
    let stalled = futures_util::StreamExt::chain(stalled, futures_util::stream::pending());
    let options = ExtractOptions::default();
    let upload = client.extract_to_container(&target, "/tmp", options, stalled);
    let meanwhile = async {
        until("the upload has begun", async || n_threads() == 2).await;
        let start = rig.client.start_container(&rest);
        tokio::time::timeout(Duration::from_millis(200), start).await
    };
    tokio::select! {
        done = upload => panic!("the upload ended: {done:?}"),
        start = meanwhile => assert!(start.is_err(), "the start waits"),
    }
    let seen = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!seen.contains(&rest), "the host sees no mount");
    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;
    rig.client.start_container(&rest).await.unwrap();
    rig.end().await;
}

#[tokio::test]
async fn a_library_of_the_container_is_never_loaded() {
    let rig = Rig::new().await;
    let id = rig.create("lib", "true").await;
    let mut archive = Tar::new();
    for name in [
        "lib/libnss_files.so.2",
        "lib/libc.so.6",
        "etc/ld.so.preload",
        "etc/nsswitch.conf",
    ] {
        archive = archive.file(name, "poison");
    }
    rig.place(&id, "/", archive).await;
    let maps = format!("/proc/{}/maps", rig.engine_pid());
    let libraries = || -> BTreeSet<String> {
        let maps = fs::read_to_string(&maps).unwrap();
        let files = maps
            .lines()
            .filter_map(|line| Some(&line[line.find('/')?..]));
        files.map(str::to_owned).collect()
    };
    let before = libraries();
    drop(rig.fetch(&id, "/etc").await);
    assert_eq!(
        libraries(),
        before,
        "the host's own, from before the container"
    );
    rig.end().await;
}
