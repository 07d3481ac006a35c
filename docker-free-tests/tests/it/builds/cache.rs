//! What is done again and what is not: by content, never by time.

use std::fs::{File, FileTimes};
use std::time::{Duration, SystemTime};

use docker_free_tests::{Engine, need};

use super::{Project, n_cached, prune, said};

fn project() -> Project {
    let project = Project::new(
        "FROM busybox\nRUN echo first > /first\nARG VERSION=1\nCOPY files /files\n\
         RUN cat /files/* > /joined; echo $VERSION >> /joined\nCMD [\"cat\", \"/joined\"]\n",
    );
    project.file("files/a", "a\n");
    project.file("files/b", "b\n");
    project
}

#[test]
fn what_did_not_change_is_not_done_again() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = project();
    let told = project.built(&engine, &["-t", "it"]);
    assert_eq!(n_cached(&told), 0, "{told}");
    let id = engine.inspect_image("it");

    let again = project.built(&engine, &["-t", "it"]);
    assert!(!again.contains("---> Running in"), "{again}");
    assert_eq!(engine.inspect_image("it"), id);

    // Another time is no other content.
    let file = File::options().write(true).open(project.path("files/a"));
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let times = FileTimes::new().set_modified(then);
    let set = file.and_then(|file| file.set_times(times));
    set.expect("the file is ours");
    let touched = project.built(&engine, &["-t", "it"]);
    assert!(!touched.contains("---> Running in"), "{touched}");
    assert_eq!(n_cached(&touched), n_cached(&again), "{touched}");
    assert_eq!(engine.inspect_image("it"), id);
}

#[test]
fn what_changed_is_done_again_with_all_that_stands_on_it() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = project();
    let n_running = |told: &str| told.matches("---> Running in").count();
    let told = project.built(&engine, &["-t", "it"]);
    let n_all = n_running(&told);

    project.file("files/b", "changed\n");
    let content = project.built(&engine, &["-t", "it"]);
    assert!((1..n_all).contains(&n_running(&content)), "{content}");
    assert_eq!(engine.ok(&["run", "--rm", "it"]), "a\nchanged\n1");

    project.mode("files/b", 0o700);
    let mode = project.built(&engine, &["-t", "it"]);
    assert_eq!(n_cached(&mode), n_cached(&content), "{mode}");
    assert_eq!(said(&engine, "it", "stat -c %a /files/b"), "700");

    let argument = ["-t", "it", "--build-arg", "VERSION=2"];
    let argument = project.built(&engine, &argument);
    assert!((1..n_all).contains(&n_running(&argument)), "{argument}");
    assert_eq!(engine.ok(&["run", "--rm", "it"]), "a\nchanged\n2");

    let none = project.built(&engine, &["-t", "it", "--no-cache"]);
    assert_eq!(n_cached(&none), 0, "{none}");
}

#[test]
fn the_cache_outlives_its_images_and_the_engine_until_it_is_pruned() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let mut engine = Engine::with_busybox();
    let before = engine.count();
    let project = project();
    project.built(&engine, &["-t", "it"]);
    engine.ok(&["rmi", "it"]);
    engine.stop();
    engine.again();

    let told = project.built(&engine, &["-t", "it"]);
    assert!(!told.contains("---> Running in"), "{told}");
    assert_eq!(engine.ok(&["run", "--rm", "it"]), "a\nb\n1");

    engine.ok(&["rmi", "it"]);
    prune(&engine);
    before.holds_again(&engine);
    let told = project.built(&engine, &["-t", "it"]);
    assert_eq!(n_cached(&told), 0, "{told}");
}
