//! Images to registries that are slow, forgetful or hostile.

use std::sync::{Arc, Mutex};

use engine_images::{Image, PushProgress, Pushed, Reference, RegistryError, compress};

use crate::fake::{Conduct, Fake};
use crate::sink::{Fault, Sink};
use crate::world::{World, image, password, words, world};

/// `user:secret`, as basic authentication writes it.
const BASIC: &str = "Basic dXNlcjpzZWNyZXQ=";

/// A world with one image of two layers, pulled as `from` says.
async fn stocked(repository: &str, address: &str) -> (World, Image, Fake) {
    let fake = Fake::start().await;
    let first = vec![b'x'; 300_000];
    fake.offer(repository, "1", &image("amd64", &[&first, b"second"]));
    let world = world();
    let address = if address.is_empty() {
        &fake.address
    } else {
        address
    };
    let pulled = world
        .pull(&format!("{}/{repository}:1", fake.address))
        .await;
    let pulled = pulled.unwrap();
    // As if it had come from there.
    let name: Reference = format!("{address}/{repository}:1").parse().unwrap();
    let by_digest = name.with_digest(pulled.manifest);
    world.store.tag(pulled.id, &by_digest).unwrap();
    (world, pulled, fake)
}

impl World {
    async fn push(&self, image: &Image, name: &str) -> Result<Pushed, RegistryError> {
        self.push_telling(image, name, &|_, _| {}).await
    }

    async fn push_telling(
        &self,
        image: &Image,
        name: &str,
        tell: &(dyn Fn(engine_images::Digest, PushProgress) + Send + Sync),
    ) -> Result<Pushed, RegistryError> {
        let name: Reference = name.parse().unwrap();
        let credentials = password("secret");
        self.registry
            .push(&self.store, image, &name, Some(&credentials), tell)
            .await
    }
}

#[tokio::test]
async fn the_name_comes_last_and_what_is_there_is_not_sent_again() {
    let sink = Sink::start().await;
    sink.want(BASIC, "Basic realm=\"x\"");
    let (world, image, _fake) = stocked("a/b", "").await;
    let name = format!("{}/a/b:2", sink.address);

    let pushed = world.push(&image, &name).await.unwrap();

    assert_eq!(pushed.digest, image.manifest);
    let manifest = sink.kept("/v2/a/b/manifests/2").unwrap();
    assert_eq!(engine_images::Digest::of(&manifest), image.manifest);
    for digest in image
        .layers
        .iter()
        .map(|layer| layer.blob.digest)
        .chain([image.id])
    {
        assert!(sink.kept(&format!("/v2/a/b/blobs/{digest}")).is_some());
    }
    let asked = sink.asked();
    assert!(
        asked
            .last()
            .unwrap()
            .line
            .starts_with("PUT /v2/a/b/manifests/2")
    );
    assert_eq!(
        asked[0].authorization, "",
        "nothing is said before it is asked for"
    );

    let seen = Arc::new(Mutex::new(Vec::new()));
    let tell = |_, news| seen.lock().unwrap().push(news);
    world.push_telling(&image, &name, &tell).await.unwrap();
    assert_eq!(
        *seen.lock().unwrap(),
        [PushProgress::Exists, PushProgress::Exists]
    );
    assert_eq!(
        sink.asked_with("PATCH").len(),
        3,
        "two layers and a configuration, once"
    );
}

