//! Builds whose base lies in a registry that wants to know who asks.

use docker_free_tests::registry::{NAME, PASSWORD, Registry};
use docker_free_tests::{Engine, docker, images, need};

use super::{Project, said};

#[test]
fn a_base_is_pulled_with_the_credentials_of_the_client_and_newer_ones_when_asked() {
    if !need::all(&["docker", "docker-registry", "skopeo"]) {
        return;
    }
    let engine = Engine::start();
    let registry = Registry::closed();
    let base = registry.push(&images::busybox(), "shop/base:1");
    let project = Project::new(&format!("FROM {base}\nRUN echo made > /made\n"));

    let refused = project.build(&engine, &["--tag", "it"]);
    assert_ne!(refused.code, 0, "{}", refused.out);
    let mut login = engine.docker_command();
    login.args(["login", "--username", NAME, "--password-stdin"]);
    docker::run(login.arg(&registry.address), PASSWORD.as_bytes()).expect(0);
    let told = project.built(&engine, &["--tag", "it"]);
    assert!(
        told.contains("Pull complete") || told.contains("Digest: sha256:"),
        "{told}"
    );
    assert_eq!(said(&engine, "it", "cat /made"), "made");

    // What is here is not asked for again, unless somebody wants the newest.
    let told = project.built(&engine, &["--tag", "it"]);
    assert!(!told.contains("Pulling from"), "{told}");
    let told = project.built(&engine, &["--pull", "--tag", "it"]);
    assert!(told.contains("Image is up to date"), "{told}");
    assert_eq!(super::n_cached(&told), 1, "{told}");
}
