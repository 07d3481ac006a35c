//! All containers of this host: by id, by name, and everything an owner needs to work.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_api::id::{ContainerId, ContainerName, is_hex};
use engine_runtime::cgroups::Cgroup;
use engine_runtime::layout::Layout;
use engine_runtime::{Bundle, Launcher, Target, TerminalSize};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::command::{Beginning, Command, ExecOutcome, ExecStart, Reply};
use super::owner;
use super::signal;
use super::view::View;
use super::watching::Watching;
use crate::clock::Clock;
use crate::guard::Guard;
use crate::records::{ContainerRecord, ContainerStore};
use crate::services::error::{Result, ServiceError, chain};
use crate::services::events::{Events, Kind};
use crate::services::images::{ImageUse, Images};
use crate::services::networks::Networks;
use crate::services::volumes::Volumes;
use crate::tasks::{Tasks, blocking};
use crate::users::Users;

/// How many removed containers may be waiting for their files to be deleted.
const MAX_SWEEPS: usize = 8;

/// Monitors that are looked for at a time.
const SEARCHES_MAX: usize = 4;

/// Copies of files that go on at a time; each has a thread of its own.
const COPIES_MAX: usize = 64;

/// How everybody but its owner reaches a container.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) id: ContainerId,
    inbox: mpsc::Sender<Command>,
    view: watch::Receiver<Arc<View>>,
    /// Held by whoever writes the files of a container that rests, and by its start.
    pub(super) files: Arc<Semaphore>,
    /// Held by the commit that the container stands still for.
    pub(super) standing: Semaphore,
    /// A build will read its files: until then a prune leaves it.
    pub(super) is_step: AtomicBool,
}

/// What owners share: where things are, and whom to tell.
pub(crate) struct Site {
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) events: Arc<Events>,
    pub(crate) store: ContainerStore,
    pub(crate) volumes: Arc<Volumes>,
    /// The file system of the store keeps storage sizes.
    pub(super) keeps_sizes: bool,
    pub(crate) run: PathBuf,
    pub(crate) cgroup_parent: String,
    pub(crate) layout: Layout,
    pub(crate) launcher: Launcher,
    pub(crate) guard: Guard,
    pub(crate) powers: Powers,
    /// The layer below every image; see `records/skeleton.rs`.
    skeleton: PathBuf,
    pub(super) watching: Watching,
    pub(crate) users: Users,
    pub(crate) networks: Networks,
    sweeps: Arc<Semaphore>,
    /// One permit for each monitor that may be looked for at a time.
    pub(super) searches: Semaphore,
    /// One permit for each copy of files that may go on at a time.
    pub(super) copies: Arc<Semaphore>,
    index: Mutex<Index>,
}

/// Capabilities by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Powers {
    /// Those that this kernel knows.
    pub(crate) known: Vec<String>,
    /// Those that this machine lets the engine give.
    pub(crate) grantable: Vec<String>,
}

impl Powers {
    /// Tells whether hard limits can be raised, and `oom_score_adj` lowered.
    pub(super) fn can_raise_limits(&self) -> bool {
        self.grantable.iter().any(|name| name == "CAP_SYS_RESOURCE")
    }
}

/// What a site is made of.
pub(crate) struct SiteParts {
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) events: Arc<Events>,
    pub(crate) store: ContainerStore,
    pub(crate) volumes: Arc<Volumes>,
    pub(crate) keeps_sizes: bool,
    pub(crate) run: PathBuf,
    pub(crate) cgroup_parent: String,
    pub(crate) layout: Layout,
    pub(crate) launcher: Launcher,
    pub(crate) guard: Guard,
    pub(crate) powers: Powers,
    pub(crate) skeleton: PathBuf,
    pub(crate) users: Users,
    pub(crate) networks: Networks,
}

#[derive(Default)]
struct Index {
    by_id: BTreeMap<ContainerId, Arc<Handle>>,
    names: BTreeMap<ContainerName, ContainerId>,
}

/// The containers of this host.
pub(crate) struct Containers {
    pub(crate) site: Arc<Site>,
    pub(crate) images: Arc<Images>,
}

/// How many there are, by what they do.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) all: u64,
    pub(crate) running: u64,
    pub(crate) paused: u64,
}

impl Handle {
    pub(super) fn new(
        id: ContainerId,
        inbox: mpsc::Sender<Command>,
        view: watch::Receiver<Arc<View>>,
        files: Arc<Semaphore>,
    ) -> Self {
        Self {
            id,
            inbox,
            view,
            files,
            standing: Semaphore::new(1),
            is_step: AtomicBool::new(false),
        }
    }

