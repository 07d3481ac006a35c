//! Who a request comes from, where proxies stand before the server.
//!
//! ```text
//! browser ─→ proxy ─→ proxy ─→ server        X-Forwarded-For: what the browser made up, browser, proxy
//!                                                                                       ↑
//!                                             read from the right: the first that is no listed proxy
//! ```
//!
//! What a client writes into such a header itself stands to the left of what the proxies add, so it
//! is never reached. From a peer that is not listed nothing of it is believed (1Panel CVE-2025-66508,
//! Gitea CVE-2026-20896); `Forwarded`, `X-Real-IP` and `X-Forwarded-Host` from nobody.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use crate::domain::Front;

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
/// More proxies in a row than anybody has.
const MOST_HOPS: usize = 32;

/// Returns the address that a request comes from.
pub(super) fn address(front: &Front, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let peer = peer.to_canonical();
    let mut last = peer;
    if !front.trusts(peer) {
        return last;
    }
    let lists = headers.get_all(FOR).iter().rev();
    let hops = lists.flat_map(|list| list.to_str().unwrap_or("?").rsplit(','));
    for hop in hops.take(MOST_HOPS) {
        // What a listed proxy could not write says nothing, nor does what stands left of it.
        let Some(address) = parse(hop.trim()) else {
            return last;
        };
        last = address;
        if !front.trusts(address) {
            return last;
        }
    }
    last
}

/// Tells whether the browser comes by TLS.
pub(super) fn is_secure(front: &Front, peer: IpAddr, headers: &HeaderMap) -> bool {
    if front.is_always_secure() {
        return true;
    }
    let nearest = headers.get_all(PROTO).iter().next_back();
    let nearest = nearest.and_then(|value| value.to_str().ok()?.rsplit(',').next());
    front.trusts(peer) && nearest.is_some_and(|word| word.trim().eq_ignore_ascii_case("https"))
}

/// Reads an address; some proxies write the port with it.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address: Option<IpAddr> = bare.parse().ok();
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    Some(address.or_else(with_port)?.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn front() -> Front {
        Front {
            proxies: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            ..Front::default()
        }
    }

    fn check(peer: &str, lists: &[&str], expected: &str) {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(FOR, list.parse().unwrap());
        }
        let found = address(&front(), peer.parse().unwrap(), &headers);
        assert_eq!(found.to_string(), expected, "{peer} {lists:?}");
    }

    #[test]
    fn the_client_is_the_last_that_is_no_listed_proxy() {
        check("10.0.0.1", &["203.0.113.7"], "203.0.113.7");
        check("10.0.0.1", &["203.0.113.7, 10.0.0.2"], "203.0.113.7");
        check(
            "10.0.0.1",
            &["203.0.113.7", "10.0.0.2,10.0.0.3"],
            "203.0.113.7",
        );
        check("fd00::1", &["2001:db8::7"], "2001:db8::7");
        check("10.0.0.1", &["203.0.113.7:4711"], "203.0.113.7");
        check("10.0.0.1", &["[2001:db8::7]:4711"], "2001:db8::7");
        check("::ffff:10.0.0.1", &["::ffff:203.0.113.7"], "203.0.113.7");
        check("10.0.0.1", &[], "10.0.0.1");
    }

    #[test]
    fn what_a_client_writes_itself_is_not_reached() {
        check("10.0.0.1", &["1.1.1.1, 203.0.113.7"], "203.0.113.7");
        check("10.0.0.1", &["10.0.0.9, 203.0.113.7"], "203.0.113.7");
        check(
            "10.0.0.1",
            &["1.1.1.1", "203.0.113.7, 10.0.0.2"],
            "203.0.113.7",
        );
        check("203.0.113.7", &["1.1.1.1"], "203.0.113.7");
        check("203.0.113.7", &["10.0.0.1, 10.0.0.1"], "203.0.113.7");
    }

    #[test]
    fn what_is_no_address_ends_the_reading() {
        check("10.0.0.1", &["1.1.1.1, unknown"], "10.0.0.1");
        check("10.0.0.1", &["1.1.1.1, _hidden, 10.0.0.2"], "10.0.0.2");
        check("10.0.0.1", &[""], "10.0.0.1");
        check("10.0.0.1", &["1.1.1.1,"], "10.0.0.1");
        let endless = ["10.0.0.2"; 1_000].join(",");
        check("10.0.0.1", &[&format!("1.1.1.1,{endless}")], "10.0.0.2");
    }

    #[test]
    fn only_the_nearest_proxy_says_how_the_browser_comes() {
        let secure = |peer: &str, words: &[&str]| {
            let mut headers = HeaderMap::new();
            for word in words {
                headers.append(PROTO, word.parse().unwrap());
            }
            is_secure(&front(), peer.parse().unwrap(), &headers)
        };
        assert!(secure("10.0.0.1", &["https"]) && secure("10.0.0.1", &["http, HTTPS"]));
        assert!(!secure("10.0.0.1", &["https, http"]));
        assert!(!secure("10.0.0.1", &["https", "http"]));
        assert!(!secure("10.0.0.1", &[]) && !secure("203.0.113.7", &["https"]));
    }
}
