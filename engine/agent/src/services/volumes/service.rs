//! The volumes of this host: made, found, removed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_api::id::VolumeName;
use engine_api::volumes::{ANONYMOUS_LABEL, DRIVER, Volume, VolumeCreateBody};
use engine_storage::{Backing, Fill, VolumeRecord, VolumeStore};

use crate::clock::Clock;
use crate::config::Config;
use crate::faults;
use crate::guard::{Ground, Guard};
use crate::ids;
use crate::services::error::{Result, ServiceError, chain};
use crate::services::events::{Events, Kind};
use crate::tasks::{Tasks, blocking};
use crate::users::Remap;

/// The volumes of this host. What blocks says so; what does not never waits for the disk.
pub(crate) struct Volumes {
    pub(super) store: VolumeStore,
    pub(super) clock: Clock,
    pub(super) events: Arc<Events>,
    pub(super) guard: Guard,
    tasks: Tasks,
    /// Whose new volumes are: the root of containers.
    pub(super) owner: u32,
    pub(super) remap: Option<Remap>,
    index: Mutex<BTreeMap<String, Arc<Entry>>>,
}

/// One volume, or a name that somebody is making or removing one by.
#[derive(Default)]
pub(super) struct Entry {
    /// Held while its files or its record are changed; never while anything else waits for it that
    /// only looks.
    pub(super) work: Mutex<()>,
    state: Mutex<State>,
}

/// What is known of a volume.
#[derive(Default, Clone)]
pub(super) struct State {
    /// `None` while there is none.
    pub(super) record: Option<Arc<VolumeRecord>>,
    /// Who has it: containers, running or not.
    pub(super) users: BTreeSet<String>,
    /// For whom it is there now: containers that run, and whoever looks through its files.
    pub(super) active: BTreeSet<String>,
}

impl Entry {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn work(&self) -> MutexGuard<'_, ()> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A volume as it is wished for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) name: VolumeName,
    pub(crate) is_anonymous: bool,
    pub(crate) driver: String,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
}

impl Wish {
    /// A volume of this name, made by the driver without options.
    pub(crate) fn named(name: VolumeName) -> Self {
        Self {
            name,
            is_anonymous: false,
            driver: String::new(),
            options: BTreeMap::new(),
            labels: BTreeMap::new(),
        }
    }

    /// A volume that nobody named.
    pub(crate) fn anonymous() -> Self {
        Self {
            is_anonymous: true,
            ..Self::named(ids::volume_name())
        }
    }

    /// Checks what can be checked before anything is made.
    ///
    /// # Errors
    /// In Docker's words.
    pub(crate) fn check(&self) -> Result<Backing> {
        if !matches!(self.driver.as_str(), "" | DRIVER) {
            return Err(ServiceError::NotFound(format!(
                "error looking up volume plugin {0}: plugin {0:?} not found",
                self.driver
            )));
        }
        Backing::of(&self.options).map_err(|error| ServiceError::BadRequest(error.to_string()))
    }
}

impl Volumes {
    /// Opens the directory of volumes and reads what is there. Blocks.
    ///
    /// # Errors
    /// When it cannot be made or read.
    pub(crate) fn open(
        config: &Config,
        clock: Clock,
        tasks: Tasks,
        events: Arc<Events>,
        guard: Guard,
    ) -> Result<Self> {
        let store = VolumeStore::open(&config.data);
        let store = store.map_err(ServiceError::failed("open the volumes"))?;
        let stored = store.load();
        let stored = stored.map_err(ServiceError::failed("read the volumes"))?;
        for (path, reason) in &stored.damaged {
            tracing::error!(path = %path.display(), reason, "a volume's record is damaged");
        }
        let n_volumes = stored.records.len();
        let n_swept = stored.n_swept;
        tracing::info!(n_volumes, n_swept, "volumes found");
        let entry = |record: VolumeRecord| {
            let entry = Entry::default();
            let name = record.name.clone();
            entry.state().record = Some(Arc::new(record));
            (name, Arc::new(entry))
        };
        Ok(Self {
            store,
            clock,
            events,
            guard,
            tasks,
            owner: config.userns_remap.map_or(0, |remap| remap.first),
            remap: config.userns_remap,
            index: Mutex::new(stored.records.into_iter().map(entry).collect()),
        })
    }

