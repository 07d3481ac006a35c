//! Files of a volume by themselves: looked through, changed, saved and brought back, and no link of a
//! container's is a way out.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use engine_api::volumes::FileChange;
use engine_client::stream::Chunks;
use engine_client::{Before, ClientError, DirectoryQuery};
use futures_util::stream;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::rig::Rig;
use crate::volumes::{asked, create, refused, run};

const PAGE: DirectoryQuery = DirectoryQuery {
    filter: String::new(),
    order: engine_api::containers::FileOrder::Name,
    is_descending: false,
    skip: 0,
    limit: 1_000,
};

fn one(bytes: impl Into<Bytes>) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
    let bytes = bytes.into();
    stream::once(async { Ok(bytes) })
}

async fn all(mut chunks: Chunks) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(piece) = chunks.next().await.unwrap() {
        bytes.extend_from_slice(&piece);
    }
    bytes
}

async fn read(rig: &Rig, path: &str) -> Result<(String, String), ClientError> {
    let (mark, chunks) = rig.client.volume_file("data", path).await?;
    Ok((mark, String::from_utf8(all(chunks).await).unwrap()))
}

async fn change(rig: &Rig, change: FileChange) -> Result<(), ClientError> {
    rig.client.change_volume_files("data", &change).await
}

async fn names(rig: &Rig, volume: &str, path: &str) -> Vec<String> {
    let listed = rig.client.volume_files(volume, path, &PAGE).await.unwrap();
    listed.entries.into_iter().map(|entry| entry.name).collect()
}

#[tokio::test]
async fn files_are_looked_through_written_and_changed_while_a_container_runs() {
    let rig = Rig::new().await;
    let id = create(&rig, "user", "sleep 600", json!({"Binds": ["data:/d"]})).await;
    rig.client.start_container(&id).await.unwrap();
    rig.exec_text(
        &id,
        "mkdir /d/sub; echo one >/d/sub/f; chown 7:8 /d/sub/f; chmod 640 /d/sub/f; ln -s sub /d/to",
    )
    .await;
    assert_eq!(names(&rig, "data", "/").await, ["sub", "to"]);
    let listed = rig.client.volume_files("data", "/to", &PAGE).await.unwrap();
    let entry = &listed.entries[0];
    assert_eq!(
        (entry.mode, entry.uid, entry.gid, entry.size),
        (0o640, 7, 8, 4)
    );

    let (mark, text) = read(&rig, "/to/f").await.unwrap();
    assert_eq!(text, "one\n");
    let write = |before, text: &'static str| {
        rig.client
            .write_volume_file("data", "/sub/f", before, one(text))
    };
    write(Before::Mark(&mark), "two\n").await.unwrap();
    let seen = rig
        .exec_text(&id, "cat /d/sub/f; stat -c '%a %u:%g' /d/sub/f")
        .await;
    assert_eq!(seen, "two\n640 7:8\n", "owner and bits stay");
    let (status, words) = refused(write(Before::Mark(&mark), "three\n").await);
    assert!(
        status == 412 && words.contains("changed meanwhile"),
        "{words}"
    );
    let (status, _) = refused(write(Before::Nothing, "three\n").await);
    assert_eq!(status, 412);
    let (mark, _) = read(&rig, "/sub/f").await.unwrap();
    rig.exec_text(&id, "echo theirs >>/d/sub/f").await;
    let (status, _) = refused(write(Before::Mark(&mark), "ours\n").await);
    assert_eq!(status, 412, "the container changed it");
    assert_eq!(read(&rig, "/sub/f").await.unwrap().1, "two\ntheirs\n");

    rig.end().await;
}

