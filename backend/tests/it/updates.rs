//! The update badge: what registries are asked, how often, and what pages say of it.

use std::time::Instant;

use axum::http::{Method, StatusCode};
use backend::app::App;
use backend::domain::{Front, Role};
use backend::services::updates;
use backend::store::{Reads, Store, tag_checks};
use jiff::SignedDuration;

use crate::engine::id;
use crate::house::{House, PATIENCE};

/// The name that containers run; its registry is one that is kept.
const NAME: &str = "registry.test:5000/shop/app:1";
const KEPT: &str = "name=Team&address=registry.test%3A5000&user=ann&secret=kept-quite-secret-9";

fn digest(number: usize) -> String {
    format!("sha256:{number:064x}")
}

/// A house whose containers run [`NAME`], which was digest 1 when it was pulled.
async fn running() -> (House, String) {
    let house = House::without_engine().await;
    house.engine.with(|state| {
        let image = format!("sha256:{}", id(7));
        state.runs = (NAME.to_owned(), image.clone());
        state.images = vec![(image.clone(), NAME.to_owned())];
        let known = format!("registry.test:5000/shop/app@{}", digest(1));
        state.digests = vec![(image, known)];
        state.remote = digest(1);
    });
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let added = house.ask(Method::POST, "/registries", &cookie, KEPT).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    // The server looks by itself too: what it asked in the meantime is the first look.
    round(&house).await;
    seen(&house, &cookie, "Up to date").await;
    (house, cookie)
}

/// The server's own look, as it takes one every few seconds.
async fn round(house: &House) {
    updates::take_round(&house.app.services).await.unwrap();
}

/// How often the registry was asked for the tag.
fn n_asked(house: &House) -> usize {
    let asked = house.engine.with(|state| state.registries.clone());
    asked
        .iter()
        .filter(|(asked, _)| asked.starts_with("repository.digest"))
        .count()
}

