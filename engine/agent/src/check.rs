//! `gantry-engine check`: is everything in the data directory what it says it is?
//!
//! No engine may run on the data meanwhile. Opening the stores sweeps what a crash left, as every
//! start does; this counts it, reads every blob, and looks after each container. What can be made
//! good from what is there is made good; the rest is named.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::Config;
use crate::preflight::{self, StartError};
use crate::records::{ContainerRecord, ContainerStore, LifeRecord};
use crate::services::builds::KeptBuilds;
use crate::services::containers;
use crate::services::error::{ServiceError, chain};
use crate::services::events::Events;
use crate::services::images::Images;
use crate::tasks::blocking;

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    n_containers: usize,
    n_images: usize,
    n_layers: usize,
    n_blobs: usize,
    /// What was made good, one sentence each.
    pub repaired: Vec<String>,
    /// What is left, one sentence each.
    pub damaged: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in &self.repaired {
            writeln!(text, "repaired: {sentence}")?;
        }
        for sentence in &self.damaged {
            writeln!(text, "damaged: {sentence}")?;
        }
        write!(
            text,
            "{} containers, {} images, {} layers and {} blobs checked; {} repaired, {} damaged",
            self.n_containers,
            self.n_images,
            self.n_layers,
            self.n_blobs,
            self.repaired.len(),
            self.damaged.len()
        )
    }
}

/// Checks the data of an engine that does not run, and repairs what it can.
///
/// # Errors
/// When an engine runs on the data, or a store cannot be opened at all.
pub async fn run(config: &Config) -> Result<Report, StartError> {
    let ground = preflight::prepare(config)?;
    let mut report = Report::default();
    let n_blobs = n_entries(&config.data.join("images/blobs/sha256"));
    let n_half_written = n_entries(&config.data.join("images/blobs/tmp"))
        + n_entries(&config.data.join("layers/tmp"));

    let clock = Clock::System;
    let events = Arc::new(Events::new(clock.clone()));
    let images = Arc::new(Images::open(config, clock, events).await?);
    // What is kept between builds is needed too.
    let builds = KeptBuilds::open(config, &images).await?;
    images.sweep_blobs().await;
    report.tell_swept(n_half_written, "half-written blobs and layers were removed");
    let n_left = n_entries(&config.data.join("images/blobs/sha256"));
    report.tell_swept(
        n_blobs.saturating_sub(n_left),
        "blobs that no image needs were removed",
    );
    check_images(&images, &mut report).await;

    let store = containers::open_store(&config.data)?;
    let stored = blocking({
        let store = store.clone();
        move || store.load()
    })
    .await
    .map_err(ServiceError::failed("read the containers"))?;
    report.tell_swept(
        stored.n_swept,
        "half-made or half-removed containers were removed",
    );
    for (path, reason) in stored.damaged.iter().chain(&stored.unswept) {
        report.damaged.push(format!("{}: {reason}", path.display()));
    }
    let mut names = BTreeSet::new();
    let mut held = Vec::new();
    for record in &stored.records {
        report.n_containers += 1;
        held.push(images.hold(&record.layers));
        if !names.insert(record.name.clone()) {
            let sentence = format!("two containers are named {}", record.name);
            report.damaged.push(sentence);
        }
        check_container(&images, &store, record, &mut report).await;
    }

    let before = images.n_layers();
    if stored.damaged.is_empty() {
        images.sweep_unneeded().await;
    }
    report.n_layers = images.n_layers();
    report.tell_swept(
        before.saturating_sub(report.n_layers),
        "layers that nothing needs were removed",
    );
    // Where a step's container is left, the next engine removes both.
    if builds.left_steps()?.is_empty() {
        report.tell_swept(builds.sweep()?, "builds that were cut were removed");
    }
    drop((held, ground));
    Ok(report)
}

impl Report {
    fn tell_swept(&mut self, n: usize, what: &str) {
        if n > 0 {
            self.repaired.push(format!("{n} {what}"));
        }
    }
}

async fn check_images(images: &Arc<Images>, report: &mut Report) {
    report.n_images = images.count();
    let all = Arc::clone(images);
    let found = blocking(move || all.verify_blobs()).await;
    report.n_blobs = found.n_blobs;
    report.repaired.extend(found.repaired);
    report.damaged.extend(found.damaged);
}

/// Looks after one container: its layers, what it lived through, how it ended.
async fn check_container(
    images: &Images,
    store: &ContainerStore,
    record: &ContainerRecord,
    report: &mut Report,
) {
    let who = format!("container {} ({})", record.name, record.id.short());
    let is_missing = || record.layers.iter().any(|layer| !layer.is_dir());
    if is_missing() {
        // Unpacked once more, if its image is still whole.
        let unpacked = images.for_container(&record.image_id).await;
        match unpacked {
            Ok(_) if !is_missing() => {
                let sentence = format!("{who}: its layers were unpacked again");
                report.repaired.push(sentence);
            }
            Ok(_) => report
                .damaged
                .push(format!("{who}: layers of its image are missing")),
            Err(error) => report.damaged.push(format!(
                "{who}: layers of its image are missing, and cannot be unpacked: {}",
                chain(&error)
            )),
        }
    }
    let dir = store.dir_of(&record.id);
    if !LifeRecord::is_sound(&dir) {
        // What the engine would take it for, put down.
        match LifeRecord::load(&dir).save(&dir, true) {
            Ok(()) => report.repaired.push(format!(
                "{who}: what it lived through could not be read; it counts as stopped by hand"
            )),
            Err(error) => report
                .damaged
                .push(format!("{who}: its life.json cannot be written: {error}")),
        }
    }
    for missing in ["upper", "work"]
        .iter()
        .filter(|name| !dir.join(name).is_dir())
    {
        report
            .damaged
            .push(format!("{who}: its directory {missing} is missing"));
    }
}

/// Counts the entries of a directory; none when it is not there.
fn n_entries(dir: &Path) -> usize {
    fs::read_dir(dir).map_or(0, Iterator::count)
}
