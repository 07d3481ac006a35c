//! Files in and out of containers, as `docker cp` does it, in every state.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;

use bytes::Bytes;
use engine_api::containers::{ContainerConfig, HostConfig, go_mode};
use engine_api::execs::{ExecCreateBody, ExecStartBody};
use engine_client::stream::Chunks;
use engine_client::{ClientError, ExtractOptions, LogOptions};
use tar::{Builder, EntryType, Header};

use crate::rig::{Rig, read_all, until};

/// Makes archives for tests, lies included.
pub(crate) struct Tar(Builder<Vec<u8>>);

impl Tar {
    pub(crate) fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// Adds a member whose name is taken as it is.
    pub(crate) fn raw(mut self, kind: EntryType, name: &str, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(content.len() as u64);
        if matches!(kind, EntryType::Char | EntryType::Block) {
            header.set_device_major(1).unwrap();
            header.set_device_minor(3).unwrap();
        }
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.raw(EntryType::Regular, name, "", content.as_bytes())
    }

    fn owned(mut self, kind: EntryType, name: &str, mode: u32, owner: (u64, u64)) -> Self {
        let mut header = Header::new_ustar();
        header.set_path(name).unwrap();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(owner.0);
        header.set_gid(owner.1);
        header.set_mtime(1_600_000_000);
        header.set_size(0);
        header.set_cksum();
        self.0.append(&header, std::io::empty()).unwrap();
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

impl Rig {
    pub(crate) async fn put(
        &self,
        id: &str,
        path: &str,
        options: ExtractOptions,
        archive: Vec<u8>,
    ) -> Result<(), ClientError> {
        let archive = futures_util::stream::once(async { Ok(Bytes::from(archive)) });
        self.client
            .extract_to_container(id, path, options, archive)
            .await
    }

    pub(crate) async fn place(&self, id: &str, path: &str, archive: Tar) {
        let options = ExtractOptions::default();
        self.put(id, path, options, archive.bytes()).await.unwrap();
    }

    pub(crate) async fn fetch(&self, id: &str, path: &str) -> Vec<(String, Vec<u8>)> {
        let (_, chunks) = self.client.container_archive(id, path).await.unwrap();
        members(&whole(chunks).await)
    }

    /// Runs a script inside a running container and gives what it said.
    pub(crate) async fn inside(&self, id: &str, script: &str) -> String {
        let words = ["sh", "-c", script].map(str::to_owned).to_vec();
        let body = ExecCreateBody {
            cmd: Some(words),
            attach_stdout: true,
            attach_stderr: true,
            ..ExecCreateBody::default()
        };
        let exec = self.client.create_exec(id, &body).await.unwrap();
        let start = ExecStartBody::default();
        let attached = self.client.start_exec(&exec, &start).await.unwrap();
        let (_, output) = attached.split();
        let (out, err) = read_all(output).await;
        out + &err
    }
}

pub(crate) async fn whole(mut chunks: Chunks) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await.unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    bytes
}

pub(crate) fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        (name, content)
    });
    entries.collect()
}

fn status(result: Result<(), ClientError>) -> (u16, String) {
    match result {
        Err(ClientError::Refused {
            status, message, ..
        }) => (status, message),
        other => panic!("it was not refused: {other:?}"),
    }
}

#[tokio::test]
async fn files_go_in_and_come_out_in_every_state() {
    let rig = Rig::new().await;
    let id = rig
        .create(
            "cp",
            "cat /tmp/early; trap 'exit 0' TERM; while true; do sleep 0.05; done",
        )
        .await;

    rig.place(&id, "/tmp", Tar::new().file("early", "before the start\n"))
        .await;
    assert_eq!(
        rig.fetch(&id, "/tmp/early").await[0].1,
        b"before the start\n"
    );
    rig.client.start_container(&id).await.unwrap();
    until("the program has read the file", async || {
        rig.logs(&id, LogOptions::default()).await == "before the start\n"
    })
    .await;

    rig.place(&id, "/tmp", Tar::new().file("late", "while it runs\n"))
        .await;
    assert_eq!(rig.inside(&id, "cat /tmp/late").await, "while it runs\n");
    rig.inside(
        &id,
        "mkdir -p /root/d/e; echo 1 > /root/d/e/f; ln -s e /root/d/l",
    )
    .await;
    let names: Vec<_> = rig
        .fetch(&id, "/root/d")
        .await
        .into_iter()
        .map(|m| m.0)
        .collect();
    assert_eq!(names, ["d/", "d/e/", "d/e/f", "d/l"]);
    let names: Vec<_> = rig
        .fetch(&id, "/root/d/.")
        .await
        .into_iter()
        .map(|m| m.0)
        .collect();
    assert_eq!(names, ["./", "./e/", "./e/f", "./l"]);

    rig.client.stop_container(&id, Some(10)).await.unwrap();
    assert_eq!(rig.fetch(&id, "/root/d/e/f").await[0].1, b"1\n");
    rig.place(&id, "/root/d", Tar::new().file("g", "at rest\n"))
        .await;
    assert_eq!(rig.fetch(&id, "/root/d/g").await[0].1, b"at rest\n");
    rig.client.start_container(&id).await.unwrap();
    assert_eq!(rig.inside(&id, "cat /root/d/g").await, "at rest\n");
    rig.end().await;
}

