//! What a registry has, told and not brought; by one that tells the truth and one that does not.

use engine_images::{Reference, RegistryConfig, RegistryError};
use serde_json::json;

use crate::fake::{Conduct, Fake};
use crate::world::{INDEX, MANIFEST, image, password, words, world, world_with};

/// `user:secret`, as basic authentication writes it.
const BASIC: &str = "Basic dXNlcjpzZWNyZXQ=";

/// A page of a list, and where it says that the list goes on.
fn page(kind: &str, names: &[String], next: &str) -> Conduct {
    let link = format!("<{next}>; rel=\"next\"");
    let link = (!next.is_empty()).then_some(("link", link));
    let body = json!({ kind: names }).to_string().into_bytes();
    Conduct::Say(200, link.into_iter().collect(), body)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn repository(fake: &Fake) -> Reference {
    format!("{}/a", fake.address).parse().unwrap()
}

#[tokio::test]
async fn repositories_are_listed_page_by_page_and_filtered() {
    let fake = Fake::start().await;
    let first = names(&["shop/app", "shop/db", "NOT A NAME", "../etc"]);
    let pages = [
        page("repositories", &first, "/v2/_catalog?last=shop/db&n=500"),
        page("repositories", &names(&["tools/app"]), ""),
    ];
    fake.behave("/_catalog", &pages);
    let world = world();

    let found = world
        .registry
        .repositories(&fake.address, "APP", 10, None)
        .await
        .unwrap();

    assert_eq!(found.names, ["shop/app", "tools/app"]);
    assert!(found.is_whole);
    fake.behave("/_catalog", &pages);
    let found = world.registry.repositories(&fake.address, "", 2, None);
    let found = found.await.unwrap();
    assert_eq!(
        found.names,
        ["shop/app", "shop/db"],
        "what is no name is not told"
    );
    assert!(!found.is_whole, "there was one more");
}

#[tokio::test]
async fn a_list_without_an_end_is_read_for_a_while_and_said_to_be_cut() {
    let fake = Fake::start().await;
    let pages: Vec<_> = (0..200)
        .map(|n| {
            let next = format!("/v2/a/tags/list?last={n}");
            page("tags", &[format!("v{n}")], &next)
        })
        .collect();
    fake.behave("/tags/list", &pages);

    let world = world();
    let repository = repository(&fake);
    let found = world.registry.some_tags(&repository, 1_000, None);
    let found = found.await.unwrap();

    assert_eq!((found.names.len(), found.is_whole), (100, false));
    assert_eq!(fake.asked().len(), 100);
}

#[tokio::test]
async fn a_list_that_leads_back_to_itself_or_away_is_refused() {
    let (fake, elsewhere) = (Fake::start().await, Fake::start().await);
    let (world, one) = (world(), names(&["1"]));
    let tags = async || {
        let repository = repository(&fake);
        let found = world.registry.some_tags(&repository, 1_000, None);
        words(&found.await.unwrap_err())
    };

    fake.behave(
        "/tags/list",
        &[page("tags", &one, "/v2/a/tags/list?last=1")],
    );
    assert!(tags().await.contains("does not end"));
    assert_eq!(fake.asked().len(), 2, "it is noticed at once");

    let port = elsewhere.address.rsplit_once(':').unwrap().1;
    let away = format!("http://localhost:{port}/v2/a/tags/list");
    fake.behave("/tags/list", &[page("tags", &one, &away)]);
    assert!(tags().await.contains("may not be followed"));
    assert!(elsewhere.asked().is_empty());

    let long = names(&["1"; 1_200_000]);
    fake.behave("/tags/list", &[page("tags", &long, "")]);
    assert!(tags().await.contains("too long"));
}

#[tokio::test]
async fn a_password_does_not_follow_a_redirect_of_a_list() {
    let (fake, elsewhere) = (Fake::start().await, Fake::start().await);
    let target = format!("http://{}/v2/a/tags/list", elsewhere.address);
    let redirect = || Conduct::Say(307, vec![("location", target.clone())], Vec::new());
    let ask = vec![("www-authenticate", "Basic realm=\"x\"".to_owned())];
    let asks = Conduct::Say(401, ask.clone(), Vec::new());
    fake.behave("/tags/list", &[asks, redirect()]);
    fake.behave("/_catalog", &[redirect()]);
    elsewhere.behave("/tags/list", &[Conduct::Say(401, ask, Vec::new())]);
    let (world, secret) = (world(), password("secret"));

    let tags = world
        .registry
        .some_tags(&repository(&fake), 9, Some(&secret))
        .await
        .unwrap_err();
    let catalog = world
        .registry
        .repositories(&fake.address, "", 9, Some(&secret))
        .await
        .unwrap_err();

    assert_eq!(fake.asked()[1].authorization, BASIC, "the registry is told");
    // The first 401 was answered; the second came from a stranger and is not.
    assert!(matches!(tags, RegistryError::Unauthorized { .. }), "{tags}");
    assert!(
        words(&catalog).contains("wants to know who we are"),
        "{catalog}"
    );
    for asked in elsewhere.asked() {
        assert_eq!(asked.authorization, "", "{}", asked.path);
    }
    assert_eq!(elsewhere.asked().len(), 2);
}

#[tokio::test]
async fn why_a_list_is_not_had_is_said_in_words() {
    let (fake, world) = (Fake::start().await, world());
    let say = |status, headers| [Conduct::Say(status, headers, Vec::new())];
    let catalog = async || {
        let found = world.registry.repositories(&fake.address, "", 9, None);
        words(&found.await.unwrap_err())
    };
    fake.behave("/_catalog", &say(404, Vec::new()));
    assert!(catalog().await.contains("does not list its repositories"));
    fake.behave("/_catalog", &say(403, Vec::new()));
    assert!(catalog().await.contains("does not show its repositories"));
    fake.behave(
        "/_catalog",
        &say(429, vec![("retry-after", "90".to_owned())]),
    );
    assert!(catalog().await.contains("try again in 90 seconds"));
    fake.behave(
        "/_catalog",
        &[Conduct::Say(200, Vec::new(), b"[]".to_vec())],
    );
    assert!(catalog().await.contains("malformed"));

    let nobody = world
        .registry
        .repositories("127.0.0.1:1", "", 9, None)
        .await;
    assert!(words(&nobody.unwrap_err()).contains("cannot reach the registry"));
    let nothing = world.registry.repositories("no address", "", 9, None).await;
    assert!(matches!(nothing, Err(RegistryError::Address { .. })));
}

#[tokio::test]
async fn a_list_that_stalls_is_given_up() {
    let fake = Fake::start().await;
    fake.put("/v2/a/tags/list", br#"{"tags":["1"]}"#.to_vec());
    fake.behave("/tags/list", &[Conduct::StallAfter(4)]);
    let world = world_with(RegistryConfig {
        patience: std::time::Duration::from_millis(200),
        ..RegistryConfig::default()
    });

    let found = world.registry.some_tags(&repository(&fake), 9, None).await;

    assert!(
        matches!(found, Err(RegistryError::Stalled { .. })),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_catalog_is_asked_for_with_a_token_of_its_own() {
    let (fake, tokens) = (Fake::start().await, Fake::start().await);
    let challenge = format!("Bearer realm=\"http://{}/token\"", tokens.address);
    fake.want("Bearer tok", &challenge);
    fake.put("/v2/_catalog", br#"{"repositories":["a"]}"#.to_vec());
    let token = Conduct::Say(200, Vec::new(), br#"{"token":"tok"}"#.to_vec());
    tokens.behave("/token", &[token]);
    let (world, secret) = (world(), password("secret"));
    let repositories = async || {
        let found = world
            .registry
            .repositories(&fake.address, "", 9, Some(&secret));
        found.await
    };

    assert_eq!(repositories().await.unwrap().names, ["a"]);
    assert!(
        tokens.asked()[0]
            .path
            .contains("scope=registry%3Acatalog%3A*")
    );

    fake.want("Bearer another", &challenge);
    let denied = repositories().await.unwrap_err();
    assert!(
        matches!(denied, RegistryError::CatalogDenied { .. }),
        "{denied}"
    );
}

#[tokio::test]
async fn a_search_is_dockers_own_or_goes_through_the_list() {
    let (fake, world) = (Fake::start().await, world());
    let search = async |words: &str| {
        let term = format!("{}/{words}", fake.address);
        world.registry.search(&term, 5, None).await
    };
    let nothing = search("app").await.unwrap_err();
    assert!(
        matches!(nothing, RegistryError::NoSearch { .. }),
        "{nothing}"
    );
    assert!(words(&nothing).contains("offers no search"));

    fake.put(
        "/v2/_catalog",
        br#"{"repositories":["shop/app","db"]}"#.to_vec(),
    );
    let found = search("app").await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, format!("{}/shop/app", fake.address));

    let answer = json!({"results": [
        {"name": "shop/app", "description": "two\nlines", "star_count": 7, "is_official": true},
        {"name": "other", "description": null},
    ]});
    fake.put("/v1/search", answer.to_string().into_bytes());
    let found = search("ap p").await.unwrap();
    assert_eq!((found[0].n_stars, found[0].is_official), (7, true));
    assert_eq!(found[0].description, "twolines");
    let asked = fake.asked();
    let asked = asked.iter().rfind(|asked| asked.path.starts_with("/v1/"));
    assert!(asked.unwrap().path.ends_with("?q=ap+p&n=5"), "{asked:?}");
}

#[tokio::test]
async fn what_a_name_stands_for_is_told_and_nothing_is_kept() {
    let (fake, world) = (Fake::start().await, world());
    let made = image("arm64", &[b"layer"]);
    fake.offer("a", "1", &made);
    let name = |tag: &str| {
        format!("{}/a:{tag}", fake.address)
            .parse::<Reference>()
            .unwrap()
    };

    let about = world.registry.about(&name("1"), None).await.unwrap();

    assert_eq!(
        (about.digest, about.media_type.as_str()),
        (made.manifest, MANIFEST)
    );
    assert_eq!(about.size_bytes, made.blobs[&made.manifest].len() as u64);
    assert_eq!(about.platforms[0].to_string(), "linux/arm64");
    let entry = |os: &str| {
        let platform = json!({"os": os, "architecture": os});
        json!({"mediaType": MANIFEST, "digest": made.manifest, "size": 1, "platform": platform})
    };
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry("linux"), entry("unknown")],
    });
    fake.put("/v2/a/manifests/2", index.to_string().into_bytes());
    let about = world.registry.about(&name("2"), None).await.unwrap();
    assert_eq!(
        (about.media_type.as_str(), about.platforms.len()),
        (INDEX, 1)
    );

    let lie = vec![("docker-content-digest", made.config.to_string())];
    let manifest = made.blobs[&made.manifest].clone();
    fake.behave("manifests/3", &[Conduct::Say(200, lie, manifest)]);
    let lied = world.registry.about(&name("3"), None).await.unwrap_err();
    assert!(matches!(lied, RegistryError::WrongDigest { .. }), "{lied}");
    let gone = world.registry.about(&name("4"), None).await.unwrap_err();
    assert!(matches!(gone, RegistryError::NotFound { .. }), "{gone}");
    world.assert_empty();
}

#[tokio::test]
async fn a_digest_is_told_by_the_head_of_its_document_alone() {
    let (fake, world) = (Fake::start().await, world());
    let made = image("arm64", &[b"one"]);
    let digest_of = async |tag: &str| {
        let reference: Reference = format!("{}/a:{tag}", fake.address).parse().unwrap();
        world.registry.digest_of(&reference, None).await
    };

    let index = engine_images::Digest::of(b"an index of several");
    let said = vec![("docker-content-digest", index.to_string())];
    fake.behave("manifests/1", &[Conduct::Say(200, said, Vec::new())]);
    assert_eq!(digest_of("1").await.unwrap(), index);
    let asked = fake.asked();
    assert_eq!((asked.len(), asked[0].method.as_str()), (1, "HEAD"));

    // One that does not say it is asked for the document; so is one that knows no such request.
    fake.offer("a", "2", &made);
    assert_eq!(digest_of("2").await.unwrap(), made.manifest);
    let no_heads = Conduct::Say(405, Vec::new(), Vec::new());
    let manifest = made.blobs[&made.manifest].clone();
    fake.behave(
        "manifests/3",
        &[no_heads, Conduct::Say(200, Vec::new(), manifest)],
    );
    assert_eq!(digest_of("3").await.unwrap(), made.manifest);

    let limited = Conduct::Say(429, vec![("retry-after", "90".to_owned())], Vec::new());
    fake.behave("manifests/4", &[limited]);
    let limited = digest_of("4").await.unwrap_err();
    assert!(
        matches!(
            limited,
            RegistryError::RateLimited {
                after_s: Some(90),
                ..
            }
        ),
        "{limited}"
    );
    let gone = digest_of("5").await.unwrap_err();
    assert!(matches!(gone, RegistryError::NotFound { .. }), "{gone}");
    world.assert_empty();
}
