//! Who gets to see the password, and whom we believe.

use engine_images::{Credentials, RegistryConfig, RegistryError, Secret};

use crate::fake::{Conduct, Fake};
use crate::world::{Made, image, password, words, world, world_with};

/// `user:secret`, as basic authentication writes it.
const BASIC: &str = "Basic dXNlcjpzZWNyZXQ=";

fn made() -> Made {
    image("amd64", &[b"layer"])
}

#[tokio::test]
async fn a_password_is_sent_when_asked_for() {
    let fake = Fake::start().await;
    fake.offer("a", "1", &made());
    fake.want(BASIC, "Basic realm=\"x\"");
    let name = format!("{}/a:1", fake.address);
    let world = world();

    let none = world.pull(&name).await.unwrap_err();
    let wrong = world
        .pull_as(&name, None, Some(&password("wrong")))
        .await
        .unwrap_err();
    assert!(matches!(none, RegistryError::Denied { .. }), "{none}");
    assert!(
        matches!(wrong, RegistryError::Unauthorized { .. }),
        "{wrong}"
    );
    world.assert_empty();

    world
        .pull_as(&name, None, Some(&password("secret")))
        .await
        .unwrap();
    assert_eq!(
        fake.asked()[0].authorization,
        "",
        "nothing is said before it is asked for"
    );
}

#[tokio::test]
async fn a_token_is_fetched_where_the_registry_says() {
    let (fake, tokens) = (Fake::start().await, Fake::start().await);
    fake.offer("a/b", "1", &made());
    let challenge = format!(
        "Bearer realm=\"http://{}/token\",service=\"reg\",scope=\"x\"",
        tokens.address
    );
    fake.want("Bearer tok-1", &challenge);
    tokens.behave(
        "/token",
        &[Conduct::Say(
            200,
            Vec::new(),
            br#"{"token":"tok-1"}"#.to_vec(),
        )],
    );
    let name = format!("{}/a/b:1", fake.address);

    world().pull(&name).await.unwrap();
    world()
        .pull_as(&name, None, Some(&password("secret")))
        .await
        .unwrap();
    let token = Credentials::IdentityToken(Secret::new("refresh"));
    world().pull_as(&name, None, Some(&token)).await.unwrap();

    let asked = tokens.asked();
    assert_eq!(
        asked[0].path,
        "/token?service=reg&scope=repository%3Aa%2Fb%3Apull"
    );
    assert_eq!(asked[0].authorization, "");
    assert_eq!(asked[1].authorization, BASIC);
    assert!(asked[2].body.contains("refresh_token=refresh"), "{asked:?}");
    let direct = Credentials::RegistryToken(Secret::new("tok-1"));
    world().pull_as(&name, None, Some(&direct)).await.unwrap();
    assert_eq!(tokens.asked().len(), 3);
}

#[tokio::test]
async fn a_token_server_that_is_not_trusted_gets_nothing() {
    let fake = Fake::start().await;
    fake.offer("a", "1", &made());
    for realm in [
        "http://tokens.invalid/",
        "ftp://127.0.0.1/",
        "nonsense",
        "http://u:p@127.0.0.1/",
    ] {
        fake.want("Bearer x", &format!("Bearer realm=\"{realm}\""));
        let name = format!("{}/a:1", fake.address);
        let error = world()
            .pull_as(&name, None, Some(&password("secret")))
            .await
            .unwrap_err();
        assert!(
            matches!(error, RegistryError::Redirect { .. }),
            "{realm}: {}",
            words(&error)
        );
    }
}

#[tokio::test]
async fn a_redirect_leaves_the_password_behind() {
    let (fake, elsewhere) = (Fake::start().await, Fake::start().await);
    let made = made();
    fake.offer("a", "1", &made);
    elsewhere.put("/content", made.blobs[&made.layers[0]].clone());
    fake.want(BASIC, "Basic realm=\"x\"");
    let to = |url: String| Conduct::Say(307, vec![("location", url)], Vec::new());
    fake.behave(
        made.layers[0],
        &[to(format!("http://{}/content", elsewhere.address))],
    );
    let name = format!("{}/a:1", fake.address);

    world()
        .pull_as(&name, None, Some(&password("secret")))
        .await
        .unwrap();

    assert_eq!(elsewhere.asked().len(), 1);
    assert_eq!(elsewhere.asked()[0].authorization, "");
}

