//! The count of what an engine holds: mounts, control groups, processes, directories, sockets and
//! descriptors. What stands after a story must be what stood before it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::engine::Engine;
use crate::wait;

/// What an engine holds at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// Mounts in this namespace that name a directory of the engine's.
    pub mounts: usize,
    /// Control groups below the engine's, in all hierarchies.
    pub cgroups: Vec<String>,
    /// Processes in those groups, or started for this engine, without the engine itself.
    pub processes: usize,
    /// Entries of the container, layer and temporary directories.
    pub entries: Vec<String>,
    /// Descriptors of the engine.
    pub descriptors: usize,
}

impl Count {
    pub(crate) fn of(engine: &Engine) -> Count {
        let dir = engine.scratch().display().to_string();
        let data = engine.data().display().to_string();
        let engine_pid = engine.pid();
        let others = processes(engine.cgroup_parent(), &dir)
            .into_iter()
            .filter(|pid| *pid != engine_pid);
        let mut entries = Vec::new();
        for folder in ["containers", "layers", "images"] {
            list(&engine.data().join(folder), folder, 2, &mut entries);
        }
        list(&engine.run_dir().join("containers"), "run", 1, &mut entries);
        entries.sort();
        Count {
            mounts: fs::read_to_string("/proc/self/mountinfo")
                .unwrap_or_default()
                .lines()
                .filter(|line| line.contains(&dir) || line.contains(&data))
                .count(),
            cgroups: cgroups(engine.cgroup_parent()),
            processes: others.count(),
            entries,
            descriptors: names(Path::new(&format!("/proc/{engine_pid}/fd"))).len(),
        }
    }

    /// Waits until the engine holds what it held at this count; descriptors may differ by the few
    /// that idle connections keep.
    ///
    /// # Panics
    /// When it never does.
    #[track_caller]
    pub fn holds_again(&self, engine: &Engine) {
        const IDLE_CONNECTIONS: usize = 8;
        let mut last = engine.count();
        let same = |now: &Count| {
            now.cgroups == self.cgroups
                && now.processes == self.processes
                && now.entries == self.entries
                && now.mounts <= self.mounts
                && now.descriptors <= self.descriptors + IDLE_CONNECTIONS
        };
        let deadline = std::time::Instant::now() + wait::PATIENCE / 3;
        while !same(&last) {
            assert!(
                std::time::Instant::now() < deadline,
                "left behind:\nbefore {self:#?}\nafter {last:#?}"
            );
            std::thread::sleep(std::time::Duration::from_millis(20));
            last = engine.count();
        }
    }
}

/// Memory that is a process's alone, in KiB: pages shared with the engines of other tests come and go
/// with them.
pub fn own_kib(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("Pss_Anon:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Every process in the engine's groups or with its directory on the command line.
pub(crate) fn processes(cgroup_parent: &str, dir: &str) -> Vec<u32> {
    let ours = std::process::id();
    names(Path::new("/proc"))
        .into_iter()
        .filter_map(|name| name.parse::<u32>().ok())
        .filter(|pid| *pid != ours)
        .filter(|pid| {
            let read = |file: &str| fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let cgroup = String::from_utf8_lossy(&read("cgroup")).into_owned();
            let command = String::from_utf8_lossy(&read("cmdline")).into_owned();
            let docker = command.starts_with("docker") || command.contains("/docker\0");
            cgroup.contains(&format!("/{cgroup_parent}/")) || (command.contains(dir) && !docker)
        })
        .collect()
}

/// The groups below `parent`, each named with its hierarchy.
fn cgroups(parent: &str) -> Vec<String> {
    let mut found = Vec::new();
    for root in hierarchies() {
        walk(&root.join(parent), &mut |folder| {
            found.push(folder.display().to_string());
        });
    }
    // The parents themselves stay as long as the engine runs.
    found.retain(|folder| !folder.ends_with(parent));
    found.sort();
    found
}

/// Every group that carries the name of an engine's parent, the parents included.
pub fn cgroup_parents(parent: &str) -> Vec<PathBuf> {
    let parents = hierarchies().into_iter().map(|root| root.join(parent));
    parents.filter(|folder| folder.exists()).collect()
}

/// Removes the groups of an engine that is gone, deepest first.
pub(crate) fn remove_cgroups(parent: &str) {
    for root in hierarchies() {
        let mut folders = Vec::new();
        walk(&root.join(parent), &mut |folder| {
            folders.push(folder.to_owned());
        });
        for folder in folders.iter().rev() {
            // A group whose last process is still dying is asked for again.
            for _ in 0..100 {
                if fs::remove_dir(folder).is_ok() || !folder.exists() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    }
}

fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new("/sys/fs/cgroup");
    if root.join("cgroup.controllers").exists() {
        return vec![root.to_owned()];
    }
    names(root)
        .into_iter()
        .map(|name| root.join(name))
        .collect()
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path)) {
    if !folder.is_dir() {
        return;
    }
    each(folder);
    for name in names(folder) {
        let below = folder.join(name);
        if below.is_dir() {
            walk(&below, each);
        }
    }
}

fn list(folder: &Path, name: &str, depth: usize, entries: &mut Vec<String>) {
    for child in names(folder) {
        let path = folder.join(&child);
        let name = format!("{name}/{child}");
        if depth > 1 && path.is_dir() {
            list(&path, &name, depth - 1, entries);
        }
        entries.push(name);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
