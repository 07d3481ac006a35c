//! `/distribution`, `/images/search`, and our own lists of what a registry has.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::get;
use engine_api::operation;
use engine_api::registries::{
    DistributionInspect, NAMES_MAX, NameList, RemoteDigest, SEARCH_DEFAULT, SEARCH_FILTERS,
    SEARCH_MAX, SearchResult,
};

use super::credentials::auth;
use super::error::{ApiError, Result};
use super::extract::Values;
use super::routes::{App, Route};
use crate::services::images::Wanted;

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::DISTRIBUTION_INSPECT, get(about)),
        (&operation::IMAGE_SEARCH, get(search)),
        (&operation::REGISTRY_REPOSITORIES, get(repositories)),
        (&operation::REPOSITORY_DIGEST, get(digest)),
        (&operation::REPOSITORY_TAGS, get(tags)),
    ]
}

async fn about(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<DistributionInspect>> {
    let wanted = Wanted::parse(&name, None, None, auth(&headers)?)?;
    Ok(Json(app.images.about_remote(wanted).await?))
}

async fn search(
    State(app): State<App>,
    values: Values,
    headers: HeaderMap,
) -> Result<Json<Vec<SearchResult>>> {
    let limit = values.number("limit")?.unwrap_or(SEARCH_DEFAULT);
    if !(1..=SEARCH_MAX).contains(&limit) {
        return Err(ApiError::bad_request(format!(
            "limit {limit} is outside the range of [1, {SEARCH_MAX}]"
        )));
    }
    let Some(term) = values.text("term") else {
        return Err(ApiError::bad_request(
            "term is needed: what is to be looked for",
        ));
    };
    let filters = values.filters(SEARCH_FILTERS)?;
    let found = app.images.search(term, limit, &filters, auth(&headers)?);
    Ok(Json(found.await?))
}

async fn repositories(
    State(app): State<App>,
    Path(registry): Path<String>,
    values: Values,
    headers: HeaderMap,
) -> Result<Json<NameList>> {
    let part = values.text("filter").unwrap_or_default();
    let limit = limit(&values)?;
    let found = app
        .images
        .repositories(&registry, part, limit, auth(&headers)?);
    Ok(Json(found.await?))
}

async fn digest(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<RemoteDigest>> {
    let wanted = Wanted::parse(&name, None, None, auth(&headers)?)?;
    Ok(Json(app.images.digest_of_remote(wanted).await?))
}

async fn tags(
    State(app): State<App>,
    Path(name): Path<String>,
    values: Values,
    headers: HeaderMap,
) -> Result<Json<NameList>> {
    let wanted = Wanted::parse(&name, None, None, auth(&headers)?)?;
    Ok(Json(app.images.tags(wanted, limit(&values)?).await?))
}

fn limit(values: &Values) -> Result<usize> {
    let limit = values.number("limit")?.unwrap_or(NAMES_MAX);
    if !(1..=NAMES_MAX).contains(&limit) {
        return Err(ApiError::bad_request(format!(
            "limit {limit} is outside the range of [1, {NAMES_MAX}]"
        )));
    }
    Ok(limit)
}
