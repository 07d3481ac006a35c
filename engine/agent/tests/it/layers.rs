//! An image looked through by the socket: what its layers did, its directories, its files.

use engine_api::containers::{ContainerConfig, FileKind};
use engine_api::layers::{FileMark, ImageDirectory};
use engine_client::stream::Chunks;
use engine_client::{ClientError, CommitOptions, ImageFilesQuery, ImagePath};

use crate::rig::{Rig, until};

fn at(path: &str, layer: Option<usize>) -> ImagePath<'_> {
    ImagePath { path, layer }
}

fn all() -> ImageFilesQuery {
    ImageFilesQuery {
        limit: 1_000,
        ..ImageFilesQuery::default()
    }
}

fn marks(listed: &ImageDirectory) -> Vec<(&str, FileMark, usize)> {
    let entries = listed.entries.iter();
    entries
        .map(|file| (file.entry.name.as_str(), file.mark, file.layer))
        .collect()
}

async fn read(chunks: &mut Chunks) -> Vec<u8> {
    let mut content = Vec::new();
    while let Some(piece) = chunks.next().await.unwrap() {
        content.extend_from_slice(&piece);
    }
    content
}

fn status<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> u16 {
    match answer {
        Err(ClientError::Refused { status, .. }) => status,
        other => panic!("{other:?}"),
    }
}

impl Rig {
    /// Makes the image `name` of what a script does in a container of `image`.
    async fn layer(&self, image: &str, name: &str, script: &str) {
        let config = ContainerConfig::default();
        let maker = format!("make-{name}");
        let id = self.create_image(&maker, image, Some(script), config).await;
        self.client.start_container(&id).await.unwrap();
        let done = self.client.wait_container(&id, Default::default()).await;
        assert_eq!(done.unwrap().status_code, 0, "{script}");
        let options = CommitOptions {
            repository: Some(name.to_owned()),
            ..CommitOptions::default()
        };
        self.client.commit_container(&id, &options).await.unwrap();
        let force = engine_client::RemoveOptions::default();
        self.client.remove_container(&id, force).await.unwrap();
    }

    /// Makes the image `third`, whose layers add, replace and remove.
    async fn three_layers(&self) {
        let script = "mkdir /d; cd /d; printf 123456 > f; head -c 1000 /dev/zero > big; ln -s f soft; \
                      mkdir gone; printf 1234 > gone/x; chown 7:8 f; chmod 4755 f";
        self.layer("busybox", "second", script).await;
        let script = "cd /d; printf 12345 > big; rm -r gone; printf 1 > new";
        self.layer("second", "third", script).await;
    }

    async fn files(&self, image: &str, path: ImagePath<'_>) -> ImageDirectory {
        self.client.image_files(image, path, &all()).await.unwrap()
    }
}

#[tokio::test]
async fn layers_tell_what_they_did_and_what_is_wasted() {
    let rig = Rig::new().await;
    rig.three_layers().await;

    let told = rig.client.image_layers("third").await.unwrap();
    let figures = |layer: usize| {
        let layer = &told.layers[layer];
        (
            layer.added,
            layer.changed,
            layer.removed,
            layer.size,
            layer.wasted,
        )
    };
    assert_eq!(told.layers.len(), 3);
    assert_eq!(figures(1), (4, 0, 0, 1_010, 1_004));
    assert_eq!(figures(2), (1, 1, 1, 6, 0));
    assert_eq!(told.wasted, 1_004);
    assert_eq!(
        told.size,
        told.layers.iter().map(|layer| layer.size).sum::<u64>()
    );
    let wasted = told.wasted_files.iter();
    let wasted: Vec<_> = wasted
        .map(|file| {
            (
                file.path.as_str(),
                file.wasted,
                file.layers.as_slice(),
                file.is_there,
            )
        })
        .collect();
    let expected: [(&str, u64, &[usize], bool); 2] = [
        ("/d/big", 1_000, &[1, 2], true),
        ("/d/gone/x", 4, &[1], false),
    ];
    assert_eq!(wasted, expected);
    let made: Vec<_> = told.steps.iter().map(|step| step.layer).collect();
    assert_eq!(made, [Some(0), Some(1), Some(2)]);
    assert!(
        told.steps[2].created_by.contains("rm -r gone"),
        "{:?}",
        told.steps
    );
    assert_eq!(
        rig.client.image_layers("third").await.unwrap(),
        told,
        "again"
    );

    rig.end().await;
}