/// The list of containers comes to say it.
async fn seen(house: &House, cookie: &str, words: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = house.ask(Method::GET, "/containers", cookie, "").await;
        if page.body.contains(words) {
            return page.body;
        }
        assert!(Instant::now() < deadline, "{words}: {}", page.body);
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

/// The newer one is pulled: the old one runs on without its name, and the way on is an edit.
async fn newer_is_pulled(house: &House) {
    house.engine.with(|state| {
        let fresh = format!("sha256:{}", id(8));
        state.images = vec![
            (state.runs.1.clone(), "<none>:<none>".to_owned()),
            (fresh.clone(), NAME.to_owned()),
        ];
        let known = format!("registry.test:5000/shop/app@{}", digest(2));
        state.digests.push((fresh, known));
    });
    house.engine.tell_of_image("pull", NAME);
    house
        .wait(|app| {
            app.services
                .index()
                .find_image(NAME)
                .is_some_and(|fact| fact.id.as_str().ends_with('8'))
        })
        .await;
}

fn image_path(house: &House) -> String {
    let image = house.engine.with(|state| state.images[0].0.clone());
    format!("/images/{image}")
}

#[tokio::test]
async fn a_tag_is_asked_for_once_in_hours_by_the_password_of_its_registry() {
    let (house, cookie) = running().await;
    assert_eq!(
        n_asked(&house),
        1,
        "two containers that run it are one question"
    );
    let (asked, auth) = house.engine.with(|state| state.registries[0].clone());
    assert!(
        asked.starts_with("repository.digest registry.test:5000/shop/app:1"),
        "{asked}"
    );
    assert!(auth.contains("kept-quite-secret-9"), "{auth}");

    house.engine.with(|state| state.remote = digest(2));
    house.clock.advance(SignedDuration::from_hours(5));
    round(&house).await;
    assert_eq!(n_asked(&house), 1);
    house.clock.advance(SignedDuration::from_hours(3));
    round(&house).await;
    let page = seen(&house, &cookie, "Update available").await;
    assert_eq!(n_asked(&house), 2);
    assert!(page.contains("checked just now"), "{page}");

    let head = format!("/containers/{}", id(1));
    let head = house.ask(Method::GET, &head, &cookie, "").await;
    assert!(
        head.body.contains("Update available")
            && head
                .body
                .contains("?pull=registry.test:5000%2Fshop%2Fapp:1")
    );
    let list = house.ask(Method::GET, "/images", &cookie, "").await;
    assert!(list.body.contains("Update available"), "{}", list.body);
}

#[tokio::test]
async fn what_was_said_survives_a_restart_and_an_image_that_came_since_is_asked_about_anew() {
    let (mut house, cookie) = running().await;
    house.engine.with(|state| state.remote = digest(2));
    house.clock.advance(SignedDuration::from_hours(8));
    round(&house).await;
    seen(&house, &cookie, "Update available").await;

    house.app.close().await;
    let store = Store::open(&house.dir.path().join("gantry.db"))
        .await
        .unwrap();
    let (clock, tasks) = (house.clock.clone(), house.tasks.clone());
    house.app = App::new(store, clock, tasks, house.engine.client(), Front::default());
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    seen(&house, &cookie, "Update available").await;
    assert_eq!(n_asked(&house), 2, "a restart asks nobody");

    newer_is_pulled(&house).await;
    let head = format!("/containers/{}", id(1));
    let head = house.ask(Method::GET, &head, &cookie, "").await;
    assert!(head.body.contains("make it anew"), "{}", head.body);
}

#[tokio::test]
async fn a_failure_is_said_with_its_age_and_waits_longer_each_time() {
    let (house, cookie) = running().await;
    house
        .engine
        .with(|state| state.registry_says = Some("manifest unknown"));
    house.clock.advance(SignedDuration::from_hours(8));
    for n_asked_by_then in 2..5 {
        round(&house).await;
        let page = seen(&house, &cookie, "Could not be checked").await;
        assert!(page.contains("manifest unknown, "), "{page}");
        house.wait(|_| n_asked(&house) == n_asked_by_then).await;
        let wait = SignedDuration::from_mins(15 * (1 << (n_asked_by_then - 2)));
        // The answer is kept before the registry is free again.
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut read = house.app.services.store().read().await.unwrap();
            let kept = tag_checks::all(&mut read).await.unwrap();
            if usize::try_from(kept[0].n_failures).unwrap() == n_asked_by_then - 1 {
                let left = kept[0].next_at.duration_since(house.clock.now());
                assert!(left >= wait && left <= wait * 2, "{left:?}");
                break;
            }
            assert!(Instant::now() < deadline, "{kept:?}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        house.clock.advance(wait - SignedDuration::from_mins(1));
        round(&house).await;
        assert_eq!(n_asked(&house), n_asked_by_then);
        house.clock.advance(wait);
        free(&house).await;
    }
}

/// Waits until the last answer was taken in whole: a tag that is under way says so.
async fn free(house: &House) {
    let marks = house.app.services.marks();
    house
        .wait(|app| {
            let fact = app.services.index().find_image(NAME).unwrap();
            marks.of_name(&fact, NAME) != updates::Standing::UnderWay
        })
        .await;
}

#[tokio::test]
async fn a_registry_that_limits_us_is_left_alone_until_it_said() {
    let (house, cookie) = running().await;
    house.engine.with(|state| state.rests = Some(7_200));
    house.clock.advance(SignedDuration::from_hours(8));
    round(&house).await;
    seen(&house, &cookie, "Could not be checked").await;
    house.engine.with(|state| state.rests = None);

    let check = format!("{}/check?tag={NAME}", image_path(&house));
    let refused = house.ask(Method::POST, &check, &cookie, "").await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert!(
        refused.body.contains("another 7200 seconds"),
        "{}",
        refused.body
    );
    house.clock.advance(SignedDuration::from_mins(119));
    round(&house).await;
    assert_eq!(n_asked(&house), 2);
    house.clock.advance(SignedDuration::from_mins(60));
    free(&house).await;
    round(&house).await;
    seen(&house, &cookie, "Up to date").await;
    assert_eq!(n_asked(&house), 3);
}

#[tokio::test]
async fn check_now_is_a_persons_and_is_audited_and_asks_for_the_images_own_names_alone() {
    let (house, cookie) = running().await;
    updates::turn_off(&house.app.services);
    house.engine.with(|state| state.remote = digest(2));
    house.clock.advance(SignedDuration::from_hours(9));
    round(&house).await;
    assert_eq!(n_asked(&house), 1, "it is turned off");
    let path = image_path(&house);
    let page = house.ask(Method::GET, &path, &cookie, "").await;
    assert!(page.body.contains("--update-checks off"), "{}", page.body);

    let done = house
        .ask(
            Method::POST,
            &format!("{path}/check?tag={NAME}"),
            &cookie,
            "",
        )
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    seen(&house, &cookie, "Update available").await;
    let audit = house.ask(Method::GET, "/audit", &cookie, "").await;
    assert!(audit.body.contains("image.check"), "{}", audit.body);

    let other = house
        .ask(
            Method::POST,
            &format!("{path}/check?tag=evil.test/a:1"),
            &cookie,
            "",
        )
        .await;
    assert_eq!(
        other.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        other.body
    );
    let (vics, _) = house.person("vic", Role::Viewer).await;
    let refused = house
        .ask(Method::POST, &format!("{path}/check?tag={NAME}"), &vics, "")
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(n_asked(&house), 2);
}

#[tokio::test]
async fn what_was_made_here_is_not_asked_about_and_the_page_says_why() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    round(&house).await;
    assert_eq!(n_asked(&house), 0);
    let page = house.ask(Method::GET, "/containers", &cookie, "").await;
    assert!(!page.body.contains("class=\"update\""), "{}", page.body);
}

#[tokio::test]
async fn what_somebody_pulled_since_the_check_shows_that_the_old_one_still_runs() {
    let (house, cookie) = running().await;
    newer_is_pulled(&house).await;
    assert_eq!(n_asked(&house), 1, "nobody asked since");
    let head = format!("/containers/{}", id(1));
    let head = house.ask(Method::GET, &head, &cookie, "").await;
    assert!(head.body.contains("make it anew"), "{}", head.body);
    assert!(!head.body.contains("Up to date"), "{}", head.body);
}

#[tokio::test]
async fn what_a_registry_said_holds_though_the_disk_is_full() {
    let (house, cookie) = running().await;
    let mut write = house.app.services.store().write().await.unwrap();
    for full in [
        "create trigger full_one before insert on tag_check
         begin select raise(fail, 'database or disk is full'); end",
        "create trigger full_two before insert on registry_rest
         begin select raise(fail, 'database or disk is full'); end",
    ] {
        let made = sqlx::query(full).execute(write.connection()).await;
        made.unwrap();
    }
    write.commit_silent("a test").await.unwrap();

    house.engine.with(|state| state.rests = Some(7_200));
    house.clock.advance(SignedDuration::from_hours(8));
    round(&house).await;
    seen(&house, &cookie, "Could not be checked").await;
    free(&house).await;
    house.engine.with(|state| state.rests = None);
    house.clock.advance(SignedDuration::from_mins(119));
    round(&house).await;
    free(&house).await;
    assert_eq!(n_asked(&house), 2, "the registry said 7200 seconds");

    house.engine.with(|state| state.remote = digest(2));
    house.clock.advance(SignedDuration::from_mins(60));
    round(&house).await;
    seen(&house, &cookie, "Update available").await;
    free(&house).await;
    house.clock.advance(SignedDuration::from_mins(1));
    round(&house).await;
    free(&house).await;
    assert_eq!(n_asked(&house), 3);
}
