//! The index over an engine that comes and goes.

use crate::engine::id;

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