#[tokio::test]
async fn owners_bits_times_and_links_are_kept() {
    let rig = Rig::new().await;
    let id = rig.run("kinds", "sleep 1000").await;
    let archive = Tar::new()
        .owned(EntryType::Directory, "d/", 0o2750, (5, 6))
        .owned(EntryType::Regular, "d/set", 0o4755, (7, 8))
        .raw(EntryType::Link, "d/hard", "d/set", b"")
        .raw(EntryType::Symlink, "d/soft", "../../etc/passwd", b"")
        .owned(EntryType::Fifo, "d/pipe", 0o600, (0, 0))
        .raw(EntryType::Char, "d/null", "", b"");
    rig.place(&id, "/tmp", archive).await;

    let said = rig
        .inside(
            &id,
            "cd /tmp/d; stat -c '%n %F %a %u:%g %Y %h' . set hard; readlink soft; test -p pipe && echo pipe; \
             stat -c '%t:%T' null",
        )
        .await;
    assert_eq!(
        said,
        ". directory 2750 5:6 1600000000 2\nset regular empty file 4755 7:8 1600000000 2\n\
         hard regular empty file 4755 7:8 1600000000 2\n../../etc/passwd\npipe\n1:3\n"
    );
    let (stat, chunks) = rig.client.container_archive(&id, "/tmp/d").await.unwrap();
    assert_eq!(stat.mode, go_mode::DIRECTORY | go_mode::SET_GROUP | 0o750);
    let archive = whole(chunks).await;
    let mut read = tar::Archive::new(archive.as_slice());
    let entries: Vec<_> = read
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            (
                String::from_utf8_lossy(&entry.path_bytes()).into_owned(),
                header.entry_type(),
                header.mode().unwrap(),
                (header.uid().unwrap(), header.gid().unwrap()),
            )
        })
        .collect();
    let expected = [
        ("d/", EntryType::Directory, 0o2750, (5, 6)),
        ("d/hard", EntryType::Regular, 0o4755, (7, 8)),
        ("d/null", EntryType::Char, 0o644, (0, 0)),
        ("d/pipe", EntryType::Fifo, 0o600, (0, 0)),
        ("d/set", EntryType::Link, 0o4755, (7, 8)),
        ("d/soft", EntryType::Symlink, 0o777, (0, 0)),
    ];
    assert_eq!(
        entries,
        expected.map(|(name, kind, mode, id)| (name.to_owned(), kind, mode, id))
    );
    rig.end().await;
}

#[tokio::test]
async fn the_facts_of_a_path_are_docker_s() {
    let rig = Rig::new().await;
    let id = rig.run("stat", "sleep 1000").await;
    rig.inside(
        &id,
        "ln -s /etc/../etc/passwd /tmp/l; ln -s nowhere/x /tmp/broken; ln -s / /tmp/top",
    )
    .await;

    let stat = async |path: &str| rig.client.container_path_stat(&id, path).await;
    let link = stat("/tmp/l").await.unwrap();
    assert_eq!(
        (link.name.as_str(), link.link_target.as_str()),
        ("l", "/etc/passwd")
    );
    assert_eq!(link.mode, go_mode::SYMLINK | 0o777);
    assert_eq!(
        stat("/tmp/broken").await.unwrap().link_target,
        "/tmp/nowhere/x"
    );
    assert_eq!(stat("/tmp/top").await.unwrap().link_target, "/");
    let root = stat("/tmp/top/").await.unwrap();
    assert_eq!(
        (root.name.as_str(), root.mode),
        ("top", go_mode::DIRECTORY | 0o700 | root.mode & 0o77)
    );
    let null = stat("/dev/null").await.unwrap();
    assert_eq!(
        null.mode,
        go_mode::DEVICE | go_mode::CHARACTER_DEVICE | 0o666
    );
    let passwd = stat("etc/passwd").await.unwrap();
    assert!(passwd.size > 0 && passwd.mtime.ends_with('Z'), "{passwd:?}");
    for (path, expected) in [("/nope", 404), ("/etc/nope/x", 404), ("/etc/passwd/", 400)] {
        let refused = stat(path).await.map(drop);
        assert_eq!(status(refused).0, expected, "{path}");
    }
    rig.end().await;
}

