//! The doors to a container's files: who may, what a hostile request gets, what an answer carries.

use axum::http::{Method, header};
use backend::access::container;
use backend::domain::Role;
use backend::services::files::{self, FilesQuery, Found};

use crate::engine::id;
use crate::house::House;

fn at(part: &str) -> String {
    format!("/containers/{}/{part}", id(1))
}

#[tokio::test]
async fn a_folder_is_drawn_with_its_names_as_text() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let page = house
        .ask(Method::GET, &at("files?path=/app"), &cookie, "")
        .await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("&lt;b&gt;") || page.body.contains("&#60;b&#62;"));
    assert!(!page.body.contains("<b>␊"), "a name is no markup");
    assert!(
        page.body.contains("path=%2Fapp%2F%3Cb%3E%0A"),
        "its address is whole"
    );
    assert!(page.body.contains("-rw-r-----") && page.body.contains("web:33"));
}

#[tokio::test]
async fn a_file_is_drawn_as_text_and_never_compressed() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let request = axum::http::Request::get(at("files?path=/app/app.conf"))
        .header(header::HOST, "gantry.test")
        .header(header::COOKIE, &cookie)
        .header(header::ACCEPT_ENCODING, "gzip")
        .body(axum::body::Body::empty())
        .unwrap();
    let page = house.send(request).await;
    assert_eq!(page.status, 200);
    assert!(!page.headers.contains_key(header::CONTENT_ENCODING));
    assert!(
        page.body.contains("&#60;i&#62;") || page.body.contains("&lt;i&gt;"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_download_is_kept_and_never_run() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let file = house
        .ask(
            Method::GET,
            &at("files/download?path=/app/app.conf"),
            &cookie,
            "",
        )
        .await;
    assert_eq!(
        (file.status.as_u16(), file.body.as_str()),
        (200, "<i>listen</i>\n")
    );
    let said = |name: &str| file.headers[name].to_str().unwrap().to_owned();
    assert_eq!(said("content-type"), "application/octet-stream");
    assert_eq!(said("content-length"), "14");
    assert_eq!(said("x-content-type-options"), "nosniff");
    assert!(said("content-disposition").starts_with("attachment; filename=\"app.conf\""));
    assert_eq!(
        said("content-security-policy"),
        "sandbox; default-src 'none'"
    );
    assert_eq!(said("cache-control"), "no-store");
}

#[tokio::test]
async fn a_path_that_is_none_is_refused_at_the_door() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let long = format!("/{}", "a".repeat(5_000));
    for path in ["etc", "..%2Fetc", "%2Fa%00b", long.as_str()] {
        for part in ["files", "files/download"] {
            let answer = house
                .ask(
                    Method::GET,
                    &at(&format!("{part}?path={path}")),
                    &cookie,
                    "",
                )
                .await;
            assert_eq!(answer.status, 400, "{part} {path}");
        }
    }
    let gone = house
        .ask(Method::GET, &at("files?path=/none"), &cookie, "")
        .await;
    assert_eq!(gone.status, 404);
    assert!(gone.body.contains("There is nothing at /none"));
    for name in ["", "..", "a%2Fb", "a%00"] {
        let put = at(&format!("files/put?path=/app&name={name}"));
        assert_eq!(
            house.ask(Method::POST, &put, &cookie, "x").await.status,
            400,
            "{name}"
        );
    }
    assert!(
        house.engine.with(|state| state.asked.is_empty()),
        "nothing was changed"
    );
}

#[tokio::test]
async fn a_text_is_saved_only_over_what_was_read() {
    let house = House::new().await;
    let (cookie, actor) = house.person("ana", Role::Owner).await;
    let permit = house.permit::<container::Files>(&actor, &id(1)).await;
    let path = "/app/app.conf".parse().unwrap();
    let found = files::look(&house.app.services, &permit, &path, &FilesQuery::default()).await;
    let Ok(Found::File(file)) = found else {
        panic!("no file: {found:?}");
    };
    let files::Content::Text(text) = file.content else {
        panic!("no text: {file:?}");
    };
    let save = at("files/save?path=/app/app.conf");

    let stale = format!("text=mine&digest={}", "0".repeat(64));
    let conflict = house.ask(Method::POST, &save, &cookie, &stale).await;
    assert_eq!(conflict.status, 409);
    assert!(
        conflict.body.contains(">\nmine</textarea>"),
        "what was typed is kept"
    );
    assert!(
        conflict.body.contains(&text.digest),
        "and what is there can be overwritten"
    );
    assert!(house.engine.with(|state| state.put.is_empty()));

    let again = house.ask(Method::GET, &save, &cookie, "").await;
    assert_eq!(
        again.status, 303,
        "who asks for that address gets the editor"
    );
    assert_eq!(
        again.headers[header::LOCATION],
        at("files?path=%2Fapp%2Fapp.conf&edit=on")
    );

    let fresh = format!("text=mine%0D%0Aand+more&digest={}", text.digest);
    let saved = house.ask(Method::POST, &save, &cookie, &fresh).await;
    assert_eq!(saved.status, 303);
    let put = house.engine.with(|state| state.put.clone());
    let text = String::from_utf8_lossy(&put);
    assert!(text.contains("mine\nand more") && text.contains("app.conf"));
    let mode = &put[100..107];
    assert_eq!(mode, b"0000640", "its bits are the old ones");
}

#[tokio::test]
async fn an_upload_is_passed_on_with_its_length() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let put = at("files/put?path=/app&name=new.txt");
    let answer = house.ask(Method::POST, &put, &cookie, "twelve bytes").await;
    assert_eq!(answer.status, 400, "it does not say its length");
    let request = |path: String| {
        axum::http::Request::post(path)
            .header(header::HOST, "gantry.test")
            .header(header::ORIGIN, "http://gantry.test")
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT, "application/json")
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_LENGTH, "12")
            .body(axum::body::Body::from("twelve bytes"))
            .unwrap()
    };
    assert_eq!(house.send(request(put)).await.status, 201);
    let text = house.engine.with(|state| state.put.clone());
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("twelve bytes") && text.contains("new.txt"));
    let taken = house
        .send(request(at("files/put?path=/app&name=app.conf")))
        .await;
    assert_eq!(taken.status, 409);
    assert!(taken.body.contains("name-taken"), "{}", taken.body);
}
