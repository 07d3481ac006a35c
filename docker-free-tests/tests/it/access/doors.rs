//! Who may do what: strangers, viewers, other sites.

use std::fs;

use docker_free_tests::people::Person;
use docker_free_tests::server::PASSWORD;
use docker_free_tests::{Engine, Server, need, wait};

const PAGES: &[&str] = &[
    "/",
    "/containers",
    "/containers/new",
    "/images",
    "/jobs",
    "/events",
    "/audit",
    "/account",
    "/search?q=a",
];

/// A server with an owner, a viewer, and a container that runs; gives its id too.
struct Scene {
    engine: Engine,
    server: Server,
    owner: Person,
    viewer: Person,
    id: String,
}

fn scene() -> Scene {
    let engine = Engine::with_busybox();
    let id = engine.run_script("shop", "echo hello; sleep 1000");
    let server = Server::start(&engine);
    let mut owner = server.first_owner();
    let fields = [
        ("name", "vera"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
        ("role", "viewer"),
    ];
    let added = owner.post("/people", &fields);
    assert!(
        matches!(added.status, 302 | 303),
        "{} {}",
        added.status,
        added.text()
    );
    let viewer = Person::logged_in(&server, "vera", PASSWORD);
    wait::until_true("the index knows the container", || {
        owner.get("/containers").text().contains(&id)
    });
    Scene {
        engine,
        server,
        owner,
        viewer,
        id,
    }
}

fn is_running(scene: &Scene) -> bool {
    scene.engine.inspect("shop")["State"]["Running"] == true
        && scene.engine.inspect("shop")["Id"] == scene.id.as_str()
}

#[test]
fn strangers_are_sent_to_the_door() {
    if !need::all(&["busybox"]) {
        return;
    }
    let scene = scene();
    let mut stranger = Person::stranger(&scene.server);

    for page in PAGES {
        let answer = stranger.get(page);
        assert!(
            matches!(answer.status, 302 | 303),
            "{page}: {}",
            answer.status
        );
        assert!(
            answer
                .header("location")
                .is_some_and(|to| to.starts_with("/login")),
            "{page}"
        );
    }
    for verb in ["start", "stop", "restart", "kill", "remove"] {
        let answer = stranger.post(&format!("/containers/{}/{verb}", scene.id), &[]);
        assert!(
            matches!(answer.status, 302 | 303 | 401 | 403),
            "{verb}: {}",
            answer.status
        );
    }
    assert!(is_running(&scene));
}

#[test]
fn a_viewer_looks_and_changes_nothing() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut scene = scene();
    let id = scene.id.clone();

    for page in ["/", "/containers", "/images", "/events"] {
        scene.viewer.get(page).expect(200);
    }
    scene.viewer.get(&format!("/containers/{id}")).expect(200);
    let changes: [(String, Vec<(&str, &str)>); 10] = [
        (format!("/containers/{id}/start"), vec![]),
        (format!("/containers/{id}/stop"), vec![]),
        (format!("/containers/{id}/restart"), vec![]),
        (format!("/containers/{id}/kill"), vec![]),
        (format!("/containers/{id}/rename"), vec![("name", "stolen")]),
        (format!("/containers/{id}/remove"), vec![("force", "on")]),
        (
            "/containers".to_owned(),
            vec![("image", "busybox"), ("name", "mine"), ("network", "none")],
        ),
        (
            "/containers/bulk".to_owned(),
            vec![("action", "stop"), ("id", &id)],
        ),
        ("/images/pull".to_owned(), vec![("image", "127.0.0.1:1/x")]),
        (
            "/people".to_owned(),
            vec![("name", "eve"), ("password", PASSWORD), ("role", "owner")],
        ),
    ];
    for (path, fields) in changes {
        let answer = scene.viewer.post(&path, &fields);
        assert_eq!(answer.status, 403, "{path}: {}", answer.status);
    }

    assert!(is_running(&scene));
    assert_eq!(
        scene
            .engine
            .wire()
            .get("/containers/json?all=1")
            .json()
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    // The honest twin: the owner may.
    let stopped = scene.owner.post(&format!("/containers/{id}/stop"), &[]);
    assert!(matches!(stopped.status, 302 | 303), "{}", stopped.status);
    assert!(!is_running(&scene));
}

#[test]
fn a125_another_sites_form_changes_nothing() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut scene = scene();
    let path = format!("/containers/{}/stop", scene.id);

    for (origin, site) in [
        ("http://evil.example", "cross-site"),
        ("null", "cross-site"),
        ("http://127.0.0.1:1", "same-site"),
    ] {
        let answer = scene.owner.post_from(origin, site, &path, &[]);
        assert_eq!(answer.status, 403, "{origin} {site}");
    }
    for method in ["GET", "HEAD"] {
        let status = scene.owner.send(method, &path, &[], &[]).status;
        assert!(matches!(status, 404 | 405), "{method}: {status}");
    }
    let overridden = scene
        .owner
        .send("GET", &path, &[("X-HTTP-Method-Override", "POST")], &[]);
    assert!(matches!(overridden.status, 404 | 405));

    assert!(is_running(&scene));
}

