//! Jobs: progress, cancelling, and an archive that breaks off.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use backend::access::{Permit, image, job};
use backend::services::images::{self, PullRequest};
use backend::services::jobs::{self, JobState};
use backend::services::{audit, jobs::JobFact};
use frontend::live::ToPage;
use frontend::paths;

use super::page::{look_at, until};
use super::sockets::{open, serve};
use super::stage::{Stage, owner};
use crate::house::{House, PATIENCE};

async fn fact(house: &House, actor: &backend::access::Actor, id: &str) -> JobFact {
    let permit: Permit<job::View> = house.permit(actor, id).await;
    jobs::show(&house.app.services, &permit).unwrap()
}

async fn pull(house: &House, actor: &backend::access::Actor, name: &str) -> String {
    let permit: Permit<image::Pull> = house.permit(actor, "").await;
    let request = PullRequest {
        reference: name.parse().unwrap(),
        platform: None,
        credentials: None,
    };
    let id = images::pull(&house.app.services, &permit, request)
        .await
        .unwrap();
    id.to_string()
}

async fn results(house: &House, actor: &backend::access::Actor) -> Vec<(String, String)> {
    let permit: Permit<backend::access::audit::View> = house.permit(actor, "").await;
    let list = audit::list(&house.app.services, &permit, Default::default(), None)
        .await
        .unwrap();
    list.into_iter()
        .map(|record| (record.action, record.result))
        .collect()
}

#[tokio::test]
async fn a_pull_tells_how_far_each_layer_is_and_ends() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let lines = stage.next_stream();

    let id = pull(&house, &ana, "nginx:1").await;
    let line = r#"{"status":"Downloading","id":"aa","progressDetail":{"current":1,"total":4}}"#;
    lines.send(Bytes::from(format!("{line}\n"))).await.unwrap();
    let job = id.parse().unwrap();
    house
        .wait(|app| {
            app.services
                .jobs()
                .find(&job)
                .is_some_and(|f| !f.progress.layers.is_empty())
        })
        .await;
    assert_eq!(
        pull(&house, &ana, "nginx:1").await,
        id,
        "the same pull is joined"
    );

    drop(lines);
    house
        .wait(|app| {
            app.services
                .jobs()
                .find(&job)
                .is_some_and(|f| !f.is_running())
        })
        .await;
    assert_eq!(fact(&house, &ana, &id).await.state, JobState::Done);
    assert_eq!(
        results(&house, &ana).await,
        [("image.pull".to_owned(), String::new())]
    );
}

#[tokio::test]
async fn a_tab_that_comes_late_is_told_how_a_job_has_ended() {
    let (house, stage) = Stage::house().await;
    let (cookie, ana) = owner(&house, "ana").await;
    let lines = stage.next_stream();
    let id = pull(&house, &ana, "nginx:1").await;
    drop(lines);
    let job = id.parse().unwrap();
    let has_ended = |app: &backend::app::App| {
        let fact = app.services.jobs().find(&job);
        fact.is_some_and(|fact| !fact.is_running())
    };
    house.wait(has_ended).await;

    let address = serve(&house).await;
    let mut socket = open(address, &paths::LivePage.to_string(), &cookie).await;
    look_at(&mut socket, &["jobs".to_owned(), format!("job:{id}")]).await;

    let panel = format!("job-panel-{id}");
    let is_panel = |message: &ToPage| matches!(message, ToPage::Replace { id, .. } if *id == panel);
    let ToPage::Replace { html, .. } = until(&mut socket, is_panel).await else {
        unreachable!()
    };
    assert!(html.contains("Done"), "{html}");
}

#[tokio::test]
async fn cancelling_a_job_drops_the_engines_stream() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let id = pull(&house, &ana, "nginx:1").await;
    stage.wait_open(1).await;

    let permit: Permit<job::Cancel> = house.permit(&ana, &id).await;
    jobs::cancel(&house.app.services, &permit).await.unwrap();

    stage.wait_open(0).await;
    let job = id.parse().unwrap();
    house
        .wait(|app| {
            app.services
                .jobs()
                .find(&job)
                .is_some_and(|f| !f.is_running())
        })
        .await;
    let state = fact(&house, &ana, &id).await.state;
    let message = "obstacle-cancelled".to_owned();
    assert_eq!(state, JobState::Cancelled { message });
}

#[tokio::test]
async fn a_failure_in_the_middle_is_the_jobs_and_the_audits() {
    let (house, stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let lines = stage.next_stream();
    let id = pull(&house, &ana, "nginx:1").await;
    lines
        .send(Bytes::from_static(
            b"{\"error\":\"no space left on device\"}\n",
        ))
        .await
        .unwrap();

    let job = id.parse().unwrap();
    house
        .wait(|app| {
            app.services
                .jobs()
                .find(&job)
                .is_some_and(|f| !f.is_running())
        })
        .await;
    let message = "no space left on device".to_owned();
    assert_eq!(
        fact(&house, &ana, &id).await.state,
        JobState::Failed {
            message: message.clone()
        }
    );
    let deadline = Instant::now() + PATIENCE;
    while results(&house, &ana).await[0].1 != message {
        assert!(Instant::now() < deadline, "the audit does not say why");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_archive_is_loaded_whole_or_not_at_all() {
    let (house, _stage) = Stage::house().await;
    let (_, ana) = owner(&house, "ana").await;
    let permit: Permit<image::Load> = house.permit(&ana, "").await;

    let (whole, upload) = images::load(&house.app.services, &permit, "a.tar")
        .await
        .unwrap();
    for _ in 0..100 {
        assert!(upload.send(Bytes::from_static(&[7; 1_000])).await);
    }
    upload.finish();
    let (broken, upload) = images::load(&house.app.services, &permit, "b.tar")
        .await
        .unwrap();
    assert!(upload.send(Bytes::from_static(b"half")).await);
    drop(upload);

    for id in [&whole, &broken] {
        house
            .wait(|app| {
                app.services
                    .jobs()
                    .find(id)
                    .is_some_and(|f| !f.is_running())
            })
            .await;
    }
    let whole = house.app.services.jobs().find(&whole).unwrap();
    assert_eq!(
        (whole.state, whole.progress.notes),
        (JobState::Done, vec!["Loaded image: 100000".to_owned()])
    );
    let broken = house.app.services.jobs().find(&broken).unwrap();
    assert!(
        matches!(broken.state, JobState::Failed { .. }),
        "{:?}",
        broken.state
    );
}
