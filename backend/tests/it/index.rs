//! The index keeps in step with the engine, and is fast.

use std::time::Instant;

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
