//! The index over an engine that comes and goes.

use std::time::{Duration, Instant};

use backend::fleet::doctor::Diagnosis;
use backend::fleet::{EngineClient, HostState, Index, Link, Pulse, ingest};

use crate::engine::id;
use crate::house::{House, PATIENCE};

use super::stage::Stage;

#[tokio::test]
async fn what_happened_while_the_engine_was_out_of_sight_is_not_missed() {
    let (house, stage) = Stage::house().await;
    stage.happens("start", &id(1), 1_800_000_000_000_000_001, true);
    house
        .wait(|app| app.services.index().events(&Default::default()).n_all == 1)
        .await;

    stage.break_events();
    stage.with(|play| play.containers.push((id(2), "db".into(), "exited".into())));
    stage.happens("create", &id(2), 1_800_000_000_000_000_002, false);
    stage.happens("die", &id(2), 1_800_000_000_000_000_003, false);

    house
        .wait(|app| app.services.index().events(&Default::default()).n_all == 3)
        .await;
    assert!(house.app.services.index().find_container("db").is_some());
    let asked = stage.with(|play| play.asked_since.clone());
    assert_eq!(asked[1], "1800000000.000000001", "from the last one on");
}

#[tokio::test]
async fn a_container_that_went_while_nobody_looked_is_gone() {
    let (house, stage) = Stage::house().await;
    stage.break_events();
    stage.with(|play| play.containers.clear());
    house
        .wait(|app| app.services.index().counts().all == 0)
        .await;
}

/// Waits until what is known of the engine is as expected.
async fn state(index: &Index, expected: impl Fn(&HostState) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let state = index.host().state.clone();
        if expected(&state) {
            return;
        }
        assert!(Instant::now() < deadline, "the engine is {state:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn quick_eyes(house: &House) -> Index {
    let index = Index::default();
    let client = EngineClient::unix(house.dir.path().join("engine.sock"));
    let pulse = Pulse {
        every: Duration::from_millis(30),
        patience: Duration::from_millis(500),
    };
    let following = ingest(Link::new(client), index.clone(), house.clock.clone(), pulse);
    house.tasks.spawn("quick eyes", following);
    index
}

#[tokio::test]
async fn an_engine_that_hangs_is_not_online() {
    let (house, stage) = Stage::house().await;
    let index = quick_eyes(&house);
    state(&index, HostState::is_online).await;

    stage.with(|play| play.hangs = true);

    let is_slow = |state: &HostState| {
        matches!(
            state,
            HostState::Offline {
                diagnosis: Diagnosis::TooSlow,
                ..
            }
        )
    };
    state(&index, is_slow).await;
    stage.with(|play| play.hangs = false);
    state(&index, HostState::is_online).await;
}