#[tokio::test]
async fn whoever_a_redirect_leads_to_learns_nothing_by_asking_either() {
    let (fake, elsewhere, tokens) = (
        Fake::start().await,
        Fake::start().await,
        Fake::start().await,
    );
    let made = made();
    fake.offer("a", "1", &made);
    fake.want(BASIC, "Basic realm=\"x\"");
    let content = format!("http://{}/content", elsewhere.address);
    let away = Conduct::Say(307, vec![("location", content)], Vec::new());
    fake.behave(made.layers[0], &[away]);
    let realm = format!("Bearer realm=\"http://{}/token\"", tokens.address);
    elsewhere.want("Bearer x", &realm);

    let name = format!("{}/a:1", fake.address);
    let world = world();
    let pulled = world.pull_as(&name, None, Some(&password("secret"))).await;

    let refused = pulled.unwrap_err();
    assert!(
        matches!(refused, RegistryError::Redirect { .. }),
        "{refused}"
    );
    assert_eq!(tokens.asked().len(), 0);
    world.assert_empty();
}

#[tokio::test]
async fn redirects_that_lead_astray_are_refused() {
    let made = made();
    let fake = Fake::start().await;
    fake.offer("a", "1", &made);
    let here = format!("http://{}/v2/a/blobs/{}", fake.address, made.layers[0]);
    for location in [
        here,
        "http://registry.invalid/blob".to_owned(),
        "file:///etc/shadow".to_owned(),
        format!("http://user@{}/blob", fake.address),
        "http://".to_owned(),
    ] {
        let conduct = Conduct::Say(302, vec![("location", location.clone())], Vec::new());
        fake.behave(made.layers[0], &[conduct]);
        let world = world();
        let error = world
            .pull(&format!("{}/a:1", fake.address))
            .await
            .unwrap_err();
        assert!(
            matches!(error, RegistryError::Redirect { .. }),
            "{location}: {}",
            words(&error)
        );
        world.assert_empty();
    }
}

#[tokio::test]
async fn mirrors_stand_in_and_see_no_password() {
    let (empty, mirror) = (Fake::start().await, Fake::start().await);
    let made = made();
    mirror.offer("library/busybox", "1", &made);
    let address = |fake: &Fake| format!("http://{}", fake.address).parse().unwrap();
    let world = world_with(RegistryConfig {
        mirrors: vec![address(&empty), address(&mirror)],
        ..RegistryConfig::default()
    });

    let pulled = world
        .pull_as("busybox:1", None, Some(&password("secret")))
        .await
        .unwrap();

    assert_eq!(
        world.store.names_of(pulled.id).tags[0].familiar(),
        "busybox:1"
    );
    assert!(!empty.asked().is_empty());
    for asked in empty.asked().into_iter().chain(mirror.asked()) {
        assert_eq!(asked.authorization, "");
    }
}

#[tokio::test]
async fn refusals_are_said_in_words() {
    let say = |status, headers: Vec<(&'static str, String)>, body: &str| {
        Conduct::Say(status, headers, body.as_bytes().to_vec())
    };
    let cases = [
        (say(404, Vec::new(), "{}"), "manifest for 127.0.0.1"),
        (
            say(404, Vec::new(), r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#),
            "pull access denied for",
        ),
        (say(403, Vec::new(), ""), "docker login"),
        (
            say(429, vec![("retry-after", "90".to_owned())], ""),
            "try again in 90 seconds",
        ),
        (
            say(429, vec![("retry-after", "7200".to_owned())], ""),
            "try again in 120 minutes",
        ),
        (
            say(418, Vec::new(), r#"{"errors":[{"message":"tea\nonly"}]}"#),
            "418: teaonly",
        ),
        (say(401, Vec::new(), ""), "does not say how to log in"),
    ];
    for (conduct, word) in cases {
        let fake = Fake::start().await;
        fake.behave("manifests/1", &[conduct]);
        let error = world()
            .pull(&format!("{}/a:1", fake.address))
            .await
            .unwrap_err();
        let text = words(&error);
        assert!(text.contains(word), "{text} should say {word}");
    }
    let nobody = world().pull("127.0.0.1:1/a:1").await.unwrap_err();
    assert!(
        words(&nobody).contains("cannot reach the registry 127.0.0.1:1"),
        "{nobody}"
    );
    let unknown = world().pull("registry.invalid/a:1").await.unwrap_err();
    assert!(words(&unknown).contains("does not resolve"), "{unknown}");
}
