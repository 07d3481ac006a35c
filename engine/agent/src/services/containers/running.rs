//! What is remembered of a running container outside its monitor, and what to do when a monitor
//! is gone.
//!
//! A mark in the passing directory says "this engine has told of a start and not yet of the end";
//! an engine that begins finds in it which exits nobody has been told of. It lies in memory: a
//! reboot ends containers and marks alike.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use engine_api::id::ContainerId;
use engine_runtime::cgroups::Cgroup;
use engine_runtime::{Bundle, ExitRecord, Phase};

use super::probing;
use super::registry::Site;
use crate::records::{ContainerRecord, ContainerStore};
use crate::services::error::chain;

/// How long processes may take to go once they are killed.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// The exit code of a container of whose end nothing is known, as Docker gives it.
const UNKNOWN_EXIT: i32 = 255;

/// How a container ended whose monitor is gone.
pub(crate) enum Lost {
    /// The monitor wrote it down.
    Recorded(ExitRecord),
    /// Nobody knows.
    Unknown(ExitRecord),
}

/// Marks a container as running.
pub(super) fn remember(site: &Site, id: &ContainerId) -> io::Result<()> {
    let mark = mark(site, id);
    match fs::write(&mark, b"") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(site.run.join("told"))?;
            fs::write(&mark, b"")
        }
        result => result,
    }
}

/// Notes in the mark which process is the program and since when, for an engine that cannot ask.
pub(super) fn note(site: &Site, id: &ContainerId, pid: i32, started_at_unix_ns: u64) {
    // It lies in memory; without it that engine says less.
    let _ = fs::write(mark(site, id), format!("{pid} {started_at_unix_ns}"));
}

/// Reads what is noted of a container that runs: as much as there is.
pub(crate) fn noted(site: &Site, id: &ContainerId) -> Phase {
    let mark = mark(site, id);
    let text = fs::read_to_string(&mark).unwrap_or_default();
    let mut words = text.split(' ');
    let pid = words.next().and_then(|word| word.parse().ok());
    let started = words.next().and_then(|word| word.parse().ok());
    let marked = || {
        let at = fs::metadata(&mark)
            .and_then(|found| found.modified())
            .ok()?;
        let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
        u64::try_from(since.as_nanos()).ok()
    };
    Phase::Running {
        pid: pid.unwrap_or(0),
        started_at_unix_ns: started.or_else(marked).unwrap_or(0),
    }
}

/// Takes the mark away.
pub(crate) fn forget(site: &Site, id: &ContainerId) {
    // Absent is as good as taken away; it lies in memory and cannot fail otherwise.
    let _ = fs::remove_file(mark(site, id));
    probing::forget(site, id);
}

/// Tells whether a container is marked.
pub(crate) fn is_remembered(site: &Site, id: &ContainerId) -> bool {
    mark(site, id).exists()
}

/// Finds out how a container ended whose monitor is gone, and ends what is left of it.
pub(crate) fn after_monitor(
    site: &Site,
    record: &ContainerRecord,
    now_ns: u64,
    reason: &str,
) -> Lost {
    let bundle = site.bundle(&record.id);
    if let Some(exit) = read_exit(&bundle) {
        return Lost::Recorded(exit);
    }
    if let Err(error) = site.launcher.kill_leftovers(&bundle) {
        tracing::warn!(
            container.id = record.id.as_str(),
            reason = chain(&error),
            "failed to end what is left of a container"
        );
    }
    let exit = ExitRecord {
        code: UNKNOWN_EXIT,
        started_at_unix_ns: now_ns,
        finished_at_unix_ns: now_ns,
        error: Some(format!(
            "its monitor is gone ({reason}); how it ended is not known"
        )),
        lost: true,
        ..ExitRecord::default()
    };
    write_exit(&bundle, &exit);
    Lost::Unknown(exit)
}

/// Writes an end in the monitor's stead, so that the next engine finds the same and no new one.
pub(super) fn write_exit(bundle: &Bundle, exit: &ExitRecord) {
    if let Ok(bytes) = serde_json::to_vec(exit)
        && let Err(error) = ContainerStore::write_passing(&bundle.exit(), &bytes)
    {
        tracing::warn!(
            path = %bundle.exit().display(),
            reason = chain(&error),
            "failed to write down how a container ended"
        );
    }
}

/// Sees to it that a power cut leaves the end as it is written.
pub(super) fn keep_exit(bundle: &Bundle) {
    if let Err(error) = ContainerStore::make_lasting(&bundle.exit()) {
        tracing::warn!(
            path = %bundle.exit().display(),
            %error,
            "how a container ended may be lost with the power"
        );
    }
}

/// Reads how a container ended last.
pub(crate) fn read_exit(bundle: &Bundle) -> Option<ExitRecord> {
    serde_json::from_slice(&fs::read(bundle.exit()).ok()?).ok()
}

/// Kills whatever runs in a control group of ours and removes the group.
pub(crate) fn end_cgroup(site: &Site, path: &str) {
    let ended = Cgroup::open(&site.layout, path).and_then(|group| {
        group.kill_all(KILL_LIMIT)?;
        group.remove(KILL_LIMIT)
    });
    if let Err(error) = ended {
        tracing::warn!(
            path,
            reason = chain(&error),
            "failed to end a control group"
        );
    }
}

fn mark(site: &Site, id: &ContainerId) -> PathBuf {
    site.run.join("told").join(id.as_str())
}
