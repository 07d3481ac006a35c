//! What a build added as one layer: nothing in it that a later step took back.

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::PathBuf;

use engine_api::filter::Filters;

use super::{Context, Told, build, built, run};
use crate::rig::Rig;

const DOCKERFILE: &str = "FROM base AS one
RUN echo key >/secret; echo first >/both; mkdir /d/new
FROM one
RUN rm -r /secret /gone /d; echo second >/both; mkdir /d; touch /d/fresh
";

async fn squashed(rig: &Rig, more: &[(&str, &str)]) -> Told {
    let base = "FROM busybox\nCOPY gone /\nCOPY old /d/\n";
    let base = Context::new(base).file("gone", "1").file("old", "2");
    built(rig, "base", base).await;
    let query = [
        &[("t", "it"), ("squash", "1"), ("labels", r#"{"a":"b"}"#)],
        more,
    ]
    .concat();
    build(rig, &query, Context::new(DOCKERFILE).archive()).await
}

/// The directory of an image's uppermost layer, and how many layers there are.
async fn top(rig: &Rig, name: &str) -> (PathBuf, usize) {
    let layers = rig.client.image(name).await.unwrap().root_fs.layers;
    let last = layers
        .last()
        .unwrap()
        .trim_start_matches("sha256:")
        .to_owned();
    (rig.path("d/layers").join(last).join("diff"), layers.len())
}

#[tokio::test]
async fn new_layers_become_one_without_what_a_later_step_took_back() {
    let rig = Rig::new().await;
    let told = squashed(&rig, &[]).await;
    told.id();
    let (dir, n_layers) = top(&rig, "it").await;
    assert_eq!(n_layers, top(&rig, "base").await.1 + 1);
    assert!(!dir.join("secret").exists());
    assert_eq!(
        std::fs::read_to_string(dir.join("both")).unwrap(),
        "second\n"
    );
    let gone = dir.join("gone").symlink_metadata().unwrap();
    assert!(gone.file_type().is_char_device() && gone.rdev() == 0);
    let seen = run(&rig, "it", Some("ls /secret /gone /d; cat /both")).await;
    assert!(
        seen.contains("/d:\nfresh\n") && seen.ends_with("second\n"),
        "{seen}"
    );

    let base = rig.client.image_history("base").await.unwrap();
    let history = rig.client.image_history("it").await.unwrap();
    // The newest first: what was merged, and then every step that has no layer any more.
    let comment = format!("to {}", rig.client.image("base").await.unwrap().id);
    assert!(history[0].comment.starts_with("merge sha256:"));
    assert!(history[0].comment.ends_with(&comment) && history[0].size > 0);
    assert_eq!(history.len(), base.len() + 4);
    for step in &history[1..4] {
        assert_eq!(
            (step.size, step.comment.as_str()),
            (0, ""),
            "{}",
            step.created_by
        );
    }
    rig.end().await;
}

#[tokio::test]
async fn a_squashed_build_is_cached_and_is_no_cache_for_others() {
    let rig = Rig::new().await;
    let first = squashed(&rig, &[]).await;
    let again = squashed(&rig, &[]).await;
    assert_eq!(
        (again.id(), again.n_cached()),
        (first.id(), 3),
        "{}",
        again.text
    );
    let none = squashed(&rig, &[("nocache", "1")]).await;
    assert_eq!(none.n_cached(), 0);

    // Its steps have no layers: whoever took one from it would have none of its files.
    rig.client.prune_builds(&Filters::default()).await.unwrap();
    let from = squashed(&rig, &[("cachefrom", r#"["it"]"#)]).await;
    assert_eq!(from.n_cached(), 0, "{}", from.text);
    assert!(
        run(&rig, "it", Some("cat /both"))
            .await
            .ends_with("second\n")
    );
    rig.end().await;
}

#[tokio::test]
async fn what_stands_on_nothing_is_one_layer_and_what_adds_nothing_none() {
    let rig = Rig::new().await;
    let context = Context::new("FROM scratch\nCOPY a b /\nCOPY b /a\n");
    let context = context.file("a", "1").file("b", "2").archive();
    let told = build(&rig, &[("t", "it"), ("squash", "1")], context).await;
    told.id();
    assert_eq!(top(&rig, "it").await.1, 1);
    let history = rig.client.image_history("it").await.unwrap();
    assert!(history[0].comment.starts_with("create new from sha256:"));

    let context = Context::new("FROM busybox\nENV a=b\n").archive();
    let told = build(&rig, &[("t", "it"), ("squash", "1")], context).await;
    told.id();
    assert_eq!(top(&rig, "it").await.1, top(&rig, "busybox").await.1);
    rig.end().await;
}
