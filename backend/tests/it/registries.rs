//! Registries by their pages: what is kept, who gets to see it, and where it goes.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode, header};
use backend::access::{Actor, audit as audit_permission};
use backend::app::App;
use backend::domain::{Front, Role};
use backend::services::audit;
use backend::services::registries::Draft;
use backend::store::audit::Filter;
use backend::store::{Store, registries};

use crate::house::{Answer, House, PATIENCE};

/// Found nowhere but where it has to go.
const SECRET: &str = "kept-quite-secret-9";
const TEAM: &str = "name=Team&address=registry.test%3A5000&user=ann&secret=kept-quite-secret-9";

/// A house whose owner keeps a registry; and the path of that.
async fn keeping() -> (House, String, Actor, String) {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let added = house.ask(Method::POST, "/registries", &cookie, TEAM).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    let path = format!("/registries/{}", only(&house).await);
    (house, cookie, ana, path)
}

async fn only(house: &House) -> String {
    let mut read = house.app.services.store().read().await.unwrap();
    registries::all(&mut read).await.unwrap()[0].id.to_string()
}

/// What was asked of registries since the last look.
fn asked(house: &House) -> Vec<(String, String)> {
    house
        .engine
        .with(|state| std::mem::take(&mut state.registries))
}

async fn noted(house: &House, actor: &Actor) -> Vec<(String, String, String)> {
    let permit = house.permit::<audit_permission::View>(actor, "").await;
    let entries = audit::list(&house.app.services, &permit, Filter::default(), None).await;
    let entries = entries.unwrap().into_iter();
    entries
        .map(|entry| (entry.action, entry.detail, entry.result))
        .collect()
}

fn said(answer: &Answer) -> &str {
    answer.headers[header::SET_COOKIE].to_str().unwrap()
}

#[tokio::test]
async fn a_password_is_on_no_page_in_no_entry_and_not_readable_in_the_database() {
    let (house, cookie, ana, path) = keeping().await;
    house
        .ask(Method::POST, &format!("{path}/test"), &cookie, "")
        .await;
    let body = "name=Team+2&address=registry.test%3A5000&user=ann&secret=";
    let edited = house
        .ask(Method::POST, &format!("{path}/edit"), &cookie, body)
        .await;
    assert_eq!(edited.status, StatusCode::SEE_OTHER);

    for page in [
        "/registries",
        &path,
        &format!("{path}/edit"),
        &format!("{path}/tags?repository=shop%2Fapp"),
        &format!("{path}/remove"),
        "/images",
        "/audit",
    ] {
        let page = house.ask(Method::GET, page, &cookie, "").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(!page.body.contains(SECRET));
    }
    let noted = noted(&house, &ana).await;
    for action in ["registry.add", "registry.test", "registry.edit"] {
        assert!(noted.iter().any(|entry| entry.0 == action), "{noted:?}");
    }
    assert!(!format!("{noted:?}").contains(SECRET));
    let draft = Draft::typed("a", "a.test", "ann", "", SECRET.to_owned().into()).unwrap();
    assert!(!format!("{draft:?}").contains(SECRET));
    for file in std::fs::read_dir(house.dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let is_there = bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes());
        assert!(!is_there);
    }
}

#[tokio::test]
async fn a_new_address_asks_for_the_password_again() {
    let (house, cookie, _, path) = keeping().await;
    let edit = format!("{path}/edit");
    let moved = "name=Team&address=evil.test&user=ann&secret=";

    let refused = house.ask(Method::POST, &edit, &cookie, moved).await;

    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("never sent to another"));
    assert!(refused.body.contains("evil.test"), "what was typed is kept");
    house.ask(Method::GET, &path, &cookie, "").await;
    let asked_before = asked(&house);
    assert!(
        asked_before[0].0.contains("registry.test"),
        "{asked_before:?}"
    );
    assert!(asked_before[0].1.contains(SECRET));

    let typed = format!("{moved}another-one");
    let done = house.ask(Method::POST, &edit, &cookie, &typed).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    house.ask(Method::GET, &path, &cookie, "").await;
    let asked_after = asked(&house);
    assert!(asked_after[0].0.contains("evil.test"), "{asked_after:?}");
    assert!(asked_after[0].1.contains("another-one") && !asked_after[0].1.contains(SECRET));
}

