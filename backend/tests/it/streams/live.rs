//! The tab's shared socket: what changed comes as the part that the page was drawn with.

use backend::access::{Permit, image};
use backend::domain::Role;
use backend::services::images::{self, PullRequest};
use frontend::live::ToPage;
use frontend::paths;
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use super::sockets::{Socket, next, open, serve};
use super::stage::{Stage, end_sessions, owner};
use crate::engine::id;
use crate::house::House;

const NANO: i64 = 1_800_000_000_000_000_000;

/// Opens the socket and waits until the server looks at the topics: then it draws the tray.
async fn look_at(house: &House, cookie: &str, topics: &[String]) -> Socket {
    let address = serve(house).await;
    let mut socket = open(address, &paths::LivePage.to_string(), cookie).await;
    let topics: Vec<_> = topics.iter().map(String::as_str).chain(["jobs"]).collect();
    let message = serde_json::json!({ "type": "watch", "topics": topics });
    let message = Message::text(message.to_string());
    socket.send(message).await.unwrap();
    until(
        &mut socket,
        |message| matches!(message, ToPage::Replace { id, .. } if id == "jobs"),
    )
    .await;
    socket
}

/// Reads on to the message that is meant; what happened a moment ago may be told before it.
async fn until(socket: &mut Socket, is_meant: impl Fn(&ToPage) -> bool) -> ToPage {
    for _ in 0..100 {
        let message = next::<ToPage>(socket).await;
        if is_meant(&message) {
            return message;
        }
    }
    panic!("a hundred other messages")
}

fn is_part(message: &ToPage, dom_id: &str, words: &str) -> bool {
    let quoted = format!("id=\"{dom_id}\"");
    matches!(message, ToPage::Replace { id, html } | ToPage::Add { id, html, .. }
        if id == dom_id && html.contains(&quoted) && html.contains(words))
}

#[tokio::test]
async fn rows_change_come_and_go() {
    let (house, stage) = Stage::house().await;
    let (vic, _) = house.person("vic", Role::Viewer).await;
    let topics = ["containers".to_owned(), format!("row:{}", id(1))];
    let mut socket = look_at(&house, &vic, &topics).await;
    let (first, second) = (format!("row-{}", id(1)), format!("row-{}", id(2)));

    stage.with(|play| play.containers[0].2 = "exited".to_owned());
    stage.happens("die", &id(1), NANO + 1, true);
    let changed = until(&mut socket, |message| is_part(message, &first, "web")).await;
    assert!(matches!(changed, ToPage::Replace { .. }), "{changed:?}");

    stage.with(|play| play.containers.push((id(2), "db".into(), "created".into())));
    stage.happens("create", &id(2), NANO + 2, true);
    let came = until(&mut socket, |message| is_part(message, &second, "db")).await;
    assert!(matches!(came, ToPage::Add { list, .. } if list == "container-rows"));

    stage.with(|play| play.containers.clear());
    stage.happens("destroy", &id(2), NANO + 3, true);
    let gone = ToPage::Remove { id: second };
    until(&mut socket, |message| *message == gone).await;
}

#[tokio::test]
async fn the_head_of_a_container_keeps_its_tab() {
    let (house, stage) = Stage::house().await;
    let (ana, _) = owner(&house, "ana").await;
    let mut socket = look_at(&house, &ana, &[format!("container:{}:logs", id(1))]).await;
    stage.with(|play| play.containers[0].2 = "exited".to_owned());
    stage.happens("die", &id(1), NANO + 1, true);
    let current = format!(
        "href=\"{}\" data-key=\"l\" aria-current",
        paths::ContainerLogs(&id(1))
    );
    until(&mut socket, |message| {
        is_part(message, "container-header", &current)
    })
    .await;
}

#[tokio::test]
async fn events_and_jobs_show_as_they_happen() {
    let (house, stage) = Stage::house().await;
    let (cookie, ana) = owner(&house, "ana").await;
    let mut socket = look_at(&house, &cookie, &["events".to_owned()]).await;

    stage.happens("kill", &id(1), NANO + 1, true);
    let row = format!("event-{}", NANO + 1);
    until(&mut socket, |message| is_part(message, &row, "kill")).await;

    let permit: Permit<image::Pull> = house.permit(&ana, "").await;
    let reference = "nginx:1".parse().unwrap();
    let request = PullRequest {
        reference,
        platform: None,
        credentials: None,
    };
    let job = images::pull(&house.app.services, &permit, request)
        .await
        .unwrap();
    until(&mut socket, |message| is_part(message, "jobs", "nginx:1")).await;
    let mut socket = look_at(&house, &cookie, &[format!("job:{job}")]).await;
    let panel = format!("job-panel-{job}");
    until(&mut socket, |message| is_part(message, &panel, "nginx:1")).await;
}

#[tokio::test]
async fn a_row_shows_what_its_container_uses_while_the_tab_looks() {
    let (house, stage) = Stage::house().await;
    let (ana, _) = owner(&house, "ana").await;
    let engine = stage.next_stream();
    let mut socket = look_at(&house, &ana, &[format!("row:{}", id(1))]).await;
    for second in 1..=2_u64 {
        engine.send(super::metrics::sample(second)).await.unwrap();
    }
    let cell = format!("cpu-{}", id(1));
    until(&mut socket, |message| is_part(message, &cell, "25")).await;
    drop(socket);
    stage.wait_open(0).await;
}

#[tokio::test]
async fn a_tab_whose_session_ends_is_told() {
    let (house, _stage) = Stage::house().await;
    let (cookie, ana) = owner(&house, "ana").await;
    let mut socket = look_at(&house, &cookie, &[]).await;
    end_sessions(&house, &ana).await;
    until(&mut socket, |message| *message == ToPage::SignedOut).await;
}