#[tokio::test]
async fn a_push_goes_on_where_it_was_cut_and_begins_anew_where_it_was_forgotten() {
    let (world, image, _fake) = stocked("a/b", "").await;
    let layer = image.layers[0].blob.clone();
    for (fault, rest) in [
        (Fault::KeepsOnly(100_000), layer.size_bytes - 100_000),
        (Fault::Forgets(100_000), layer.size_bytes),
    ] {
        let sink = Sink::start().await;
        sink.fail(fault.clone());
        let only = Image {
            layers: vec![image.layers[0].clone()],
            ..image.clone()
        };
        world
            .push(&only, &format!("{}/a/b:1", sink.address))
            .await
            .unwrap();
        let sent = sink.asked_with("PATCH");
        assert_eq!(sent[1].n_bytes as u64, rest, "{fault:?}: {sent:?}");
        let is_rest = rest < layer.size_bytes;
        let range = format!("100000-{}", layer.size_bytes - 1);
        assert_eq!(sent[1].content_range, if is_rest { &range } else { "" });
        assert!(
            sink.kept(&format!("/v2/a/b/blobs/{}", layer.digest))
                .is_some()
        );
    }
}

#[tokio::test]
async fn a_neighbour_is_offered_as_the_source() {
    let sink = Sink::start().await;
    let (world, image, _fake) = stocked("a/b", &sink.address).await;
    sink.fail(Fault::Mounts);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let tell = |_, news| seen.lock().unwrap().push(news);

    let name = format!("{}/c/d:1", sink.address);
    world.push_telling(&image, &name, &tell).await.unwrap();

    let mounted = PushProgress::Mounted {
        from: "a/b".to_owned(),
    };
    assert!(seen.lock().unwrap().contains(&mounted), "{seen:?}");
    let asked = sink.asked_with("POST /v2/c/d/blobs/uploads/?mount=sha256%3A");
    assert!(
        asked
            .iter()
            .all(|asked| asked.line.ends_with("&from=a%2Fb")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_neighbour_that_is_somebody_elses_costs_nothing_but_the_mount() {
    for status in [401, 403] {
        let sink = Sink::start().await;
        let (world, image, _fake) = stocked("a/b", &sink.address).await;
        let only = Image {
            layers: vec![image.layers[0].clone()],
            ..image.clone()
        };
        // As often as it is asked for the layer and for the configuration.
        for _ in 0..4 {
            sink.fail(Fault::RefusesMount(status));
        }
        let name = format!("{}/c/d:1", sink.address);
        world.push(&only, &name).await.unwrap();
        assert!(sink.kept("/v2/c/d/manifests/1").is_some(), "{status}");
    }

    // Nor when the token server lets nobody ask for it.
    let (sink, tokens) = (Sink::start().await, Fake::start().await);
    let (world, image, _fake) = stocked("a/b", &sink.address).await;
    let realm = format!("Bearer realm=\"http://{}/token\"", tokens.address);
    sink.want("Bearer tok", &realm);
    let refusal = Conduct::Say(403, Vec::new(), Vec::new());
    let answer = Conduct::Say(200, Vec::new(), br#"{"token":"tok"}"#.to_vec());
    tokens.behave("/token", &[refusal, answer]);
    let name = format!("{}/c/d:1", sink.address);
    let only = Image {
        layers: vec![image.layers[0].clone()],
        ..image
    };
    world.push(&only, &name).await.unwrap();
    let asked = tokens.asked();
    assert!(asked[0].path.contains("a%2Fb%3Apull"), "{asked:?}");
    assert!(!asked[1].path.contains("a%2Fb"), "{asked:?}");
}

#[tokio::test]
async fn what_went_wholly_is_not_sent_again_for_a_lost_answer() {
    for fault in [Fault::LosesTheLastAnswer, Fault::IsBusyAtTheEnd] {
        let sink = Sink::start().await;
        let (world, image, _fake) = stocked("a/b", "").await;
        let only = Image {
            layers: vec![image.layers[0].clone()],
            ..image.clone()
        };
        sink.fail(fault.clone());
        let name = format!("{}/a/b:1", sink.address);
        world.push(&only, &name).await.unwrap();
        let n_sent = sink.asked_with("PATCH").len();
        assert_eq!(
            n_sent, 2,
            "{fault:?}: a layer and a configuration, once each"
        );
    }
}

#[tokio::test]
async fn an_archive_that_is_called_plain_and_is_not_stays_as_it_is() {
    let (world, image, _fake) = stocked("a/b", "").await;
    let mut mislabelled = image;
    for layer in &mut mislabelled.layers {
        layer.diff_id = engine_images::Digest::of(b"what is in it");
    }
    let prepared = compress(&world.store, &mislabelled, &|_, _, _| true).unwrap();
    assert!(prepared.is_none());
}

#[tokio::test]
async fn a_token_is_asked_for_with_the_right_to_push() {
    let (sink, tokens) = (Sink::start().await, Fake::start().await);
    let (world, image, _fake) = stocked("a/b", "").await;
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"s\"",
        tokens.address
    );
    sink.want("Bearer tok", &challenge);
    let answer = Conduct::Say(200, Vec::new(), br#"{"token":"tok"}"#.to_vec());
    tokens.behave("/token", &[answer]);

    world
        .push(&image, &format!("{}/a/b:1", sink.address))
        .await
        .unwrap();

    let asked = tokens.asked();
    assert!(
        asked[0]
            .path
            .ends_with("scope=repository%3Aa%2Fb%3Apull%2Cpush"),
        "{asked:?}"
    );
    assert_eq!(asked[0].authorization, BASIC);
}

#[tokio::test]
async fn credentials_stay_with_the_registry_and_changes_are_not_redirected() {
    let (sink, other) = (Sink::start().await, Sink::start().await);
    let (world, image, _fake) = stocked("a/b", "").await;
    sink.want(BASIC, "Basic realm=\"x\"");
    sink.fail(Fault::SendsTo(other.address.clone()));
    let name = format!("{}/a/b:1", sink.address);
    // The other place keeps it and the registry does not know: what counts is who was told what.
    let _ = world.push(&image, &name).await;
    assert!(!other.asked().is_empty());
    for asked in other.asked() {
        assert_eq!(asked.authorization, "", "{asked:?}");
    }

    let sink = Sink::start().await;
    sink.fail(Fault::Redirects);
    let refused = world.push(&image, &format!("{}/a/b:1", sink.address)).await;
    let refused = words(&refused.unwrap_err());
    assert!(refused.contains("not followed with a change"), "{refused}");
    assert!(sink.kept("/v2/a/b/manifests/1").is_none());
}

#[tokio::test]
async fn a_registry_that_calls_the_manifest_something_else_is_not_believed() {
    let sink = Sink::start().await;
    let (world, image, _fake) = stocked("a/b", "").await;
    sink.fail(Fault::Lies);
    let refused = world.push(&image, &format!("{}/a/b:1", sink.address)).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, RegistryError::WrongDigest { .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn plain_layers_are_compressed_once_and_the_image_stays_the_same() {
    let (world, before, _fake) = stocked("a/b", "").await;
    let store = &world.store;
    let stopped = compress(store, &before, &|_, _, _| false).unwrap();
    assert!(stopped.is_none(), "nobody waits");
    let n_blobs = store.blobs().list().len();

    let prepared = compress(store, &before, &|_, _, _| true).unwrap().unwrap();
    let after = store.exchange(prepared).unwrap().unwrap();

    assert_eq!((after.id, after.diff_ids()), (before.id, before.diff_ids()));
    assert_ne!(after.manifest, before.manifest);
    for (after, before) in after.layers.iter().zip(&before.layers) {
        assert!(after.blob.media_type.ends_with("+gzip"), "{:?}", after.blob);
        assert!(
            store.blobs().size(before.blob.digest).is_none(),
            "the plain one is gone"
        );
    }
    assert!(after.layers[0].blob.size_bytes * 10 < before.layers[0].blob.size_bytes);
    assert_eq!(
        store.blobs().list().len(),
        n_blobs,
        "each in place of another"
    );
    assert!(compress(store, &after, &|_, _, _| true).unwrap().is_none());
    let again = engine_images::Store::open(world.dir.path()).unwrap();
    assert_eq!(again.get(after.id).unwrap().manifest, after.manifest);
}