#[tokio::test]
async fn a_directory_and_a_file_replace_each_other_only_when_they_may() {
    let rig = Rig::new().await;
    let id = rig
        .run("kept", "mkdir /tmp/d; touch /tmp/f /tmp/d/x; sleep 1000")
        .await;
    until("the files are there", async || {
        rig.inside(&id, "ls /tmp/d").await == "x\n"
    })
    .await;
    let strict = ExtractOptions {
        keep_kinds: true,
        ..ExtractOptions::default()
    };

    let file_over_directory = Tar::new().file("d", "x").bytes();
    let directory_over_file = Tar::new()
        .owned(EntryType::Directory, "f/", 0o755, (0, 0))
        .bytes();
    let (code, message) = status(
        rig.put(&id, "/tmp", strict, file_over_directory.clone())
            .await,
    );
    assert_eq!(code, 400);
    assert!(message.contains("cannot overwrite directory"), "{message}");
    let (_, message) = status(
        rig.put(&id, "/tmp", strict, directory_over_file.clone())
            .await,
    );
    assert!(
        message.contains("cannot overwrite non-directory"),
        "{message}"
    );
    assert_eq!(rig.inside(&id, "ls /tmp/d").await, "x\n");

    let free = ExtractOptions::default();
    rig.put(&id, "/tmp", free, file_over_directory)
        .await
        .unwrap();
    rig.put(&id, "/tmp", free, directory_over_file)
        .await
        .unwrap();
    assert_eq!(
        rig.inside(&id, "stat -c %F /tmp/d /tmp/f").await,
        "regular file\ndirectory\n"
    );
    rig.end().await;
}

#[tokio::test]
async fn copied_files_can_be_the_users_own() {
    let rig = Rig::new().await;
    let config = ContainerConfig {
        user: "web".to_owned(),
        ..ContainerConfig::default()
    };
    let id = rig
        .create_with("mine", "sleep 1000", config, HostConfig::default())
        .await;
    let own = ExtractOptions {
        as_user: true,
        ..ExtractOptions::default()
    };
    let archive = Tar::new()
        .owned(EntryType::Regular, "f", 0o600, (0, 0))
        .bytes();
    rig.put(&id, "/tmp", own, archive).await.unwrap();
    rig.client.start_container(&id).await.unwrap();
    assert_eq!(
        rig.inside(&id, "stat -c %u:%g /tmp/f; cat /tmp/f && echo read")
            .await,
        "1000:1000\nread\n"
    );
    rig.end().await;
}

#[tokio::test]
async fn what_is_read_only_stays_so_and_mounts_are_seen_in_every_state() {
    let rig = Rig::new().await;
    for dir in ["rw", "ro"] {
        fs::create_dir(rig.path(dir)).unwrap();
        fs::write(rig.path(dir).join("old"), dir).unwrap();
    }
    let host = HostConfig {
        readonly_rootfs: true,
        binds: Some(vec![
            format!("{}:/rw", rig.path("rw").display()),
            format!("{}:/ro:ro", rig.path("ro").display()),
        ]),
        ..HostConfig::default()
    };
    let id = rig
        .create_with("ro", "sleep 1000", ContainerConfig::default(), host)
        .await;
    for running in [false, true] {
        if running {
            rig.client.start_container(&id).await.unwrap();
        }
        let put = async |path: &str| {
            let archive = Tar::new().file("new", "new").bytes();
            rig.put(&id, path, ExtractOptions::default(), archive).await
        };
        assert_eq!(
            status(put("/tmp").await),
            (403, "container rootfs is marked read-only".to_owned())
        );
        if running {
            assert_eq!(
                status(put("/ro").await),
                (403, "mounted volume is marked read-only".to_owned())
            );
        }
        let name = if running { "/rw" } else { "/rw/." };
        put(name).await.unwrap();
        assert_eq!(fs::read(rig.path("rw/new")).unwrap(), b"new");
        fs::remove_file(rig.path("rw/new")).unwrap();
    }
    assert_eq!(rig.fetch(&id, "/ro/old").await[0].1, b"ro");
    rig.client.kill_container(&id, None).await.unwrap();
    rig.client
        .wait_container(&id, Default::default())
        .await
        .unwrap();
    assert_eq!(rig.fetch(&id, "/ro/old").await[0].1, b"ro");
    assert_eq!(fs::metadata(rig.path("ro")).unwrap().nlink(), 2);
    rig.end().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_in_dockers_words() {
    let rig = Rig::new().await;
    let id = rig.create("none", "true").await;
    let put = async |id: &str, path: &str| {
        let archive = Tar::new().file("f", "").bytes();
        status(rig.put(id, path, ExtractOptions::default(), archive).await)
    };
    assert_eq!(
        put("nobody", "/").await,
        (404, "No such container: nobody".to_owned())
    );
    assert_eq!(
        put(&id, "/nope").await,
        (
            404,
            format!("Could not find the file /nope in container {id}")
        )
    );
    assert_eq!(
        put(&id, "/etc/passwd").await,
        (400, "extraction point is not a directory".to_owned())
    );
    let garbage = rig
        .put(&id, "/", ExtractOptions::default(), vec![7; 2000])
        .await;
    assert_eq!(status(garbage).0, 400);
    rig.end().await;
}
