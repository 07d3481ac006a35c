//! Networks by their pages: what is shown from the index, what is asked of the engine, who may.

use axum::http::{Method, StatusCode, header};
use backend::domain::Role;

use crate::engine::id;
use crate::engine_networks::network;
use crate::house::{Answer, House};

/// A house with an owner, whose container "web" is in "shop", and "db" in none.
async fn shop() -> (House, String) {
    let house = House::without_engine().await;
    house.engine.with(|state| state.places.push((0, 0)));
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    (house, cookie)
}

async fn get(house: &House, cookie: &str, path: &str) -> String {
    let answer = house.ask(Method::GET, path, cookie, "").await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    answer.body
}

async fn post(house: &House, cookie: &str, path: &str, body: &str) -> Answer {
    house.ask(Method::POST, path, cookie, body).await
}

/// The changes of networks that the engine was asked for.
fn asked(house: &House) -> Vec<String> {
    let all = house.engine.with(|state| state.asked.clone());
    let asked = all.into_iter().map(|(asked, _)| asked);
    asked
        .filter(|asked| asked.starts_with("network."))
        .collect()
}

#[tokio::test]
async fn the_list_says_what_each_network_is_and_how_many_are_in_it() {
    let (house, cookie) = shop().await;

    let all = get(&house, &cookie, "/networks").await;
    let filtered = get(&house, &cookie, "/networks?filter=10.5").await;

    assert!(all.contains("10.5.0.0/24") && all.contains("1 container"));
    assert!(all.contains("built in") && all.contains("172.17.0.0/16"));
    assert!(filtered.contains("10.5.0.0/24") && !filtered.contains("172.17.0.0/16"));
}

#[tokio::test]
async fn a_network_shows_who_is_in_it_and_offers_the_others() {
    let (house, cookie) = shop().await;

    let page = get(&house, &cookie, "/networks/shop").await;

    assert!(page.contains("10.5.0.2/24") && page.contains("alias-0"));
    assert!(page.contains(&format!("/disconnect?container={}", id(1))));
    assert!(page.contains(&format!("<option value=\"{}\"", id(2))));
    assert!(!page.contains(&format!("<option value=\"{}\"", id(1))));
    assert!(
        page.contains("In use by web"),
        "removal is blocked, and by whom is said"
    );
    let host = get(&house, &cookie, "/networks/host").await;
    assert!(host.contains("when they are created") && host.contains("belongs to the engine"));
    let absent = house
        .ask(Method::GET, "/networks/nothing", &cookie, "")
        .await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_form_becomes_a_network_and_what_it_broke_stands_beside_the_field() {
    let (house, cookie) = shop().await;
    let form = "name=made&driver=bridge&subnet=10.6.0.0%2F24&icc=on&masquerade=on&labels=a%3Db";

    let bad = post(
        &house,
        &cookie,
        "/networks",
        "name=made&driver=bridge&subnet=10.6",
    )
    .await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad.body.contains("must be a subnet") && bad.body.contains("value=\"10.6\""));
    assert!(asked(&house).is_empty());

    house.engine.with(|state| state.is_broken = true);
    let refused = post(&house, &cookie, "/networks", form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body.contains("Pool overlaps with other one"),
        "{}",
        refused.body
    );
    assert!(
        refused.body.contains("value=\"10.6.0.0/24\""),
        "what was typed is kept"
    );

    house.engine.with(|state| state.is_broken = false);
    let made = post(&house, &cookie, "/networks", form).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    house
        .wait(|app| app.services.index().find_network("made").is_some())
        .await;
}

