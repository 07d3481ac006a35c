//! What of a directory reaches a build: the ignore file, a Dockerfile elsewhere, links.

use docker_free_tests::{Engine, docker, need};

use super::{Project, said};

const COPY_ALL: &str = "FROM busybox\nCOPY . /all\n";
const LIST: &str = "cd /all && find . -type f -o -type l | sort";

#[test]
fn the_ignore_file_holds_back_what_it_names() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = Project::new(COPY_ALL);
    let ignore =
        "# not this\n**/*.log\ntarget\n!target/keep\n/secret?\nDockerfile\n.dockerignore\n";
    project.file(".dockerignore", ignore);
    let names = "a.log a/b/c.log target/big target/keep secret1 a/secret1 plain";
    for name in names.split(' ') {
        project.file(name, "x");
    }

    project.built(&engine, &["-t", "all"]);

    let listed = said(&engine, "all", LIST);
    assert_eq!(listed, "./a/secret1\n./plain\n./target/keep");
}

#[test]
fn a_dockerfile_may_lie_elsewhere_or_come_alone() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = Project::new("FROM nowhere/at/all\n");
    let dockerfile = "FROM busybox\nCOPY docker/other /which\n";
    project.file("docker/other", dockerfile);
    project.built(&engine, &["-t", "other", "-f", "docker/other"]);
    assert_eq!(said(&engine, "other", "cat /which"), dockerfile.trim_end());

    let mut alone = engine.docker_command();
    alone.env("DOCKER_BUILDKIT", "0");
    alone.args(["build", "-t", "alone", "-"]);
    docker::run(&mut alone, b"FROM busybox\nCOPY <<EOF /f\nalone\nEOF\n").expect(0);
    assert_eq!(said(&engine, "alone", "cat /f"), "alone");
}

#[test]
fn a_link_in_the_context_is_a_link_and_leads_nowhere_on_the_host() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = Project::new(COPY_ALL);
    let canary = engine.scratch().join("canary");
    std::fs::write(&canary, "of the host").expect("the directory is ours");
    let target = canary.display().to_string();
    project.link("out", &target);
    project.link("up", &format!("../../../../../..{target}"));
    project.file("in", "inside\n");
    project.link("near", "in");

    project.built(&engine, &["-t", "links"]);
    let script = "cat /all/near; readlink /all/out; cat /all/out 2>/dev/null || echo nothing";
    let expected = format!("inside\n{target}\nnothing");
    assert_eq!(said(&engine, "links", script), expected);

    for source in ["out", "up", "../canary", &target] {
        let dockerfile = format!("FROM busybox\nCOPY {source} /stolen\n");
        project.file("Dockerfile", &dockerfile);
        if project.build(&engine, &["-t", "stolen"]).code == 0 {
            let script = "cat /stolen 2>/dev/null || echo nothing";
            assert_eq!(said(&engine, "stolen", script), "nothing", "{source}");
        }
    }
    let canary = std::fs::read_to_string(&canary).expect("still there");
    assert_eq!(canary, "of the host");
}

#[test]
fn a_source_that_is_not_there_is_named_and_nothing_is_listed() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    let project = Project::new("FROM busybox\nCOPY missing /x\n");

    let outcome = project.build(&engine, &["-t", "never"]).expect(1);

    assert!(outcome.err.contains("missing"), "{}", outcome.err);
    assert_ne!(engine.docker(&["image", "inspect", "never"]).code, 0);
    before.holds_again(&engine);
}
