//! One directory of a container, looked through; and one file in and out of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use engine_api::containers::{ContainerConfig, Directory, FileKind, FileOrder, HostConfig};
use engine_client::{ClientError, DirectoryQuery, FileAttributes, NewFile, Opened};

use crate::rig::{Rig, until};

fn all() -> DirectoryQuery {
    DirectoryQuery {
        limit: 1_000,
        ..DirectoryQuery::default()
    }
}

fn names(listed: &Directory) -> Vec<&str> {
    listed
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect()
}

impl Rig {
    async fn list(&self, id: &str, path: &str) -> Directory {
        self.client.container_files(id, path, &all()).await.unwrap()
    }

    async fn refusal(&self, id: &str, path: &str) -> u16 {
        match self.client.container_files(id, path, &all()).await {
            Err(ClientError::Refused { status, .. }) => status,
            other => panic!("{path}: {other:?}"),
        }
    }

    async fn read_file(&self, id: &str, path: &str) -> (FileAttributes, Vec<u8>) {
        match self.client.open_file(id, path).await.unwrap() {
            Opened::File(file) => {
                let attributes = file.attributes.clone();
                (attributes, file.whole(1 << 30).await.unwrap().unwrap())
            }
            Opened::Other(stat) => panic!("{path} is no file: {stat:?}"),
        }
    }

    async fn write_file(
        &self,
        id: &str,
        path: (&str, &str),
        attributes: &FileAttributes,
        pieces: Vec<std::io::Result<Bytes>>,
        size_bytes: u64,
    ) -> Result<(), ClientError> {
        let file = NewFile {
            name: path.1,
            attributes,
            modified_s: 1_600_000_000,
            size_bytes,
        };
        let content = futures_util::stream::iter(pieces);
        self.client.write_file(id, path.0, file, content).await
    }

