//! The doors to an image's files: who may, what is drawn of what an image says, what is noted.

use axum::http::{Method, header};
use backend::access::audit as audit_permission;
use backend::domain::Role;
use backend::services::audit;
use backend::store::audit::Filter;

use crate::engine::id;
use crate::house::House;

fn at(part: &str) -> String {
    format!("/images/sha256:{}/{part}", id(7))
}

#[tokio::test]
async fn layers_are_drawn_with_their_figures_and_the_image_s_words_as_text() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let page = house.ask(Method::GET, &at("layers"), &cookie, "").await;
    assert_eq!(page.status, 200, "{}", page.body);
    for said in [
        "2.0 KiB of 4.0 KiB",
        "50.0",
        "+3",
        "~2",
        "−1",
        "ENV A=1",
        "changes no file",
    ] {
        assert!(page.body.contains(said), "{said}");
    }
    assert!(!page.body.contains("<b>make"), "a command is no markup");
    assert!(
        page.body.contains("path=%2Fapp%2F%3Cb%3E%0A&#38;layer=2")
            || page.body.contains("path=%2Fapp%2F%3Cb%3E%0A&amp;layer=2")
    );
}

#[tokio::test]
async fn a_folder_tells_what_its_layer_did() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let page = |query: &'static str| {
        let (house, cookie) = (&house, &cookie);
        async move { house.ask(Method::GET, &at(query), cookie, "").await }
    };
    let all = page("files?path=/app&layer=2").await;
    assert_eq!(all.status, 200, "{}", all.body);
    for said in [
        "Changed",
        "Added",
        "Deleted",
        "was 2.0 KiB",
        ">same<",
        "-rw-r-----",
        "web:33",
    ] {
        assert!(all.body.contains(said), "{said}");
    }
    assert!(!all.body.contains("<b>␊") && !all.body.contains("<b>make"));
    // What the layer removed is opened where it was.
    let removed = all.body.find("path=%2Fapp%2Fold").unwrap();
    let removed = &all.body[removed..removed + 40];
    assert!(removed.contains("layer=1"), "{removed}");
    let changes = page("files?path=/app&layer=2&only=changes").await;
    assert!(!changes.body.contains(">same<") && changes.body.contains(">app.conf<"));

    assert_eq!(page("files?path=/none").await.status, 404);
    assert_ne!(page("files?path=/app&layer=9").await.status, 200);
    assert_eq!(page("files?path=etc").await.status, 400);
    let link = page("files?path=/link").await;
    assert_eq!(link.status, 303);
    let leads = link.headers[header::LOCATION].to_str().unwrap();
    assert!(
        leads.ends_with("files?path=%2Fapp%2Fapp.conf&layer=2"),
        "{leads}"
    );
    let file = page("files?path=/app/app.conf").await;
    assert!(file.body.contains("&#60;i&#62;listen") || file.body.contains("&lt;i&gt;listen"));
    assert!(!file.headers.contains_key(header::CONTENT_ENCODING));
}

#[tokio::test]
async fn a_file_that_is_taken_is_kept_and_noted() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    let path = at("files/download?path=/app/app.conf&layer=2");
    let file = house.ask(Method::GET, &path, &cookie, "").await;
    assert_eq!(
        (file.status.as_u16(), file.body.as_str()),
        (200, "<i>listen</i>\n")
    );
    let said = |name: &str| file.headers[name].to_str().unwrap().to_owned();
    assert_eq!(said("content-length"), "14");
    assert!(said("content-disposition").starts_with("attachment; filename=\"app.conf\""));
    assert_eq!(
        said("content-security-policy"),
        "sandbox; default-src 'none'"
    );

    let permit = house.permit::<audit_permission::View>(&ana, "").await;
    let found = audit::list(&house.app.services, &permit, Filter::default(), None).await;
    let noted = found.unwrap().into_iter();
    let noted: Vec<_> = noted
        .filter(|entry| entry.action == "image.files.download")
        .map(|entry| entry.detail)
        .collect();
    assert_eq!(noted, ["path=/app/app.conf layer=2"]);
    let folder = at("files/download?path=/app");
    assert_ne!(
        house.ask(Method::GET, &folder, &cookie, "").await.status,
        200
    );
}

#[tokio::test]
async fn who_may_see_an_image_may_not_see_into_it() {
    let house = House::new().await;
    let (cookie, _) = house.person("vic", Role::Viewer).await;
    for part in [
        "layers",
        "files",
        "files?path=/app",
        "files/download?path=/app/app.conf",
    ] {
        let answer = house.ask(Method::GET, &at(part), &cookie, "").await;
        assert_eq!(answer.status, 403, "{part}");
    }
}
