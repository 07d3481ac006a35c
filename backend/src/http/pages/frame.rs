//! What every page handler needs: the reader, and the sentence about what was just done.
//!
//! After a post the browser is sent on, and takes one sentence along in a short-lived cookie: a key
//! of the message catalogue and a name.

use std::net::IpAddr;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use frontend::Template;
use frontend::paths::Value;
use frontend::shell::Shell;
use frontend::ui::Notice;

use crate::access::Actor;
use crate::app::App;
use crate::domain::RequestId;
use crate::http::extract::Visit;
use crate::http::present::lists::Choice;
use crate::http::present::{Reader, problems};
use crate::http::{Error, Problem};

const COOKIE: &str = "gantry-said";
/// Characters of a name in it: escaped, each may take nine of a cookie's four thousand.
const MOST_SAID: usize = 400;

/// The reader of a page, and what there is to say to them.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Who reads, in which language.
    pub reader: Reader,
    /// The request.
    pub visit: Visit,
    cookies: Vec<(String, String)>,
}

impl FromRequestParts<App> for Frame {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let actor = <Actor as OptionalFromRequestParts<App>>::from_request_parts(parts, app);
        let actor = actor.await?;
        let visit = match Visit::from_request_parts(parts, app).await {
            Ok(visit) => visit,
            Err(never) => match never {},
        };
        let now = app.services.clock().now();
        let reader = match actor {
            Some(actor) => Reader::inside(actor.account, visit.language, now)
                .before(app.services.engine_address())
                .marking(app.services.marks()),
            None => {
                let asked = parts.uri.query().unwrap_or_default();
                let asked = asked
                    .split('&')
                    .find_map(|pair| pair.strip_prefix("language="));
                let language = asked.and_then(|tag| tag.parse().ok());
                Reader::outside(language.unwrap_or(visit.language), now)
            }
        };
        Ok(Self {
            reader: reader.hearing(app.services.index().host().state),
            cookies: cookies(parts),
            visit,
        })
    }
}

/// Our cookies: what was said, how lists are wanted.
fn cookies(parts: &Parts) -> Vec<(String, String)> {
    let header = parts.headers.get(header::COOKIE);
    let header = header.and_then(|value| value.to_str().ok()).unwrap_or("");
    let pairs = header
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter(|(name, _)| *name == COOKIE || name.starts_with("gantry-list-"));
    ours.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

impl Frame {
    /// Returns the frame of a request that was taken apart already.
    pub(crate) fn of(app: &App, actor: Actor, visit: Visit) -> Self {
        let now = app.services.clock().now();
        let reader = Reader::inside(actor.account, visit.language, now);
        Self {
            reader: reader
                .before(app.services.engine_address())
                .marking(app.services.marks())
                .hearing(app.services.index().host().state),
            cookies: Vec::new(),
            visit,
        }
    }

    /// Puts what was just done above the page.
    pub(crate) fn greet(&self, shell: &mut Shell) {
        let Some((key, name)) = self.said().and_then(|said| said.split_once('.')) else {
            return;
        };
        if !key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        {
            return;
        }
        let text = self.reader.words.named(key, &decode(name));
        if key.starts_with("done-") {
            shell.notices.insert(0, Notice::done(text));
        } else if key.starts_with("warned-") {
            shell.notices.insert(0, Notice::warned(text));
        } else if key.starts_with("failed-") {
            shell.notices.insert(0, Notice::failed(text));
        }
    }

    /// Returns how the reader wants to see a list.
    pub(super) fn choice(&self, list: &str) -> Choice {
        super::looks::chosen(&self.cookies, list)
    }

    fn said(&self) -> Option<&str> {
        let said = self.cookies.iter().find(|(name, _)| name == COOKIE);
        said.map(|(_, value)| value.as_str())
    }

    /// Returns where the request comes from, and its id.
    pub(crate) fn from(&self) -> (IpAddr, RequestId) {
        (self.visit.address, self.visit.request.clone())
    }

    /// Draws a failure that has words of its own.
    pub(crate) fn problem(&self, problem: &Problem) -> Response {
        let html = problems::page(&self.reader, problem, self.visit.request.as_str());
        let mut response = (problem.status, Html(html)).into_response();
        crate::http::mark_drawn(&mut response);
        response
    }

    /// Draws a page; what was said is said once.
    pub(crate) fn draw(&self, page: &impl Template) -> Response {
        self.draw_as(StatusCode::OK, page)
    }

    /// Draws a page with another status: a form whose fields broke a rule.
    pub(crate) fn draw_as(&self, status: StatusCode, page: &impl Template) -> Response {
        let html = match page.render() {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(
                    error = crate::errors::chain(&error),
                    "a page cannot be drawn"
                );
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let mut response = (status, Html(html)).into_response();
        if self.said().is_some() {
            set_cookie(&mut response, "", 0);
        }
        if status != StatusCode::OK {
            crate::http::mark_drawn(&mut response);
        }
        response
    }
}

/// Sends the browser on after a post.
pub(super) fn go(to: &impl std::fmt::Display) -> Response {
    Redirect::to(&to.to_string()).into_response()
}

/// Sends the browser on after a post, with a sentence: a key beginning with `done-`, `warned-` or
/// `failed-`, and a name. A cookie holds no more than a few sentences.
pub(super) fn said_and_go(key: &str, name: &str, to: &impl std::fmt::Display) -> Response {
    let mut response = go(to);
    let most = name
        .char_indices()
        .nth(MOST_SAID)
        .map_or(name.len(), |(at, _)| at);
    set_cookie(
        &mut response,
        &format!("{key}.{}", Value(&name[..most])),
        30,
    );
    response
}

fn set_cookie(response: &mut Response, value: &str, seconds: u32) {
    let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Returns a path of ours that a form names, else another one.
pub(super) fn back_or(back: &str, other: &impl std::fmt::Display) -> String {
    let is_ours = back.starts_with('/')
        && !back.starts_with("//")
        && !back.contains(['\\', '\n', '\r', '\t']);
    if is_ours {
        back.to_owned()
    } else {
        other.to_string()
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte.unwrap_or(b'x')).to_digit(16);
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        if let (Some(high), Some(low)) = (high, low) {
            bytes.extend(u8::try_from(high * 16 + low));
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_the_cookie() {
        for name in ["web-1", "한국어", "a b;c=d%"] {
            assert_eq!(decode(&Value(name).to_string()), name);
        }
    }

    #[test]
    fn nobody_is_sent_to_another_site() {
        for bad in ["//evil.example", "https://evil.example", "/\\evil", "", "x"] {
            assert_eq!(back_or(bad, &"/"), "/", "{bad}");
        }
        assert_eq!(back_or("/containers?page=2", &"/"), "/containers?page=2");
    }
}
