//! Builds `static/` into `OUT_DIR` and writes the table of its files as Rust.
//!
//! Runs only when one of the inputs changed. `npm ci` runs only when the lock file changed since the
//! last install. Nothing built here is ever committed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let here = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let source = here.join("../static");
    let out = PathBuf::from(variable("OUT_DIR"));
    for input in [
        "css",
        "js",
        "icons",
        "build.mjs",
        "package.json",
        "package-lock.json",
        ".npmrc",
    ] {
        println!("cargo::rerun-if-changed={}", source.join(input).display());
    }
    println!("cargo::rerun-if-changed=templates");
    println!("cargo::rerun-if-changed=messages");
    install(&source);
    let built = out.join("static");
    run(
        Command::new("node")
            .arg("build.mjs")
            .arg(&built)
            .current_dir(&source),
        "node could not bundle static/",
    );
    let list = fs::read_to_string(built.join("files.txt"));
    let list =
        list.unwrap_or_else(|error| stop(&format!("static/build.mjs left no list: {error}")));
    fs::write(out.join("assets.rs"), table(&built, &list))
        .unwrap_or_else(|error| stop(&format!("failed to write assets.rs: {error}")));
}

/// Runs `npm ci` unless the packages of this very lock file are there already.
fn install(source: &Path) {
    let lock = fs::read_to_string(source.join("package-lock.json"))
        .unwrap_or_else(|error| stop(&format!("static/package-lock.json cannot be read: {error}")));
    let stamp = source.join("node_modules/.gantry-lock");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return;
    }
    run(
        Command::new("npm")
            .args(["ci", "--no-audit", "--no-fund"])
            .current_dir(source),
        "npm could not install the packages of static/package-lock.json",
    );
    fs::write(&stamp, lock).unwrap_or_else(|error| stop(&format!("node_modules: {error}")));
}

/// Runs a command, or stops the build with one sentence.
fn run(command: &mut Command, failed: &str) {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => stop(&format!(
            "{failed}: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Err(_) => stop(&format!(
            "`{program}` is missing: building Gantry's pages needs Node.js 20 or newer with npm \
             (on Debian: apt install nodejs npm)"
        )),
    }
}

/// Writes the Rust table from lines of `path, content type`; the first line is the digest.
fn table(built: &Path, list: &str) -> String {
    let mut lines = list.lines();
    let digest = lines.next().unwrap_or_default();
    let mut rust =
        format!("pub const DIGEST: &str = {digest:?};\npub static FILES: &[Asset] = &[\n");
    for (path, content_type) in lines.filter_map(|line| line.split_once(", ")) {
        let file = built.join("files").join(path);
        let (brotli, gzip) = (twin(&file, "br"), twin(&file, "gz"));
        let _ = writeln!(
            rust,
            "    Asset {{ path: {path:?}, content_type: {content_type:?}, \
             bytes: include_bytes!({file:?}), brotli: {brotli}, gzip: {gzip} }},",
        );
    }
    rust.push_str("];\n");
    rust
}

/// Writes the compressed twin of a file as Rust, if it has one.
fn twin(file: &Path, ending: &str) -> String {
    let mut twin = file.as_os_str().to_owned();
    twin.push(".");
    twin.push(ending);
    match Path::new(&twin).exists() {
        true => format!("Some(include_bytes!({twin:?}))"),
        false => "None".to_owned(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo talks to build scripts by environment"
)]
fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| stop(&format!("cargo did not set {name}")))
}

#[expect(
    clippy::exit,
    clippy::print_stderr,
    reason = "a build script answers by its exit code"
)]
fn stop(sentence: &str) -> ! {
    eprintln!("{sentence}");
    std::process::exit(1)
}