    /// Makes a volume of a create's body, or returns the one that has its name.
    ///
    /// # Errors
    /// When the name, the driver or an option cannot be.
    pub(crate) async fn create(self: &Arc<Self>, asked: VolumeCreateBody) -> Result<Volume> {
        if asked.cluster_volume_spec.is_some() {
            let message =
                "ClusterVolumeSpec: this engine is no swarm manager, which cluster volumes need";
            return Err(ServiceError::BadRequest(message.to_owned()));
        }
        let base = match asked.name.as_str() {
            "" => Wish::anonymous(),
            name => Wish::named(parse(name)?),
        };
        let wish = Wish {
            driver: asked.driver,
            options: asked.driver_opts.unwrap_or_default(),
            labels: asked.labels.unwrap_or_default(),
            ..base
        };
        let volumes = Arc::clone(self);
        let record = blocking(move || volumes.make(&wish, None)).await?;
        Ok(self.wire(&record))
    }

    /// Returns a volume.
    ///
    /// # Errors
    /// When it is not there.
    pub(crate) fn inspect(&self, name: &str) -> Result<Volume> {
        let record = self.record(name)?;
        Ok(self.wire(&record))
    }

    /// Removes a volume that nobody has.
    ///
    /// # Errors
    /// When it is not there (unless `force`), or somebody has it.
    pub(crate) async fn remove(self: &Arc<Self>, name: &str, force: bool) -> Result<()> {
        let (volumes, wanted) = (Arc::clone(self), name.to_owned());
        match blocking(move || volumes.take_away(&wanted)).await {
            Err(ServiceError::NotFound(_)) if force => Ok(()),
            result => result,
        }
    }

