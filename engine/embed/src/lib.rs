//! Builds the small static programs that lie inside `gantry-engine`: the monitor and `gantry/hello`.
//!
//! A build script and a few kernel tests call this; it runs cargo a second time, into a target
//! directory of its own, so that debug, release and lint runs share one result. The programs are
//! static and not position independent: they run in any root file system, start in a fraction of a
//! millisecond, and dirty no memory with relocations.
//!
//! **Invariant:** nothing of this is part of a running Gantry.

use std::path::{Path, PathBuf};
use std::process::Command;

const FLAGS: &str = "-C target-feature=+crt-static -C relocation-model=static";
const PROFILE: &str = "embedded";
/// Where programs lie that were built beforehand, for a place without cargo: the virtual machine
/// of the tests.
const PREBUILT: &str = "GANTRY_EMBEDDED_DIR";

/// Builds one program of a package of the workspace and returns where it lies.
///
/// # Errors
/// What cargo said, when it could not be built.
pub fn build(workspace: &Path, package: &str, program: &str) -> Result<PathBuf, String> {
    if let Some(dir) = std::env::var_os(PREBUILT) {
        return Ok(Path::new(&dir).join(program));
    }
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let target = workspace.join("target/embedded");
    // The cargo that runs this, not the one that compiled it: that one may be gone.
    let running = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(running);
    // What the outer cargo set for its own build must not reach the inner one.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_ours = text == "CARGO_HOME" || text.starts_with("CARGO_NET_");
        if !is_ours && (text.starts_with("CARGO") || text.starts_with("RUSTC")) {
            cargo.env_remove(&name);
        }
    }
    cargo
        .args([
            "build",
            "--locked",
            "--profile",
            PROFILE,
            "--target",
            &triple,
        ])
        .args(["--package", package, "--bin", program, "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", FLAGS)
        .current_dir(workspace);
    let output = cargo
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program} could not be built: {said}"));
    }
    Ok(target.join(triple).join(PROFILE).join(program))
}
