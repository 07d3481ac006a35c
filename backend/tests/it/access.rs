//! Permits and how they end.

use std::time::Duration;

use axum::http::Method;
use backend::access::{account, container, own_session, people, policy};
use backend::domain::{Place, Role, ServerPlace};
use backend::services::accounts;
use backend::store::sessions;

use crate::engine::id;
use crate::house::{House, PASSWORD, PATIENCE};

#[tokio::test]
async fn a_permit_names_the_thing_that_was_meant() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    for name in [id(1), "web".to_owned(), "/web".to_owned()] {
        let permit = house.permit::<container::Start>(&ana, &name).await;
        assert_eq!(permit.place().describe().id, id(1));
    }
}

#[tokio::test]
async fn a_viewer_gets_no_permit_to_change_a_container() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let (_, vic) = house.person("vic", Role::Viewer).await;
    let place = house
        .permit::<container::Start>(&ana, "web")
        .await
        .place()
        .clone();
    let refused = policy::permit::<container::Start>(&vic, place, house.app.services.watchtower())
        .unwrap_err();
    assert_eq!(refused.permission.name(), "container.start");
}

#[tokio::test]
async fn a_viewers_reach_ends_at_their_own_account() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let (_, vic) = house.person("vic", Role::Viewer).await;
    let of_ana = house
        .permit::<account::View>(&ana, "")
        .await
        .place()
        .clone();
    let of_vic = house
        .permit::<account::View>(&vic, "")
        .await
        .place()
        .clone();
    let watchtower = house.app.services.watchtower();
    assert!(policy::permit::<account::ChangePassword>(&vic, of_ana, watchtower).is_err());
    assert!(policy::permit::<account::ChangePassword>(&vic, of_vic, watchtower).is_ok());
}

#[tokio::test]
async fn a_stream_ends_when_its_session_does() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let permit = house.permit::<container::Exec>(&ana, "web").await;
    let revoked = permit.revoked();

    let session = house.session(Some(cookie.trim_start_matches("gantry=").parse().unwrap()));
    backend::access::session::end(&session).await.unwrap();
    accounts::announce(&house.app.services);

    tokio::time::timeout(PATIENCE, revoked).await.unwrap();
}

#[tokio::test]
async fn a_stream_ends_when_another_process_takes_the_right_away() {
    let house = House::new().await;
    house.account("ana", Role::Owner).await;
    let (_, ben) = house.person("ben", Role::Owner).await;
    let permit = house.permit::<container::Exec>(&ben, "web").await;
    let revoked = permit.revoked();

    let mut write = house.app.services.store().write().await.unwrap();
    backend::store::accounts::set_role(&mut write, &ben.account.id, Role::Viewer)
        .await
        .unwrap();
    write
        .commit_silent("another process does not announce")
        .await
        .unwrap();

    tokio::time::timeout(PATIENCE, revoked).await.unwrap();
}

#[tokio::test]
async fn a_stream_goes_on_while_nothing_about_it_changes() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let permit = house.permit::<container::Exec>(&ana, "web").await;
    house.app.services.watchtower().announce();
    let waited = tokio::time::timeout(Duration::from_millis(300), permit.revoked()).await;
    assert!(waited.is_err());
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let house = House::new().await;
    let (kept, ana) = house.person("ana", Role::Owner).await;
    let other = house.login(&ana.account).await;
    let permit = house.permit::<account::ChangePassword>(&ana, "").await;
    let new = "another harbour".to_owned();

    accounts::change_password(
        &house.app.services,
        &permit,
        PASSWORD.to_owned(),
        new.clone(),
        &new,
    )
    .await
    .unwrap();

    assert!(house.actor(&kept).await.is_some());
    assert!(house.actor(&other).await.is_none());
}

#[tokio::test]
async fn other_sessions_can_be_ended_and_are_counted() {
    let house = House::new().await;
    let (kept, ana) = house.person("ana", Role::Owner).await;
    house.login(&ana.account).await;
    let permit = house.permit::<own_session::End>(&ana, "").await;
    let ended = accounts::end_other_sessions(&house.app.services, &permit)
        .await
        .unwrap();
    assert_eq!(ended, 1);
    assert!(house.actor(&kept).await.is_some());
}

#[tokio::test]
async fn a_session_survives_the_server() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    house.app.close().await;

    let store = backend::store::Store::open(&house.dir.path().join("gantry.db"))
        .await
        .unwrap();
    let key = sessions::key(&cookie.trim_start_matches("gantry=").parse().unwrap());
    let role = sessions::role_of(&mut store.read().await.unwrap(), &key, house.clock.now()).await;

    assert_eq!(role.unwrap(), Some(ana.account.role));
}

#[tokio::test]
async fn a_login_never_keeps_the_id_that_a_browser_came_with() {
    let house = House::new().await;
    let ana = house.account("ana", Role::Owner).await;
    let planted = tower_sessions::session::Id::default();
    let session = house.session(Some(planted));

    let browser = backend::domain::Browser::default();
    backend::access::session::begin(&session, &ana, crate::house::ADDRESS, &browser)
        .await
        .unwrap();

    assert_ne!(session.id(), Some(planted));
    assert!(house.actor(&format!("gantry={planted}")).await.is_none());
}

#[tokio::test]
async fn a_removed_account_is_gone_at_once() {
    let house = House::new().await;
    let (_, ana) = house.person("ana", Role::Owner).await;
    let (cookie, vic) = house.person("vic", Role::Viewer).await;
    let permit = house
        .permit::<people::Remove>(&ana, vic.account.id.as_str())
        .await;

    accounts::remove(&house.app.services, &permit)
        .await
        .unwrap();

    assert!(house.actor(&cookie).await.is_none());
    let answer = house.ask(Method::GET, "/nowhere", &cookie, "").await;
    assert_eq!(answer.status, 404);
    let own = house
        .permit::<people::Remove>(&ana, ana.account.id.as_str())
        .await;
    assert!(
        accounts::remove(&house.app.services, &own).await.is_err(),
        "the last owner stays"
    );
    let list = house.permit::<people::List>(&ana, "").await;
    assert_eq!(list.place(), &ServerPlace);
}
