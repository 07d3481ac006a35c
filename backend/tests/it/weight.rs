//! What a page weighs on its way to the browser, and what is never compressed.

use std::collections::BTreeSet;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, header};
use backend::domain::Role;
use backend::services::setup;
use frontend::assets;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::engine::id;
use crate::house::House;

/// What a first page may weigh, everything that it shows included.
const MOST_BYTES: usize = 100_000;

/// Fetches as a browser on loopback or over TLS does.
async fn fetch(house: &House, path: &str, cookie: &str, codings: &str) -> (HeaderMap, Bytes) {
    let request = Request::get(path)
        .header(header::HOST, "gantry.test")
        .header(header::ACCEPT, "text/html")
        .header(header::ACCEPT_ENCODING, codings)
        .header(header::COOKIE, cookie)
        .body(Body::empty())
        .unwrap();
    let (parts, body) = house.router().oneshot(request).await.unwrap().into_parts();
    assert_eq!(parts.status, 200, "{path}");
    (parts.headers, body.collect().await.unwrap().to_bytes())
}

fn source(path: &str) -> String {
    let asset = assets::find(path).unwrap_or_else(|| panic!("there is no {path}"));
    String::from_utf8_lossy(asset.bytes).into_owned()
}

/// The quoted texts behind each occurrence of a word.
fn quoted_after<'t>(text: &'t str, word: &str) -> Vec<&'t str> {
    let pieces = text.split(word).skip(1);
    pieces
        .filter_map(|piece| piece.split(['"', '\'']).next())
        .collect()
}

/// Everything that a browser loads to show a page: what it names, and what that names.
fn first_paint(html: &str) -> BTreeSet<String> {
    let base = assets::url("");
    let mut wanted: Vec<String> = quoted_after(html, &format!("=\"{base}"))
        .into_iter()
        .map(|path| path.split('#').next().unwrap_or(path).to_owned())
        .collect();
    for tag in quoted_after(&html.replace(['<', '>', ' '], "\""), "\"") {
        let element = format!("js/elements/{tag}.js");
        wanted.extend(assets::find(&element).map(|_| element));
    }
    let has_code = ["<code", "<pre", "<samp"]
        .iter()
        .any(|tag| html.contains(tag));
    let mut found = BTreeSet::new();
    while let Some(path) = wanted.pop() {
        if !found.insert(path.clone()) {
            continue;
        }
        if path.ends_with(".js") {
            let text = source(&path);
            let imported = [
                " from \"./",
                " from \"../",
                "\nimport \"./",
                "\nimport \"../",
            ];
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            for word in imported {
                for name in quoted_after(&text, word) {
                    let mut folder = folder;
                    if word.contains("../") {
                        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
                    }
                    wanted.push(format!("{folder}/{name}"));
                }
            }
        }
    }
    // The bold code face is fetched by what is bold and code; no first page has that.
    found.insert("fonts/inter.woff2".to_owned());
    if has_code {
        found.insert("fonts/jetbrains-mono.woff2".to_owned());
    }
    found
}

/// Weighs a page with all that it shows; the text names each part.
async fn weigh(house: &House, page: &str, cookie: &str, codings: &str) -> (usize, String) {
    let (_, plain) = fetch(house, page, cookie, "identity").await;
    let html = String::from_utf8_lossy(&plain).into_owned();
    let (_, packed) = fetch(house, page, cookie, codings).await;
    let mut sum = packed.len();
    let mut report = format!("{codings}: {sum} {page}");
    for path in first_paint(&html) {
        let (_, body) = fetch(house, &assets::url(&path), cookie, codings).await;
        report += &format!(", {} {path}", body.len());
        sum += body.len();
    }
    (sum, report)
}

#[tokio::test]
async fn a_fresh_overview_weighs_at_most_a_hundred_kilobytes() {
    let house = House::without_engine().await;
    house.engine.with(|state| state.containers.clear());
    house.app.begin().await.unwrap();
    house
        .wait(|app| app.services.index().host().state.is_online())
        .await;
    let (cookie, _) = house.person("ana", Role::Owner).await;

    for codings in ["gzip, deflate, br", "gzip, deflate"] {
        let (sum, report) = weigh(&house, "/", &cookie, codings).await;
        assert!(sum <= MOST_BYTES, "{sum} bytes: {report}");
    }
    let (_, html) = fetch(&house, "/", &cookie, "identity").await;
    let found = first_paint(&String::from_utf8_lossy(&html));
    for part in [
        "app.css",
        "icons.svg",
        "js/app.js",
        "js/lib/live.js",
        "js/elements/copy-button.js",
    ] {
        assert!(found.contains(part), "{part} was not weighed: {found:?}");
    }
}

#[tokio::test]
async fn a_page_comes_compressed_and_is_the_same() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let (plain, whole) = fetch(&house, "/containers", &cookie, "identity").await;
    let (packed, small) = fetch(&house, "/containers", &cookie, "gzip, br").await;
    assert!(!plain.contains_key(header::CONTENT_ENCODING));
    assert_eq!(packed[header::CONTENT_ENCODING], "gzip");
    let vary = packed[header::VARY].to_str().unwrap().to_lowercase();
    assert!(vary.contains("accept-encoding"), "{vary}");
    assert!(
        small.len() * 3 < whole.len(),
        "{} of {}",
        small.len(),
        whole.len()
    );
}

#[tokio::test]
async fn an_answer_that_holds_a_secret_is_not_compressed() {
    let house = House::new().await;
    let token = setup::new_token(&house.app.services).await.unwrap();
    let set_up = format!("/setup/{}", token.unwrap());
    let (headers, body) = fetch(&house, &set_up, "", "gzip, br").await;
    assert!(!headers.contains_key(header::CONTENT_ENCODING));
    assert!(body.len() > 1024, "it would have been compressed");

    let (cookie, _) = house.person("ana", Role::Owner).await;
    let log = format!("/containers/{}/logs", id(1));
    let (headers, body) = fetch(&house, &log, &cookie, "gzip, br").await;
    assert!(!headers.contains_key(header::CONTENT_ENCODING));
    assert!(body.len() > 1024, "it would have been compressed");
}
