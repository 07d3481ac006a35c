//! What a registry has, asked by the docker command and by docker-py.

use std::process::Command;

use docker_free_tests::images::busybox;
use docker_free_tests::registry::{NAME, PASSWORD, Registry};
use docker_free_tests::{Engine, docker, need};

const NEEDED: &[&str] = &["docker", "busybox", "docker-registry", "skopeo"];

#[test]
fn docker_searches_a_registry_through_its_list() {
    if !need::all(NEEDED) {
        return;
    }
    let registry = Registry::open();
    registry.push(&busybox(), "shop/app:1");
    registry.push(&busybox(), "tools/db:1");
    let engine = Engine::with_busybox();

    let found = engine.ok(&[
        "search",
        "--format",
        "{{.Name}}",
        &format!("{}/app", registry.address),
    ]);

    assert_eq!(found, format!("{}/shop/app", registry.address));
    let nowhere = engine.docker(&["search", "127.0.0.1:1/app"]).expect(1).err;
    assert!(nowhere.contains("cannot reach the registry"), "{nowhere}");
}

/// Prints what a name stands for, or the status of the refusal.
const ABOUT: &str = "
import sys, docker
client = docker.from_env()
auth = {'username': sys.argv[2], 'password': sys.argv[3]}
try:
    found = client.images.get_registry_data(sys.argv[1], auth_config=auth)
    print(found.id, [p['os'] for p in found.attrs['Platforms']])
except docker.errors.APIError as error:
    print(error.status_code)
";

#[test]
fn docker_py_asks_what_a_name_stands_for() {
    if !need::all(NEEDED) {
        return;
    }
    let Some(python) = need::python() else {
        return;
    };
    let registry = Registry::closed();
    let name = registry.push(&busybox(), "shop/app:1");
    let engine = Engine::with_busybox();
    let ask = |name: &str, password: &str| {
        let mut command = Command::new(&python);
        command.args(["-I", "-c", ABOUT, name, NAME, password]);
        let socket = format!("unix://{}", engine.socket().display());
        command.env("DOCKER_HOST", socket);
        docker::run(&mut command, &[]).expect(0).out
    };

    let found = ask(&name, PASSWORD);

    assert!(found.starts_with("sha256:"), "{found}");
    assert!(found.ends_with("['linux']\n"), "{found}");
    assert_eq!(ask(&name, "guess"), "401\n");
    assert_eq!(ask(&name.replace(":1", ":2"), PASSWORD), "404\n");
}
