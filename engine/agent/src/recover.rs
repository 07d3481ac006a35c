//! At boot: what the last engine left, against what the kernel still holds. Leaves nothing it
//! cannot name.
//!
//! ```text
//!   record ── a monitor answers ─────────────> running, as if nothing had been
//!          ── one lives that does not answer > running; it is asked again and again
//!          ── exit.json ─────────────────────> exited; told now if nobody was told
//!          ── marked or ordered, neither ────> lost: what is left is ended, code 255
//!          ── none of these ─────────────────> created
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine_runtime::{Control, Phase, chain};

use crate::records::{ContainerRecord, LifeRecord};
use crate::services::containers::{
    Beginning, Lost, Site, after_monitor, end_cgroup, forget, is_paused, is_remembered, namespace,
    noted, read_exit, read_health,
};
use crate::services::error::{Result, ServiceError};
use crate::services::images::Images;
use crate::services::volumes::Held;
use crate::tasks::blocking;

/// How long the first monitor that says nothing is waited for, and each further one: a machine
/// whose disk hangs has many of them. All are asked again afterwards.
const PATIENCE: Duration = Duration::from_secs(5);
const SHORT_PATIENCE: Duration = Duration::from_millis(100);

/// Digits of an id that name the passing directory.
const SHORT_ID: usize = 12;

/// What was found, for the log.
#[derive(Default)]
struct Found {
    n_containers: usize,
    n_running: usize,
    n_silent: usize,
    n_untold: usize,
    n_lost: usize,
    n_swept: usize,
    n_cgroups: usize,
    n_damaged: usize,
}

/// Brings every container back and ends what belongs to none. Says whether all could be read.
///
/// # Errors
/// When the records cannot be read.
pub(crate) async fn containers(site: &Arc<Site>, images: &Arc<Images>) -> Result<bool> {
    let looking = (Arc::clone(site), Arc::clone(images));
    let (beginnings, found) = blocking(move || look(&looking.0, &looking.1)).await?;
    for beginning in beginnings {
        site.register(beginning, site)?;
    }
    let Found {
        n_containers,
        n_running,
        n_silent,
        n_untold,
        n_lost,
        n_swept,
        n_cgroups,
        n_damaged,
    } = found;
    tracing::info!(
        n_containers,
        n_running,
        n_silent,
        n_untold,
        n_lost,
        n_swept,
        n_cgroups,
        n_damaged,
        "containers recovered"
    );
    Ok(n_damaged == 0)
}

fn look(site: &Site, images: &Images) -> Result<(Vec<Beginning>, Found)> {
    let stored = site
        .store
        .load()
        .map_err(ServiceError::failed("read the containers"))?;
    for (path, reason) in &stored.damaged {
        tracing::error!(path = %path.display(), reason, "a container's record is damaged");
    }
    for (path, reason) in &stored.unswept {
        tracing::warn!(path = %path.display(), reason, "what a removed container wrote is still there");
    }
    let mut found = Found {
        n_containers: stored.records.len(),
        n_swept: stored.n_swept,
        n_damaged: stored.damaged.len(),
        ..Found::default()
    };
    let mut beginnings = Vec::with_capacity(stored.records.len());
    for record in stored.records {
        beginnings.push(look_at(site, images, record, &mut found));
    }
    adopt_volumes(site, &beginnings, &stored.orphans);
    // A container whose record is damaged is left alone, with everything that runs in it.
    let damaged = stored
        .damaged
        .iter()
        .filter_map(|(path, _)| path.file_name());
    let damaged: Vec<String> = damaged
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    join_again(site, &beginnings, &damaged);
    let known: BTreeSet<String> = beginnings
        .iter()
        .map(|beginning| beginning.record.id.to_string())
        .chain(damaged.iter().cloned())
        .collect();
    found.n_cgroups = end_unknown_cgroups(site, &known);
    sweep_run_dirs(site, &beginnings, &damaged);
    Ok((beginnings, found))
}

