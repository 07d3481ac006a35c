//! The text of the house: every file that git knows or would take up, and what is wrong with it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One text file, named by its path from the root.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files, and the names and sizes of all files.
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
    pub(crate) sizes: Vec<(String, u64)>,
}

/// A rule that a place breaks.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) path: String,
    pub(crate) line: usize,
    pub(crate) rule: String,
}

impl Problem {
    pub(crate) fn new(path: &str, line: usize, rule: impl Into<String>) -> Problem {
        Problem {
            path: path.to_owned(),
            line,
            rule: rule.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

/// Where the house stands.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package
        .parent()
        .expect("the package stands one below the root")
        .to_owned()
}

impl Tree {
    /// Reads the house as git sees it, with what is written but not yet added.
    pub(crate) fn of_the_house() -> Tree {
        let root = root();
        let output = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(&root)
            .output()
            .expect("git is there, the house is a clone");
        assert!(
            output.status.success(),
            "git ls-files failed in {}",
            root.display()
        );
        let mut tree = Tree {
            files: Vec::new(),
            sizes: Vec::new(),
        };
        for name in output
            .stdout
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty())
        {
            let name = String::from_utf8_lossy(name).into_owned();
            // A file that was removed but not yet from the index is no file.
            let Ok(bytes) = std::fs::read(root.join(&name)) else {
                continue;
            };
            tree.sizes.push((name.clone(), bytes.len() as u64));
            if let Ok(text) = String::from_utf8(bytes) {
                tree.files.push(File { path: name, text });
            }
        }
        assert!(
            tree.files.len() > 20,
            "git named only {} files",
            tree.files.len()
        );
        tree
    }

    /// A tree of the given texts, for proving that a rule can fail.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        Tree {
            files: files
                .iter()
                .map(|(path, text)| File {
                    path: (*path).to_owned(),
                    text: (*text).to_owned(),
                })
                .collect(),
            sizes: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), text.len() as u64))
                .collect(),
        }
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &File> {
        self.ending(".rs")
    }

    pub(crate) fn ending<'a>(&'a self, end: &'a str) -> impl Iterator<Item = &'a File> {
        self.files
            .iter()
            .filter(move |file| file.path.ends_with(end))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    /// Whether the file is product code: not a test, an example, a build script or a harness.
    pub(crate) fn is_product(&self) -> bool {
        self.path.contains("/src/")
            && !self.path.starts_with("docker-free-tests/")
            && !self.path.ends_with("/tests.rs")
            && !self.path.contains("/tests/")
    }
}