#[tokio::test]
async fn a_container_is_connected_and_disconnected_and_its_page_follows() {
    let (house, cookie) = shop().await;
    let network = id(50);
    let place = |house: &House| {
        let index = house.app.services.index();
        index.networks_of(&id(2).parse().unwrap()).len()
    };

    let form = format!("container={}&address=10.5.0.77&aliases=one+two", id(2));
    let bad = format!("container={}&address=fd00%3A%3A1", id(2));
    let path = format!("/networks/{network}/connect");
    let refused = post(&house, &cookie, &path, &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let connected = post(&house, &cookie, &path, &form).await;
    assert_eq!(
        connected.status,
        StatusCode::SEE_OTHER,
        "{}",
        connected.body
    );
    house.wait(|_| place(&house) == 1).await;
    let page = get(&house, &cookie, &format!("/containers/{}", id(2))).await;
    assert!(page.contains("10.5.0.3/24") && page.contains("alias-1"));

    let path = format!("/networks/{network}/disconnect?container={}", id(2));
    let back = format!("back=/containers/{}", id(2));
    let gone = post(&house, &cookie, &path, &back).await;
    assert_eq!(
        gone.headers[header::LOCATION],
        format!("/containers/{}", id(2))
    );
    house.wait(|_| place(&house) == 0).await;
    let expected = ["connect", "disconnect"].map(|what| format!("network.{what} {network}"));
    assert_eq!(asked(&house), expected);
}

#[tokio::test]
async fn what_nobody_is_in_is_shown_before_it_goes() {
    let (house, cookie) = shop().await;
    house.engine.with(|state| {
        state.places.clear();
        state
            .networks
            .push(network(53, "empty", "bridge", "10.9.0.0/24"));
        state.places.push((0, 0));
    });
    house.engine.tell_of_network("create", &id(53));
    house
        .wait(|app| app.services.index().find_network("empty").is_some())
        .await;

    let preview = get(&house, &cookie, "/networks/prune").await;
    assert!(preview.contains("empty") && preview.contains("Remove 1 network"));
    assert!(!preview.contains("172.17.0.0/16") && !preview.contains("10.5.0.0/24"));

    let pruned = post(&house, &cookie, "/networks/prune", "").await;
    assert_eq!(pruned.status, StatusCode::SEE_OTHER);
    let question = get(&house, &cookie, "/networks/empty/remove").await;
    assert!(question.contains("Remove network empty?"));
    let removed = post(&house, &cookie, &format!("/networks/{}/remove", id(53)), "").await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER);
    house
        .wait(|app| app.services.index().find_network("empty").is_none())
        .await;
}

#[tokio::test]
async fn the_picture_links_every_network_and_container() {
    let (house, cookie) = shop().await;

    let page = get(&house, &cookie, "/networks/picture").await;

    for thing in [
        format!("/networks/{}", id(50)),
        format!("/networks/{}", id(52)),
        format!("/containers/{}", id(1)),
        format!("/containers/{}", id(2)),
    ] {
        assert!(page.contains(&format!("<a href=\"{thing}\"")), "{thing}");
    }
    assert!(page.contains("3 networks and 2 containers"));
}

#[tokio::test]
async fn two_who_want_one_port_are_marked_and_the_next_free_one_is_told() {
    let house = House::without_engine().await;
    house.engine.with(|state| {
        state.wanted = vec![(id(1), 8080), (id(2), 8080), (id(2), 8081)];
    });
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    let (cookie, _) = house.person("vic", Role::Viewer).await;

    let page = get(&house, &cookie, "/ports").await;

    assert!(
        page.contains("also db") && page.contains("also web"),
        "{page}"
    );
    assert_eq!(
        page.matches("also ").count(),
        2,
        "8081 has one who wants it"
    );
    assert!(page.contains("8082 is free"));
    let far = get(&house, &cookie, "/ports?from=9000").await;
    assert!(far.contains("9000 is free"));
}

#[tokio::test]
async fn a_viewer_sees_networks_and_is_told_why_nothing_can_be_done() {
    let (house, _) = shop().await;
    let (cookie, _) = house.person("vic", Role::Viewer).await;

    let list = get(&house, &cookie, "/networks").await;
    let one = get(&house, &cookie, "/networks/shop").await;
    let connected = post(&house, &cookie, "/networks/shop/connect", "container=db").await;

    assert!(list.contains("network.create") && one.contains("network.connect"));
    assert_eq!(connected.status, StatusCode::FORBIDDEN);
    assert!(asked(&house).is_empty());
}