#[tokio::test]
async fn names_owners_and_bits_are_changed_while_a_container_runs() {
    let rig = Rig::new().await;
    let id = create(&rig, "user", "sleep 600", json!({"Binds": ["data:/d"]})).await;
    rig.client.start_container(&id).await.unwrap();
    rig.exec_text(&id, "mkdir /d/sub; echo one >/d/sub/f; ln -s sub /d/to")
        .await;
    let path = |text: &str| text.to_owned();
    change(&rig, FileChange::MakeDirectory { path: path("/new") })
        .await
        .unwrap();
    change(
        &rig,
        FileChange::Rename {
            path: path("/sub/f"),
            to: path("/new/g"),
        },
    )
    .await
    .unwrap();
    change(
        &rig,
        FileChange::SetOwner {
            path: path("/new/g"),
            uid: 9,
            gid: 9,
        },
    )
    .await
    .unwrap();
    change(
        &rig,
        FileChange::SetMode {
            path: path("/new/g"),
            mode: 0o4711,
        },
    )
    .await
    .unwrap();
    let seen = rig
        .exec_text(&id, "stat -c '%a %u:%g' /d/new/g; ls /d/sub")
        .await;
    assert_eq!(seen, "4711 9:9\n");
    let taken = FileChange::Rename {
        path: path("/new/g"),
        to: path("/to"),
    };
    let (status, words) = refused(change(&rig, taken).await);
    assert!(status == 409 && words.contains("taken"), "{words}");
    let (status, _) = refused(
        change(
            &rig,
            FileChange::Remove {
                path: path("/gone"),
            },
        )
        .await,
    );
    assert_eq!(status, 404);
    let (status, _) = refused(change(&rig, FileChange::Remove { path: path("/") }).await);
    assert_eq!(status, 400);
    change(&rig, FileChange::Remove { path: path("/to") })
        .await
        .unwrap();
    assert_eq!(
        names(&rig, "data", "/").await,
        ["new", "sub"],
        "the link went, not what it led to"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_volume_comes_back_from_its_archive_whole_or_by_one_file() {
    let rig = Rig::new().await;
    let script = "mkdir /d/s; echo one >/d/a; echo two >/d/s/b; ln -s a /d/l; chown 7:8 /d/a; chown 5:5 /d; chmod 700 /d";
    run(&rig, "maker", script, json!({"Binds": ["data:/d"]})).await;
    let saved = all(rig.client.back_up_volume("data").await.unwrap()).await;
    assert_eq!(saved[..4], [0x28, 0xb5, 0x2f, 0xfd], "zstd");
    run(
        &rig,
        "spoils",
        "echo bad >/d/a; rm -r /d/s; echo new >/d/n",
        json!({"Binds": ["data:/d"]}),
    )
    .await;

    rig.client
        .restore_volume("data", Some("/s/b"), one(saved.clone()))
        .await
        .unwrap();
    assert_eq!(read(&rig, "/s/b").await.unwrap().1, "two\n");
    assert_eq!(
        read(&rig, "/a").await.unwrap().1,
        "bad\n",
        "one file was asked for"
    );
    let (status, words) = refused(
        rig.client
            .restore_volume("data", Some("/x"), one(saved.clone()))
            .await,
    );
    assert!(status == 404 && words.contains("nothing at /x"), "{words}");
    let cut = saved[..saved.len() / 2].to_vec();
    assert!(
        rig.client
            .restore_volume("data", None, one(cut))
            .await
            .is_err()
    );
    assert_eq!(
        names(&rig, "data", "/").await,
        ["s", "a", "l", "n"],
        "as it was"
    );

    rig.end().await;
}

#[tokio::test]
async fn a_restore_that_broke_off_leaves_the_old_files_or_the_new() {
    let mut rig = Rig::new().await;
    let script = "mkdir /d/s; echo one >/d/a; echo two >/d/s/b; ln -s a /d/l; chown 7:8 /d/a; chown 5:5 /d; \
                  chmod 700 /d";
    run(&rig, "maker", script, json!({"Binds": ["data:/d"]})).await;
    let saved = all(rig.client.back_up_volume("data").await.unwrap()).await;
    run(
        &rig,
        "spoils",
        "echo bad >/d/a",
        json!({"Binds": ["data:/d"]}),
    )
    .await;
    for (place, is_old) in [("restore.staged", true), ("restore.done", false)] {
        rig.signal_engine(Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        assert!(
            rig.client
                .restore_volume("data", None, one(saved.clone()))
                .await
                .is_err()
        );
        rig.died().await;
        rig.start().await;
        let text = read(&rig, "/a").await.unwrap().1;
        assert_eq!(text, if is_old { "bad\n" } else { "one\n" }, "{place}");
        assert_eq!(
            fs::read_dir(rig.path("d/volumes/data")).unwrap().count(),
            2,
            "{place}"
        );
    }
    rig.client
        .restore_volume("data", None, one(saved.clone()))
        .await
        .unwrap();
    let look = "cd /d; stat -c '%n %a %u:%g' . a s s/b; cat a s/b l; ls";
    let seen = run(&rig, "looks", look, json!({"Binds": ["data:/d"]})).await;
    assert_eq!(
        seen,
        ". 700 5:5\na 644 7:8\ns 755 0:0\ns/b 644 0:0\none\ntwo\none\na\nl\ns\n"
    );
    let id = create(&rig, "runs", "sleep 600", json!({"Binds": ["data:/d"]})).await;
    rig.client.start_container(&id).await.unwrap();
    let (status, words) = refused(rig.client.restore_volume("data", None, one(saved)).await);
    assert!(status == 409 && words.contains(&id), "{words}");
    rig.end().await;
}

#[tokio::test]
async fn a_clone_is_a_volume_of_its_own() {
    let rig = Rig::new().await;
    run(
        &rig,
        "maker",
        "echo one >/d/a; chown 5:6 /d",
        json!({"Binds": ["data:/d"]}),
    )
    .await;
    let made = rig.client.clone_volume("data", "copy").await.unwrap();
    assert_eq!(made.name, "copy");
    run(
        &rig,
        "writes",
        "echo more >>/d/a",
        json!({"Binds": ["data:/d"]}),
    )
    .await;
    let seen = run(
        &rig,
        "looks",
        "cat /c/a; stat -c %u:%g /c",
        json!({"Binds": ["copy:/c"]}),
    )
    .await;
    assert_eq!(seen, "one\n5:6\n");
    let (status, words) = refused(rig.client.clone_volume("data", "copy").await);
    assert_eq!(
        (status, words.as_str()),
        (409, "volume name copy is in use")
    );
    let (status, _) = refused(rig.client.clone_volume("none", "other").await);
    assert_eq!(status, 404);
    let (status, _) = refused(rig.client.clone_volume("data", "../x").await);
    assert_eq!(status, 400);
    rig.end().await;
}

#[tokio::test]
async fn a_container_that_swaps_links_leads_nobody_out_of_the_volume() {
    let rig = Rig::new().await;
    let outside = rig.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("f"), "canary").unwrap();
    let script = format!(
        "mkdir -p /d/real; echo inside >/d/real/f; while true; do \
         ln -sfn {0} /d/way; ln -sfn real /d/way; ln -sfn ../../../../../../..{0} /d/way; \
         mkdir /d/dir; echo inside >/d/dir/f; mv /d/dir /d/gone; ln -s {0} /d/dir; rm -r /d/gone /d/dir; done",
        outside.display()
    );
    let id = create(&rig, "racer", &script, json!({"Binds": ["data:/d"]})).await;
    rig.client.start_container(&id).await.unwrap();
    for _ in 0..150 {
        for path in ["/way/f", "/dir/f"] {
            if let Ok((_, text)) = read(&rig, path).await {
                assert!(!text.contains("canary"), "{path}");
            }
            // Whatever is there at that moment, nothing outside is written, moved or removed.
            let _ = rig
                .client
                .write_volume_file("data", path, Before::Anything, one("ours"))
                .await;
            let _ = change(
                &rig,
                FileChange::SetMode {
                    path: path.to_owned(),
                    mode: 0o777,
                },
            )
            .await;
            let _ = change(
                &rig,
                FileChange::Remove {
                    path: path.to_owned(),
                },
            )
            .await;
        }
        let _ = change(
            &rig,
            FileChange::MakeDirectory {
                path: "/way/made".to_owned(),
            },
        )
        .await;
    }
    let text = fs::read_to_string(outside.join("f")).unwrap();
    assert_eq!(text, "canary");
    let left: Vec<_> = fs::read_dir(&outside).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    let mode = fs::metadata(outside.join("f")).unwrap().permissions();
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777,
        0o644
    );
    rig.end().await;
}

#[tokio::test]
async fn archives_go_in_and_out_and_none_leads_above_the_volume() {
    let rig = Rig::new().await;
    rig.client.create_volume(&asked("data")).await.unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o600);
    archive
        .append_data(&mut header, "dir/f", &b"hi"[..])
        .unwrap();
    let bytes = archive.into_inner().unwrap();
    rig.client
        .extract_to_volume("data", "/", one(bytes))
        .await
        .unwrap();
    assert_eq!(read(&rig, "/dir/f").await.unwrap().1, "hi");
    let (stat, chunks) = rig.client.volume_archive("data", "/dir").await.unwrap();
    assert_eq!(stat.name, "dir");
    let bytes = all(chunks).await;
    let mut archive = tar::Archive::new(&bytes[..]);
    let paths: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().into_owned())
        .collect();
    assert_eq!(paths, [Path::new("dir/"), Path::new("dir/f")]);
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.as_gnu_mut().unwrap().name[..8].copy_from_slice(b"../../up");
    header.set_cksum();
    let mut evil = header.as_bytes().to_vec();
    evil.extend_from_slice(b"hi");
    evil.resize(2048, 0);
    let (status, _) = refused(rig.client.extract_to_volume("data", "/", one(evil)).await);
    assert_eq!(status, 400);
    assert!(!rig.path("d/up").exists() && !rig.path("d/volumes/up").exists());
    let (status, words) = refused(rig.client.volume_path_stat("data", "/none").await);
    assert_eq!(status, 404, "{words}");
    rig.end().await;
}

#[tokio::test]
async fn ten_thousand_files_are_listed_by_pages() {
    let rig = Rig::new().await;
    rig.client.create_volume(&asked("data")).await.unwrap();
    let data = rig.path("d/volumes/data/_data");
    for n in 0..10_000 {
        fs::write(data.join(format!("f{n:05}")), "").unwrap();
    }
    let page = DirectoryQuery {
        skip: 5_000,
        limit: 100,
        ..PAGE
    };
    let listed = rig.client.volume_files("data", "/", &page).await.unwrap();
    assert_eq!((listed.total, listed.entries.len()), (10_000, 100));
    assert_eq!(listed.entries[0].name, "f05000");
    rig.end().await;
}
