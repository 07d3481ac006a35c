//! The doors: who comes in by which route, and what no page of another site can do.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use backend::access::{Effect, TABLE, policy};
use backend::domain::Role;
use backend::http::{Gate, routes};

use crate::engine::id;
use crate::house::House;

/// Fills the braces of a path with things that exist.
fn filled(path: &str) -> String {
    let thing = match path {
        path if path.starts_with("/images") => id(7),
        path if path.starts_with("/networks") => id(50),
        _ => id(1),
    };
    path.replace("{id}", &thing)
        .replace("{token}", "no-such-token")
}

/// Compares with a golden file, or writes it when `GANTRY_GOLDEN=write` is set.
fn golden(name: &str, text: &str) {
    let path = format!(
        "{}/../docker-free-tests/golden/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    if std::env::var_os("GANTRY_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        text, known,
        "see golden/{name}; GANTRY_GOLDEN=write takes the new text"
    );
}

#[test]
fn the_routes_are_the_reviewed_ones() {
    let mut text = String::new();
    for entry in routes::table() {
        let gate = match entry.gate {
            Gate::Anyone => "anyone".to_owned(),
            Gate::LoggedIn => "logged in".to_owned(),
            Gate::Holding(ids) => ids
                .iter()
                .map(|id| id.name())
                .collect::<Vec<_>>()
                .join(" | "),
        };
        writeln!(text, "{:4} {:40} {gate}", entry.method, entry.path).unwrap();
    }
    golden("routes.txt", &text);
}

#[test]
fn the_access_matrix_is_the_reviewed_one() {
    let mut text = String::from("permission                 effect    place      viewer  owner\n");
    for row in TABLE {
        let reach = |role| match policy::decide(role, row.id) {
            None => "–",
            Some(policy::Reach::Own) => "own",
            Some(policy::Reach::All) => "all",
        };
        let effect = format!("{:?}", row.effect).to_lowercase();
        let (viewer, owner) = (reach(Role::Viewer), reach(Role::Owner));
        writeln!(
            text,
            "{:26} {effect:9} {:10} {viewer:7} {owner}",
            row.name, row.place
        )
        .unwrap();
    }
    golden("access-matrix.txt", &text);
}

#[test]
fn no_page_changes_anything() {
    for entry in routes::table()
        .into_iter()
        .filter(|entry| entry.method == "GET")
    {
        if let Gate::Holding(ids) = entry.gate {
            let harmless = |id: &backend::access::PermissionId| {
                let row = id.row();
                row.effect == Effect::Read
                    // A form to fill in, a question before a removal, a socket to type into, a file.
                    || ["/new", "/edit", "/remove", "/terminal", "/download", "/tag"]
                        .iter()
                        .any(|end| entry.path.contains(end))
            };
            assert!(ids.iter().all(harmless), "{}", entry.path);
        }
    }
}

#[tokio::test]
async fn a_viewer_is_refused_on_every_route_they_hold_no_permission_for() {
    let house = House::new().await;
    let (cookie, _) = house.person("vic", Role::Viewer).await;
    house.account("ana", Role::Owner).await;
    let (mut n_refused, mut n_routes) = (0, 0);
    for entry in routes::table() {
        let Gate::Holding(ids) = &entry.gate else {
            continue;
        };
        if ids
            .iter()
            .any(|id| policy::decide(Role::Viewer, *id).is_some())
        {
            continue;
        }
        let path = filled(entry.path);
        let method: Method = entry.method.parse().unwrap();
        n_routes += 1;
        for action in ["start", "stop", "restart", "kill", "remove"] {
            let body = format!("action={action}&id={}&name=x", id(1));
            let answer = house.ask(method.clone(), &path, &cookie, &body).await;
            // A job, an account or a registry of that id does not exist: then it is not found.
            let is_absent = is_absent(entry.path) && answer.status == 404;
            let is_refused = answer.status == 403;
            assert!(
                is_refused || is_absent,
                "{method} {path} gave {}",
                answer.status
            );
            n_refused += usize::from(is_refused);
        }
    }
    assert!(
        house.engine.with(|state| state.asked.is_empty()),
        "nothing reached the engine"
    );
    assert!(n_refused > 100, "{n_refused} refusals on {n_routes} routes");
}

/// Tells whether a path names a thing that these tests have none of.
fn is_absent(path: &str) -> bool {
    [
        "/jobs/{",
        "/people/{",
        "/registries/{",
        "/logs",
        "/live/logs",
    ]
    .iter()
    .any(|beginning| path.starts_with(beginning))
}

