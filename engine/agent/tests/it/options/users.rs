//! `--userns-remap`: root inside is nobody on the host.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Command;

use engine_api::containers::{ContainerConfig, HostConfig, WaitCondition};
use engine_client::{CommitOptions, DirectoryQuery, ExtractOptions};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tar::{EntryType, Header};

use super::{outcome, output, refusal};
use crate::copies::whole;
use crate::rig::{Rig, until};

/// The host's number of the containers' root.
const FIRST: u32 = 200_000;

async fn remapped() -> Rig {
    Rig::with(&["--userns-remap", &format!("{FIRST}+65536")]).await
}

async fn run_with(rig: &Rig, name: &str, host: Value, script: &str) -> String {
    let host: HostConfig = serde_json::from_value(host).unwrap();
    let config = ContainerConfig::default();
    let id = rig.create_with(name, script, config, host).await;
    rig.client.start_container(&id).await.unwrap();
    id
}

async fn pid(rig: &Rig, id: &str) -> i32 {
    rig.client.container(id).await.unwrap().state.pid
}

/// Where what a container wrote lies on the host.
fn upper(rig: &Rig, id: &str, path: &str) -> PathBuf {
    rig.path(&format!("d/containers/{id}/upper/{path}"))
}

fn owner(path: &PathBuf) -> (u32, u32) {
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}

/// The owners that an archive names, by path.
fn owners(archive: &[u8], path: &str) -> (u64, u64) {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries().unwrap() {
        let entry = entry.unwrap();
        if entry.path_bytes().ends_with(path.as_bytes()) {
            let header = entry.header();
            return (header.uid().unwrap(), header.gid().unwrap());
        }
    }
    panic!("{path} is not in the archive");
}

