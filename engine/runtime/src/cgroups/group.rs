//! One container's group in every hierarchy: made, joined, listed, removed.

use std::{
    fs,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use engine_sys::{Errno, SysError, cgroup};

use super::error::{CgroupError, Result};
use crate::layout::{Controller, Layout, Version};

/// A container's group. Dropping it removes nothing: groups outlive the engine.
#[derive(Debug, Clone)]
pub struct Cgroup {
    path: String,
    version: Version,
    legacy: Vec<LegacyDir>,
    /// In the version 2 tree, on every layout that has one.
    unified: Option<PathBuf>,
}

/// The group's directory in one version 1 hierarchy.
#[derive(Debug, Clone)]
struct LegacyDir {
    mount: PathBuf,
    dir: PathBuf,
    controllers: Vec<Controller>,
}

impl Cgroup {
    /// Makes the group `path`, such as `gantry/<id>`, with its parents. One that exists is taken.
    ///
    /// # Errors
    /// The first hierarchy that refuses; what was made before is removed again.
    pub fn create(layout: &Layout, path: &str) -> Result<Self> {
        let group = Self::begin(layout, path)?;
        group.complete()?;
        Ok(group)
    }

    /// Makes the group in the version 2 tree alone, into which init is cloned. The others are made
    /// by [`Cgroup::complete`] while init works, so that neither waits for the other.
    ///
    /// # Errors
    /// As [`Cgroup::create`].
    pub fn begin(layout: &Layout, path: &str) -> Result<Self> {
        let group = Self::open(layout, path)?;
        group.or_nothing(Self::make_unified)?;
        Ok(group)
    }

    /// Makes the group in the version 1 hierarchies, as [`Cgroup::create`] does.
    ///
    /// # Errors
    /// As [`Cgroup::create`].
    pub fn complete(&self) -> Result<()> {
        self.or_nothing(Self::make_legacy)
    }

    /// Takes a step of the making; after one that fails nothing is left of the group.
    fn or_nothing(&self, step: impl FnOnce(&Self) -> engine_sys::Result<()>) -> Result<()> {
        step(self).map_err(|source| {
            // The first failure is the one to report.
            let _ = self.remove(Duration::from_millis(100));
            CgroupError::Create {
                group: self.path.clone(),
                source,
            }
        })
    }

    /// Names the group `path` without touching the kernel; it need not exist.
    ///
    /// # Errors
    /// [`CgroupError::BadPath`].
    pub fn open(layout: &Layout, path: &str) -> Result<Self> {
        let clean = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\0', '\n']);
        if !path.split('/').all(clean) {
            return Err(CgroupError::BadPath(path.to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            version: layout.version,
            legacy: layout
                .legacy
                .iter()
                .map(|one| LegacyDir {
                    mount: one.mount.clone(),
                    dir: one.mount.join(path),
                    controllers: one.controllers.clone(),
                })
                .collect(),
            unified: layout.unified.as_ref().map(|root| root.join(path)),
        })
    }

    /// Returns the path below each hierarchy.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the layout's version.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Opens the group in the version 2 tree, for `CLONE_INTO_CGROUP`.
    ///
    /// A child that was cloned into it calls [`Cgroup::enter_legacy`] only, and nobody on the
    /// machine waits: every other way into a version 2 group stops all forks for a moment.
    ///
    /// # Errors
    /// The kernel's answer. `Ok(None)` on a machine without the tree.
    pub fn unified(&self) -> Result<Option<OwnedFd>> {
        let open = |dir: &PathBuf| cgroup::open(dir);
        self.unified
            .as_ref()
            .map(open)
            .transpose()
            .map_err(|source| CgroupError::Read {
                group: self.path.clone(),
                what: "the directory",
                source,
            })
    }

    /// Moves the calling thread, which must be its process's only one, into every group.
    ///
    /// # Errors
    /// The first hierarchy that refuses.
    pub fn enter(&self) -> Result<()> {
        if let Some(dir) = &self.unified {
            self.put(dir, "cgroup.procs", 0)?;
        }
        self.enter_legacy()
    }

    /// Moves the calling thread, which must be its process's only one, into the version 1 groups.
    ///
    /// Writes `0` to `tasks`: the one way in for which the kernel takes no machine-wide lock.
    ///
    /// # Errors
    /// The first hierarchy that refuses.
    pub fn enter_legacy(&self) -> Result<()> {
        self.legacy
            .iter()
            .try_for_each(|one| self.put(&one.dir, "tasks", 0))
    }

    /// Moves another process with all its threads into every group.
    ///
    /// # Errors
    /// The first hierarchy that refuses; ESRCH when the process is gone.
    pub fn join(&self, pid: i32) -> Result<()> {
        self.dirs()
            .try_for_each(|dir| self.put(dir, "cgroup.procs", pid))
    }

    fn put(&self, dir: &Path, file: &str, pid: i32) -> Result<()> {
        cgroup::write(&dir.join(file), &pid.to_string()).map_err(|source| CgroupError::Join {
            group: self.path.clone(),
            pid,
            source,
        })
    }

    /// Lists the processes in the group and below it, as the engine's pid namespace numbers them.
    ///
    /// A group that does not exist has none.
    ///
    /// # Errors
    /// The kernel's answer.
    pub fn processes(&self) -> Result<Vec<i32>> {
        let dir = self
            .controller_dir(Controller::Pids)
            .or(self.unified.as_deref())
            .or_else(|| self.legacy.first().map(|one| one.dir.as_path()));
        let mut pids = Vec::new();
        if let Some(dir) = dir {
            for group in tree(dir) {
                let listed = match cgroup::read(&group.join("cgroup.procs")) {
                    Ok(listed) => listed,
                    Err(error) if gone(&error) => continue,
                    Err(source) => {
                        let (group, what) = (self.path.clone(), "the processes");
                        return Err(CgroupError::Read {
                            group,
                            what,
                            source,
                        });
                    }
                };
                pids.extend(listed.lines().filter_map(|line| line.parse::<i32>().ok()));
            }
        }
        pids.sort_unstable();
        pids.dedup();
        Ok(pids)
    }

    /// Tells whether any directory of the group exists.
    pub fn exists(&self) -> bool {
        self.dirs().any(Path::exists)
    }

    /// Removes the group and every group below it from every hierarchy, complete or half made.
    ///
    /// Waits until `deadline` for processes that are still leaving; kills none.
    ///
    /// # Errors
    /// [`CgroupError::TimedOut`] when something still runs in it; the rest has been removed.
    pub fn remove(&self, deadline: Duration) -> Result<()> {
        let end = Instant::now() + deadline;
        let mut wait = Duration::from_micros(100);
        let mut left: Vec<&Path> = self.dirs().collect();
        loop {
            let mut failed = None;
            left.retain(|dir| match remove_tree(dir) {
                Ok(()) => false,
                Err(error) => {
                    failed = Some(error);
                    true
                }
            });
            let Some(source) = failed else { return Ok(()) };
            if source.errno != Errno::BUSY {
                let (group, action) = (self.path.clone(), "remove");
                return Err(CgroupError::Change {
                    group,
                    action,
                    source,
                });
            }
            if Instant::now() >= end {
                let (group, what) = (self.path.clone(), "become empty");
                return Err(CgroupError::TimedOut { group, what });
            }
            thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_millis(10));
        }
    }

    /// Removes the group in each hierarchy where it holds neither a process nor another group.
    pub fn remove_if_empty(&self) {
        for dir in self.dirs() {
            // The kernel refuses where something is left, and that is what is asked.
            let _ = cgroup::remove(dir);
        }
    }

    /// Returns the directory that carries `controller`, on either version.
    pub(crate) fn controller_dir(&self, controller: Controller) -> Option<&Path> {
        match self.version {
            Version::V2 => self.unified.as_deref(),
            Version::V1 | Version::Hybrid => self
                .legacy
                .iter()
                .find(|one| one.controllers.contains(&controller))
                .map(|one| one.dir.as_path()),
        }
    }

    /// Returns the directory in the version 2 tree, also on a hybrid machine.
    pub(crate) fn unified_dir(&self) -> Option<&Path> {
        self.unified.as_deref()
    }

    fn dirs(&self) -> impl Iterator<Item = &Path> {
        self.legacy
            .iter()
            .map(|one| one.dir.as_path())
            .chain(self.unified.as_deref())
    }

    fn make_legacy(&self) -> engine_sys::Result<()> {
        for one in &self.legacy {
            let has_cpuset = one.controllers.contains(&Controller::Cpuset);
            // Ordinarily the parents are there and hand everything down.
            let is_ready = match cgroup::make(&one.dir) {
                Err(error) if error.errno == Errno::NOENT => false,
                Err(error) if error.errno != Errno::EXIST => return Err(error),
                _ => !has_cpuset || !is_empty(&one.dir.join("cpuset.mems"))?,
            };
            if !is_ready && has_cpuset {
                make_below(&one.mount, &self.path, inherit_cpuset)?;
            } else if !is_ready {
                make_below(&one.mount, &self.path, |_, _| Ok(()))?;
            }
        }
        Ok(())
    }

    fn make_unified(&self) -> engine_sys::Result<()> {
        let Some(dir) = &self.unified else {
            return Ok(());
        };
        let root = dir
            .ancestors()
            .nth(self.path.split('/').count())
            .unwrap_or(dir);
        match self.version {
            Version::V2 => make_below(root, &self.path, |parent, _| delegate(parent)),
            // The tree limits nothing here.
            Version::V1 | Version::Hybrid => make_below(root, &self.path, |_, _| Ok(())),
        }
    }
}

/// Makes each directory of `path` below `root`; `prepare(parent, child)` runs for each after it is
/// there, whoever made it.
fn make_below(
    root: &Path,
    path: &str,
    prepare: impl Fn(&Path, &Path) -> engine_sys::Result<()>,
) -> engine_sys::Result<()> {
    let mut parent = root.to_path_buf();
    for part in path.split('/') {
        let child = parent.join(part);
        match cgroup::make(&child) {
            Ok(()) => {}
            Err(error) if error.errno == Errno::EXIST => {}
            Err(error) => return Err(error),
        }
        prepare(&parent, &child)?;
        parent = child;
    }
    Ok(())
}

/// Copies processors and memory nodes down: a fresh version 1 cpuset is empty and takes nobody.
///
/// What is made below it later gets them from the kernel, for nothing; writing them rebuilds the
/// machine's scheduling domains, half a millisecond each time.
fn inherit_cpuset(parent: &Path, child: &Path) -> engine_sys::Result<()> {
    for file in ["cpuset.cpus", "cpuset.mems"] {
        if is_empty(&child.join(file))? {
            let inherited = cgroup::read(&parent.join(file))?;
            cgroup::write(&child.join(file), inherited.trim())?;
        }
    }
    cgroup::write(&child.join("cgroup.clone_children"), "1")
}

fn is_empty(file: &Path) -> engine_sys::Result<bool> {
    cgroup::read(file).map(|text| text.trim().is_empty())
}

/// Offers every controller of ours that `parent` has to its children.
fn delegate(parent: &Path) -> engine_sys::Result<()> {
    let offered = cgroup::read(&parent.join("cgroup.controllers"))?;
    let delegated = cgroup::read(&parent.join("cgroup.subtree_control"))?;
    let missing: Vec<String> = ["cpuset", "cpu", "io", "memory", "pids"]
        .into_iter()
        .filter(|name| offered.split_whitespace().any(|word| word == *name))
        .filter(|name| !delegated.split_whitespace().any(|word| word == *name))
        .map(|name| format!("+{name}"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    cgroup::write(&parent.join("cgroup.subtree_control"), &missing.join(" "))
}

/// Lists `dir` and the groups below it, parents first; nothing when it is gone.
fn tree(dir: &Path) -> Vec<PathBuf> {
    let mut groups = vec![dir.to_path_buf()];
    let mut next = 0;
    while let Some(group) = groups.get(next) {
        let below = fs::read_dir(group).into_iter().flatten().flatten();
        let below: Vec<PathBuf> = below
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .collect();
        groups.extend(below);
        next += 1;
    }
    groups
}

fn remove_tree(dir: &Path) -> engine_sys::Result<()> {
    match cgroup::remove(dir) {
        Ok(()) => return Ok(()),
        Err(error) if gone(&error) => return Ok(()),
        // Busy with processes, or with groups below it that the container has made.
        Err(_) => {}
    }
    for group in tree(dir).iter().rev() {
        match cgroup::remove(group) {
            Err(error) if !gone(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Tells whether the group has gone in the meantime; reading one while it goes is ENODEV.
fn gone(error: &SysError) -> bool {
    matches!(error.errno, Errno::NOENT | Errno::NODEV)
}
