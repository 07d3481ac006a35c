//! Proxies before the server: whose word is believed about a client, and whose is not.

use std::net::{Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode, header};
use backend::access::audit as audit_permission;
use backend::domain::{Front, Role};
use backend::services::audit;
use backend::store::audit::Filter;

use crate::house::{Answer, House, PASSWORD};

const PROXY: [u8; 4] = [10, 9, 0, 1];
const STRANGER: [u8; 4] = [198, 51, 100, 9];

async fn behind_a_proxy() -> House {
    let front = Front {
        proxies: vec!["10.9.0.0/16".parse().unwrap()],
        ..Front::default()
    };
    House::behind(front).await
}

/// Sends a request as it comes over a connection from that peer.
async fn from(
    house: &House,
    peer: [u8; 4],
    request: Request<Body>,
    headers: &[(&'static str, &str)],
) -> Answer {
    let mut request = request;
    for (name, value) in headers {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let peer = SocketAddr::from((Ipv4Addr::from(peer), 4_711));
    request.extensions_mut().insert(ConnectInfo(peer));
    house.send(request).await
}

fn login(password: &str) -> Request<Body> {
    let body = format!("name=ana&password={}", password.replace(' ', "+"));
    Request::post("/login")
        .header(header::HOST, "gantry.test")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body))
        .unwrap()
}

fn cookie(headers: &HeaderMap) -> String {
    let all = headers.get_all(header::SET_COOKIE).iter();
    let mut texts = all.map(|value| value.to_str().unwrap());
    texts
        .find(|text| text.contains("gantry="))
        .unwrap()
        .to_owned()
}

/// Tries wrong passwords until one is refused for being too many; returns how many were looked at.
async fn tries(house: &House, peer: [u8; 4], list: impl Fn(u8) -> String) -> usize {
    for n in 0..30 {
        let headers = [("x-forwarded-for", list(n))];
        let headers = headers
            .each_ref()
            .map(|(name, text)| (*name, text.as_str()));
        let answer = from(house, peer, login("wrong"), &headers).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return n.into();
        }
    }
    30
}

#[tokio::test]
async fn a_listed_proxy_is_believed_about_the_client() {
    let house = behind_a_proxy().await;
    let ana = house.account("ana", Role::Owner).await;
    let wrong = tries(&house, PROXY, |_| "203.0.113.7".to_owned()).await;
    assert_eq!(wrong, 5, "one client waits");

    let other = [("x-forwarded-for", "203.0.113.8")];
    let answer = from(&house, PROXY, login(PASSWORD), &other).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "another does not");

    let cookie = house.login(&ana).await;
    let actor = house.actor(&cookie).await.unwrap();
    let permit = house.permit::<audit_permission::View>(&actor, "").await;
    let entries = audit::list(&house.app.services, &permit, Filter::default(), None).await;
    let address = entries.unwrap()[0].address.clone();
    assert_eq!(address.as_deref(), Some("203.0.113.8"));
}

#[tokio::test]
async fn a_client_cannot_make_up_where_it_comes_from() {
    let house = behind_a_proxy().await;
    house.account("ana", Role::Owner).await;
    // Its own words stand left of what the proxy adds.
    let through = tries(&house, PROXY, |n| format!("192.0.2.{n}, 203.0.113.7")).await;
    assert_eq!(through, 5);
    let as_proxy = tries(&house, PROXY, |n| {
        format!("192.0.2.{n}, 10.9.0.{n}, 203.0.113.8")
    })
    .await;
    assert_eq!(as_proxy, 5);
    // And past the proxy nothing is believed.
    let past = tries(&house, STRANGER, |n| format!("192.0.2.{n}")).await;
    assert_eq!(past, 5);
    let posing = tries(&house, [198, 51, 100, 10], |n| {
        format!("192.0.2.{n}, 10.9.0.1")
    })
    .await;
    assert_eq!(posing, 5);
}

#[tokio::test]
async fn nobody_is_believed_where_no_proxy_is_listed() {
    let house = House::without_engine().await;
    house.account("ana", Role::Owner).await;
    assert_eq!(
        tries(&house, [127, 0, 0, 1], |n| format!("192.0.2.{n}")).await,
        5
    );
    let headers = [("x-forwarded-proto", "https"), ("x-real-ip", "192.0.2.1")];
    let answer = from(&house, STRANGER, login(PASSWORD), &headers).await;
    let set = cookie(&answer.headers);
    assert!(
        set.starts_with("gantry=") && !set.contains("Secure"),
        "{set}"
    );
    assert!(
        !answer
            .headers
            .contains_key(header::STRICT_TRANSPORT_SECURITY)
    );
}

