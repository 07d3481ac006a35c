//! The index keeps in step with the engine, and is fast.

use std::time::Instant;

use axum::http::Method;
use backend::domain::Role;
use backend::fleet::{ContainerQuery, HostState, Phase};

use crate::engine::id;
use crate::house::House;

#[tokio::test]
async fn what_happens_at_the_engine_shows_in_the_index() {
    let house = House::new().await;
    assert_eq!(house.app.services.index().counts().all, 2);

    house.engine.with(|state| {
        state
            .containers
            .push((id(3), "new".to_owned(), "created".to_owned()));
    });
    house.engine.tell("create", &id(3));
    house
        .wait(|app| app.services.index().find_container("new").is_some())
        .await;

    house.engine.with(|state| state.containers.remove(0));
    house.engine.tell("destroy", &id(1));
    house
        .wait(|app| app.services.index().find_container("web").is_none())
        .await;
}

#[tokio::test]
async fn while_the_engine_is_away_the_index_keeps_what_it_knew() {
    let house = House::without_engine().await;
    house.engine.with(|state| state.is_away = true);
    house.app.begin().await.unwrap();
    house
        .wait(|app| matches!(app.services.index().host().state, HostState::Offline { .. }))
        .await;

    house.engine.with(|state| state.is_away = false);
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    let web = house.app.services.index().find_container("web").unwrap();
    assert_eq!(web.phase, Phase::Running);
}

#[tokio::test]
async fn a_name_an_id_and_the_beginning_of_one_find_a_container() {
    let house = House::new().await;
    let index = house.app.services.index();
    assert!(index.find_container("web").is_some());
    assert!(index.find_container(&id(2)).is_some());
    assert!(index.find_container("0000").is_none(), "two begin so");
    assert!(index.find_container("../web").is_none());
    assert!(index.find_image("gantry/hello:latest").is_some());
}

#[tokio::test]
async fn a_thousand_containers_are_listed_in_no_time() {
    let house = House::without_engine().await;
    house.engine.with(|state| {
        state.containers = (0..1_000)
            .map(|n| (id(n), format!("c{n:04}"), "running".to_owned()))
            .collect();
    });
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().counts().all == 1_000)
        .await;

    let query = ContainerQuery {
        filter: "c0 state:running".to_owned(),
        ..Default::default()
    };
    let begun = Instant::now();
    let page = house.app.services.index().containers(&query);
    println!("a page of 1,000 containers: {:?}", begun.elapsed());
    assert_eq!((page.rows.len(), page.n_matching), (50, 1_000));
}

#[tokio::test]
async fn the_overview_counts_all_images_and_names_what_ended_last() {
    let house = House::without_engine().await;
    house.engine.with(|state| {
        state.images = (0..120)
            .map(|n| (format!("sha256:{}", id(1_000 + n)), format!("image:{n}")))
            .collect();
        // The oldest of many ended last, badly.
        state.containers = (1..=600)
            .map(|n| (id(n), format!("c{n}"), "exited".to_owned()))
            .collect();
        state
            .containers
            .push((id(9_000), "half-removed".to_owned(), "dead".to_owned()));
        state
            .containers
            .push((id(9_001), "held".to_owned(), "paused".to_owned()));
        state.failed = Some(id(1));
    });
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    let (cookie, _) = house.person("ana", Role::Owner).await;

    let page = house.ask(Method::GET, "/", &cookie, "").await.body;

    assert_eq!(house.app.services.index().image_totals().0, 120);
    assert!(page.contains(">120<"), "{page}");
    let counts = house.app.services.index().counts();
    assert_eq!((counts.running, counts.exited, counts.all), (0, 600, 602));
    assert!(page.contains("half-removed"), "a dead one");
    assert!(page.contains(">c1<"), "the one that ended last");
    assert!(!page.contains(">c2<"), "one that ended well");
}
