//! The socket of a tab: what changed comes as the part it is, and nothing else comes.

use backend::access::{container, own_session};
use backend::domain::Role;
use backend::services::{accounts, containers};
use frontend::live::{FromPage, ToPage};
use frontend::paths;
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

use super::sockets::{Socket, next, open, serve};
use crate::engine::id;
use crate::house::House;

pub(super) async fn look_at(socket: &mut Socket, topics: &[String]) {
    let watch = FromPage::Watch {
        topics: topics.to_vec(),
    };
    let text = serde_json::to_string(&watch).unwrap();
    socket.send(Message::Text(text.into())).await.unwrap();
}

/// Reads until a message fits; what is about something else is left out.
pub(super) async fn until(socket: &mut Socket, fits: impl Fn(&ToPage) -> bool) -> ToPage {
    for _ in 0..50 {
        let message = next(socket).await;
        if fits(&message) {
            return message;
        }
    }
    panic!("fifty messages and none that fits");
}

#[tokio::test]
async fn a_row_and_a_head_are_drawn_anew_when_their_container_changes() {
    let house = House::new().await;
    let address = serve(&house).await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let mut socket = open(address, &paths::LivePage.to_string(), &cookie).await;
    let topics = [
        format!("row:{}", id(1)),
        format!("container:{}:logs", id(1)),
    ];
    look_at(&mut socket, &topics).await;

    let permit = house.permit::<container::Stop>(&ana, "web").await;
    containers::stop(&house.app.services, &permit)
        .await
        .unwrap();

    let row = format!("row-{}", id(1));
    let is_row = |message: &ToPage| matches!(message, ToPage::Replace { id, .. } if *id == row);
    let ToPage::Replace { html, .. } = until(&mut socket, is_row).await else {
        unreachable!()
    };
    assert!(html.starts_with("<tr id=\"row-"), "{html}");
    let is_head = |message: &ToPage| matches!(message, ToPage::Replace { id, .. } if id == "container-header");
    until(&mut socket, is_head).await;
}

#[tokio::test]
async fn what_happened_before_the_first_word_is_told_again() {
    let house = House::new().await;
    let address = serve(&house).await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let permit = house.permit::<container::Stop>(&ana, "web").await;
    containers::stop(&house.app.services, &permit)
        .await
        .unwrap();
    house
        .wait(|app| app.services.index().counts().running == 0)
        .await;

    let mut socket = open(address, &paths::LivePage.to_string(), &cookie).await;
    look_at(&mut socket, &[format!("row:{}", id(1))]).await;

    let is_row =
        |message: &ToPage| matches!(message, ToPage::Replace { id, .. } if id.starts_with("row-"));
    until(&mut socket, is_row).await;
}

#[tokio::test]
async fn containers_come_and_go_and_events_are_added() {
    let house = House::new().await;
    let address = serve(&house).await;
    let (cookie, _) = house.person("vic", Role::Viewer).await;
    let mut socket = open(address, &paths::LivePage.to_string(), &cookie).await;
    look_at(&mut socket, &["containers".to_owned(), "events".to_owned()]).await;

    house.engine.with(|state| {
        state
            .containers
            .push((id(3), "new".to_owned(), "created".to_owned()));
    });
    house.engine.tell("create", &id(3));
    let in_list = |name: &'static str| move |message: &ToPage| matches!(message, ToPage::Add { list, .. } if list == name);
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let fits =
            |message: &ToPage| in_list("container-rows")(message) || in_list("event-rows")(message);
        seen.push(until(&mut socket, fits).await);
    }
    assert!(seen.iter().any(in_list("container-rows")) && seen.iter().any(in_list("event-rows")));

    house
        .engine
        .with(|state| state.containers.retain(|(known, ..)| *known != id(3)));
    house.engine.tell("destroy", &id(3));
    let row = format!("row-{}", id(3));
    until(
        &mut socket,
        |message| matches!(message, ToPage::Remove { id } if *id == row),
    )
    .await;
}

#[tokio::test]
async fn a_tab_of_a_session_that_ended_is_told_so() {
    let house = House::new().await;
    let address = serve(&house).await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let mut socket = open(address, &paths::LivePage.to_string(), &cookie).await;
    look_at(&mut socket, &["overview".to_owned()]).await;

    let permit = house.permit::<own_session::End>(&ana, "").await;
    let session = house.session(Some(cookie.trim_start_matches("gantry=").parse().unwrap()));
    backend::access::session::end(&session).await.unwrap();
    accounts::logout(&house.app.services, &permit).await;

    until(&mut socket, |message| *message == ToPage::SignedOut).await;
}