#[tokio::test]
async fn nobody_comes_in_without_a_session() {
    let house = House::new().await;
    for entry in routes::table()
        .into_iter()
        .filter(|entry| entry.gate != Gate::Anyone)
    {
        let method: Method = entry.method.parse().unwrap();
        let path = filled(entry.path);
        for cookie in ["", "gantry=AAAAAAAAAAAAAAAAAAAAAA", "gantry=../../x"] {
            let answer = house.ask(method.clone(), &path, cookie, "").await;
            let is_out = answer.status == StatusCode::SEE_OTHER
                || answer.status == StatusCode::UNAUTHORIZED
                || answer.status == StatusCode::FORBIDDEN;
            assert!(is_out, "{method} {path} gave {}", answer.status);
        }
    }
}

#[tokio::test]
async fn another_site_can_change_nothing() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    for entry in routes::table()
        .into_iter()
        .filter(|entry| entry.method == "POST")
    {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.test"),
            ("origin", "null"),
        ] {
            for kind in [
                "application/x-www-form-urlencoded",
                "text/plain",
                "multipart/form-data",
            ] {
                let request = Request::post(filled(entry.path))
                    .header(header::HOST, "gantry.test")
                    .header(name, value)
                    .header(header::COOKIE, &cookie)
                    .header(header::CONTENT_TYPE, kind)
                    .body(Body::from("action=stop"))
                    .unwrap();
                let answer = house.send(request).await;
                assert_eq!(answer.status, 403, "{} {name}: {value}", entry.path);
            }
        }
    }
    assert!(house.engine.with(|state| state.asked.is_empty()));
}

#[tokio::test]
async fn another_site_can_open_no_socket() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let sockets = routes::table()
        .into_iter()
        .filter(|entry| entry.path.starts_with("/live/"));
    let origins = [
        None,
        Some("https://evil.test"),
        Some("null"),
        Some("http://gantry.test.evil"),
    ];
    for entry in sockets {
        for origin in origins {
            let mut request = Request::get(filled(entry.path))
                .header(header::HOST, "gantry.test")
                .header(header::COOKIE, &cookie)
                .header(header::CONNECTION, "upgrade")
                .header(header::UPGRADE, "websocket")
                .header(header::SEC_WEBSOCKET_VERSION, "13")
                .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
            if let Some(origin) = origin {
                request = request.header(header::ORIGIN, origin);
            }
            let answer = house.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, 403, "{} from {origin:?}", entry.path);
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_guard_a_page() {
    let house = House::new().await;
    for path in ["/healthz", "/nowhere", "/containers", "/login"] {
        let answer = house.ask(Method::GET, path, "", "").await;
        let csp = answer.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            csp.contains("default-src 'none'") && !csp.contains("unsafe"),
            "{csp}"
        );
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer.headers[header::X_FRAME_OPTIONS], "DENY");
    }
}

#[tokio::test]
async fn a_program_gets_json_and_learns_which_request_it_was() {
    let house = House::new().await;
    let request = Request::get("/nowhere")
        .header(header::ACCEPT, "application/json")
        .body(Body::empty())
        .unwrap();
    let answer = house.send(request).await;
    let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(body["problem"], "problem-not-found");
    assert_eq!(body["request"].as_str().map(str::len), Some(36));
}

#[tokio::test]
async fn an_absent_thing_and_a_name_that_is_none_look_the_same() {
    let house = House::new().await;
    let (cookie, _) = house.person("vic", Role::Viewer).await;
    let one = house
        .ask(Method::GET, &format!("/containers/{}", id(99)), &cookie, "")
        .await;
    let two = house
        .ask(Method::GET, "/containers/..%2f..%2fetc", &cookie, "")
        .await;
    assert_eq!(
        (one.status, two.status),
        (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND)
    );
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let house = House::new().await;
    let ana = house.account("ana", Role::Owner).await;
    let body = format!("action=stop&id={}", "x".repeat(3_000_000));
    let mut n_refused = 0;
    for entry in routes::table() {
        if entry.method != "POST" || TAKES_FILES.contains(&entry.path) {
            continue;
        }
        // Each with a session of its own: some of them end it.
        let cookie = house.login(&ana).await;
        let answer = house
            .ask(Method::POST, &filled(entry.path), &cookie, &body)
            .await;
        let reads_none = READ_NO_FORM.contains(&entry.path) || is_absent(entry.path);
        assert!(
            answer.status == 413 || reads_none,
            "{} gave {}",
            entry.path,
            answer.status
        );
        n_refused += usize::from(answer.status == 413);
    }
    assert!(n_refused > 10, "{n_refused} of them");
}

/// Posts whose bodies are passed on, however long they are.
const TAKES_FILES: &[&str] = &[
    "/images/load",
    "/images/builds",
    "/containers/{id}/files/upload",
    "/containers/{id}/files/put",
];

/// Posts that have nothing to say besides their address.
const READ_NO_FORM: &[&str] = &[
    "/logout",
    "/containers/{id}/inspect",
    "/images/{id}/remove",
    "/networks/prune",
    "/networks/{id}/remove",
];
