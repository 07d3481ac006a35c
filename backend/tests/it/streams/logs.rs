//! Logs: what a slow reader misses, and what happens when one goes.

use backend::access::{Permit, container};
use backend::services::logs::{self, Item, LogsRequest};
use futures_util::StreamExt as _;

use super::stage::{Stage, end_sessions, framed, owner};
use crate::engine::id;

/// The manual clock of the house stands here.
const NOW: &str = "2027-01-15T08:00:00.000000000Z";
const BEFORE: &str = "2027-01-15T07:59:59.999999999Z";

#[tokio::test]
async fn a_reader_gets_lines_with_their_times_and_the_end() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let permit: Permit<container::Logs> = house.permit(&ana, &id(1)).await;
    let engine = stage.next_stream();

    let mut stream = logs::follow(&house.app.services, &permit, &LogsRequest::default())
        .await
        .unwrap();
    engine
        .send(framed(&format!("{BEFORE} one\n{NOW} tw")))
        .await
        .unwrap();
    engine.send(framed("o\n")).await.unwrap();
    drop(engine);

    let mut texts = Vec::new();
    while let Some(item) = stream.next().await.unwrap() {
        let Item::Lines(lines) = item else {
            panic!("nothing is skipped")
        };
        texts.extend(lines.into_iter().map(|line| (line.nano, line.text)));
    }
    let nano = 1_800_000_000_000_000_000;
    assert_eq!(
        texts,
        [(nano - 1, "one".to_owned()), (nano, "two".to_owned())]
    );
    stage.wait_open(0).await;
}

#[tokio::test]
async fn a_reader_who_does_not_read_misses_lines_and_is_told_how_many() {
    const N_LINES: usize = 50_000;
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let permit: Permit<container::Logs> = house.permit(&ana, &id(1)).await;
    let engine = stage.next_stream();
    let mut stream = logs::follow(&house.app.services, &permit, &LogsRequest::default())
        .await
        .unwrap();

    let piece = framed(&format!("{NOW} a line of a busy program\n").repeat(500));
    for _ in 0..N_LINES / 500 {
        engine.send(piece.clone()).await.unwrap();
    }
    drop(engine);
    stage.wait_open(0).await;

    let (mut shown, mut skipped) = (0, 0);
    while let Some(item) = stream.next().await.unwrap() {
        match item {
            Item::Lines(lines) => shown += lines.len(),
            Item::Skipped(count) => skipped += usize::try_from(count).unwrap(),
        }
    }
    assert_eq!(shown + skipped, N_LINES);
    assert!(skipped > N_LINES / 2, "{skipped}");
}

#[tokio::test]
async fn what_was_written_before_is_shown_whole_to_a_slow_reader() {
    const N_LINES: usize = 50_000;
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let permit: Permit<container::Logs> = house.permit(&ana, &id(1)).await;
    let engine = stage.next_stream();
    let mut stream = logs::follow(&house.app.services, &permit, &LogsRequest::default())
        .await
        .unwrap();
    house.tasks.finish("writer", async move {
        let piece = framed(&format!("{BEFORE} a line of long ago\n").repeat(500));
        for _ in 0..N_LINES / 500 {
            engine.send(piece.clone()).await.unwrap();
        }
    });

    let mut shown = 0;
    while let Some(item) = stream.next().await.unwrap() {
        let Item::Lines(lines) = item else {
            panic!("the past is not skipped")
        };
        shown += lines.len();
    }
    assert_eq!(shown, N_LINES);
}

#[tokio::test]
async fn a_reader_who_goes_takes_the_engines_stream_along() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let permit: Permit<container::Logs> = house.permit(&ana, &id(1)).await;
    let stream = logs::follow(&house.app.services, &permit, &LogsRequest::default())
        .await
        .unwrap();
    stage.wait_open(1).await;

    drop(stream);

    stage.wait_open(0).await;
}

#[tokio::test]
async fn a_download_that_is_cut_off_does_not_look_whole() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let permit: Permit<container::DownloadLogs> = house.permit(&ana, &id(1)).await;
    let engine = stage.next_stream();
    let request = LogsRequest::default();
    let file = logs::download(&house.app.services, &permit, &request).await;
    let mut file = std::pin::pin!(file.unwrap());
    engine.send(framed(&format!("{NOW} one\n"))).await.unwrap();

    end_sessions(&house, &ana).await;

    let mut last = None;
    while let Some(piece) = file.next().await {
        last = Some(piece);
    }
    assert!(last.unwrap().is_err(), "the browser sees a broken file");
}