#[tokio::test]
async fn a_directory_tells_what_a_layer_did_to_each_name() {
    let rig = Rig::new().await;
    rig.three_layers().await;

    let listed = rig.files("third", at("/d", None)).await;
    let expected = [
        ("gone", FileMark::Removed, 1),
        ("big", FileMark::Changed, 2),
        ("f", FileMark::Unchanged, 1),
        ("new", FileMark::Added, 2),
        ("soft", FileMark::Unchanged, 1),
    ];
    assert_eq!(marks(&listed), expected);
    assert_eq!((listed.layer, listed.layers, listed.total), (2, 3, 5));
    assert!(listed.created_by.contains("rm -r gone"), "{listed:?}");
    let big = &listed.entries[1];
    assert_eq!(
        (big.entry.size, big.size_before, big.wasted),
        (5, Some(1_000), 1_000)
    );
    let f = &listed.entries[2].entry;
    assert_eq!(
        (f.mode, f.uid, f.gid, f.kind),
        (0o4755, 7, 8, FileKind::File)
    );
    assert_eq!(listed.entries[4].entry.link.as_deref(), Some("f"));
    let before = rig.files("third", at("/d", Some(1))).await;
    assert_eq!(before.entries[1].hidden_by, Some(2));
    rig.end().await;
}

#[tokio::test]
async fn files_are_found_in_their_layer_and_never_outside_of_it() {
    let rig = Rig::new().await;
    let host = rig.dir.path().join("canary");
    std::fs::write(&host, "the host's").unwrap();
    let script = format!(
        "mkdir -p /d/deep; cd /d; echo -n inside > deep/f; ln -s deep short; ln -s {} host; \
         ln -s ../../../../../../etc/shadow up; mkfifo pipe; echo -n '<b>' > \"$(printf 'a\\nb')\"; \
         echo -n x > \"$(printf 'q\\377')\"",
        host.display()
    );
    rig.layer("busybox", "second", &script).await;
    rig.layer("second", "third", "echo -n later > /d/deep/f")
        .await;

    for (path, layer, content) in [
        ("/d/short/f", Some(1), "inside"),
        ("/d/short/f", None, "later"),
        ("/d/../d/./deep/f", None, "later"),
        ("/d/a\nb", None, "<b>"),
    ] {
        let file = rig.client.image_file("third", at(path, layer)).await;
        let (length, mut chunks) = file.unwrap();
        assert_eq!(length, content.len() as u64, "{path}");
        assert_eq!(read(&mut chunks).await, content.as_bytes(), "{path}");
    }
    for (path, layer, refused) in [
        ("/d/host", None, 404),
        ("/d/up", None, 404),
        ("/d/deep", None, 400),
        ("/d/pipe", None, 400),
        ("/d/deep/f", Some(0), 404),
        ("/d/deep/f", Some(3), 400),
    ] {
        let file = rig.client.image_file("third", at(path, layer)).await;
        assert_eq!(status(file), refused, "{path}");
    }
    assert_eq!(status(rig.client.image_layers("none").await), 404);

    let short = rig.files("third", at("/d/short", None)).await;
    assert_eq!(short.path, "/d/deep");
    let odd = rig.files("third", at("/d", None)).await;
    let odd = odd.entries.iter().find(|file| file.entry.is_name_lossy);
    assert_eq!(odd.unwrap().entry.name, "q\u{fffd}");
    let file = rig
        .files("third", at("/d/short/f", Some(2)))
        .await
        .file
        .unwrap();
    assert_eq!((file.mark, file.size_before), (FileMark::Changed, Some(6)));
    rig.end().await;
}

#[tokio::test]
async fn a_file_that_is_read_outlives_its_image_and_then_its_layer_goes() {
    let rig = Rig::new().await;
    rig.layer("busybox", "big", "head -c 16777216 /dev/zero > /zeroes")
        .await;
    let layers = rig.path("d/layers");
    let n_layers = || std::fs::read_dir(&layers).unwrap().count();
    let before = n_layers();
    let file = rig.client.image_file("big", at("/zeroes", None)).await;
    let (length, mut chunks) = file.unwrap();
    rig.client.image_layers("big").await.unwrap();
    rig.client.remove_image("big", false).await.unwrap();

    assert_eq!(read(&mut chunks).await.len() as u64, length);
    assert_eq!(status(rig.client.image_layers("big").await), 404);
    until("its layer is gone", async || n_layers() == before - 1).await;
    rig.end().await;
}

#[tokio::test]
async fn whoever_goes_makes_room_for_the_next() {
    let rig = Rig::new().await;
    rig.layer("busybox", "big", "head -c 16777216 /dev/zero > /zeroes")
        .await;
    let mut reading = Vec::new();
    for _ in 0..16 {
        let file = rig.client.image_file("big", at("/zeroes", None)).await;
        reading.push(file.unwrap());
    }
    let refused = rig.client.image_file("big", at("/zeroes", None)).await;
    assert_eq!(status(refused.map(drop)), 503);
    let listed = rig.client.image_files("big", at("/", None), &all()).await;
    listed.expect("whoever reads slowly keeps nobody from looking");
    drop(reading);
    until("there is room", async || {
        let file = rig.client.image_file("big", at("/zeroes", None)).await;
        file.is_ok()
    })
    .await;
    rig.end().await;
}
