//! Pulls from a registry that behaves, breaks, or lies about content.

use std::time::Duration;

use engine_images::{Digest, Reference, RegistryConfig, RegistryError};
use serde_json::json;

use crate::fake::{Conduct, Fake};
use crate::world::{INDEX, MANIFEST, Made, image, words, world, world_with};

fn amd64() -> Made {
    image("amd64", &[b"one layer", &[7; 200_000]])
}

#[tokio::test]
async fn an_image_comes_with_its_names_and_stays() {
    let fake = Fake::start().await;
    let made = amd64();
    fake.offer("a/b", "1", &made);
    let world = world();

    let pulled = world
        .pull(&format!("{}/a/b:1", fake.address))
        .await
        .unwrap();

    assert_eq!((pulled.id, pulled.manifest), (made.config, made.manifest));
    assert_eq!(pulled.diff_ids(), made.layers);
    let again = engine_images::Store::open(world.dir.path()).unwrap();
    let names = again.names_of(pulled.id);
    assert_eq!(names.tags[0].familiar(), format!("{}/a/b:1", fake.address));
    assert_eq!(
        names.digests[0].familiar(),
        format!("{}/a/b@{}", fake.address, made.manifest)
    );
    assert_eq!(again.find(&pulled.id.short()).unwrap().id, pulled.id);
    assert_eq!(
        again.find(&names.digests[0].familiar()).unwrap().id,
        pulled.id
    );
}

#[tokio::test]
async fn a_second_pull_fetches_no_layer() {
    let fake = Fake::start().await;
    let made = amd64();
    fake.offer("a", "1", &made);
    let world = world();
    let name = format!("{}/a:1", fake.address);

    world.pull(&name).await.unwrap();
    world.pull(&name).await.unwrap();

    assert_eq!(fake.asked_for(made.layers[1]).len(), 1);
}

#[tokio::test]
async fn two_pulls_at_once_fetch_each_layer_once() {
    let fake = Fake::start().await;
    let made = amd64();
    fake.offer("a", "1", &made);
    fake.behave(made.layers[0], &[Conduct::Slow(Duration::from_millis(200))]);
    let world = world();
    let name = format!("{}/a:1", fake.address);

    let (one, other) = tokio::join!(world.pull(&name), world.pull(&name));

    assert_eq!(one.unwrap().id, other.unwrap().id);
    for layer in made.layers {
        assert_eq!(fake.asked_for(layer).len(), 1);
    }
}

#[tokio::test]
async fn the_platform_is_chosen_from_an_index() {
    let fake = Fake::start().await;
    let images = ["amd64", "arm64", "s390x"].map(|name| (name, image(name, &[name.as_bytes()])));
    let manifests: Vec<_> = images
        .iter()
        .map(|(architecture, made)| {
            fake.offer("a", architecture, made);
            json!({
                "mediaType": MANIFEST,
                "digest": made.manifest,
                "size": made.blobs[&made.manifest].len(),
                "platform": {"os": "linux", "architecture": architecture},
            })
        })
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let index = index.to_string().into_bytes();
    fake.put("/v2/a/manifests/all", index.clone());
    let world = world();
    let name = format!("{}/a:all", fake.address);

    for (architecture, made) in &images {
        let pulled = world
            .pull_as(&name, Some(architecture), None)
            .await
            .unwrap();
        assert_eq!(pulled.id, made.config, "{architecture}");
        let names = world.store.names_of(pulled.id);
        assert_eq!(names.digests[0].digest(), Some(Digest::of(&index)));
    }
    let error = world
        .pull_as(&name, Some("linux/riscv64"), None)
        .await
        .unwrap_err();
    let text = words(&error);
    assert!(
        text.contains("linux/riscv64") && text.contains("linux/s390x"),
        "{text}"
    );
    let one = format!("{}/a:arm64", fake.address);
    let error = world
        .pull_as(&one, Some("linux/amd64"), None)
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::NoPlatform { .. }), "{error}");
}

