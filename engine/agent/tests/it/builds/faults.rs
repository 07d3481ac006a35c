//! An engine that dies within a build, and a client that goes away: nothing is left of either.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use engine_api::filter::Filters;
use engine_client::ListOptions;
use nix::sys::signal::Signal;

use super::{Context, build};
use crate::rig::{Rig, until};

const DOCKERFILE: &str =
    "FROM busybox\nWORKDIR /w\nCOPY f f\nRUN echo made > /made\nCMD [\"true\"]\n";

fn context() -> bytes::Bytes {
    Context::new(DOCKERFILE).file("f", "f").archive()
}

/// Everything on the disk that belongs to images, containers and builds; not the cache's log.
fn on_disk(rig: &Rig) -> BTreeSet<PathBuf> {
    let dirs = [
        "images/blobs/sha256",
        "images/blobs/tmp",
        "layers",
        "layers/tmp",
        "containers",
        "builds/work",
        "builds/mounts",
    ];
    let dirs = dirs.map(|dir| rig.path("d").join(dir));
    let entries = dirs.iter().flat_map(|dir| fs::read_dir(dir).unwrap());
    entries.map(|entry| entry.unwrap().path()).collect()
}

async fn n_containers(rig: &Rig) -> usize {
    let all = ListOptions {
        all: true,
        ..ListOptions::default()
    };
    rig.client.containers(&all).await.unwrap().len()
}

#[tokio::test]
async fn a_build_that_is_cut_leaves_its_cache_and_nothing_else() {
    let mut rig = Rig::new().await;
    let before = on_disk(&rig);
    for (place, is_there) in [
        ("build.planned", false),
        ("build.copied", false),
        ("build.kept", false),
        ("build.stepped", false),
        ("build.noted", false),
        ("build.step_noted", false),
        ("create.record", false),
        ("build.step_created", false),
        ("start.launched", false),
        ("build.step_started", false),
        ("build.step_ended", false),
        ("remove.retired", false),
        ("build.built", false),
        ("build.prepared", false),
        ("build.listed", true),
    ] {
        rig.signal_engine(Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        let told = build(&rig, &[("t", "it")], context()).await;
        assert!(
            !told.text.contains("Successfully"),
            "{place}: {}",
            told.text
        );
        rig.died().await;
        rig.start().await;
        assert_eq!(n_containers(&rig).await, 0, "{place}");
        let image = rig.client.image("it").await;
        assert_eq!(image.is_ok(), is_there, "{place}");
        // Whatever was kept is whole: the next build takes it, and is done.
        let told = build(&rig, &[("t", "it")], context()).await;
        assert!(
            told.text.contains("Successfully"),
            "{place}: {:?}",
            told.error
        );
        let said = super::run(&rig, "it", Some("cat /made /w/f")).await;
        assert_eq!(said, "made\nf", "{place}");
        rig.client.remove_image("it", true).await.unwrap();
        let none = engine_api::filter::Filters::default();
        rig.client.prune_builds(&none).await.unwrap();
        until(&format!("nothing is left after {place}"), async || {
            on_disk(&rig) == before
        })
        .await;
    }
    rig.end().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_its_build() {
    let rig = Rig::new().await;
    let before = on_disk(&rig);
    let dockerfile = "FROM busybox\nRUN echo here; while true; do sleep 0.1; done\n";
    let context = Context::new(dockerfile).archive();
    let source = futures_util::stream::once(async { Ok(context) });
    let mut lines = rig
        .client
        .build_image(&[("t", "it")], source)
        .await
        .unwrap();
    let mut said = String::new();
    while !said.contains("here\n") {
        let line = lines.next().await.unwrap().unwrap();
        said.push_str(&line.stream.unwrap_or_default());
    }
    assert_eq!(n_containers(&rig).await, 1);
    drop(lines);
    until("its container is gone", async || {
        n_containers(&rig).await == 0
    })
    .await;
    until("nothing is left", async || on_disk(&rig) == before).await;
    rig.end().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_within_the_context_leaves_nothing() {
    let rig = Rig::new().await;
    let before = on_disk(&rig);
    let half = Context::new("FROM busybox\n").archive().slice(..512);
    let (sender, pieces) = tokio::sync::mpsc::channel(1);
    sender.send(Ok(half)).await.unwrap();
    let source = tokio_stream::wrappers::ReceiverStream::new(pieces);
    let asked = rig.client.build_image(&[], source);
    let asked = tokio::time::timeout(std::time::Duration::from_millis(200), asked).await;
    assert!(asked.is_err(), "the context has no end yet");
    drop(sender);
    until("nothing is left", async || on_disk(&rig) == before).await;
    rig.end().await;
}

#[tokio::test]
async fn an_engine_that_stops_ends_its_builds() {
    let mut rig = Rig::new().await;
    let before = on_disk(&rig);
    let context = Context::new("FROM busybox\nRUN echo here; sleep 1000\n").archive();
    let source = futures_util::stream::once(async { Ok(context) });
    let mut lines = rig.client.build_image(&[], source).await.unwrap();
    let mut said = String::new();
    while !said.contains("here\n") {
        let line = lines.next().await.unwrap().unwrap();
        said.push_str(&line.stream.unwrap_or_default());
    }
    rig.signal_engine(Signal::SIGTERM);
    rig.start().await;
    assert_eq!(n_containers(&rig).await, 0);
    until("nothing is left", async || on_disk(&rig) == before).await;
    rig.end().await;
}

#[tokio::test]
async fn a_step_that_fails_takes_the_step_beside_it_along() {
    let rig = Rig::new().await;
    let dockerfile = "FROM busybox AS a\nRUN sleep 1; exit 3\nFROM busybox AS b\nRUN sleep 1000000\n\
                      FROM busybox\nCOPY --from=a /bin/true /a\nCOPY --from=b /bin/true /b\n";
    let query = [("rm", "1"), ("forcerm", "0")];
    let told = build(&rig, &query, Context::new(dockerfile).archive()).await;
    assert_eq!(told.code, Some(3), "{}", told.text);
    let running = rig
        .client
        .containers(&ListOptions::default())
        .await
        .unwrap();
    assert_eq!(running.len(), 0, "{running:?}");
    assert_eq!(n_containers(&rig).await, 1, "the one that failed is kept");
    rig.end().await;
}

#[tokio::test]
async fn a_cache_that_is_asked_for_twice_alone_is_one_and_none_in_use_is_pruned() {
    let rig = Rig::new().await;
    let locked = "FROM busybox\nRUN --mount=type=cache,id=c,target=/a,sharing=locked \
                  --mount=type=cache,id=c,target=/b,sharing=locked echo x > /a/f && cat /b/f\n";
    let told = build(&rig, &[], Context::new(locked).archive()).await;
    assert!(told.text.contains("\nx\n"), "{}", told.text);

    let shared = "FROM busybox\nRUN --mount=type=cache,id=c,target=/c echo go; i=0; \
                  while [ $i -lt 20 ]; do test -e /c/f || exit 9; i=$((i+1)); sleep 0.1; done\n";
    let prune = async {
        until("it runs", async || {
            let running = rig.client.containers(&ListOptions::default()).await;
            !running.unwrap().is_empty()
        })
        .await;
        rig.client.prune_builds(&Filters::default()).await.unwrap();
        rig.client
            .prune_containers(&Filters::default())
            .await
            .unwrap();
    };
    let (told, ()) = tokio::join!(build(&rig, &[], Context::new(shared).archive()), prune);
    assert_eq!((told.error, told.code), (None, None), "{}", told.text);
    rig.end().await;
}
