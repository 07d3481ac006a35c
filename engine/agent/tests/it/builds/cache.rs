//! What is taken from the builds before, and what is not.

use engine_api::filter::Filters;

use super::{Context, build, built, run};
use crate::rig::Rig;

const DOCKERFILE: &str = "FROM busybox\nARG X=1\nCOPY f d /in/\nRUN echo $X; date +%N > /made\n";

fn context(content: &str, mode: u32, mtime: u64) -> Context {
    Context::new(DOCKERFILE)
        .file_with("f", content, mode, mtime)
        .file_with("d/g", "g", 0o644, mtime)
}

#[tokio::test]
async fn the_same_content_is_the_same_image_whenever_it_was_written() {
    let rig = Rig::new().await;
    let first = built(&rig, "it", context("f", 0o644, 1)).await;
    assert_eq!(first.n_cached(), 0);
    let again = built(&rig, "it", context("f", 0o644, 2_000_000)).await;
    assert_eq!(again.n_cached(), 2);
    assert_eq!(again.id(), first.id());

    for changed in [context("F", 0o644, 1), context("f", 0o755, 1)] {
        let other = built(&rig, "it", changed).await;
        assert_eq!(other.n_cached(), 0, "{}", other.text);
        assert_ne!(other.id(), first.id());
    }
    let more = context("f", 0o644, 1).file("d/h", "");
    assert_eq!(built(&rig, "it", more).await.n_cached(), 0);

    let archive = || context("f", 0o644, 1).archive();
    let other = build(&rig, &[("buildargs", r#"{"X":"2"}"#)], archive()).await;
    assert_eq!(other.n_cached(), 1, "{}", other.text);
    let none = build(&rig, &[("nocache", "1")], archive()).await;
    assert_eq!(none.n_cached(), 0);
    assert_ne!(none.id(), first.id());
    // What was done anew is what is taken from then on.
    let last = built(&rig, "it", context("f", 0o644, 1)).await;
    assert_eq!((last.n_cached(), last.id()), (2, none.id()));
    rig.end().await;
}

#[tokio::test]
async fn it_is_kept_over_a_restart_and_counted_and_pruned() {
    let mut rig = Rig::new().await;
    let first = built(&rig, "it", context("f", 0o644, 1)).await;
    rig.signal_engine(nix::sys::signal::Signal::SIGKILL);
    rig.start().await;
    // Also without an image that has the layers.
    rig.client.remove_image("it", true).await.unwrap();
    rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
    rig.start().await;
    let again = built(&rig, "it", context("f", 0o644, 1)).await;
    assert_eq!((again.n_cached(), again.id()), (2, first.id()));

    let usage = rig.client.disk_usage().await.unwrap();
    let kept = usage.build_cache.unwrap();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().any(|one| one.size > 0 && one.shared));
    assert!(kept.iter().all(|one| one.usage_count == 1), "{kept:?}");

    rig.client.remove_image("it", true).await.unwrap();
    let n_blobs = || {
        std::fs::read_dir(rig.path("d/images/blobs/sha256"))
            .unwrap()
            .count()
    };
    let before = n_blobs();
    let pruned = rig.client.prune_builds(&Filters::default()).await.unwrap();
    assert_eq!(pruned.caches_deleted.unwrap().unwrap().len(), 2);
    assert!(pruned.space_reclaimed.unwrap() > 0);
    assert_eq!(n_blobs(), before - 2);
    let kept = rig.client.disk_usage().await.unwrap().build_cache.unwrap();
    assert_eq!(kept, []);
    assert_eq!(
        built(&rig, "it", context("f", 0o644, 1)).await.n_cached(),
        0
    );
    rig.end().await;
}

#[tokio::test]
async fn a_damaged_log_is_a_smaller_cache() {
    let mut rig = Rig::new().await;
    built(&rig, "it", context("f", 0o644, 1)).await;
    rig.signal_engine(nix::sys::signal::Signal::SIGTERM);
    let log = rig.path("d/builds/cache.log");
    let bytes = std::fs::read(&log).unwrap();
    std::fs::write(&log, &bytes[..bytes.len() - 20]).unwrap();
    rig.start().await;
    assert_eq!(
        built(&rig, "it", context("f", 0o644, 1)).await.n_cached(),
        1
    );
    rig.end().await;
}

#[tokio::test]
async fn steps_are_taken_from_an_image_that_is_named() {
    let rig = Rig::new().await;
    let first = built(&rig, "it", context("f", 0o644, 1)).await;
    rig.client.prune_builds(&Filters::default()).await.unwrap();
    let query = [("cachefrom", r#"["it","not-here"]"#)];
    let again = build(&rig, &query, context("f", 0o644, 1).archive()).await;
    assert_eq!((again.n_cached(), again.id()), (2, first.id()));
    let other = build(&rig, &query, context("F", 0o644, 1).archive()).await;
    assert_eq!(other.n_cached(), 0, "{}", other.text);
    rig.end().await;
}

#[tokio::test]
async fn what_another_stage_made_is_known_by_its_content() {
    let rig = Rig::new().await;
    let dockerfile = |word: &str| {
        format!(
            "FROM busybox AS made\nRUN echo {word}; echo same > /f\nFROM busybox\n\
             COPY --from=made /f /f\nRUN date +%N > /made\n"
        )
    };
    let first = built(&rig, "it", Context::new(&dockerfile("one"))).await;
    let again = built(&rig, "it", Context::new(&dockerfile("two"))).await;
    assert_eq!((again.n_cached(), again.id()), (2, first.id()));
    rig.end().await;
}

#[tokio::test]
async fn a_named_moment_makes_the_same_image_on_every_machine() {
    let dockerfile = "FROM busybox\nRUN mkdir /d && echo x > /d/f\nCOPY f /g\nCMD [\"true\"]\n";
    let query = [
        ("t", "it"),
        ("buildargs", r#"{"SOURCE_DATE_EPOCH":"1000000000"}"#),
        ("nocache", "1"),
    ];
    let rig = Rig::new().await;
    let mut ids = Vec::new();
    for mtime in [1_500_000_000, 1_600_000_000] {
        let context = Context::new(dockerfile).file_with("f", "", 0o644, mtime);
        let told = build(&rig, &query, context.archive()).await;
        ids.push(told.id().to_owned());
        let created = rig.client.image("it").await.unwrap().created;
        assert!(created.starts_with("2001-09-09T01:46:40"));
        let said = super::run(&rig, "it", Some("stat -c %Y /d/f /g")).await;
        assert_eq!(said, "1000000000\n1000000000\n");
    }
    assert_eq!(ids[0], ids[1]);
    rig.end().await;
}

#[tokio::test]
async fn an_argument_counts_where_it_is_used_and_not_where_it_is_declared() {
    let rig = Rig::new().await;
    let text = "FROM busybox\nARG COMMIT\nRUN --network=none true\nENV COMMIT=$COMMIT\n";
    let text = text.replace("RUN", "COPY f /f\nRUN");
    let one = |commit: &str| {
        let given = format!(r#"{{"COMMIT":"{commit}"}}"#);
        let archive = Context::new(&text).file("f", "f").archive();
        (given, archive)
    };
    let (given, archive) = one("a");
    build(&rig, &[("buildargs", &given)], archive).await.id();
    let (given, archive) = one("b");
    let told = build(&rig, &[("buildargs", &given)], archive).await;
    // The files are the same; the command may look at the argument.
    assert_eq!(told.n_cached(), 1, "{}", told.text);
    rig.end().await;
}

#[tokio::test]
async fn where_a_file_lies_counts_when_its_place_decides_what_comes_of_it() {
    let rig = Rig::new().await;
    let text = "FROM busybox\nCOPY --parents */x /d/\nCMD ls /d\n";
    let first = Context::new(text).file("a/x", "x");
    assert_eq!(built(&rig, "it", first).await.n_cached(), 0);
    assert_eq!(run(&rig, "it", None).await, "a\n");
    let moved = Context::new(text).file("b/x", "x");
    assert_eq!(built(&rig, "it", moved).await.n_cached(), 0);
    assert_eq!(run(&rig, "it", None).await, "b\n");

    let text = "FROM busybox\nCOPY */f /d/\nCMD cat /d/f\n";
    let both = |one: &str, two: &str| Context::new(text).file("1/f", one).file("2/f", two);
    built(&rig, "it", both("one", "two")).await;
    assert_eq!(run(&rig, "it", None).await, "two");
    built(&rig, "it", both("two", "one")).await;
    assert_eq!(run(&rig, "it", None).await, "one");
    rig.end().await;
}

#[tokio::test]
async fn a_wildcard_may_mean_nothing_beside_a_file_and_a_directory_is_its_users() {
    let rig = Rig::new().await;
    let text = "FROM busybox\nRUN echo app:x:7:8::/:/bin/sh >> /etc/passwd\nUSER app\nWORKDIR /srv/app\n\
                COPY package.json yarn.lock* ./\nCMD stat -c %u:%g . && touch mine && ls\n";
    built(&rig, "it", Context::new(text).file("package.json", "{}")).await;
    assert_eq!(run(&rig, "it", None).await, "7:8\nmine\npackage.json\n");
    let told = build(
        &rig,
        &[],
        Context::new("FROM busybox\nCOPY yarn.lock* ./\n").archive(),
    )
    .await;
    assert!(
        told.error
            .unwrap()
            .contains("no source files were specified"),
        "{}",
        told.text
    );
    rig.end().await;
}