#[tokio::test]
async fn a_cut_connection_is_resumed_where_it_broke() {
    let fake = Fake::start().await;
    let made = amd64();
    fake.offer("a", "1", &made);
    let cuts = [
        Conduct::CutAfter(70_000),
        Conduct::CutAfter(60_000),
        Conduct::Slow(Duration::ZERO),
    ];
    fake.behave(made.layers[1], &cuts);
    let world = world();

    world.pull(&format!("{}/a:1", fake.address)).await.unwrap();

    let ranges: Vec<_> = fake
        .asked_for(made.layers[1])
        .into_iter()
        .map(|a| a.range)
        .collect();
    assert_eq!(ranges, ["", "bytes=70000-", "bytes=130000-"]);
}

#[tokio::test]
async fn a_registry_without_ranges_begins_again() {
    let fake = Fake::start().await;
    let made = amd64();
    fake.offer("a", "1", &made);
    let whole = Conduct::CutAfterWithoutRanges(usize::MAX);
    fake.behave(
        made.layers[1],
        &[Conduct::CutAfterWithoutRanges(70_000), whole],
    );
    let world = world();

    world.pull(&format!("{}/a:1", fake.address)).await.unwrap();

    assert_eq!(fake.asked_for(made.layers[1]).len(), 2);
}

#[tokio::test]
async fn a_registry_that_stalls_is_given_up() {
    let fake = Fake::start().await;
    let made = amd64();
    fake.offer("a", "1", &made);
    fake.behave(made.layers[1], &[Conduct::StallAfter(0)]);
    let world = world_with(RegistryConfig {
        patience: Duration::from_millis(400),
        ..RegistryConfig::default()
    });

    let error = world
        .pull(&format!("{}/a:1", fake.address))
        .await
        .unwrap_err();

    assert!(
        matches!(error, RegistryError::Stalled { .. }),
        "{}",
        words(&error)
    );
    world.assert_empty();
}

#[tokio::test]
async fn passing_trouble_passes() {
    let fake = Fake::start().await;
    let made = amd64();
    fake.offer("a", "1", &made);
    let trouble = Conduct::Say(503, Vec::new(), Vec::new());
    let fine = Conduct::Slow(Duration::ZERO);
    fake.behave("manifests/1", &[trouble.clone(), fine.clone()]);
    fake.behave(made.layers[0], &[trouble, fine]);

    world()
        .pull(&format!("{}/a:1", fake.address))
        .await
        .unwrap();
}

