//! Builds as people begin them: `docker build` in a directory, by the classic builder's API, and
//! what the images then do.

mod cache;
mod context;
mod debian;
mod language;
mod refused;
mod registry;
mod stopped;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use docker_free_tests::docker;
use docker_free_tests::{Engine, Outcome};
use tempfile::TempDir;

/// A directory with a Dockerfile in it.
struct Project(TempDir);

impl Project {
    fn new(dockerfile: &str) -> Project {
        let dir = tempfile::Builder::new().prefix("project-").tempdir();
        let project = Project(dir.expect("a temporary directory"));
        project.file("Dockerfile", dockerfile);
        project
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Writes a file, and the directories that lead to it.
    fn file(&self, name: &str, content: &str) {
        let path = self.path(name);
        let above = path.parent().expect("it lies below the project");
        fs::create_dir_all(above).expect("the directory is ours");
        fs::write(&path, content).expect("the directory is ours");
    }

    fn mode(&self, name: &str, mode: u32) {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(self.path(name), mode).expect("the file is ours");
    }

    fn link(&self, name: &str, target: &str) {
        symlink(target, self.path(name)).expect("the directory is ours");
    }

    /// `docker build ARGUMENTS .`, standing in the project.
    fn build(&self, engine: &Engine, arguments: &[&str]) -> Outcome {
        let mut command = engine.docker_command();
        command.env("DOCKER_BUILDKIT", "0").current_dir(self.dir());
        command.arg("build").args(arguments).arg(".");
        docker::run(&mut command, &[])
    }

    /// The same, which must end well; gives what was told.
    #[track_caller]
    fn built(&self, engine: &Engine, arguments: &[&str]) -> String {
        self.build(engine, arguments).expect(0).out
    }
}

/// Runs an image once with a script of our own and gives what it says.
#[track_caller]
fn said(engine: &Engine, image: &str, script: &str) -> String {
    let shell = ["--entrypoint", "/bin/sh", image, "-c", script];
    engine.ok(&[&["run", "--rm"], &shell[..]].concat())
}

/// How many steps were not done again.
fn n_cached(told: &str) -> usize {
    told.matches("---> Using cache").count()
}

/// A field of an image's configuration.
fn config(engine: &Engine, image: &str, format: &str) -> String {
    engine.ok(&["image", "inspect", "--format", format, image])
}

/// Forgets what is kept between builds.
fn prune(engine: &Engine) {
    let prune = engine.wire().post("/build/prune", &serde_json::Value::Null);
    prune.expect(200);
}