    /// Makes a volume for whoever has it from then on, or takes the one that has its name. Blocks.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make(&self, wish: &Wish, user: Option<&str>) -> Result<Arc<VolumeRecord>> {
        self.make_as(wish, user, Fill::Fresh)
    }

    /// Makes a volume that is half there until it is filled. Blocks.
    ///
    /// # Errors
    /// When the name is taken.
    pub(super) fn make_unless_there(&self, wish: &Wish) -> Result<()> {
        let known = self.make_as(wish, None, Fill::Copying)?;
        match known.fill {
            Fill::Copying => Ok(()),
            _ => Err(ServiceError::Conflict(format!(
                "volume name {} is in use",
                wish.name
            ))),
        }
    }

    fn make_as(&self, wish: &Wish, user: Option<&str>, fill: Fill) -> Result<Arc<VolumeRecord>> {
        let backing = wish.check()?;
        self.judge(&backing)?;
        let name = wish.name.as_str();
        let entry = Arc::clone(self.index().entry(name.to_owned()).or_default());
        let made = self.make_in(&entry, wish, user, fill);
        if made.is_err() {
            self.forget_if_gone(name, &entry);
        }
        made
    }

    fn judge(&self, backing: &Backing) -> Result<()> {
        let ground = match backing {
            Backing::Directory { path, .. } => Ground::Directory(path),
            Backing::Mounted(wish) if wish.is_on_disk() => Ground::Disk(Path::new(&wish.device)),
            Backing::Mounted(wish) if !wish.is_memory() => Ground::Remote,
            Backing::Own | Backing::Mounted(_) => return Ok(()),
        };
        let judged = self.guard.judge_volume(ground);
        judged.map_err(|denied| ServiceError::Forbidden(denied.to_string()))
    }

    fn make_in(
        &self,
        entry: &Entry,
        wish: &Wish,
        user: Option<&str>,
        fill: Fill,
    ) -> Result<Arc<VolumeRecord>> {
        let _work = entry.work();
        let known = entry.state().record.clone();
        if let Some(known) = known {
            entry.state().users.extend(user.map(str::to_owned));
            return Ok(known);
        }
        let mut record = VolumeRecord::new(wish.name.as_str(), self.clock.now_ns());
        record.labels.clone_from(&wish.labels);
        record.options.clone_from(&wish.options);
        record.is_anonymous = wish.is_anonymous;
        record.fill = fill;
        if wish.is_anonymous {
            record
                .labels
                .insert(ANONYMOUS_LABEL.to_owned(), String::new());
            record.made_for = user.map(str::to_owned);
        }
        self.store
            .make(&record, self.owner)
            .map_err(ServiceError::failed("make the volume"))?;
        faults::point("volume.made");
        let record = Arc::new(record);
        {
            let mut state = entry.state();
            state.record = Some(Arc::clone(&record));
            state.users.extend(user.map(str::to_owned));
        }
        self.tell("create", &record.name, []);
        Ok(record)
    }

    /// Removes a volume that nobody has. Blocks.
    pub(super) fn take_away(&self, name: &str) -> Result<()> {
        let entry = self.entry(name)?;
        let in_use = || {
            let state = entry.state();
            let who: Vec<&str> = state.users.iter().map(String::as_str).collect();
            if !who.is_empty() {
                let who = who.join(", ");
                let message = format!("remove {name}: volume is in use - [{who}]");
                return Err(ServiceError::Conflict(message));
            }
            if !state.active.is_empty() {
                let message =
                    format!("remove {name}: volume is in use: its files are being read or written");
                return Err(ServiceError::Conflict(message));
            }
            Ok(())
        };
        // Whoever uses it may be at work for long, and nobody should wait to hear of it.
        in_use()?;
        let work = entry.work();
        in_use()?;
        if entry.state().record.is_none() {
            return Err(no_such(name));
        }
        let retired = self.store.retire(name);
        let retired = retired.map_err(ServiceError::failed("remove the volume"))?;
        entry.state().record = None;
        drop(work);
        faults::point("volume.retired");
        self.forget_if_gone(name, &entry);
        let store = self.store.clone();
        let shown = name.to_owned();
        self.tasks.spawn_to_end("sweep a volume", async move {
            let swept = blocking(move || store.sweep(&retired)).await;
            if let Err(error) = swept {
                let reason = chain(&error);
                tracing::warn!(
                    volume = shown,
                    reason,
                    "the files of a removed volume are still there"
                );
            }
        });
        self.tell("destroy", name, []);
        Ok(())
    }

    /// Returns a volume's record.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn record(&self, name: &str) -> Result<Arc<VolumeRecord>> {
        let record = self.entry(name)?.state().record.clone();
        record.ok_or_else(|| no_such(name))
    }

    pub(super) fn entry(&self, name: &str) -> Result<Arc<Entry>> {
        let entry = self.index().get(name).map(Arc::clone);
        entry.ok_or_else(|| no_such(name))
    }

    /// Returns every volume, by name.
    pub(super) fn entries(&self) -> Vec<(String, Arc<Entry>)> {
        let index = self.index();
        let all = index.iter();
        all.map(|(name, entry)| (name.clone(), Arc::clone(entry)))
            .collect()
    }

    /// Writes down a change of a volume's record. Blocks; its work is held.
    pub(super) fn change(
        &self,
        entry: &Entry,
        change: impl FnOnce(&mut VolumeRecord),
    ) -> Result<()> {
        let Some(known) = entry.state().record.clone() else {
            return Ok(());
        };
        let mut record = (*known).clone();
        change(&mut record);
        if record == *known {
            return Ok(());
        }
        self.store
            .save(&record)
            .map_err(ServiceError::failed("keep the volume"))?;
        entry.state().record = Some(Arc::new(record));
        Ok(())
    }

    /// Tells that something happened to a volume.
    pub(super) fn tell<const N: usize>(&self, action: &str, name: &str, more: [(&str, String); N]) {
        let more = more.map(|(key, value)| (key.to_owned(), value));
        let driver = ("driver".to_owned(), DRIVER.to_owned());
        let attributes = [driver].into_iter().chain(more).collect();
        self.events.publish(Kind::Volume, action, name, attributes);
    }

    /// A name that leads to nothing is kept only while somebody is about to make something of it.
    fn forget_if_gone(&self, name: &str, entry: &Arc<Entry>) {
        const OURS_AND_THE_INDEXS: usize = 2;
        let mut index = self.index();
        if entry.state().record.is_none() && Arc::strong_count(entry) == OURS_AND_THE_INDEXS {
            index.remove(name);
        }
    }

    fn index(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Entry>>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the name of a volume.
///
/// # Errors
/// In Docker's words.
pub(super) fn parse(name: &str) -> Result<VolumeName> {
    let parsed = name.parse::<VolumeName>();
    parsed.map_err(|error| ServiceError::BadRequest(error.to_string()))
}

pub(super) fn no_such(name: &str) -> ServiceError {
    let name: String = name.chars().take(256).collect();
    ServiceError::NotFound(format!("get {name}: no such volume"))
}
