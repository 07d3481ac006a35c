//! A registry whose certificate an authority of its own vouches for, through the whole engine.

use std::fs;
use std::process::Command;

use docker_free_tests::images::busybox;
use docker_free_tests::registry::{NAME, PASSWORD, Registry};
use docker_free_tests::{Engine, docker, need};
use serde_json::{Value, json};
use tempfile::TempDir;

const NEEDED: &[&str] = &["docker", "busybox", "docker-registry", "skopeo", "openssl"];
const STRANGER: &str = "nobody this machine trusts";

#[test]
fn an_authority_that_the_host_names_is_trusted_for_every_way_to_its_registry() {
    if !need::all(NEEDED) {
        return;
    }
    let registry = Registry::certified();
    let name = registry.push(&busybox(), "shop/app:1");
    let certificates = TempDir::new().expect("a temporary directory");
    let folder = certificates.path().display().to_string();
    let engine = Engine::with(&["--registry-certs", &folder]);
    let refused = engine.docker(&["pull", &name]).expect(1).err;
    assert!(refused.contains(STRANGER), "{refused}");

    // Without a restart.
    let own = certificates.path().join(&registry.address);
    fs::create_dir(&own).expect("the directory is ours");
    fs::write(own.join("ca.crt"), registry.authority()).expect("the directory is ours");
    let refused = engine.docker(&["pull", &name]).expect(1).err;
    assert!(refused.contains("may require 'docker login'"), "{refused}");
    let mut login = engine.docker_command();
    login.args(["login", "--username", NAME, "--password-stdin"]);
    docker::run(login.arg(&registry.address), PASSWORD.as_bytes()).expect(0);
    engine.ok(&["pull", &name]);
    assert_eq!(engine.ok(&["run", "--rm", &name, "echo", "hi"]), "hi");

    let other = format!("{}/shop/other:2", registry.address);
    engine.ok(&["tag", &name, &other]);
    engine.ok(&["push", &other]);
    engine.ok(&["rmi", &name, &other]);
    let mut build = engine.docker_command();
    build
        .env("DOCKER_BUILDKIT", "0")
        .args(["build", "--tag", "it", "-"]);
    docker::run(
        &mut build,
        format!("FROM {other}\nRUN echo built\n").as_bytes(),
    )
    .expect(0);
    let words = format!("{}/shop", registry.address);
    let found = engine.ok(&["search", "--format", "{{.Name}}", &words]);
    assert!(
        found.contains("shop/app") && found.contains("shop/other"),
        "{found}"
    );
}

/// As credentials travel in a header.
fn packed(value: &Value) -> String {
    let mut pack = Command::new(need::program("openssl"));
    let packed = docker::run(pack.args(["base64", "-A"]), value.to_string().as_bytes());
    packed
        .expect(0)
        .out
        .trim()
        .replace('+', "-")
        .replace('/', "_")
}

#[test]
fn an_authority_that_comes_with_the_login_is_trusted_by_pulls_builds_and_searches() {
    if !need::all(NEEDED) {
        return;
    }
    let registry = Registry::certified();
    let name = registry.push(&busybox(), "shop/app:1");
    let engine = Engine::start();
    let login = json!({
        "username": NAME,
        "password": PASSWORD,
        "serveraddress": registry.address,
        "gantryauthority": registry.authority(),
    });
    let (one, all) = (packed(&login), packed(&json!({ &registry.address: login })));
    let ask = |method: &str, path: &str, header: (&str, &str), body: &[u8]| {
        let answer = engine.wire().send(method, path, &[header], body);
        answer.expect("an answer").expect(200).text()
    };

    let dockerfile = format!("FROM {name}\nRUN echo built\n");
    let header = ("X-Registry-Config", all.as_str());
    let told = ask("POST", "/build?t=it&q=1", header, dockerfile.as_bytes());
    assert!(
        told.contains("sha256:") && !told.contains("error"),
        "{told}"
    );
    let header = ("X-Registry-Auth", one.as_str());
    let path = format!("/images/search?term={}/app", registry.address);
    assert!(ask("GET", &path, header, &[]).contains("shop/app"));
    let told = ask(
        "POST",
        &format!("/images/create?fromImage={name}"),
        header,
        &[],
    );
    assert!(told.contains("Digest: sha256:"), "{told}");

    // It was for those requests, and for nobody else.
    let refused = engine.docker(&["pull", &name]).expect(1).err;
    assert!(refused.contains(STRANGER), "{refused}");
    assert!(!engine.log_text().contains(PASSWORD));
}