#[tokio::test]
async fn an_address_that_was_changed_in_the_database_gets_no_password() {
    let (house, cookie, _, path) = keeping().await;
    let mut write = house.app.services.store().write().await.unwrap();
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let (mut registry, sealed) = registries::by_id(&mut write, &id).await.unwrap().unwrap();
    registry.address = "evil.test".parse().unwrap();
    registries::update(&mut write, &registry, sealed.as_deref())
        .await
        .unwrap();
    write.commit_silent("a test").await.unwrap();

    let page = house.ask(Method::GET, &path, &cookie, "").await;

    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(
        page.body.contains("does not open by the key"),
        "{}",
        page.body
    );
    assert_eq!(asked(&house), []);
}

#[tokio::test]
async fn a_test_logs_in_and_says_why_it_could_not() {
    let (house, cookie, ana, path) = keeping().await;
    let test = format!("{path}/test");

    let done = house.ask(Method::POST, &test, &cookie, "").await;

    assert!(
        said(&done).contains("done-registry-tested.Team"),
        "{}",
        said(&done)
    );
    let sent = house
        .engine
        .with(|state| String::from_utf8(state.put.clone()));
    let sent = sent.unwrap();
    assert!(
        sent.contains(SECRET) && sent.contains("registry.test:5000"),
        "{sent}"
    );

    let why = "unauthorized: the registry refused the user name or password";
    house.engine.with(|state| state.registry_says = Some(why));
    let refused = house.ask(Method::POST, &test, &cookie, "").await;
    assert!(
        said(&refused).contains("failed-registry-test"),
        "{}",
        said(&refused)
    );
    assert!(said(&refused).contains("refused%20the%20user%20name"));
    let noted = noted(&house, &ana).await;
    let is_noted =
        |(action, _, result): &(String, String, String)| action == "registry.test" && result == why;
    assert!(noted.iter().any(is_noted), "{noted:?}");
    let browsed = house.ask(Method::GET, &path, &cookie, "").await;
    assert_eq!(browsed.status, StatusCode::OK);
    assert!(browsed.body.contains(why), "the page says why it is empty");
}

#[tokio::test]
async fn a_pull_goes_by_the_kept_password_of_its_own_registry_alone() {
    let (house, cookie, _, _) = keeping().await;
    let pull = async |body: &str| {
        let begun = house.ask(Method::POST, "/images/pull", &cookie, body).await;
        assert_eq!(
            begun.status,
            StatusCode::SEE_OTHER,
            "{body}: {}",
            begun.body
        );
        house
            .wait(|_| house.engine.with(|state| !state.registries.is_empty()))
            .await;
        asked(&house).remove(0)
    };

    let (chosen, auth) = pull("registry=registry.test%3A5000&reference=shop%2Fapp%3A1").await;
    assert!(
        chosen.contains("fromImage=registry.test:5000/shop/app&tag=1"),
        "{chosen}"
    );
    assert!(auth.contains(SECRET) && auth.contains("\"ann\""), "{auth}");
    let (_, auth) = pull("reference=registry.test%3A5000%2Fshop%2Fapp%3A2").await;
    assert!(auth.contains(SECRET), "the name alone suffices");
    for other in ["registry.test%2Fa", "registry.test%3A5001%2Fa", "nginx"] {
        let (asked, auth) = pull(&format!("reference={other}")).await;
        assert_eq!(auth, "", "{asked}");
    }
    let typed = "reference=registry.test%3A5000%2Fb&user=ben&password=typed-once";
    let (_, auth) = pull(typed).await;
    assert!(
        auth.contains("typed-once") && !auth.contains(SECRET),
        "{auth}"
    );

    let body = "registry=registry.test%3A5000&reference=ghcr.io%2Fa";
    let refused = house.ask(Method::POST, "/images/pull", &cookie, body).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("names another registry"));
}

