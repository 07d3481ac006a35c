//! Load: one stream of the engine for all who look.

use axum::body::Bytes;
use backend::access::{Permit, container};
use backend::services::metrics;
use engine_api::stats::Stats;

use super::stage::{Stage, owner};
use crate::engine::id;

pub(super) fn sample(second: u64) -> Bytes {
    let mut stats = Stats {
        read: format!("2027-01-15T08:00:{second:02}.000000000Z"),
        ..Stats::default()
    };
    stats.cpu_stats.online_cpus = Some(2);
    stats.cpu_stats.system_cpu_usage = Some(second * 2_000_000_000);
    stats.cpu_stats.cpu_usage.total_usage = second * 250_000_000;
    format!("{}\n", serde_json::to_string(&stats).unwrap()).into()
}

#[tokio::test]
async fn two_watchers_share_one_stream_that_ends_with_the_last() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let (_, ben) = owner(&house, "ben").await;
    let anas: Permit<container::View> = house.permit(&ana, &id(1)).await;
    let bens: Permit<container::View> = house.permit(&ben, &id(1)).await;
    let engine = stage.next_stream();

    let mut first = metrics::watch(&house.app.services, &anas).unwrap();
    let mut second = metrics::watch(&house.app.services, &bens).unwrap();
    for n in 1..=3 {
        engine.send(sample(n)).await.unwrap();
    }

    for watch in [&mut first, &mut second] {
        let load = watch.next().await.unwrap();
        assert!((load.cpu_percent - 25.0).abs() < 1e-9);
    }
    assert_eq!(stage.streams(), (1, 1));
    drop(first);
    second.next().await.unwrap();
    drop(second);
    stage.wait_open(0).await;

    let mut late = metrics::watch(&house.app.services, &anas).unwrap();
    assert_eq!(
        late.take_history().len(),
        2,
        "what was measured before is kept"
    );
}

#[tokio::test]
async fn a_container_that_is_removed_ends_the_look_at_it() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let permit: Permit<container::View> = house.permit(&ana, &id(1)).await;
    let engine = stage.next_stream();
    let mut watch = metrics::watch(&house.app.services, &permit).unwrap();
    stage.wait_open(1).await;

    stage.with(|play| play.containers.clear());
    stage.happens("destroy", &id(1), 1_800_000_000_000_000_001, true);
    drop(engine);

    assert!(watch.next().await.is_none());
}
