//! Builds that end in the middle: the client goes, the engine is killed. Nothing of them is left.

use docker_free_tests::{Engine, Running, need, wait};

use super::{Project, prune, said};

/// A build whose second command takes forever.
fn endless() -> Project {
    Project::new("FROM busybox\nRUN echo kept > /kept\nRUN w=run; echo ${w}ning; sleep 100000\n")
}

/// Begins to build, and waits until the last command runs.
fn building(engine: &Engine, project: &Project) -> Running {
    let mut command = engine.docker_command();
    command.env("DOCKER_BUILDKIT", "0");
    command.current_dir(project.dir());
    command.args(["build", "-t", "never", "."]);
    let mut client = Running::start(&mut command);
    client.until("running\n");
    client
}

fn no_container_is_left(engine: &Engine) {
    wait::until_true("no container of the build is left", || {
        engine.ok(&["ps", "-aq"]).is_empty()
    });
    assert_ne!(engine.docker(&["image", "inspect", "never"]).code, 0);
}

#[test]
fn a_client_that_goes_takes_its_build_with_it() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    let project = endless();

    let client = building(&engine, &project);
    client.kill();

    no_container_is_left(&engine);
    prune(&engine);
    before.holds_again(&engine);
}

#[test]
fn an_engine_that_is_killed_in_a_build_leaves_nothing_of_it_and_builds_again() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    let before = engine.count();
    let project = endless();

    let client = building(&engine, &project);
    engine.kill();
    client.kill();
    engine.again();

    no_container_is_left(&engine);
    project.file(
        "Dockerfile",
        "FROM busybox\nRUN echo kept > /kept\nRUN true\n",
    );
    project.built(&engine, &["-t", "done"]);
    assert_eq!(said(&engine, "done", "cat /kept"), "kept");
    engine.ok(&["rmi", "done"]);
    prune(&engine);
    before.holds_again(&engine);
}