    /// Returns the container as it stands.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.view.borrow())
    }

    /// Watches the container.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<View>> {
        self.view.clone()
    }

    /// Asks the owner and waits for its answer.
    pub(super) async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T> {
        let gone = || ServiceError::NoSuchContainer(self.id.to_string());
        let (reply, answer) = oneshot::channel();
        self.inbox.send(command(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Sets the size of the container's own terminal.
    ///
    /// # Errors
    /// When it does not run or has none.
    pub(crate) async fn resize(&self, size: TerminalSize) -> Result<()> {
        self.resize_of(Target::Init, size).await
    }

    /// Sets the size of a terminal.
    ///
    /// # Errors
    /// When whoever it belongs to does not run or has none.
    pub(crate) async fn resize_of(&self, target: Target, size: TerminalSize) -> Result<()> {
        self.ask(|reply| Command::Resize {
            target,
            size,
            reply,
        })
        .await
    }

    /// Hangs up on a command: what a terminal does when its line is cut.
    ///
    /// # Errors
    /// When it does not run any more.
    pub(crate) async fn hang_up(&self, exec: &str) -> Result<()> {
        self.ask(|reply| Command::Signal {
            target: Target::Exec(exec.to_owned()),
            signal: signal::HANG_UP,
            ask: None,
            reply,
        })
        .await
    }

    /// Runs a command beside the program; returns once it runs or could not.
    ///
    /// # Errors
    /// When the container does not run.
    pub(crate) async fn exec(
        &self,
        start: impl FnOnce(Reply<ExecOutcome>) -> ExecStart,
    ) -> Result<ExecOutcome> {
        self.ask(|reply| Command::Exec(Box::new(start(reply))))
            .await
    }
}

impl Site {
    pub(crate) fn new(parts: SiteParts) -> Self {
        let SiteParts {
            clock,
            tasks,
            events,
            store,
            volumes,
            keeps_sizes,
            run,
            cgroup_parent,
            layout,
            launcher,
            guard,
            powers,
            skeleton,
            users,
            networks,
        } = parts;
        Self {
            clock,
            tasks,
            events,
            store,
            volumes,
            keeps_sizes,
            run,
            cgroup_parent,
            layout,
            launcher,
            guard,
            powers,
            skeleton,
            watching: Watching::default(),
            users,
            networks,
            sweeps: Arc::new(Semaphore::new(MAX_SWEEPS)),
            searches: Semaphore::new(SEARCHES_MAX),
            copies: Arc::new(Semaphore::new(COPIES_MAX)),
            index: Mutex::default(),
        }
    }

    /// Deletes what a retired container wrote, behind whoever removed it; waits only while many
    /// are being deleted, so that removals never outrun the disk by more than a few.
    pub(super) async fn sweep_later(self: &Arc<Self>, id: &ContainerId) {
        let permit = Arc::clone(&self.sweeps).acquire_owned().await;
        let (site, id) = (Arc::clone(self), id.clone());
        self.tasks.spawn_to_end("sweep", async move {
            let swept = blocking(move || (site.store.sweep(&id), id)).await;
            if let (Err(error), id) = swept {
                tracing::warn!(
                    container.id = id.as_str(),
                    reason = chain(&error),
                    "failed to delete what a removed container wrote; the next start tries again"
                );
            }
            drop(permit);
        });
    }

    /// Returns what a container's root stands on, top first, as an overlay wants it.
    pub(super) fn lowers(&self, record: &ContainerRecord) -> Vec<PathBuf> {
        let skeleton = std::iter::once(self.skeleton.clone());
        record.layers.iter().cloned().chain(skeleton).collect()
    }

    /// Names the directories of a container. The passing one is short: its socket's path must fit
    /// an address.
    pub(crate) fn bundle(&self, id: &ContainerId) -> Bundle {
        Bundle::new(
            self.store.dir_of(id),
            self.run.join("containers").join(id.short()),
        )
    }

    /// Returns the control group of a container, below each hierarchy.
    pub(crate) fn cgroup(&self, record: &ContainerRecord) -> String {
        let asked = record.host_config.cgroup_parent.trim_matches('/');
        let parent = match asked {
            "" => &self.cgroup_parent,
            asked => asked,
        };
        format!("{parent}/{}", record.id)
    }

    /// Finds a container by its whole id.
    pub(super) fn by_id(&self, id: &str) -> Option<Arc<Handle>> {
        let id = id.parse::<ContainerId>().ok()?;
        self.index().by_id.get(&id).map(Arc::clone)
    }

    /// Removes the parent of all control groups, unless a container goes on in it.
    pub(crate) fn leave_cgroups(&self) {
        match Cgroup::open(&self.layout, &self.cgroup_parent) {
            Ok(parent) => parent.remove_if_empty(),
            Err(error) => tracing::warn!(%error, "the parent of the control groups stays"),
        }
    }

    /// Takes a name for a container that is being made or renamed.
    ///
    /// # Errors
    /// When another container has it, or it could be the id of one.
    pub(super) fn reserve(&self, name: &ContainerName, id: &ContainerId) -> Result<()> {
        if name.as_str().parse::<ContainerId>().is_ok() {
            let message = format!("{name} is the form of a container's id, and cannot be a name");
            return Err(ServiceError::BadRequest(message));
        }
        let mut index = self.index();
        if let Some(holder) = index.names.get(name) {
            let (name, id) = (name.to_string(), holder.to_string());
            return Err(ServiceError::NameInUse { name, id });
        }
        index.names.insert(name.clone(), id.clone());
        Ok(())
    }

    /// Gives a name back.
    pub(super) fn release(&self, name: &ContainerName) {
        self.index().names.remove(name);
    }

    /// Makes a container known, under its name.
    pub(crate) fn register(&self, beginning: Beginning, site: &Arc<Self>) -> Result<Arc<Handle>> {
        let name = beginning.record.name.clone();
        // Held from before the owner begins: one whose container goes at once waits to forget it.
        let mut index = self.index();
        let handle = owner::spawn(site, beginning)?;
        index.names.insert(name, handle.id.clone());
        index.by_id.insert(handle.id.clone(), Arc::clone(&handle));
        Ok(handle)
    }

    /// Forgets a container that is gone.
    pub(super) fn unregister(&self, record: &ContainerRecord) {
        let mut index = self.index();
        index.by_id.remove(&record.id);
        index.names.retain(|_, id| *id != record.id);
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Containers {
    /// Finds a container by its id, its whole name, or a prefix of the id that only it has, in this
    /// order: who asks by the whole id means that one, whatever others are called.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(crate) fn find(&self, reference: &str) -> Result<Arc<Handle>> {
        let none = || ServiceError::NoSuchContainer(reference.to_owned());
        let index = self.site.index();
        let id = reference.parse::<ContainerId>().ok();
        if let Some(handle) = id.and_then(|id| index.by_id.get(&id)) {
            return Ok(Arc::clone(handle));
        }
        let name = reference
            .strip_prefix('/')
            .unwrap_or(reference)
            .parse::<ContainerName>();
        let named = name.ok().and_then(|name| index.names.get(&name));
        if let Some(handle) = named.and_then(|id| index.by_id.get(id)) {
            return Ok(Arc::clone(handle));
        }
        if !is_hex(reference) {
            return Err(none());
        }
        let mut found = index
            .by_id
            .values()
            .filter(|h| h.id.as_str().starts_with(reference));
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(Arc::clone(only)),
            (Some(_), Some(_)) => Err(ServiceError::AmbiguousId(reference.to_owned())),
            (None, _) => Err(none()),
        }
    }

    /// Returns all containers as they stand, newest first.
    pub(crate) fn views(&self) -> Vec<Arc<View>> {
        let mut views: Vec<_> = self.site.index().by_id.values().map(|h| h.view()).collect();
        views.sort_by_key(|view| std::cmp::Reverse(view.record.created_ns));
        views
    }

    /// Tells which container is made of which image.
    pub(crate) fn image_uses(&self) -> Vec<ImageUse> {
        let views = self.views();
        let uses = views.iter().map(|view| ImageUse {
            container_id: view.record.id.to_string(),
            image_id: view.record.image_id.clone(),
            running: view.is_up(),
        });
        uses.collect()
    }

    /// Counts the containers.
    pub(crate) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for handle in self.site.index().by_id.values() {
            counts.all += 1;
            let status = handle.view.borrow().status();
            counts.running += u64::from(status == "running");
            counts.paused += u64::from(status == "paused");
        }
        counts
    }

    /// Gives a container another name.
    ///
    /// # Errors
    /// When it is not there, or the name is malformed or taken.
    pub(crate) async fn rename(&self, reference: &str, name: &str) -> Result<()> {
        let handle = self.find(reference)?;
        let name: ContainerName = name
            .parse()
            .map_err(|e| ServiceError::BadRequest(format!("{e}")))?;
        if handle.view().record.name == name {
            let message = "Renaming a container with the same name as its current name";
            return Err(ServiceError::BadRequest(message.to_owned()));
        }
        self.site.reserve(&name, &handle.id)?;
        let renamed = {
            let name = name.clone();
            handle.ask(|reply| Command::Rename { name, reply }).await
        };
        match renamed {
            Ok(former) => {
                self.site.release(&former);
                Ok(())
            }
            Err(error) => {
                self.site.release(&name);
                Err(error)
            }
        }
    }

    /// Tells that something happened to a container.
    pub(crate) fn tell<const N: usize>(
        &self,
        handle: &Handle,
        action: impl Into<String>,
        more: [(&str, String); N],
    ) {
        let more = more.map(|(key, value)| (key.to_owned(), value));
        let attributes = attributes(&handle.view().record, more);
        self.site
            .events
            .publish(Kind::Container, action, handle.id.as_str(), attributes);
    }
}

/// Returns what every event of a container carries: its labels, name and image, and `more`.
pub(super) fn attributes(
    record: &ContainerRecord,
    more: impl IntoIterator<Item = (String, String)>,
) -> BTreeMap<String, String> {
    let mut attributes = record.config.labels.clone();
    attributes.insert("name".to_owned(), record.name.to_string());
    attributes.insert("image".to_owned(), record.config.image.clone());
    attributes.extend(more);
    attributes
}
