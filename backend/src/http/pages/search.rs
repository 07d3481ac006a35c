//! What has this name: pages, containers, images. The palette shows the same.

use axum::extract::{Query, State};
use axum::response::Response;
use frontend::pages::{Search, SearchResult};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::View;

use super::frame::Frame;
use crate::access::{Actor, Permit, container, image};
use crate::app::App;
use crate::http::present::{Reader, lists};

const MOST_OF_A_KIND: usize = 12;

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
}

pub(super) async fn search(
    _containers: Permit<container::List>,
    _images: Permit<image::List>,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    frame: Frame,
) -> Response {
    let reader = &frame.reader;
    let index = app.services.index();
    let view = View::default().filtered(&asked.q);
    let mut results = page_results(reader, &asked.q);
    let containers = index.containers(&lists::container_query(&view)).rows;
    results.extend(
        containers
            .iter()
            .take(MOST_OF_A_KIND)
            .map(|fact| SearchResult {
                icon: "box",
                label: fact.name.clone(),
                kind: reader.words.t("container"),
                path: paths::Container(fact.id.as_str()).to_string(),
            }),
    );
    let images = index.images(&lists::image_query(&view)).rows;
    results.extend(images.iter().take(MOST_OF_A_KIND).map(|fact| SearchResult {
        icon: "layers",
        label: fact.name().to_owned(),
        kind: reader.words.t("image"),
        path: paths::Image(fact.id.digits()).to_string(),
    }));
    frame.draw(&Search {
        shell: reader.shell(Section::Elsewhere, reader.words.t("search-everything")),
        query: asked.q,
        results,
    })
}

/// Every part in every state, for whoever changes one.
pub(super) async fn gallery(_: Actor, frame: Frame) -> Response {
    let reader = &frame.reader;
    let shell = reader.shell(Section::Elsewhere, reader.words.t("overview"));
    frame.draw(&frontend::samples::gallery(shell))
}

fn page_results(reader: &Reader, query: &str) -> Vec<SearchResult> {
    let query = query.trim().to_lowercase();
    let pages = [
        ("layout-dashboard", "overview", paths::Overview.to_string()),
        ("box", "containers", paths::Containers.to_string()),
        ("plus", "container-new", paths::ContainerNew.to_string()),
        ("layers", "images", paths::Images.to_string()),
        ("activity", "events", paths::Events.to_string()),
        ("scroll-text", "audit", paths::Audit.to_string()),
        ("settings-2", "account", paths::Account.to_string()),
    ];
    let pages = pages.into_iter().map(|(icon, key, path)| SearchResult {
        icon,
        label: reader.words.t(key),
        kind: reader.words.t("page"),
        path,
    });
    pages
        .filter(|result| result.label.to_lowercase().contains(&query))
        .collect()
}
