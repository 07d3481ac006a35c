//! While the engine is away: every page that shows what it said says so, and how old that is.

use axum::http::Method;
use backend::domain::Role;
use backend::fleet::HostState;

use crate::house::House;

const SAYS: &str = "Containers keep running.";
const AS_OF: &str = "What you see is as it was at 2027-01-15 08:00:00 UTC.";

#[tokio::test]
async fn every_list_says_that_the_engine_is_away_and_since_when() {
    let house = House::without_engine().await;
    house.engine.with(|state| state.is_away = true);
    house.app.begin().await.unwrap();
    house
        .wait(|app| matches!(app.services.index().host().state, HostState::Offline { .. }))
        .await;
    let (cookie, _) = house.person("ana", Role::Owner).await;

    for path in ["/", "/containers", "/images", "/events"] {
        let page = house.ask(Method::GET, path, &cookie, "").await.body;
        assert_eq!(page.matches(SAYS).count(), 1, "{path}: {page}");
        assert!(page.contains(AS_OF), "{path}: {page}");
    }
    let page = house.ask(Method::GET, "/account", &cookie, "").await.body;
    assert!(!page.contains(SAYS), "an account is not the engine's");

    house.engine.with(|state| state.is_away = false);
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    for path in ["/", "/containers", "/images", "/events"] {
        let page = house.ask(Method::GET, path, &cookie, "").await.body;
        assert!(!page.contains(SAYS) && !page.contains(AS_OF), "{path}");
    }
}