fn look_at(site: &Site, images: &Images, record: ContainerRecord, found: &mut Found) -> Beginning {
    let layers_held = images.hold(&record.layers);
    let bundle = site.bundle(&record.id);
    let is_marked = is_remembered(site, &record.id);
    let life = LifeRecord::load(bundle.data());
    let mut is_lost = false;
    let patience = if found.n_silent == 0 {
        PATIENCE
    } else {
        SHORT_PATIENCE
    };
    let lives = match site.launcher.reconnect(&bundle, patience) {
        Ok(control) => control
            .and_then(running)
            .map(|(control, phase)| (Some(control), phase)),
        Err(error) => {
            tracing::warn!(
                container.id = record.id.as_str(),
                reason = chain(&error),
                "a monitor does not answer; its container goes on"
            );
            found.n_silent += 1;
            Some((None, noted(site, &record.id)))
        }
    };
    if let Some((control, phase)) = lives {
        found.n_running += 1;
        return Beginning {
            life,
            phase,
            paused: is_paused(site, &record),
            health: read_health(site, &record.id),
            record,
            control,
            untold_exit: false,
            layers_held,
        };
    }
    let phase = match read_exit(&bundle) {
        Some(exit) => Phase::Exited(exit),
        None if is_marked || bundle.spec().exists() => {
            found.n_lost += 1;
            is_lost = true;
            let now_ns = u64::try_from(site.clock.now_ns()).unwrap_or(0);
            match after_monitor(
                site,
                &record,
                now_ns,
                "it was not there when the engine began",
            ) {
                Lost::Recorded(exit) | Lost::Unknown(exit) => Phase::Exited(exit),
            }
        }
        None => Phase::Created,
    };
    let has_ended = matches!(phase, Phase::Exited(_));
    let untold_exit = has_ended && (is_marked || is_lost || record.host_config.auto_remove);
    found.n_untold += usize::from(untold_exit);
    forget(site, &record.id);
    Beginning {
        record,
        life,
        phase,
        paused: false,
        health: None,
        control: None,
        untold_exit,
        layers_held,
    }
}

/// Takes over the networks of the containers that go on, and removes what belongs to none.
fn join_again(site: &Site, beginnings: &[Beginning], damaged: &[String]) {
    for id in damaged.iter().filter_map(|name| name.parse().ok()) {
        site.networks.adopt_damaged(&id);
    }
    let live = beginnings.iter().filter(|one| one.phase.is_live());
    let in_networks: Vec<&Beginning> = live.filter(|one| !one.record.networks.is_empty()).collect();
    for beginning in &in_networks {
        site.networks.adopt(&beginning.record);
    }
    site.networks.settle();
    for beginning in in_networks {
        let Phase::Running { pid, .. } = beginning.phase else {
            continue;
        };
        match namespace(site, &beginning.record, pid) {
            Ok(found) => site.networks.resume_names(&beginning.record, &found),
            Err(error) => tracing::warn!(
                container.id = beginning.record.id.as_str(),
                reason = chain(&error),
                "a container has no name server"
            ),
        }
    }
}

/// A monitor whose program was never let go gives up by itself.
fn running(control: Control) -> Option<(Control, Phase)> {
    let state = control.state();
    let phase = Phase::Running {
        pid: state.init_pid,
        started_at_unix_ns: state.started_at_unix_ns?,
    };
    Some((control, phase))
}

/// Says who has which volumes, before anything runs.
fn adopt_volumes(site: &Site, beginnings: &[Beginning], orphans: &[String]) {
    let mut held = Vec::new();
    for Beginning { record, phase, .. } in beginnings {
        held.extend(record.volumes.iter().map(|volume| Held {
            by: record.id.as_str(),
            name: &volume.name,
            is_live: phase.is_live(),
        }));
    }
    site.volumes.adopt(&held, orphans);
}

fn end_unknown_cgroups(site: &Site, known: &BTreeSet<String>) -> usize {
    let layout = &site.layout;
    let roots = layout
        .legacy
        .iter()
        .map(|hierarchy| &hierarchy.mount)
        .chain(&layout.unified);
    let mut unknown = BTreeSet::new();
    for root in roots {
        for name in names_in(&root.join(&site.cgroup_parent)) {
            if !known.contains(&name) {
                unknown.insert(name);
            }
        }
    }
    for name in &unknown {
        end_cgroup(site, &format!("{}/{name}", site.cgroup_parent));
    }
    unknown.len()
}

/// Removes the passing directories of containers that do not run. Those of damaged records stay:
/// their monitors may live.
fn sweep_run_dirs(site: &Site, beginnings: &[Beginning], damaged: &[String]) {
    let live: BTreeSet<String> = beginnings
        .iter()
        .filter(|beginning| beginning.phase.is_live())
        .map(|beginning| beginning.record.id.short().to_owned())
        .chain(damaged.iter().map(|id| id.chars().take(SHORT_ID).collect()))
        .collect();
    let dir = site.run.join("containers");
    for name in names_in(&dir) {
        if !live.contains(&name) {
            // What cannot be removed lies in memory and is lost at the next reboot.
            let _ = fs::remove_dir_all(dir.join(name));
        }
    }
}

/// Returns the directories in a directory; none when it is not there.
fn names_in(dir: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}
