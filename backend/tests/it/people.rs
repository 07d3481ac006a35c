//! People and their sessions, and what they may see of a container's values: by the pages.

use axum::http::{Method, StatusCode, header};
use backend::access::{account, audit as audit_permission};
use backend::domain::Role;
use backend::services::{accounts, audit};
use backend::store::audit::Filter;
use backend::store::sessions;

use crate::engine::id;
use crate::house::{ADDRESS, House};

async fn actions(house: &House, actor: &backend::access::Actor) -> Vec<String> {
    let permit = house.permit::<audit_permission::View>(actor, "").await;
    let entries = audit::list(&house.app.services, &permit, Filter::default(), None).await;
    let entries = entries.unwrap().into_iter();
    entries.map(|entry| entry.action).collect()
}

fn key_of(cookie: &str) -> String {
    let id = cookie.trim_start_matches("gantry=").parse().unwrap();
    sessions::key(&id).to_string()
}

#[tokio::test]
async fn a_person_sees_where_they_are_logged_in_and_ends_one_of_them() {
    let house = House::new().await;
    let (here, ana) = house.person("ana", Role::Owner).await;
    let there = house.login(&ana.account).await;

    let page = house.ask(Method::GET, "/account", &here, "").await;
    assert!(page.body.contains("curl/8.5.0"), "the browser");
    assert!(page.body.contains(&ADDRESS.to_string()), "the address");

    let body = format!("session={}", key_of(&there));
    let done = house
        .ask(Method::POST, "/account/sessions/end", &here, &body)
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(house.actor(&there).await.is_none() && house.actor(&here).await.is_some());
    let again = house
        .ask(Method::POST, "/account/sessions/end", &here, &body)
        .await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else() {
    let house = House::new().await;
    let (ana, _) = house.person("ana", Role::Owner).await;
    let (vic, _) = house.person("vic", Role::Viewer).await;
    for session in [key_of(&ana), "x".to_owned(), "x".repeat(500)] {
        let body = format!("session={session}");
        let answer = house
            .ask(Method::POST, "/account/sessions/end", &vic, &body)
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{session}");
    }
    assert!(house.actor(&ana).await.is_some());
}

#[tokio::test]
async fn all_other_sessions_end_at_once() {
    let house = House::new().await;
    let (here, ana) = house.person("ana", Role::Owner).await;
    let others = [
        house.login(&ana.account).await,
        house.login(&ana.account).await,
    ];
    house
        .ask(Method::POST, "/account/sessions/end", &here, "")
        .await;
    for other in others {
        assert!(house.actor(&other).await.is_none());
    }
    let permit = house.permit::<account::View>(&ana, "").await;
    let left = accounts::own_sessions(&house.app.services, &permit).await;
    assert_eq!(left.unwrap().len(), 1);
}

#[tokio::test]
async fn a_person_is_removed_after_a_question_that_says_what_goes_and_what_stays() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let (vics, vic) = house.person("vic", Role::Viewer).await;
    let path = format!("/people/{}/remove", vic.account.id);

    let list = house.ask(Method::GET, "/people", &cookie, "").await;
    assert!(list.body.contains(&path));
    let question = house.ask(Method::GET, &path, &cookie, "").await;
    assert!(question.body.contains("vic") && question.body.contains("sessions"));
    assert!(question.body.contains("Containers and images stay"));
    assert!(house.actor(&vics).await.is_some(), "asking removes nobody");

    let done = house.ask(Method::POST, &path, &cookie, "").await;
    assert_eq!(done.headers[header::LOCATION], "/people");
    assert!(house.actor(&vics).await.is_none());
    let list = house.ask(Method::GET, "/people", &cookie, "").await;
    assert!(!list.body.contains(&path));
    let noted = actions(&house, &ana).await;
    assert!(noted.contains(&"people.remove".to_owned()), "{noted:?}");
}

#[tokio::test]
async fn the_last_owner_stays_and_the_page_says_why() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let list = house.ask(Method::GET, "/people", &cookie, "").await;
    assert!(list.body.contains("The last owner cannot be removed"));

    let path = format!("/people/{}/remove", ana.account.id);
    let refused = house.ask(Method::POST, &path, &cookie, "").await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert!(house.actor(&cookie).await.is_some());

    house.account("ben", Role::Owner).await;
    let done = house.ask(Method::POST, &path, &cookie, "").await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(house.actor(&cookie).await.is_none(), "one's own goes too");
}

#[tokio::test]
async fn values_are_shown_to_who_may_see_them_and_it_is_noted() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let path = format!("/containers/{}/inspect", id(1));

    let masked = house.ask(Method::GET, &path, &cookie, "").await;
    assert!(!masked.body.contains("s3cret") && masked.body.contains("Show values"));
    assert!(
        !actions(&house, &ana)
            .await
            .contains(&"container.reveal".to_owned())
    );

    let overview = format!("/containers/{}", id(1));
    let overview = house.ask(Method::GET, &overview, &cookie, "").await;
    assert!(overview.body.contains(&path) && !overview.body.contains("s3cret"));

    let shown = house.ask(Method::POST, &path, &cookie, "").await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.body.contains("s3cret") && !shown.body.contains("Show values"));
    assert_eq!(shown.headers[header::CACHE_CONTROL], "no-store");
    assert!(
        actions(&house, &ana)
            .await
            .contains(&"container.reveal".to_owned())
    );

    let (vic, _) = house.person("vic", Role::Viewer).await;
    let refused = house.ask(Method::POST, &path, &vic, "").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!refused.body.contains("s3cret"));
    let overview = format!("/containers/{}", id(1));
    let overview = house.ask(Method::GET, &overview, &vic, "").await;
    assert!(
        overview.body.contains("container.reveal"),
        "the reason is said"
    );
}

#[tokio::test]
async fn what_was_just_done_is_on_the_page_that_follows() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let path = format!("/containers/{}/remove", id(2));
    let row = format!("row-{}", id(2));
    let list = house.ask(Method::GET, "/containers", &cookie, "").await;
    assert!(list.body.contains(&row));

    house.ask(Method::POST, &path, &cookie, "").await;
    let list = house.ask(Method::GET, "/containers", &cookie, "").await;
    assert!(!list.body.contains(&row), "a removed container lingers");

    let path = format!("/containers/{}/stop", id(1));
    house.ask(Method::POST, &path, &cookie, "").await;
    assert_eq!(house.app.services.index().counts().running, 0);
}

#[tokio::test]
async fn a_tab_tells_the_socket_which_it_is() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    for tab in ["logs", "stats", "terminal", "inspect"] {
        let path = format!("/containers/{}/{tab}", id(1));
        let page = house.ask(Method::GET, &path, &cookie, "").await;
        let topic = format!("container:{}:{tab}", id(1));
        assert!(page.body.contains(&topic), "{tab}");
    }
}