#[tokio::test]
async fn content_that_lies_is_refused_and_leaves_nothing() {
    let made = amd64();
    let flipped = |digest: Digest| {
        let mut bytes = made.blobs[&digest].clone();
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        bytes
    };
    let said = |headers: Vec<(&'static str, String)>, bytes| Conduct::Say(200, headers, bytes);
    let other = Digest::of(b"other").to_string();
    let longer = [made.blobs[&made.layers[1]].clone(), vec![0]].concat();
    let cases = [
        (
            "a layer",
            made.layers[1].to_string(),
            said(Vec::new(), flipped(made.layers[1])),
        ),
        (
            "a longer layer",
            made.layers[1].to_string(),
            said(Vec::new(), longer),
        ),
        (
            "a configuration",
            made.config.to_string(),
            said(Vec::new(), flipped(made.config)),
        ),
        (
            "a digest in a header",
            "manifests/1".to_owned(),
            said(
                vec![("docker-content-digest", other)],
                made.blobs[&made.manifest].clone(),
            ),
        ),
    ];
    for (what, path, conduct) in cases {
        let fake = Fake::start().await;
        fake.offer("a", "1", &made);
        fake.behave(path, &[conduct]);
        let world = world();

        let error = world
            .pull(&format!("{}/a:1", fake.address))
            .await
            .unwrap_err();

        let is_lie = matches!(
            error,
            RegistryError::WrongDigest { .. } | RegistryError::WrongSize { .. }
        );
        assert!(is_lie, "{what}: {}", words(&error));
        world.assert_empty();
        // The same digest, pulled from an honest registry, works.
        let honest = Fake::start().await;
        honest.offer("a", "1", &made);
        world
            .pull(&format!("{}/a:1", honest.address))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_pull_by_digest_gets_that_digest() {
    let fake = Fake::start().await;
    let (made, other) = (amd64(), image("amd64", &[b"other"]));
    fake.offer("a", "1", &made);
    fake.put(
        &format!("/v2/a/manifests/{}", other.manifest),
        made.blobs[&made.manifest].clone(),
    );
    let world = world();

    let error = world
        .pull(&format!("{}/a@{}", fake.address, other.manifest))
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::WrongDigest { .. }),
        "{error}"
    );
    world.assert_empty();

    let name = format!("{}/a@{}", fake.address, made.manifest);
    let pulled = world.pull(&name).await.unwrap();
    assert!(world.store.names_of(pulled.id).tags.is_empty());
    assert_eq!(world.store.find(&name).unwrap().id, pulled.id);
}

#[tokio::test]
async fn documents_have_limits() {
    let made = amd64();
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let no_image = json!({"schemaVersion": 2, "mediaType": "application/x"}).to_string();
    for (what, bytes, word) in [
        ("a long one", vec![b' '; 5 << 20], "too long"),
        ("a deep one", nested.into_bytes(), "nests deeper"),
        ("no JSON", b"<html>".to_vec(), "malformed"),
        ("no image", no_image.into_bytes(), "application/x"),
    ] {
        let fake = Fake::start().await;
        fake.offer("a", "1", &made);
        fake.put("/v2/a/manifests/1", bytes);
        let world = world();

        let error = world
            .pull(&format!("{}/a:1", fake.address))
            .await
            .unwrap_err();

        let text = words(&error);
        assert!(text.contains(word), "{what}: {text}");
        world.assert_empty();
    }
}

#[tokio::test]
async fn a_dropped_pull_leaves_nothing() {
    let fake = Fake::start().await;
    let made = amd64();
    fake.offer("a", "1", &made);
    fake.behave(made.layers[1], &[Conduct::StallAfter(100_000)]);
    let world = world();

    let name = format!("{}/a:1", fake.address);
    let pulled = tokio::time::timeout(Duration::from_millis(250), world.pull(&name)).await;

    assert!(pulled.is_err());
    // The thread that writes notices a moment later.
    let tmp = world.dir.path().join("blobs/tmp");
    while std::fs::read_dir(&tmp).unwrap().count() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.assert_empty();
}

#[tokio::test]
async fn tags_are_listed_page_by_page_and_only_by_the_registry_itself() {
    let fake = Fake::start().await;
    let page = |tags: &str, link: String| {
        let body = format!("{{\"name\":\"a\",\"tags\":{tags}}}").into_bytes();
        let link = (!link.is_empty()).then_some(("link", link));
        Conduct::Say(200, link.into_iter().collect(), body)
    };
    let next = "</v2/a/tags/list?last=2&n=2>; rel=\"next\"".to_owned();
    let repository: Reference = format!("{}/a", fake.address).parse().unwrap();
    let world = world();
    let tags = async || world.registry.tags(&repository, None).await;

    let pages = [
        page(r#"["1","2"]"#, next.clone()),
        page(r#"["3"]"#, String::new()),
    ];
    fake.behave("/tags/list", &pages);
    let found = tags().await.unwrap();
    let found: Vec<_> = found.iter().filter_map(Reference::tag).collect();
    assert_eq!(found, ["1", "2", "3"]);
    assert!(fake.asked()[1].path.ends_with("?last=2&n=2"));

    let elsewhere = Fake::start().await;
    let away = format!(
        "<http://{}/v2/a/tags/list>; rel=\"next\"",
        elsewhere.address
    );
    fake.behave("/tags/list", &[page(r#"["1"]"#, away)]);
    assert!(tags().await.is_err(), "it is not said to be whole");
    assert!(elsewhere.asked().is_empty());

    fake.behave("/tags/list", &[page("null", String::new())]);
    assert!(tags().await.unwrap().is_empty());
    fake.behave("/tags/list", &[page(r#"["1"]"#, next)]);
    assert!(tags().await.is_err(), "it never ends");
    fake.behave("/tags/list", &[page(r#"["a/b"]"#, String::new())]);
    assert!(tags().await.is_err(), "that is no tag");
}