    async fn stop_now(&self, id: &str) {
        self.client.kill_container(id, None).await.unwrap();
        self.client
            .wait_container(id, Default::default())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_directory_is_told_in_every_state() {
    let rig = Rig::new().await;
    let script = "mkdir -p /srv/d/sub; cd /srv/d; printf 12345 > b; printf 1 > a; ln -s /etc/passwd l; \
                  mkfifo p; chown 1000:1000 a; chmod 4711 a; printf x > \"$(printf 'q\\377\\nw')\"; \
                  touch -d '2020-01-02 03:04:05' b; touch /ready; sleep 1000";
    let id = rig.run("look", script).await;
    until("the files are there", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;

    for running in [true, false] {
        if !running {
            rig.stop_now(&id).await;
        }
        let listed = rig.list(&id, "/srv/d").await;
        assert_eq!(names(&listed), ["sub", "a", "b", "l", "p", "q\u{fffd}\nw"]);
        assert_eq!(
            (listed.total, listed.is_cut, listed.read_only),
            (6, false, false)
        );
        let [sub, a, b, l, p, odd] = listed.entries.as_slice() else {
            panic!("six entries");
        };
        assert_eq!((sub.kind, p.kind), (FileKind::Directory, FileKind::Pipe));
        assert_eq!((a.mode, a.uid, a.user.as_str()), (0o4711, 1000, "web"));
        assert_eq!(
            (b.size, &*b.modified),
            (5, "2020-01-02T03:04:05.000000000Z")
        );
        assert_eq!(
            (l.kind, l.link.as_deref()),
            (FileKind::Symlink, Some("/etc/passwd"))
        );
        assert!(odd.is_name_lossy && !b.is_name_lossy);

        let query = DirectoryQuery {
            order: FileOrder::Size,
            is_descending: true,
            skip: 1,
            limit: 2,
            filter: String::new(),
        };
        let part = rig
            .client
            .container_files(&id, "/srv/d", &query)
            .await
            .unwrap();
        assert_eq!(
            (names(&part), part.total),
            (vec!["l", "b"], 6),
            "by size, the rest counted"
        );
        let query = DirectoryQuery {
            filter: "SU".to_owned(),
            ..all()
        };
        let found = rig
            .client
            .container_files(&id, "/srv/d", &query)
            .await
            .unwrap();
        assert_eq!(names(&found), ["sub"]);

        for (path, status) in [("/none", 404), ("/srv/d/a", 400), ("/srv/d/p", 400)] {
            assert_eq!(rig.refusal(&id, path).await, status, "{path}");
        }
        let top = rig.list(&id, "/").await;
        assert!(names(&top).contains(&"proc"), "{:?}", names(&top));
    }
    rig.end().await;
}

#[tokio::test]
async fn links_and_the_kernels_own_files_lead_nowhere_else() {
    let rig = Rig::new().await;
    let canary = rig.path("canary");
    std::fs::create_dir(&canary).unwrap();
    std::fs::write(canary.join("secret"), "").unwrap();
    let way = canary.display();
    let script = format!(
        "ln -s {way} /way; ln -s ../../../..{way} /up; ln -s /proc/1/root /magic; ln -s etc /in; \
         touch /ready; sleep 1000"
    );
    let id = rig.run("links", &script).await;
    until("the links are there", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;
    for running in [true, false] {
        if !running {
            rig.stop_now(&id).await;
        }
        let outside = way.to_string();
        for path in ["/way", "/up", outside.as_str(), "/up/../.."] {
            let listed = rig.client.container_files(&id, path, &all()).await;
            let secret = listed.map(|listed| names(&listed).contains(&"secret"));
            assert!(
                matches!(secret, Ok(false) | Err(ClientError::Refused { .. })),
                "{path}"
            );
        }
        assert!(
            names(&rig.list(&id, "/in").await).contains(&"passwd"),
            "a link inside is followed"
        );
        if running {
            for path in ["/proc", "/proc/self/fd", "/sys", "/magic"] {
                let status = rig.refusal(&id, path).await;
                assert!([403, 404].contains(&status), "{path}: {status}");
            }
        }
    }
    rig.end().await;
}

#[tokio::test]
async fn a_racer_that_swaps_a_directory_for_a_link_shows_nothing_of_the_host() {
    let rig = Rig::new().await;
    let canary = rig.path("canary");
    std::fs::create_dir(&canary).unwrap();
    std::fs::write(canary.join("secret"), "").unwrap();
    let script = format!(
        "mkdir /d; touch /d/mine; ln -s /../../../..{} /l; touch /ready; \
         while true; do mv /d /x; mv /l /d; mv /d /l; mv /x /d; done",
        canary.display()
    );
    let id = rig.run("racer", &script).await;
    until("it races", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;
    for _ in 0..150 {
        match rig.client.container_files(&id, "/d", &all()).await {
            Ok(listed) => assert!(!names(&listed).contains(&"secret")),
            // It was not there, or a link, at that moment.
            Err(ClientError::Refused {
                status: 400 | 403 | 404,
                ..
            }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    // The honest twin: whenever it is the directory, it is told.
    until("the directory is told", async || {
        let listed = rig.client.container_files(&id, "/d", &all()).await;
        listed.is_ok_and(|listed| names(&listed) == ["mine"])
    })
    .await;
    rig.end().await;
}

#[tokio::test]
async fn a_hundred_thousand_names_are_counted_and_a_page_of_them_told() {
    let rig = Rig::new().await;
    // In memory: a disk takes longer to make them than everything else here.
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let shared = memory.path();
    for n in 0..100_000 {
        std::fs::File::create(shared.join(format!("f{n:05}"))).unwrap();
    }
    let host = HostConfig {
        binds: Some(vec![format!("{}:/many", shared.display())]),
        ..HostConfig::default()
    };
    let id = rig
        .create_with("many", "sleep 1000", ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    for order in [FileOrder::Name, FileOrder::Modified] {
        let query = DirectoryQuery {
            order,
            skip: 50_000,
            limit: 3,
            ..DirectoryQuery::default()
        };
        let begun = Instant::now();
        let listed = rig
            .client
            .container_files(&id, "/many", &query)
            .await
            .unwrap();
        assert_eq!(listed.total, 100_000);
        assert_eq!(names(&listed), ["f50000", "f50001", "f50002"]);
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "{:?}",
            begun.elapsed()
        );
    }
    let most = DirectoryQuery {
        limit: 1_000_000,
        ..DirectoryQuery::default()
    };
    let listed = rig
        .client
        .container_files(&id, "/many", &most)
        .await
        .unwrap();
    assert_eq!(listed.entries.len(), 1_000, "no answer grows without end");
    rig.end().await;
}

#[tokio::test]
async fn a_read_only_root_says_so_before_anybody_tries() {
    let rig = Rig::new().await;
    let shared = rig.path("shared");
    std::fs::create_dir(&shared).unwrap();
    let host = HostConfig {
        readonly_rootfs: true,
        binds: Some(vec![format!("{}:/v", shared.display())]),
        ..HostConfig::default()
    };
    let id = rig
        .create_with("ro", "sleep 1000", ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    for running in [true, false] {
        if !running {
            rig.stop_now(&id).await;
        }
        assert!(rig.list(&id, "/etc").await.read_only, "running: {running}");
        assert!(!rig.list(&id, "/v").await.read_only, "running: {running}");
        let plain = FileAttributes::new(0o644, 0, 0);
        let written = rig
            .write_file(&id, ("/etc", "x"), &plain, vec![Ok(Bytes::from("1"))], 1)
            .await;
        assert!(
            matches!(&written, Err(ClientError::Refused { status: 403, message, .. }) if message.contains("read-only")),
            "{written:?}"
        );
        rig.write_file(&id, ("/v", "x"), &plain, vec![Ok(Bytes::from("1"))], 1)
            .await
            .unwrap();
        assert_eq!(std::fs::read(shared.join("x")).unwrap(), b"1");
    }
    rig.end().await;
}

#[tokio::test]
async fn a_file_is_replaced_when_it_is_whole_and_keeps_what_it_was_else() {
    let rig = Rig::new().await;
    let script = "mkdir -p /srv; printf old > /srv/f; chown 1000:33 /srv/f; chmod 640 /srv/f; touch /ready; sleep 1000";
    let id = rig.run("edit", script).await;
    until("the file is there", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;
    let (attributes, content) = rig.read_file(&id, "/srv/f").await;
    assert_eq!(
        (attributes.mode, attributes.uid, attributes.gid),
        (0o640, 1000, 33)
    );
    assert_eq!(content, b"old");

    let pieces = vec![Ok(Bytes::from("new ")), Ok(Bytes::from("words"))];
    rig.write_file(&id, ("/srv", "f"), &attributes, pieces, 9)
        .await
        .unwrap();
    let told = rig
        .inside(&id, "cat /srv/f; stat -c ' %a %u %g' /srv/f")
        .await;
    assert_eq!(told, "new words 640 1000 33\n");

    let broken = [
        vec![Ok(Bytes::from("half")), Err(std::io::Error::other("gone"))],
        vec![Ok(Bytes::from("short"))],
        vec![Ok(Bytes::from("longer than was said"))],
    ];
    for pieces in broken {
        let written = rig
            .write_file(&id, ("/srv", "f"), &attributes, pieces, 9)
            .await;
        assert!(
            matches!(written, Err(ClientError::Stream(_))),
            "{written:?}"
        );
    }
    let pieces = vec![Ok(Bytes::from("half")), Err(std::io::Error::other("gone"))];
    let written = rig
        .write_file(&id, ("/srv", "fresh"), &attributes, pieces, 9)
        .await;
    assert!(written.is_err());
    until("nothing half is left", async || {
        rig.inside(&id, "cd /srv; ls -A; cat f").await == "f\nnew words"
    })
    .await;
    rig.end().await;
}

#[tokio::test]
async fn what_is_no_file_is_not_opened() {
    let rig = Rig::new().await;
    let script = "mkdir -p /srv; mkfifo /srv/p; mknod /srv/zero c 1 5; mkdir /srv/d; ln -s /etc/passwd /srv/l; \
                  touch /ready; sleep 1000";
    let id = rig.run("odd", script).await;
    until("they are there", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;
    for name in ["p", "zero", "d", "l"] {
        let opened = rig
            .client
            .open_file(&id, &format!("/srv/{name}"))
            .await
            .unwrap();
        assert!(matches!(opened, Opened::Other(_)), "{name}");
    }
    let plain = FileAttributes::new(0o755, 0, 0);
    let folder = |name| NewFile {
        name,
        attributes: &plain,
        modified_s: 1_600_000_000,
        size_bytes: 0,
    };
    rig.client
        .make_directory(&id, "/srv", folder("made"))
        .await
        .unwrap();
    assert_eq!(
        rig.inside(&id, "stat -c '%a %F' /srv/made").await,
        "755 directory\n"
    );
    let over = rig.client.make_directory(&id, "/srv", folder("p")).await;
    assert!(
        matches!(over, Err(ClientError::Refused { status: 400, .. })),
        "{over:?}"
    );
    rig.end().await;
}