#[tokio::test]
async fn root_inside_is_another_on_the_host_and_the_images_files_are_its_own() {
    let rig = remapped().await;
    let options = rig.client.info().await.unwrap().security_options;
    assert!(options.contains(&"name=userns".to_owned()), "{options:?}");
    let id = run_with(&rig, "web", json!({}), "sleep 1000").await;
    let pid = pid(&rig, &id).await;
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let numbers = format!("{FIRST}\t{FIRST}\t{FIRST}\t{FIRST}");
    assert!(status.contains(&format!("Uid:\t{numbers}\n")), "{status}");
    assert!(status.contains(&format!("Gid:\t{numbers}\n")), "{status}");
    let own = fs::read_link("/proc/self/ns/user").unwrap();
    for kind in ["user", "mnt", "net", "ipc", "uts"] {
        let theirs = fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap();
        assert_ne!(
            fs::read_link(format!("/proc/self/ns/{kind}")).unwrap(),
            theirs
        );
        assert_ne!(own, theirs);
    }

    let script = "id -u; id -g; cat /proc/self/uid_map | tr -s ' '; hostname; \
                  stat -c '%u:%g %n' / /bin/busybox /root /dev /dev/null /dev/shm \
                  /dev/mqueue /dev/pts /etc/hosts /etc/resolv.conf /proc/self/stat";
    let found = rig.exec_text(&id, script).await;
    let mut lines = found.lines();
    assert_eq!((lines.next(), lines.next()), (Some("0"), Some("0")));
    assert_eq!(lines.next(), Some(format!(" 0 {FIRST} 65536").as_str()));
    assert_eq!(lines.next(), Some(&id[..12]));
    for line in lines {
        assert!(line.starts_with("0:0 "), "{line}");
    }

    let script = "touch /made && chown 1000:5 /made && echo x >>/etc/passwd && chmod 700 /root && \
                  mkdir /dir && echo 1.2.3.4 name >>/etc/hosts && echo out >/dev/stdout && \
                  echo err >/dev/stderr && ping -c 1 -w 5 127.0.0.1 >/dev/null && echo done";
    let found = rig.exec_text(&id, script).await;
    assert_eq!(found, "out\ndone\nerr\n");
    assert_eq!(owner(&upper(&rig, &id, "made")), (FIRST + 1000, FIRST + 5));
    for path in ["", "dir", "etc/passwd", "root"] {
        assert_eq!(owner(&upper(&rig, &id, path)), (FIRST, FIRST), "{path:?}");
    }
    let layer = rig.client.container(&id).await.unwrap();
    let layer = layer.graph_driver.data.unwrap()["LowerDir"].clone();
    let layer = PathBuf::from(layer.split(':').next_back().unwrap());
    assert_eq!(
        owner(&layer.join("bin/busybox")),
        (0, 0),
        "layers are shared as they are"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_remapped_container_lives_on_over_stops_users_terminals_and_engines() {
    let mut rig = remapped().await;
    let config = ContainerConfig {
        user: "web".to_owned(),
        tty: true,
        ..ContainerConfig::default()
    };
    let script = "id -u; tty; echo again >>/tmp/webs && wc -l </tmp/webs; sleep 1000";
    let host: HostConfig = serde_json::from_value(json!({
        "Tmpfs": {"/run": "uid=1000,gid=1000,mode=700"}, "ShmSize": 1 << 20,
        "Ulimits": [{"Name": "nofile", "Soft": 100, "Hard": 200}], "ReadonlyRootfs": false,
        "Sysctls": {"net.ipv4.ip_forward": "1", "kernel.shmmax": "1234567"},
    }))
    .unwrap();
    let id = rig.create_with("web", script, config, host).await;
    let options = ExtractOptions::default();
    rig.put(&id, "/tmp", options, archive()).await.unwrap();
    rig.client.start_container(&id).await.unwrap();
    let log = async |rig: &Rig| rig.logs(&id, Default::default()).await.replace('\r', "");
    until("it has said its words", async || {
        log(&rig).await.ends_with("\n1\n")
    })
    .await;
    assert_eq!(log(&rig).await, "1000\n/dev/pts/0\n1\n");
    let status = fs::read_to_string(format!("/proc/{}/status", pid(&rig, &id).await)).unwrap();
    assert!(
        status.contains(&format!("Uid:\t{0}\t{0}", FIRST + 1000)),
        "{status}"
    );
    let script = "touch /run/mine && stat -c %u /run && ulimit -n && ulimit -Hn && \
                  cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax";
    assert_eq!(
        rig.exec_text(&id, script).await,
        "1000\n100\n200\n1\n1234567\n"
    );

    rig.signal_engine(Signal::SIGKILL);
    rig.start().await;
    assert_eq!(rig.exec_text(&id, "id -u").await, "1000\n");
    rig.client.restart_container(&id, Some(0)).await.unwrap();
    until("it has said them again", async || {
        log(&rig).await.ends_with("\n2\n")
    })
    .await;
    rig.end().await;
}

/// An archive with a file of root's and one of user 1000's.
fn archive() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, uid) in [("mine", 0), ("webs", 1000)] {
        let mut header = Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o600);
        header.set_uid(uid);
        header.set_gid(uid);
        header.set_size(4);
        header.set_cksum();
        archive.append(&header, &b"word"[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

#[tokio::test]
async fn files_go_in_and_out_of_a_remapped_container_with_its_own_owners() {
    let rig = remapped().await;
    let id = rig.create("web", "sleep 1000").await;
    let copied = async |directory: &str| {
        let options = ExtractOptions::default();
        rig.put(&id, directory, options, archive()).await.unwrap();
        let (_, chunks) = rig.client.container_archive(&id, directory).await.unwrap();
        let found = whole(chunks).await;
        assert_eq!(owners(&found, "mine"), (0, 0), "{directory}");
        assert_eq!(owners(&found, "webs"), (1000, 1000), "{directory}");
        let query = DirectoryQuery {
            limit: 100,
            ..DirectoryQuery::default()
        };
        let listed = rig.client.container_files(&id, directory, &query).await;
        let listed = listed.unwrap();
        assert_eq!((listed.uid, listed.gid), (0, 0), "{directory}");
        let of = |name: &str| listed.entries.iter().find(|one| one.name == name).unwrap();
        let told = |name: &str| (of(name).uid, of(name).gid, of(name).user.clone());
        assert_eq!(told("mine"), (0, 0, "root".to_owned()), "{directory}");
        assert_eq!(told("webs"), (1000, 1000, "web".to_owned()), "{directory}");
        let on_host = upper(&rig, &id, &directory[1..]);
        assert_eq!(owner(&on_host.join("mine")), (FIRST, FIRST));
        assert_eq!(owner(&on_host.join("webs")), (FIRST + 1000, FIRST + 1000));
    };
    copied("/tmp").await;
    let (_, chunks) = rig
        .client
        .container_archive(&id, "/bin/busybox")
        .await
        .unwrap();
    assert_eq!(owners(&whole(chunks).await, "busybox"), (0, 0), "at rest");
    rig.client.start_container(&id).await.unwrap();
    copied("/root").await;
    let (_, chunks) = rig
        .client
        .container_archive(&id, "/bin/busybox")
        .await
        .unwrap();
    assert_eq!(owners(&whole(chunks).await, "busybox"), (0, 0), "running");
    assert_eq!(
        rig.exec_text(&id, "cat /tmp/mine; stat -c %u /root/webs")
            .await,
        "word1000\n"
    );

    let changes = rig.client.container_changes(&id).await.unwrap();
    let mut paths: Vec<_> = changes.iter().map(|change| change.path.as_str()).collect();
    paths.sort_unstable();
    let expected = [
        "/root",
        "/root/mine",
        "/root/webs",
        "/tmp",
        "/tmp/mine",
        "/tmp/webs",
    ];
    assert_eq!(paths, expected);
    rig.end().await;
}

#[tokio::test]
async fn what_a_remapped_container_wrote_is_an_image_for_everybody() {
    let rig = remapped().await;
    let script = "echo x >/tmp/mine; echo x >/root/webs; chown 1000:1000 /root/webs";
    let id = run_with(&rig, "web", json!({}), script).await;
    let wait = rig.client.wait_container(&id, WaitCondition::NotRunning);
    assert_eq!(wait.await.unwrap().status_code, 0);
    let exported = whole(rig.client.export_container(&id).await.unwrap()).await;
    assert_eq!(owners(&exported, "root/webs"), (1000, 1000));
    assert_eq!(owners(&exported, "bin/busybox"), (0, 0));
    let options = CommitOptions {
        repository: Some("kept".to_owned()),
        ..CommitOptions::default()
    };
    rig.client.commit_container(&id, &options).await.unwrap();
    for host in [json!({}), json!({"UsernsMode": "host"})] {
        let config = ContainerConfig {
            image: "kept".to_owned(),
            cmd: Some(
                ["stat", "-c", "%u", "/root/webs", "/tmp/mine"]
                    .map(str::to_owned)
                    .to_vec(),
            ),
            ..ContainerConfig::default()
        };
        let body = engine_api::containers::CreateBody {
            config,
            host_config: serde_json::from_value(host).unwrap(),
            ..Default::default()
        };
        let id = rig.client.create_container(None, &body).await.unwrap().id;
        rig.client.start_container(&id).await.unwrap();
        let wait = rig.client.wait_container(&id, WaitCondition::NotRunning);
        assert_eq!(wait.await.unwrap().status_code, 0);
        assert_eq!(rig.logs(&id, Default::default()).await, "1000\n0\n");
    }
    rig.end().await;
}

#[tokio::test]
async fn a_file_of_the_hosts_root_stays_closed_to_a_remapped_root() {
    let rig = remapped().await;
    let share = rig.path("share");
    fs::create_dir(&share).unwrap();
    for (name, mode) in [("secret", 0o600), ("open", 0o644)] {
        fs::write(share.join(name), name).unwrap();
        fs::set_permissions(share.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let bind = format!("{}:/share", share.display());
    let script = "cat /share/open; cat /share/secret; touch /share/new; chown 0 /share/open; \
                  stat -c ' %u' /share/secret; true";
    let attack = json!({"Binds": [bind], "CapAdd": ["ALL"]});
    let found = output(&rig, attack, script).await;
    assert!(found.contains("open"), "{found}");
    assert_eq!(found.matches("Permission denied").count(), 2, "{found}");
    assert!(
        found.contains("Operation not permitted") && found.contains(" 65534"),
        "{found}"
    );
    assert!(!share.join("new").exists());
    let honest = json!({"Binds": [bind], "UsernsMode": "host"});
    let found = output(&rig, honest, script).await;
    assert_eq!(found, "opensecret 0");
    assert_eq!(owner(&share.join("new")), (0, 0));
    // What belongs to its users is its own.
    Command::new("chown")
        .args(["-R", &FIRST.to_string()])
        .arg(&share)
        .status()
        .unwrap();
    let twin = json!({"Binds": [bind]});
    assert!(
        output(&rig, twin, "cat /share/secret; touch /share/n2")
            .await
            .starts_with("secret")
    );
    assert_eq!(owner(&share.join("n2")), (FIRST, FIRST));

    rig.end().await;
}

#[tokio::test]
async fn every_right_of_a_remapped_root_ends_at_its_namespace() {
    let rig = remapped().await;
    let host = json!({"CapAdd": ["ALL"], "SecurityOpt": ["seccomp=unconfined"]});
    let allowed = ["mount -t tmpfs none /mnt", "hostname other"];
    let refused = [
        "umount /proc/sys",
        "umount /sys/firmware",
        "mount -o remount,rw,bind /proc/sys",
        "mount -t proc none /mnt",
        "mount -t sysfs none /mnt",
        "mknod /dev/disk b 8 0",
        "cp /dev/null /proc/sys/vm/drop_caches",
        "cp /dev/null /proc/sysrq-trigger",
    ];
    let mut script = "mkdir -p /mnt".to_owned();
    for command in allowed.iter().chain(&refused) {
        script += &format!("; {command} >/dev/null 2>&1 && echo 'did {command}'");
    }
    let (found, _) = outcome(&rig, host, &format!("{script}; true")).await;
    let done: Vec<&str> = found.lines().collect();
    assert_eq!(done, allowed.map(|command| format!("did {command}")));
    rig.end().await;
}

#[tokio::test]
async fn a_device_of_the_hosts_root_stays_closed_to_a_remapped_root() {
    let rig = remapped().await;
    let node = rig.path("node");
    let made = Command::new("mknod")
        .arg(&node)
        .args(["c", "1", "5"])
        .status();
    assert!(made.unwrap().success());
    let device =
        json!({"PathOnHost": node, "PathInContainer": "/dev/node", "CgroupPermissions": "rwm"});
    let script = "stat -c '%u:%g %a' /dev/node; head -c 1 /dev/node | wc -c";
    for (mode, n_bytes) in [(0o600, "0"), (0o666, "1")] {
        fs::set_permissions(&node, fs::Permissions::from_mode(mode)).unwrap();
        let (found, _) = outcome(&rig, json!({"Devices": [device]}), script).await;
        let expected = format!("65534:65534 {mode:o}\n");
        assert!(found.starts_with(&expected), "{found}");
        assert!(found.lines().any(|line| line == n_bytes), "{found}");
    }
    rig.end().await;
}

#[tokio::test]
async fn a_directory_that_is_made_for_a_bind_belongs_to_the_remapped_root() {
    let rig = remapped().await;
    let made = rig.path("made/deep");
    let bind = json!({"Binds": [format!("{}:/share", made.display())]});
    assert_eq!(
        output(&rig, bind, "touch /share/mine && stat -c %u /share").await,
        "0"
    );
    for path in ["made", "made/deep", "made/deep/mine"] {
        assert_eq!(owner(&rig.path(path)), (FIRST, FIRST), "{path}");
    }
    rig.end().await;
}

#[tokio::test]
async fn what_belongs_to_the_host_takes_the_hosts_users() {
    let rig = remapped().await;
    for (host, words) in [
        (
            json!({"Privileged": true}),
            "privileged mode is incompatible with user namespaces",
        ),
        (
            json!({"NetworkMode": "host"}),
            "cannot share the host's network namespace when user namespaces are enabled",
        ),
        (
            json!({"PidMode": "host"}),
            "cannot share the host PID namespace when user namespaces are enabled",
        ),
        (
            json!({"UsernsMode": "mine"}),
            "invalid userns mode: \"mine\"",
        ),
    ] {
        let (status, message) = refusal(&rig, host.clone()).await;
        assert!(status == 400 && message.contains(words), "{message}");
        let mut host = host;
        host["UsernsMode"] = "host".into();
        let found = output(&rig, host, "cat /proc/self/uid_map | tr -s ' '").await;
        assert_eq!(found, " 0 0 4294967295");
    }
    let donor = run_with(&rig, "donor", json!({"IpcMode": "shareable"}), "sleep 1000").await;
    let script = "[ $$ -ne 1 ] && kill -0 1 && echo together";
    let host = json!({"PidMode": format!("container:{donor}"), "IpcMode": "container:donor"});
    assert_eq!(output(&rig, host, script).await, "together");
    let host = json!({"PidMode": "container:donor", "UsernsMode": "host"});
    let (status, message) = refusal(&rig, host).await;
    assert!(
        status == 409 && message.contains("its users are not those"),
        "{message}"
    );
    let shown = rig.client.container(&donor).await.unwrap().host_config();
    assert_eq!(shown.userns_mode, "");
    rig.end().await;
}

#[tokio::test]
async fn a_range_that_cannot_be_is_refused_when_the_engine_begins() {
    let rig = Rig::bare().await;
    let data = rig.path("other");
    for (range, code, words) in [
        ("0+65536", 2, "the host's root"),
        ("nobody-has-this-name", 2, "/etc/subuid"),
    ] {
        let engine = Command::new(env!("CARGO_BIN_EXE_gantry-engine"))
            .args(["serve", "--userns-remap", range, "--data"])
            .arg(&data)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&engine.stderr).into_owned();
        assert_eq!(engine.status.code(), Some(code), "{said}");
        assert!(said.contains(words), "{said}");
    }
    rig.end().await;
}
