//! How a person wants to see the lists: kept in a cookie of their browser, one for each list.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use frontend::paths;

use super::frame::{back_or, go};
use crate::access::{Permit, account};
use crate::http::Result;
use crate::http::extract::{Fields, Visit};
use crate::http::present::lists::Choice;

/// What the cookies' names begin with.
const PREFIX: &str = "gantry-list-";
/// A year.
const KEPT_SECONDS: u32 = 31_536_000;

pub(super) async fn save(
    _: Permit<account::ChangeLook>,
    visit: Visit,
    fields: Fields,
) -> Result<Response> {
    let mut response = go(&back_or(fields.text("back"), &paths::Containers));
    let shown = fields.all("column");
    let choice = Choice::of_form(fields.text("list"), &shown, fields.text("density"));
    let Some((list, choice)) = choice else {
        return Ok(response);
    };
    let secure = if visit.is_secure { "; Secure" } else { "" };
    let cookie = format!(
        "{PREFIX}{list}={choice}; Path=/; Max-Age={KEPT_SECONDS}; HttpOnly; SameSite=Strict{secure}"
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Returns what was chosen for a list.
pub(super) fn chosen(cookies: &[(String, String)], list: &str) -> Choice {
    let name = format!("{PREFIX}{list}");
    let found = cookies.iter().find(|(cookie, _)| *cookie == name);
    found.map_or_else(Choice::default, |(_, value)| Choice::of_cookie(value))
}
