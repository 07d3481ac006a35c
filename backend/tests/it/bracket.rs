//! The audit bracket: an entry before, its end after, and no change without one.

use axum::http::{Method, header};
use backend::access::{audit as audit_permission, container};
use backend::domain::{AuditRecord, Outcome, Role};
use backend::services::{Error, audit, containers};
use backend::store::audit::Filter;

use crate::engine::id;
use crate::house::{House, PATIENCE};

async fn entries(house: &House, actor: &backend::access::Actor) -> Vec<AuditRecord> {
    let permit = house.permit::<audit_permission::View>(actor, "").await;
    audit::list(&house.app.services, &permit, Filter::default(), None)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_change_is_made_on_behalf_of_somebody_and_noted_with_its_end() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let permit = house.permit::<container::Stop>(&ana, "web").await;

    containers::stop(&house.app.services, &permit)
        .await
        .unwrap();

    let (asked, caller) = house.engine.with(|state| state.asked.pop()).unwrap();
    assert_eq!(asked, format!("container.stop {}", id(1)));
    assert!(
        caller.contains(r#""actor":"ana""#) && caller.contains("container.stop"),
        "{caller}"
    );
    let entries = entries(&house, &ana).await;
    assert_eq!(entries[0].action, "container.stop");
    assert_eq!(entries[0].place_name, "web");
    assert_eq!(entries[0].outcome, Outcome::Done);
    assert_eq!(entries[0].request.as_deref(), Some(ana.request.as_str()));
    house
        .wait(|app| app.services.index().counts().running == 0)
        .await;
}

#[tokio::test]
async fn a_change_that_fails_is_noted_with_the_reason() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    house.engine.with(|state| state.is_broken = true);
    let permit = house.permit::<container::Start>(&ana, "db").await;

    let failed = containers::start(&house.app.services, &permit).await;

    assert!(matches!(failed, Err(Error::Engine { .. })), "{failed:?}");
    let entries = entries(&house, &ana).await;
    assert_eq!(entries[0].outcome, Outcome::Failed);
    assert_eq!(entries[0].result, "no space left on device");
}

#[tokio::test]
async fn a_change_that_cannot_be_noted_is_not_made() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let permit = house.permit::<container::Stop>(&ana, "web").await;
    house.app.services.store().close().await;

    let refused = containers::stop(&house.app.services, &permit).await;

    assert!(matches!(refused, Err(Error::Audit(_))), "{refused:?}");
    assert!(house.engine.with(|state| state.asked.is_empty()));
}

#[tokio::test]
async fn a_change_goes_on_when_nobody_waits_for_it() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let permit = house.permit::<container::Stop>(&ana, "web").await;
    house.engine.with(|state| state.holds = true);
    {
        let stop = containers::stop(&house.app.services, &permit);
        let asked = house.wait(|_| house.engine.with(|state| !state.asked.is_empty()));
        tokio::select! {
            _ = stop => panic!("the engine has not answered yet"),
            () = asked => {}
        }
    }
    house.engine.with(|state| state.holds = false);
    house.tasks.end(PATIENCE).await;

    let entries = entries(&house, &ana).await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].outcome, Outcome::Done, "{entries:?}");
}

#[tokio::test]
async fn a_viewer_sees_their_own_entries_only() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let (_, vic) = house.person("vic", Role::Viewer).await;
    let permit = house.permit::<container::Stop>(&ana, "web").await;
    containers::stop(&house.app.services, &permit)
        .await
        .unwrap();

    assert_eq!(entries(&house, &ana).await.len(), 1);
    assert_eq!(entries(&house, &vic).await.len(), 0);
}

#[tokio::test]
async fn what_the_server_left_open_is_ended_at_its_next_start() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let permit = house.permit::<container::Stop>(&ana, "web").await;
    audit::begin(&house.app.services, &permit, String::new())
        .await
        .unwrap();

    assert_eq!(
        audit::end_interrupted(&house.app.services).await.unwrap(),
        1
    );

    assert_eq!(entries(&house, &ana).await[0].outcome, Outcome::Interrupted);
}

#[tokio::test]
async fn a_container_that_is_made_and_does_not_start_is_there_and_says_why() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    house.engine.with(|state| state.is_broken = true);

    let form = "image=gantry%2Fhello&name=fresh&start=on";
    let answer = house.ask(Method::POST, "/containers", &cookie, form).await;

    assert_eq!(answer.status, 303, "{}", answer.body);
    let page = answer.headers[header::LOCATION].to_str().unwrap();
    let said = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(page.starts_with("/containers/"), "{page}");
    assert!(
        said.starts_with("gantry-said=failed-container-start."),
        "{said}"
    );
    let next = house
        .ask(Method::GET, page, &format!("{cookie}; {said}"), "")
        .await;
    assert!(next.body.contains("no space left on device"), "the reason");
    let entries = entries(&house, &ana).await;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (entry.action.as_str(), entry.outcome))
        .collect();
    let expected = [
        ("container.start", Outcome::Failed),
        ("container.create", Outcome::Done),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn what_is_done_to_many_goes_on_when_the_browser_leaves() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    house.engine.with(|state| state.holds = true);
    let form = format!("action=stop&id={}&id={}", id(1), id(2));
    {
        let bulk = house.ask(Method::POST, "/containers/bulk", &cookie, &form);
        let asked = house.wait(|_| house.engine.with(|state| !state.asked.is_empty()));
        tokio::select! {
            _ = bulk => panic!("the engine has not answered yet"),
            () = asked => {}
        }
    }
    house.engine.with(|state| state.holds = false);
    house
        .wait(|_| house.engine.with(|state| state.asked.len() == 2))
        .await;
    house.tasks.end(PATIENCE).await;
    let entries = entries(&house, &ana).await;
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|entry| entry.outcome == Outcome::Done));
}