#[tokio::test]
async fn a_cookie_demands_tls_when_the_proxy_has_it() {
    let house = behind_a_proxy().await;
    house.account("ana", Role::Owner).await;
    let https = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "203.0.113.7"),
    ];
    let answer = from(&house, PROXY, login(PASSWORD), &https).await;
    let set = cookie(&answer.headers);
    assert!(
        set.starts_with("__Host-gantry=") && set.contains("Secure"),
        "{set}"
    );
    assert!(
        answer
            .headers
            .contains_key(header::STRICT_TRANSPORT_SECURITY)
    );

    let session = set.split(';').next().unwrap();
    let page = || Request::get("/account").body(Body::empty()).unwrap();
    let with_cookie = [("cookie", session), https[0]];
    let inside = from(&house, PROXY, page(), &with_cookie).await;
    assert_eq!(inside.status, StatusCode::OK);
    let plain = from(&house, PROXY, page(), &[("cookie", session)]).await;
    assert_eq!(plain.status, StatusCode::SEE_OTHER, "not without TLS");

    let ended = Request::post("/account/sessions/end")
        .header(header::HOST, "gantry.test")
        .header("sec-fetch-site", "same-origin")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::empty())
        .unwrap();
    let said = from(&house, PROXY, ended, &with_cookie).await;
    let said = said.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        said.starts_with("gantry-said=") && said.ends_with("; Secure"),
        "{said}"
    );

    let http = [("x-forwarded-proto", "https, http")];
    let answer = from(&house, PROXY, login(PASSWORD), &http).await;
    assert!(cookie(&answer.headers).starts_with("gantry="));
    let posing = [("x-forwarded-proto", "https")];
    let answer = from(&house, STRANGER, login(PASSWORD), &posing).await;
    assert!(cookie(&answer.headers).starts_with("gantry="));
}

#[tokio::test]
async fn pages_of_the_public_address_are_our_own_and_its_cookies_demand_tls() {
    let front = Front {
        public: Some("https://gantry.example.org".parse().unwrap()),
        ..Front::default()
    };
    let house = House::behind(front).await;
    house.account("ana", Role::Owner).await;
    for (origin, status) in [
        ("https://gantry.example.org", StatusCode::SEE_OTHER),
        (
            "https://gantry.example.org.evil.test",
            StatusCode::FORBIDDEN,
        ),
        ("http://gantry.example.org", StatusCode::FORBIDDEN),
        ("https://evil.test", StatusCode::FORBIDDEN),
        ("null", StatusCode::FORBIDDEN),
    ] {
        let mut request = login(PASSWORD);
        request.headers_mut().remove("sec-fetch-site");
        let host = "127.0.0.1:8440".parse().unwrap();
        request.headers_mut().insert(header::HOST, host);
        let answer = from(&house, STRANGER, request, &[("origin", origin)]).await;
        assert_eq!(answer.status, status, "{origin}");
        if status == StatusCode::SEE_OTHER {
            assert!(cookie(&answer.headers).starts_with("__Host-gantry="));
        }
    }
}

#[tokio::test]
async fn a_socket_opens_for_a_page_of_the_public_address_and_for_no_other() {
    let front = Front {
        public: Some("https://gantry.example.org".parse().unwrap()),
        ..Front::default()
    };
    let house = House::behind(front).await;
    for (origin, is_ours) in [
        ("https://gantry.example.org", true),
        ("https://evil.test", false),
        ("http://gantry.example.org", false),
    ] {
        let request = Request::get("/live/page")
            .header(header::HOST, "127.0.0.1:8440")
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==")
            .body(Body::empty())
            .unwrap();
        let answer = from(&house, STRANGER, request, &[("origin", origin)]).await;
        // Nobody is logged in here: a page of ours gets as far as being told that.
        let expected = if is_ours {
            StatusCode::UNAUTHORIZED
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(answer.status, expected, "{origin}");
    }
}
