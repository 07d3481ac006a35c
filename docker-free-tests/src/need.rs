//! What a test needs from the machine, and where the built binaries are.
//!
//! A test that lacks a need says so and passes; under `docker-free-tests/run` (which installs the
//! needs) the lack is a failure.

use std::path::{Path, PathBuf};

/// Whether root and all `programs` are there. Says loudly what is not.
///
/// # Panics
/// Under `GANTRY_TESTS_STRICT`, where nothing may be skipped.
#[must_use]
#[expect(clippy::print_stderr, reason = "a skip that nobody reads is a lie")]
pub fn all(programs: &[&str]) -> bool {
    let root = rustix::process::geteuid().is_root();
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|name| find(name).is_none())
        .collect();
    if root && missing.is_empty() {
        return true;
    }
    let lack = if root {
        missing.join(", ")
    } else {
        "root".to_owned()
    };
    let strict = std::env::var_os("GANTRY_TESTS_STRICT").is_some();
    assert!(!strict, "this machine lacks: {lack}");
    eprintln!("SKIPPED, this machine lacks: {lack}");
    false
}

/// A Python that has docker-py as `clients/requirements.txt` pins it, made by the test command.
///
/// # Panics
/// Under `GANTRY_TESTS_STRICT`, where nothing may be skipped.
pub fn python() -> Option<PathBuf> {
    made("out/python/bin/python3")
}

/// Something that the test command makes below this package before it runs the tests.
///
/// # Panics
/// Under `GANTRY_TESTS_STRICT`, where nothing may be skipped.
#[expect(clippy::print_stderr, reason = "a skip that nobody reads is a lie")]
pub fn made(name: &str) -> Option<PathBuf> {
    let path = file(name);
    if path.exists() {
        return Some(path);
    }
    let strict = std::env::var_os("GANTRY_TESTS_STRICT").is_some();
    assert!(
        !strict,
        "docker-free-tests/run makes {name}; it is not there"
    );
    eprintln!("SKIPPED, docker-free-tests/run has not made {name} yet");
    None
}

/// A file that the tests are given, below this package.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Finds a program as a shell with root's path would.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// Finds a program that a need said is there.
///
/// # Panics
/// When it is not there.
pub fn program(name: &str) -> PathBuf {
    find(name)
        .unwrap_or_else(|| panic!("{name} is not installed; docker-free-tests/run installs it"))
}

/// Where `gantry` and `gantry-engine` are: beside this test's own binary, or in `GANTRY_BIN_DIR`.
///
/// # Panics
/// When they have not been built.
pub fn binary(name: &str) -> PathBuf {
    let folder = std::env::var_os("GANTRY_BIN_DIR").map_or_else(beside_this_test, PathBuf::from);
    let binary = folder.join(name);
    let shown = binary.display();
    assert!(
        binary.exists(),
        "{shown} is missing: cargo build --workspace --bins"
    );
    binary
}

fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a file");
    let profile = test.parent().and_then(Path::parent);
    let folder = profile.expect("cargo puts tests two folders below the target directory");
    // Helper programs of this package lie beside the binaries already.
    if test.parent().is_some_and(|deps| deps.ends_with("deps")) {
        folder.to_owned()
    } else {
        test.parent().map(Path::to_owned).unwrap_or_default()
    }
}
