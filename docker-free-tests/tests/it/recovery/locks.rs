//! Engines that must not start, and say why in one line.

use docker_free_tests::{Engine, docker, need};

fn refused(engine: &Engine, options: &[&str]) -> docker::Outcome {
    let outcome = docker::run(engine.command().args(options), &[]);
    assert_ne!(outcome.code, 0, "a second engine started");
    let said = outcome.err.trim();
    assert_eq!(said.lines().count(), 1, "one line says it: {said}");
    outcome
}

#[test]
fn a_second_engine_on_the_same_data_is_refused() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("cc", "sleep 1000");
    let other_socket = engine.scratch().join("other.sock");
    let mut command = engine.command();
    let arguments: Vec<_> = command.get_args().map(std::ffi::OsStr::to_owned).collect();
    command = std::process::Command::new(need::binary("gantry-engine"));
    for argument in arguments {
        let is_socket = argument == engine.socket().as_os_str();
        command.arg(if is_socket {
            other_socket.as_os_str()
        } else {
            argument.as_os_str()
        });
    }

    let outcome = docker::run(&mut command, &[]);

    assert_ne!(outcome.code, 0, "a second engine started");
    assert!(
        outcome.err.contains(&engine.data().display().to_string()),
        "{}",
        outcome.err
    );
    assert_eq!(engine.inspect("cc")["State"]["Running"], true);
    assert!(!other_socket.exists());
}

#[test]
fn data_from_a_newer_engine_is_left_alone() {
    if !need::all(&[]) {
        return;
    }
    let mut engine = Engine::start();
    engine.stop();
    let version = engine.data().join("version");
    let old = std::fs::read_to_string(&version).expect("data carry their version");
    std::fs::write(&version, "999999\n").expect("the directory is ours");

    let outcome = refused(&engine, &[]);

    assert!(outcome.err.contains("newer"), "{}", outcome.err);
    assert_eq!(
        std::fs::read_to_string(&version).ok().as_deref(),
        Some("999999\n")
    );
    std::fs::write(&version, old).expect("the directory is ours");
    engine.again();
}

#[test]
fn a_socket_left_by_a_killed_engine_is_taken_over() {
    if !need::all(&[]) {
        return;
    }
    let mut engine = Engine::start();
    engine.kill();
    assert!(engine.socket().exists(), "a killed engine cannot tidy up");

    engine.again();

    let mode = std::fs::metadata(engine.socket()).expect("the socket is there");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&mode.permissions()) & 0o777,
        0o660
    );
    let data = std::fs::metadata(engine.data()).expect("the data are there");
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&data.permissions()) & 0o777,
        0o700
    );
}

#[test]
fn wrong_options_are_explained() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::prepared(&[]);
    let outcome = docker::run(engine.command().arg("--no-such-option"), &[]);
    assert_ne!(outcome.code, 0);
    assert!(outcome.err.contains("--no-such-option"), "{}", outcome.err);
    let mut help = std::process::Command::new(need::binary("gantry-engine"));
    let help = docker::run(help.args(["serve", "--help"]), &[])
        .expect(0)
        .out;
    for word in [
        "--socket",
        "--data",
        "--run",
        "--registry-mirror",
        "--insecure-registry",
        "GANTRY_",
    ] {
        assert!(help.contains(word), "{word} is missing in {help}");
    }
}