#[test]
fn a_socket_is_opened_from_our_own_pages_only() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut scene = scene();
    let path = format!("/live/containers/{}/terminal", scene.id);
    let ours = format!("http://{}", scene.server.address);
    let upgrade = |origin| {
        vec![
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Origin", origin),
        ]
    };

    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        let status = scene.owner.send("GET", &path, &upgrade(origin), &[]).status;
        assert_eq!(status, 403, "{origin}");
    }
    assert_eq!(
        scene.viewer.send("GET", &path, &upgrade(&ours), &[]).status,
        403,
        "a viewer's terminal"
    );
    let stranger = Person::stranger(&scene.server)
        .send("GET", &path, &upgrade(&ours), &[])
        .status;
    assert_ne!(stranger, 101, "a stranger's terminal");
    assert_eq!(
        scene.owner.send("GET", &path, &upgrade(&ours), &[]).status,
        101,
        "the honest twin"
    );
}

#[test]
fn a143_every_answer_forbids_foreign_scripts_and_frames() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut scene = scene();
    for page in [
        "/",
        "/containers",
        "/login",
        "/no/such/page",
        "/containers/0000000000",
    ] {
        let answer = scene.owner.get(page);
        let policy = answer
            .header("content-security-policy")
            .unwrap_or_default()
            .to_owned();
        assert!(
            policy.contains("default-src 'self'") || policy.contains("default-src 'none'"),
            "{page}: {policy}"
        );
        assert!(!policy.contains("unsafe-"), "{page}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{page}: {policy}"
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{page}"
        );
        assert!(
            answer
                .header("cache-control")
                .is_some_and(|value| value.contains("no-store")),
            "{page}"
        );
    }
}

/// The most memory that the server has ever held.
fn peak_kib(scene: &Scene) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", scene.server.pid()));
    let status = status.expect("the server runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.expect("the kernel says it")
}

#[test]
fn a155_monstrous_requests_cost_little() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut scene = scene();
    let big = vec![b'a'; 20 * 1024 * 1024];
    let form = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Sec-Fetch-Site", "same-origin"),
    ];
    let wire = scene.server.wire();

    // Refused by status, or cut off before all of it was sent; never read as a form.
    let before = peak_kib(&scene);
    for _ in 0..5 {
        if let Ok(answer) = wire.send("POST", "/login", &form, &big) {
            assert_eq!(answer.status, 413);
        }
    }
    let grown = peak_kib(&scene) - before;
    assert!(grown < 10 * 1024, "the server took {grown} KiB for it");
    let long = "x".repeat(1024 * 1024);
    if let Ok(answer) = wire.send("GET", "/login", &[("X-Long", &long)], &[]) {
        assert!(matches!(answer.status, 400 | 431), "{}", answer.status);
    }

    scene.owner.get("/containers").expect(200);
}

#[test]
fn a_page_stays_readable_when_the_engine_is_gone() {
    if !need::all(&["busybox"]) {
        return;
    }
    let mut scene = scene();

    scene.engine.kill();

    let page = wait::until("the page says that the engine is gone", || {
        let page = scene.owner.get("/containers").expect(200).text();
        page.contains("has ended. Containers keep running.")
            .then_some(page)
    });
    assert!(page.contains("shop"), "the list is still there");
    assert!(page.contains("What you see is as it was at "), "{page}");
    let refused = scene
        .owner
        .post(&format!("/containers/{}/stop", scene.id), &[]);
    assert!(
        matches!(refused.status, 302 | 303 | 502 | 503),
        "{}",
        refused.status
    );
    scene.engine.again();
    wait::until_true("it works again", || {
        let stopped = scene
            .owner
            .post(&format!("/containers/{}/stop", scene.id), &[]);
        matches!(stopped.status, 302 | 303) && !is_running(&scene)
    });
}
