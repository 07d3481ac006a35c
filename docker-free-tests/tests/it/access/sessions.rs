//! Coming in, staying in, and being out again.

use docker_free_tests::people::Person;
use docker_free_tests::server::PASSWORD;
use docker_free_tests::{Engine, Server, need};

#[test]
fn a_session_outlives_the_server() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::start();
    let mut server = Server::start(&engine);
    let mut owner = server.first_owner();
    owner.get("/containers").expect(200);

    server.kill();
    server.again();
    owner.get("/containers").expect(200);
    server.stop();
    server.again();

    owner.get("/containers").expect(200);
    owner.post("/logout", &[]);
    assert_ne!(owner.get("/containers").status, 200, "logged out");
}

#[test]
fn the_set_up_link_works_once() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::start();
    let mut server = Server::start(&engine);
    let path = server.set_up_path();
    let mut stranger = Person::stranger(&server);
    assert_ne!(stranger.get("/setup/guessed").status, 200);
    stranger.get(&path).expect(200);
    let fields = [
        ("name", "eve"),
        ("password", PASSWORD),
        ("password_again", PASSWORD),
    ];
    assert!(stranger.post("/setup/guessed", &fields).status >= 400);
    let short = [
        ("name", "olga"),
        ("password", "short"),
        ("password_again", "short"),
    ];
    let refused = stranger.post(&path, &short);
    assert!(matches!(refused.status, 400 | 422), "{}", refused.status);
    assert!(refused.text().contains("olga"), "what was typed is kept");

    server.first_owner();

    assert_ne!(Person::stranger(&server).get(&path).status, 200);
    assert!(Person::stranger(&server).post(&path, &fields).status >= 400);
    server.kill();
    let links = server.log_text().matches("/setup/").count();
    server.again();
    assert_eq!(
        server.log_text().matches("/setup/").count(),
        links,
        "a second link was printed"
    );
}

#[test]
fn wrong_passwords_are_slowed_down_and_the_right_one_works_again() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::start();
    let server = Server::start(&engine);
    server.first_owner();
    let mut thief = Person::stranger(&server);
    let unknown = thief.log_in("nobody", "wrong password");
    let known = thief.log_in("olga", "wrong password");
    // Nobody learns which names exist.
    assert_eq!(unknown.status, known.status);

    let limited = (0..40).any(|_| thief.log_in("olga", "wrong password").status == 429);

    assert!(limited, "forty wrong passwords were all looked at");
}

#[test]
fn the_command_line_rescues_and_checks() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::start();
    let mut server = Server::start(&engine);
    server.kill();

    server
        .admin(
            "owner",
            &["--name", "rita", "--password-stdin"],
            &format!("{PASSWORD}\n"),
        )
        .expect(0);
    let check = server.admin("check", &[], "").expect(0);
    assert!(!check.out.trim().is_empty());
    server.again();

    Person::logged_in(&server, "rita", PASSWORD)
        .get("/containers")
        .expect(200);
    let weak = server.admin("owner", &["--name", "xx", "--password-stdin"], "a\n");
    assert_ne!(weak.code, 0, "a password of one letter");
}

#[test]
fn cookies_are_not_for_scripts_or_other_sites() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::start();
    let server = Server::start(&engine);
    server.first_owner();

    let answer = Person::stranger(&server).log_in("olga", PASSWORD);

    let cookies: Vec<&str> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    assert!(!cookies.is_empty());
    for cookie in cookies {
        assert!(cookie.contains("HttpOnly"), "{cookie}");
        assert!(
            cookie.contains("SameSite=Lax") || cookie.contains("SameSite=Strict"),
            "{cookie}"
        );
        assert!(cookie.contains("Path=/"), "{cookie}");
    }
}
