//! Builds the monitor, the init and `gantry/hello` first and tells the crate where they lie.

use std::path::Path;

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for input in [
        "engine/runtime/src",
        "engine/sys/src",
        "engine/hello/src",
        "Cargo.lock",
    ] {
        say(&format!(
            "rerun-if-changed={}",
            workspace.join(input).display()
        ));
    }
    for (package, program, variable) in [
        ("engine-runtime", "gantry-monitor", "GANTRY_MONITOR_ELF"),
        ("engine-runtime", "gantry-init", "GANTRY_INIT_ELF"),
        ("engine-hello", "engine-hello", "GANTRY_HELLO_ELF"),
    ] {
        match engine_embed::build(&workspace, package, program) {
            Ok(path) => say(&format!("rustc-env={variable}={}", path.display())),
            Err(reason) => {
                say(&format!("error={}", reason.replace('\n', " ")));
                return;
            }
        }
    }
}

fn say(line: &str) {
    println!("cargo::{line}");
}
