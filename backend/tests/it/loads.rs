//! What containers use while nobody looks: the last hour at first paint, and the order by use.

use std::time::Duration;

use axum::http::Method;
use backend::domain::Role;
use backend::services::metrics;
use jiff::SignedDuration;

use crate::engine::id;
use crate::house::House;

const MIB: u64 = 1 << 20;

/// Lets minutes pass in which each container uses that share of a processor, and that memory.
async fn pass(house: &House, minutes: u32, shares: &[(usize, u64, u64)]) {
    for _ in 0..minutes {
        house.clock.advance(SignedDuration::from_secs(60));
        house.engine.with(|state| {
            state.second += 60;
            for (number, percent, memory) in shares {
                let more = percent * 60 * 10_000_000;
                match state
                    .used
                    .iter_mut()
                    .find(|(used, ..)| *used == id(*number))
                {
                    Some((_, nanoseconds, mib)) => {
                        *nanoseconds += more;
                        *mib = memory * MIB;
                    }
                    None => state.used.push((id(*number), more, memory * MIB)),
                }
            }
        });
        metrics::take_round(&house.app.services).await.unwrap();
    }
}

#[tokio::test]
async fn an_hour_that_nobody_watched_is_there_at_first_paint() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    pass(&house, 70, &[(1, 25, 12)]).await;

    let path = format!("/containers/{}/stats", id(1));
    let page = house.ask(Method::GET, &path, &cookie, "").await;
    let n_rows = page.body.matches("<td>25.0 %</td>").count();
    assert_eq!(n_rows, 60, "a row a minute of the last hour");
    assert!(page.body.contains("data-slot=\"now\">25.0 %<"));

    let list = house.ask(Method::GET, "/containers", &cookie, "").await;
    assert!(list.body.contains("25.0 %") && list.body.contains("12.0 MiB"));
    let (_, cell) = list
        .body
        .split_once(&format!("id=\"cpu-{}\"", id(1)))
        .unwrap();
    let (_, points) = cell.split_once("points=\"").unwrap();
    let points = points.split('"').next().unwrap();
    assert_eq!(points.split(' ').count(), 60);
}

#[tokio::test]
async fn each_running_container_is_asked_once_a_minute_and_no_other() {
    let house = House::new().await;
    pass(&house, 2, &[(1, 5, 1)]).await;
    let before = house.engine.with(|state| state.n_usages);
    for _ in 0..20 {
        house.clock.advance(SignedDuration::from_secs(15));
        metrics::take_round(&house.app.services).await.unwrap();
    }
    let asked = house.engine.with(|state| state.n_usages) - before;
    assert!((4..=6).contains(&asked), "five minutes, {asked} questions");
}

#[tokio::test]
async fn a_list_is_ordered_by_use_and_what_does_not_run_comes_last() {
    let house = House::without_engine().await;
    house.engine.with(|state| {
        state.containers = vec![
            (id(1), "busy".into(), "running".into()),
            (id(2), "ended".into(), "exited".into()),
            (id(3), "large".into(), "running".into()),
            (id(4), "idle".into(), "running".into()),
        ];
    });
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    pass(&house, 3, &[(1, 90, 10), (3, 10, 900), (4, 1, 5)]).await;

    for (sort, expected) in [
        ("-cpu", ["busy", "large", "idle", "ended"]),
        ("cpu", ["idle", "large", "busy", "ended"]),
        ("-memory", ["large", "busy", "idle", "ended"]),
        ("memory", ["idle", "busy", "large", "ended"]),
    ] {
        let path = format!("/containers?sort={sort}");
        let page = house.ask(Method::GET, &path, &cookie, "").await;
        let place = |name: &str| page.body.find(&format!(">{name}</a>")).unwrap();
        let places = expected.map(place);
        assert!(places.is_sorted(), "{sort}: {places:?}");
    }
}

/// Two hundred containers that nobody looks at cost a round of questions and a little memory.
#[tokio::test]
async fn two_hundred_containers_are_sampled_without_holding_anybody_up() {
    let house = House::without_engine().await;
    house.engine.with(|state| {
        state.containers = (1..=200)
            .map(|n| (id(n), format!("c{n}"), "running".to_owned()))
            .collect();
    });
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().counts().running == 200)
        .await;
    let shares: Vec<_> = (1..=200).map(|n| (n, 3, 4)).collect();
    let round = tokio::time::timeout(Duration::from_secs(60), pass(&house, 2, &shares));
    round.await.unwrap();
    assert!(house.engine.with(|state| state.n_usages) >= 400);
}
