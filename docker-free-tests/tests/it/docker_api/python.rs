//! docker-py and docker-compose, clients that nobody here wrote: the newest release of the one, and
//! what Debian has of both.

use std::path::Path;
use std::process::Command;

use docker_free_tests::{Engine, docker, need};

/// Runs the everyday script with a Python.
fn everyday(python: &Path) -> docker::Outcome {
    let engine = Engine::with_busybox();
    let before = engine.count();
    let mut command = Command::new(python);
    command.arg("-I").arg(need::file("clients/everyday.py"));
    command.env(
        "DOCKER_HOST",
        format!("unix://{}", engine.socket().display()),
    );
    let outcome = docker::run(&mut command, &[]);
    if outcome.code == 0 {
        before.holds_again(&engine);
    }
    outcome
}

#[test]
fn scripts_with_the_newest_docker_py_work() {
    if !need::all(&["busybox"]) {
        return;
    }
    let Some(python) = need::python() else {
        return;
    };
    let outcome = everyday(&python).expect(0);
    assert_eq!(outcome.out, "all well with docker-py 7.2.0\n");
}

#[test]
fn scripts_with_debians_docker_py_work() {
    if !need::all(&["busybox", "docker-compose"]) {
        return;
    }
    let outcome = everyday(Path::new("/usr/bin/python3")).expect(0);
    assert_eq!(outcome.out, "all well with docker-py 5.0.3\n");
}

const TWO_SERVICES: &str = r#"
version: "2.4"
services:
  shop:
    image: busybox
    network_mode: none
    command: ["sh", "-c", "trap 'exit 0' TERM; echo the shop opens; while true; do sleep 0.05; done"]
    environment: { GREETING: "hello there" }
    mem_limit: 64m
    stop_grace_period: 5s
  mill:
    image: busybox
    network_mode: none
    depends_on: [shop]
    command: ["sh", "-c", "echo the mill turns; sleep 1000"]
    stop_grace_period: 0s
"#;

/// Docker-compose, ready for its arguments.
pub(super) fn compose(engine: &Engine, arguments: &[&str]) -> docker::Outcome {
    let folder = engine.scratch().join("project");
    let mut command = Command::new(need::program("docker-compose"));
    command.args(["--no-ansi", "-p", "village"]).args(arguments);
    command.current_dir(folder);
    command.env(
        "DOCKER_HOST",
        format!("unix://{}", engine.socket().display()),
    );
    command.env("DOCKER_CONFIG", engine.scratch().join("docker-config"));
    // It builds by itself, and not with the docker command.
    command.env("COMPOSE_DOCKER_CLI_BUILD", "0");
    docker::run(&mut command, &[])
}

#[test]
fn a_project_goes_up_and_down_with_docker_compose() {
    if !need::all(&["busybox", "docker-compose"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    let folder = engine.scratch().join("project");
    std::fs::create_dir(&folder).expect("the directory is ours");
    let file = folder.join("docker-compose.yml");
    std::fs::write(&file, TWO_SERVICES).expect("the directory is ours");
    let ok = |arguments: &[&str]| compose(&engine, arguments).expect(0);
    assert!(ok(&["version", "--short"]).out.starts_with("1.29."));

    ok(&["up", "-d"]);
    let up = ok(&["ps"]).out;
    assert_eq!(up.matches(" Up ").count(), 2, "{up}");
    let shop = engine.inspect("village_shop_1");
    assert_eq!(shop["HostConfig"]["NetworkMode"], "none");
    assert_eq!(shop["HostConfig"]["Memory"], 64 << 20);
    let heard = ok(&["logs"]).out;
    assert!(heard.contains("shop_1  | the shop opens"), "{heard}");
    assert!(heard.contains("mill_1  | the mill turns"), "{heard}");
    let greeting = ok(&["exec", "-T", "shop", "sh", "-c", "echo $GREETING"]).out;
    assert_eq!(greeting, "hello there\n");
    assert_eq!(
        compose(&engine, &["exec", "-T", "shop", "sh", "-c", "exit 9"]).code,
        9
    );
    assert!(ok(&["top"]).out.contains("while true"));

    // Nothing has changed, so nothing is made anew; then one service has, and it alone is.
    let pid = |name: &str| engine.inspect(name)["State"]["Pid"].clone();
    let (shop, mill) = (pid("village_shop_1"), pid("village_mill_1"));
    ok(&["up", "-d"]);
    assert_eq!(
        (pid("village_shop_1"), pid("village_mill_1")),
        (shop.clone(), mill)
    );
    let changed = TWO_SERVICES.replace("mill turns", "mill stands");
    std::fs::write(&file, changed).expect("the directory is ours");
    ok(&["up", "-d"]);
    assert_eq!(pid("village_shop_1"), shop);
    assert!(ok(&["logs", "mill"]).out.contains("the mill stands"));

    ok(&["restart", "-t", "5", "shop"]);
    assert_ne!(pid("village_shop_1"), shop);
    ok(&["stop"]);
    let stopped = ok(&["ps", "-a"]).out;
    assert!(
        stopped.contains("Exit 0") && stopped.contains("Exit 137"),
        "{stopped}"
    );
    ok(&["start"]);
    ok(&["kill", "-s", "KILL", "mill"]);
    ok(&["run", "--rm", "-T", "mill", "echo", "once"]);
    ok(&["down"]);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    before.holds_again(&engine);

    // A file that asks for what is not built is told so by name.
    let wide = TWO_SERVICES.replace("    mem_limit: 64m\n", "    isolation: hyperv\n");
    std::fs::write(&file, wide).expect("the directory is ours");
    let refused = compose(&engine, &["up", "-d"]);
    assert!(
        refused.code != 0 && refused.err.contains("Isolation is an option of Windows"),
        "{}",
        refused.err
    );
    ok(&["down"]);
    before.holds_again(&engine);
}

const BUILT_SERVICE: &str = r#"
version: "2.4"
services:
  shop:
    build: { context: ., dockerfile: Shopfile, target: made, args: { GOODS: apples } }
    image: village/shop:1
    network_mode: none
"#;

#[test]
fn a_service_is_built_by_docker_compose_when_it_goes_up() {
    if !need::all(&["busybox", "docker-compose"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let folder = engine.scratch().join("project");
    std::fs::create_dir(&folder).expect("the directory is ours");
    let write = |name: &str, content: &str| {
        std::fs::write(folder.join(name), content).expect("the directory is ours");
    };
    write("docker-compose.yml", BUILT_SERVICE);
    write(
        "Shopfile",
        "FROM busybox AS made\nARG GOODS\nCOPY price /price\nRUN echo $GOODS > /goods\n\
         CMD [\"cat\", \"/goods\", \"/price\"]\nFROM nowhere/at/all\n",
    );
    write("price", "3\n");

    compose(&engine, &["up", "-d"]).expect(0);
    engine.until_state("village_shop_1", "exited");
    assert_eq!(engine.logs("village_shop_1"), "apples\n3\n");

    write("price", "4\n");
    compose(&engine, &["build"]).expect(0);
    assert_eq!(engine.ok(&["run", "--rm", "village/shop:1"]), "apples\n4");
    write("Shopfile", "FROM busybox AS made\nCPOY price /price\n");
    let wrong = compose(&engine, &["build"]);
    assert_ne!(wrong.code, 0);
    assert!(wrong.err.contains("did you mean COPY?"), "{}", wrong.err);
    compose(&engine, &["down"]).expect(0);
}