#[tokio::test]
async fn a_pull_that_is_refused_says_so_in_the_registrys_words() {
    let (house, cookie, _, _) = keeping().await;
    let why = "pull access denied for shop/app";
    house.engine.with(|state| state.registry_says = Some(why));
    let body = "reference=registry.test%3A5000%2Fshop%2Fapp";
    let begun = house.ask(Method::POST, "/images/pull", &cookie, body).await;
    let job = begun.headers[header::LOCATION].to_str().unwrap();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = house.ask(Method::GET, job, &cookie, "").await;
        if page.body.contains(why) {
            break;
        }
        assert!(Instant::now() < deadline, "{}", page.body);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_push_goes_by_the_kept_password_of_the_registry_that_the_name_says() {
    let (house, cookie, _, _) = keeping().await;
    let image = house.engine.with(|state| state.images[0].0.clone());
    let path = format!("/images/{image}/push");
    let push = async || {
        let body = "push=gantry%2Fhello%3Alatest";
        let begun = house.ask(Method::POST, &path, &cookie, body).await;
        assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
        house
            .wait(|_| house.engine.with(|state| !state.registries.is_empty()))
            .await;
        asked(&house).remove(0)
    };
    let (asked, auth) = push().await;
    assert!(asked.starts_with("image.push gantry/hello"), "{asked}");
    assert_eq!(auth, "", "Docker Hub is none of the kept ones");

    let hub = "name=Hub&address=https%3A%2F%2Findex.docker.io%2Fv1%2F&user=ann&secret=hub-word";
    house.ask(Method::POST, "/registries", &cookie, hub).await;
    let (_, auth) = push().await;
    assert!(
        auth.contains("hub-word") && auth.contains("docker.io"),
        "{auth}"
    );
}

#[tokio::test]
async fn repositories_tags_and_completions_are_shown_as_text() {
    let (house, cookie, _, path) = keeping().await;
    let page = house
        .ask(Method::GET, &format!("{path}?filter=App"), &cookie, "")
        .await;
    assert!(page.body.contains("shop/&#60;app&#62;"), "{}", page.body);
    let tags = format!("{path}/tags?repository=shop%2Fapp");
    assert!(page.body.contains(&tags));
    assert!(asked(&house)[0].0.contains("filter=App"));
    let page = house.ask(Method::GET, &tags, &cookie, "").await;
    let pull = "/images?pull=registry.test:5000%2Fshop%2Fapp:1";
    assert!(page.body.contains(pull), "{}", page.body);
    let page = house.ask(Method::GET, pull, &cookie, "").await;
    assert!(
        page.body
            .contains("value=\"registry.test:5000/shop/app:1\"")
    );
    let no_name = format!("{path}/tags?repository=..%2Fx");
    let page = house.ask(Method::GET, &no_name, &cookie, "").await;
    assert!(page.body.contains("must look like"));

    asked(&house);
    let query = "registry=registry.test%3A5000&reference=shop%2Fapp";
    let path = format!("/images/pull/tags?{query}");
    let told = house.ask(Method::GET, &path, &cookie, "").await;
    let told: serde_json::Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(
        told["names"],
        serde_json::json!(["shop/app:1", "shop/app:2"])
    );
    assert_eq!(told["text"], "2 tags; the field completes them.");
    assert!(asked(&house)[0].1.contains(SECRET));
    let whole = "/images/pull/tags?reference=registry.test%3A5000%2Fshop%2Fapp%3A1";
    let told = house.ask(Method::GET, whole, &cookie, "").await;
    assert!(
        told.body.contains("registry.test:5000/shop/app:1"),
        "{}",
        told.body
    );
}

#[tokio::test]
async fn a_name_or_an_address_is_taken_once_and_a_name_there_needs_its_password() {
    let (house, cookie, _, path) = keeping().await;
    let add = async |body: &str| house.ask(Method::POST, "/registries", &cookie, body).await;
    for (body, word) in [
        ("name=team&address=a.test", "has this name already"),
        (
            "name=b&address=Registry.test%3A5000",
            "has this name already",
        ),
        ("name=b&address=b.test&user=ann", "must not be empty"),
        ("name=b&address=b.test&secret=x", "must not be empty"),
        ("name=b&address=nodots", "registry.example.com:5000"),
        ("name=b&address=b.test&user=a%3Ab&secret=x", "colon"),
    ] {
        let refused = add(body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let text = refused.body.to_lowercase();
        assert!(text.contains(word), "{body}: {word}");
    }
    let nobody = add("name=b&address=b.test").await;
    assert_eq!(nobody.status, StatusCode::SEE_OTHER);

    let question = house
        .ask(Method::GET, &format!("{path}/remove"), &cookie, "")
        .await;
    assert!(question.body.contains("The password that is kept for it"));
    let done = house
        .ask(Method::POST, &format!("{path}/remove"), &cookie, "")
        .await;
    assert_eq!(done.headers[header::LOCATION], "/registries");
    let gone = house.ask(Method::GET, &path, &cookie, "").await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn another_key_file_is_not_used_and_the_page_says_what_to_do() {
    let (mut house, cookie, _, path) = keeping().await;
    let key = house.dir.path().join("secrets.key");
    let right = std::fs::read(&key).unwrap();
    for (content, word) in [
        (None, "is missing"),
        (Some(&b"not a key"[..]), "holds no key"),
        (
            Some(&b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"[..]),
            "does not open by the key",
        ),
        (Some(&right), ""),
    ] {
        std::fs::remove_file(&key).unwrap_or_default();
        if let Some(content) = content {
            std::fs::write(&key, content).unwrap();
            std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        }
        house.app.close().await;
        let store = Store::open(&house.dir.path().join("gantry.db"))
            .await
            .unwrap();
        let (clock, tasks) = (house.clock.clone(), house.tasks.clone());
        let client = house.engine.client();
        house.app = App::new(store, clock, tasks, client, Front::default());

        let page = house.ask(Method::GET, &path, &cookie, "").await;

        let status = if word.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::CONFLICT
        };
        assert_eq!(page.status, status, "{word}: {}", page.body);
        assert!(page.body.contains(word), "{word}: {}", page.body);
    }
    assert!(
        asked(&house)[0].1.contains(SECRET),
        "the right file opens it again"
    );
}

#[tokio::test]
async fn a_viewer_sees_no_registry() {
    let (house, _, _, path) = keeping().await;
    let (vics, _) = house.person("vic", Role::Viewer).await;
    for page in ["/registries", &path, &format!("{path}/edit")] {
        let page = house.ask(Method::GET, page, &vics, "").await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        assert!(!page.body.contains("registry.test"));
    }
    let images = house.ask(Method::GET, "/images", &vics, "").await;
    assert_eq!(images.status, StatusCode::OK);
    assert!(!images.body.contains("registry.test") && !images.body.contains("\"/registries\""));
}

#[tokio::test]
async fn an_authority_is_kept_with_its_registry_and_goes_to_that_one_alone() {
    let (house, cookie, _, path) = keeping().await;
    let pem = "-----BEGIN CERTIFICATE-----%0AAAAA%0A-----END CERTIFICATE-----";
    let edit = async |authority: &str| {
        let body =
            format!("name=Team&address=registry.test%3A5000&user=&secret=&authority={authority}");
        house
            .ask(Method::POST, &format!("{path}/edit"), &cookie, &body)
            .await
    };
    for wrong in [
        "nothing",
        "-----BEGIN CERTIFICATE----- -----BEGIN PRIVATE KEY-----",
    ] {
        let refused = edit(wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.body.contains("without a private key"),
            "{}",
            refused.body
        );
    }
    let done = edit(pem).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let form = house
        .ask(Method::GET, &format!("{path}/edit"), &cookie, "")
        .await;
    assert!(form.body.contains("BEGIN CERTIFICATE"), "it is no secret");

    house.ask(Method::GET, &path, &cookie, "").await;
    let (_, auth) = asked(&house).remove(0);
    assert!(
        auth.contains("BEGIN CERTIFICATE") && !auth.contains(SECRET),
        "{auth}"
    );
    house
        .ask(Method::POST, &format!("{path}/test"), &cookie, "")
        .await;
    let sent = house
        .engine
        .with(|state| String::from_utf8(state.put.clone()));
    assert!(sent.unwrap().contains("BEGIN CERTIFICATE"));
    asked(&house);
    let pull = async |body: &str| {
        house.ask(Method::POST, "/images/pull", &cookie, body).await;
        house
            .wait(|_| house.engine.with(|state| !state.registries.is_empty()))
            .await;
        asked(&house).remove(0).1
    };
    let own = pull("reference=registry.test%3A5000%2Fa&user=ben&password=typed-once").await;
    assert!(
        own.contains("BEGIN CERTIFICATE") && own.contains("typed-once"),
        "{own}"
    );
    assert_eq!(pull("reference=registry.test%3A5001%2Fa").await, "");
}

#[tokio::test]
async fn another_authority_asks_for_the_password_again_and_the_password_is_sealed_for_it() {
    let (house, cookie, _, path) = keeping().await;
    let edit = async |authority: &str, secret: &str| {
        let body = format!(
            "name=Team&address=registry.test%3A5000&user=ann&secret={secret}&authority={authority}"
        );
        let edit = format!("{path}/edit");
        house.ask(Method::POST, &edit, &cookie, &body).await
    };
    let pem =
        |word: &str| format!("-----BEGIN CERTIFICATE-----%0A{word}%0A-----END CERTIFICATE-----");
    let refused = edit(&pem("AAAAA"), "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("never sent to another"));
    let done = edit(&pem("AAAAA"), SECRET).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let refused = edit(&pem("BBBBB"), "").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let same = edit(&pem("AAAAA"), "").await;
    assert_eq!(same.status, StatusCode::SEE_OTHER, "{}", same.body);

    let change = async |authority: &str| {
        let mut write = house.app.services.store().write().await.unwrap();
        let id = path.rsplit('/').next().unwrap().parse().unwrap();
        let (mut registry, sealed) = registries::by_id(&mut write, &id).await.unwrap().unwrap();
        registry.authority = authority.replace("%0A", "\n").parse().unwrap();
        let changed = registries::update(&mut write, &registry, sealed.as_deref()).await;
        changed.unwrap();
        write.commit_silent("a test").await.unwrap();
        house.ask(Method::GET, &path, &cookie, "").await
    };
    let locked = change(&pem("BBBBB")).await;
    assert_eq!(locked.status, StatusCode::CONFLICT);
    assert_eq!(asked(&house), []);
    let opens = change(&pem("AAAAA")).await;
    assert_eq!(opens.status, StatusCode::OK, "{}", opens.body);
    assert!(asked(&house)[0].1.contains(SECRET));

    // Without an authority everybody's vouch for the same address: the password goes on.
    let without = edit("", "").await;
    assert_eq!(without.status, StatusCode::SEE_OTHER, "{}", without.body);
    let page = house.ask(Method::GET, &path, &cookie, "").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(asked(&house)[0].1.contains(SECRET));
}

#[tokio::test]
async fn what_is_typed_for_once_needs_no_key() {
    let (mut house, cookie, _, _) = keeping().await;
    std::fs::remove_file(house.dir.path().join("secrets.key")).unwrap();
    house.app.close().await;
    let store = Store::open(&house.dir.path().join("gantry.db"))
        .await
        .unwrap();
    let (clock, tasks) = (house.clock.clone(), house.tasks.clone());
    let client = house.engine.client();
    house.app = App::new(store, clock, tasks, client, Front::default());
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    asked(&house);
    let (path, body) = ("/images/pull", "reference=registry.test%3A5000%2Fa");
    let by_kept = house.ask(Method::POST, path, &cookie, body).await;
    assert_eq!(by_kept.status, StatusCode::CONFLICT, "{}", by_kept.body);
    let typed = format!("{body}&user=ben&password=typed-once");
    let begun = house.ask(Method::POST, path, &cookie, &typed).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
    house
        .wait(|_| house.engine.with(|state| !state.registries.is_empty()))
        .await;
    let (_, auth) = asked(&house).remove(0);
    assert!(auth.contains("typed-once"), "{auth}");
}
