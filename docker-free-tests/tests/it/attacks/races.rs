//! Two containers that share a directory: one exchanges names while the other is started.

use docker_free_tests::attack::{Canary, load_probe, swap, tries};
use docker_free_tests::{Engine, need};
use serde_json::{Value, json};

/// Creates, starts and removes a container; whether it came to run.
fn comes_to_run(engine: &Engine, body: &Value) -> bool {
    let id = engine.create("victim", body);
    let start = format!("/containers/{id}/start");
    let started = engine.wire().post(&start, &Value::Null).status == 204;
    let remove = format!("/containers/{id}?force=1");
    engine.wire().delete(&remove).expect(204);
    started
}

#[test]
fn a011_and_a029_what_is_made_for_a_container_is_made_inside_it() {
    if !need::all(&["busybox", "cc"]) {
        return;
    }
    let engine = Engine::start();
    load_probe(&engine);
    let canary = Canary::below(engine.scratch());
    let shared = engine.scratch().join("shared");
    std::fs::create_dir_all(shared.join("a")).expect("the directory is ours");
    std::os::unix::fs::symlink(canary.climb(), shared.join("b")).expect("the directory is ours");
    let body = |n: usize| {
        json!({
            "Image": "probe", "Cmd": ["true"],
            "WorkingDir": format!("/s/a/work{n}/deep"),
            "HostConfig": {
                "Binds": [format!("{}:/s", shared.display())],
                "Tmpfs": { format!("/s/a/mount{n}/deep"): "" },
            },
        })
    };
    // The honest twin, whose names stay where they are.
    assert!(comes_to_run(&engine, &body(0)));
    assert!(shared.join("a/mount0/deep").is_dir() && shared.join("a/work0/deep").is_dir());

    swap(&engine, "racer", &shared, "a", "b");
    let n_tries = tries(120);
    let n_ran = (1..=n_tries).filter(|n| {
        let ran = comes_to_run(&engine, &body(*n));
        canary.lives();
        ran
    });

    assert!(
        n_ran.count() > 0,
        "none of {n_tries} came to run, so nothing was raced"
    );
}

#[test]
fn a005_a_console_is_never_put_anywhere_else() {
    if !need::all(&["busybox", "cc", "docker"]) {
        return;
    }
    let engine = Engine::start();
    load_probe(&engine);
    let canary = Canary::below(engine.scratch());
    let shared = engine.scratch().join("shared");
    std::fs::create_dir_all(shared.join("pts")).expect("the directory is ours");
    for name in ["console", "pts/0", "pts/ptmx", "null"] {
        std::fs::write(shared.join(name), "").expect("the directory is ours");
    }
    let bird = format!("{}/bird", canary.climb());
    std::os::unix::fs::symlink(&bird, shared.join("link")).expect("the directory is ours");
    let pts = canary.climb();
    std::os::unix::fs::symlink(&pts, shared.join("pts-link")).expect("the directory is ours");
    swap(&engine, "console-racer", &shared, "console", "link");
    swap(&engine, "pts-racer", &shared, "pts", "pts-link");

    for n in 0..tries(60) {
        let target = ["/dev", "/dev/pts"][n % 2];
        let source = [shared.clone(), shared.join("pts")][n % 2].clone();
        let body = json!({
            "Image": "probe", "Cmd": ["true"], "Tty": true,
            "HostConfig": { "Binds": [format!("{}:{target}", source.display())] },
        });
        let created = engine.wire().post("/containers/create?name=victim", &body);
        if created.status == 201 {
            engine.wire().post("/containers/victim/start", &Value::Null);
            engine
                .wire()
                .delete("/containers/victim?force=1")
                .expect(204);
        }
        canary.lives();
    }

    // The honest twin has a terminal, and its console is that terminal.
    let said = engine.docker(&[
        "run",
        "--rm",
        "-t",
        "probe",
        "sh",
        "-c",
        "tty; echo heard > /dev/console",
    ]);
    assert_eq!(said.out, "/dev/pts/0\r\nheard\r\n");
}
