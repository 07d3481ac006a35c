//! The builds of this host: begun, counted, cleaned up after.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

use engine_api::builds::BuildCache;
use engine_api::filter::Filters;
use engine_build::{Options, Plan, parse};
use engine_images::{Digest, Platform, Reference};
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit, Semaphore};

use super::cache::{Cache, Chosen};
use super::executor::{self, Build};
use super::output::{Lines, Output};
use super::request::BuildRequest;
use super::{check, context, fetch};
use crate::clock::Clock;
use crate::config::Config;
use crate::ids;
use crate::records::{BuildDir, BuildStore};
use crate::services::containers::Containers;
use crate::services::error::{Result, ServiceError, chain};
use crate::services::events::{Events, Kind};
use crate::services::images::{Draft, Images};
use crate::services::prune::{moment, reclaimed};
use crate::tasks::{Tasks, blocking, blocking_detached, on_own_thread};

/// Builds that go on at once; each has a directory and at most two steps that run.
const BUILDS_MAX: usize = 16;
/// What is read of a refused context so that its sender gets to read the answer.
const DRAIN_BYTES: u64 = 256 << 20;

/// The builds of this host.
pub(crate) struct Builds {
    pub(super) containers: Arc<Containers>,
    pub(super) images: Arc<Images>,
    pub(super) store: Arc<BuildStore>,
    pub(super) cache: Arc<Cache>,
    pub(super) clock: Clock,
    pub(super) tasks: Tasks,
    events: Arc<Events>,
    slots: Arc<Semaphore>,
    pub(super) checks: Arc<Semaphore>,
    /// One for each cache of `RUN --mount` that was used.
    mounts: Mutex<BTreeMap<String, Arc<AsyncMutex<()>>>>,
}

/// What is kept between builds, opened before anything is swept.
pub(crate) struct KeptBuilds {
    store: Arc<BuildStore>,
    cache: Arc<Cache>,
}

impl KeptBuilds {
    /// Opens what is kept, and holds it.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub(crate) async fn open(config: &Config, images: &Arc<Images>) -> Result<Self> {
        let (data, images) = (config.data.clone(), Arc::clone(images));
        blocking(move || {
            let store = BuildStore::open(&data);
            let store = Arc::new(store.map_err(ServiceError::failed("open the builds"))?);
            let cache = Arc::new(Cache::open(Arc::clone(&store), images));
            Ok(Self { store, cache })
        })
        .await
    }

    /// Removes the files that cut builds left; says how many builds there were. The containers of
    /// their steps must be gone by now.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn sweep(&self) -> Result<usize> {
        self.store
            .sweep()
            .map_err(ServiceError::failed("sweep what builds left"))
    }

    /// The containers of steps that a cut build left.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn left_steps(&self) -> Result<Vec<engine_api::id::ContainerId>> {
        self.store
            .left_steps()
            .map_err(ServiceError::failed("look for what builds left"))
    }
}

/// The files of a build that nobody waits for any more; they may be many.
struct Unfinished {
    dir: Option<Arc<BuildDir>>,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(dir) = self.dir.take() {
            blocking_detached(move || drop(dir));
        }
    }
}

impl Builds {
    /// Begins with what is kept, and removes what a cut build left.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) async fn begin_with(
        kept: KeptBuilds,
        containers: Arc<Containers>,
    ) -> Result<Arc<Self>> {
        let site = &containers.site;
        for id in kept.left_steps()? {
            match containers.remove(id.as_str(), true, true, "").await {
                Ok(()) | Err(ServiceError::NoSuchContainer(_)) => {}
                Err(error) => {
                    let reason = chain(&error);
                    tracing::warn!(container.id = id.as_str(), reason, "a step was not removed");
                }
            }
        }
        kept.sweep()?;
        Ok(Arc::new(Self {
            images: Arc::clone(&containers.images),
            clock: site.clock.clone(),
            tasks: site.tasks.clone(),
            events: Arc::clone(&site.events),
            store: kept.store,
            cache: kept.cache,
            slots: Arc::new(Semaphore::new(BUILDS_MAX)),
            checks: Arc::new(Semaphore::new(check::CHECKS_MAX)),
            mounts: Mutex::default(),
            containers,
        }))
    }

    /// Receives the context and reads the Dockerfile. What is wrong with either is told before the
    /// first line.
    ///
    /// # Errors
    /// When the context or the Dockerfile is refused; nothing is left then.
    pub(crate) async fn prepare(
        self: &Arc<Self>,
        request: BuildRequest,
        source: impl Read + Send + 'static,
    ) -> Result<Build> {
        let (names, epoch) = (request.references()?, request.epoch()?);
        let permit = self.permit()?;
        let dir = self.dir().await?;
        let mut unfinished = Unfinished {
            dir: Some(Arc::clone(&dir)),
        };
        let plan = self.plan(&dir, &request, source).await;
        unfinished.dir = None;
        match plan {
            Ok(plan) => Ok(Build {
                request,
                plan,
                names,
                epoch,
                dir,
                permit,
            }),
            Err(refused) => {
                blocking(move || drop(dir)).await;
                Err(refused)
            }
        }
    }

    /// Receives or fetches the context, and reads the Dockerfile in it.
    async fn plan(
        &self,
        dir: &Arc<BuildDir>,
        request: &BuildRequest,
        mut source: impl Read + Send + 'static,
    ) -> Result<Plan> {
        let given = match request.dockerfile_bytes {
            None => None,
            Some(bytes) => {
                let (rest, text) = given(source, bytes).await?;
                source = rest;
                Some(text)
            }
        };
        match request.remote.clone() {
            None => self.receive(dir, source, given.is_some()).await?,
            Some(remote) => fetch::context(self, dir, &remote).await?,
        }
        let (reading, name) = (Arc::clone(dir), request.dockerfile.clone());
        let text = blocking(move || context::dockerfile(&reading, name.as_deref(), given)).await?;
        let plan = plan(&text, request)?;
        crate::faults::point("build.planned");
        Ok(plan)
    }

    /// Builds; the lines end with the build, and the build with whoever reads them.
    pub(crate) fn run(self: &Arc<Self>, build: Build) -> Lines {
        let (output, lines) = Output::new(build.request.quiet, build.request.is_marked);
        let builds = Arc::clone(self);
        self.tasks
            .spawn_to_end("build", executor::run(builds, build, output));
        lines
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            let message = "too many builds are going on; try again when one is done";
            ServiceError::Unavailable(message.to_owned())
        })
    }

    async fn dir(&self) -> Result<Arc<BuildDir>> {
        let store = Arc::clone(&self.store);
        let dir = blocking(move || store.begin(ids::container_id().as_str())).await;
        dir.map(Arc::new)
            .map_err(ServiceError::failed("make room for the build"))
    }

    async fn receive(
        &self,
        dir: &Arc<BuildDir>,
        mut source: impl Read + Send + 'static,
        may_be_empty: bool,
    ) -> Result<()> {
        let dir = Arc::clone(dir);
        on_own_thread("context", move || {
            let received = context::receive(&dir, &mut source, may_be_empty);
            // A client that is still sending would not read the answer.
            let _ = std::io::copy(&mut source.take(DRAIN_BYTES), &mut std::io::sink());
            received
        })
        .await
        .map_err(ServiceError::failed("receive the context"))?
    }

    /// Lists an image that is built.
    pub(super) async fn list(&self, draft: Draft, names: Vec<Reference>) -> Result<Digest> {
        self.images.list_draft(draft, names).await
    }

    /// Removes the containers of steps that were broken off.
    pub(super) async fn end_steps(&self, dir: &BuildDir) {
        for id in dir.steps() {
            match self.containers.remove(id.as_str(), true, true, "").await {
                // Its owner has ended before it: nobody is there to ask, and it still is.
                Err(ServiceError::NoSuchContainer(_)) if self.tasks.are_stopping() => continue,
                Ok(()) | Err(ServiceError::NoSuchContainer(_)) => {}
                Err(error) => {
                    let reason = chain(&error);
                    tracing::warn!(container.id = id.as_str(), reason, "a step was not removed");
                    // The next engine tries again.
                    continue;
                }
            }
            dir.forget_step(&id);
        }
    }

    /// The turn of a cache that `RUN --mount` names.
    pub(super) fn mount_turn(&self, name: &str) -> Arc<AsyncMutex<()>> {
        let mut mounts = self.mounts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(mounts.entry(name.to_owned()).or_default())
    }

    /// Lists what is kept between builds.
    ///
    /// # Errors
    /// When the disk cannot be read.
    pub(crate) async fn kept(&self) -> Result<Vec<BuildCache>> {
        let (cache, images) = (Arc::clone(&self.cache), Arc::clone(&self.images));
        let store = Arc::clone(&self.store);
        blocking(move || {
            let used = images.listed_layers();
            let mut all = cache.list(&|diff_id| used.contains(&diff_id));
            all.extend(mounts(&store)?);
            Ok(all)
        })
        .await
    }

    /// Forgets what is kept between builds and nobody uses; returns the ids and how many bytes
    /// that was.
    ///
    /// # Errors
    /// When a filter's value cannot be, or the disk fails.
    pub(crate) async fn prune(&self, filters: &Filters) -> Result<(Vec<String>, u64)> {
        let chosen = chosen(filters, self.clock.now_ns())?;
        let kinds = filters.values("type").to_vec();
        let takes = |kind: &str| kinds.is_empty() || kinds.iter().any(|asked| asked == kind);
        let (steps, mounts) = (takes(STEP), takes(MOUNT));
        let (cache, store) = (Arc::clone(&self.cache), Arc::clone(&self.store));
        let busy = self.busy_mounts();
        let (ids, bytes) = blocking(move || -> Result<_> {
            let (mut ids, mut bytes) = match steps {
                true => cache.prune(&chosen)?,
                false => Default::default(),
            };
            // How long ago one was used is not known: a span of time does not choose it.
            if mounts && chosen.unused_since_ns.is_none() {
                let (more, size) = prune_mounts(&store, &chosen, &busy)?;
                ids.extend(more);
                bytes += size;
            }
            Ok((ids, bytes))
        })
        .await?;
        self.images.sweep_unneeded().await;
        let said = reclaimed(bytes);
        self.events.publish(Kind::Builder, "prune", "", said);
        Ok((ids, bytes))
    }

    fn busy_mounts(&self) -> Vec<String> {
        let mounts = self.mounts.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = mounts
            .iter()
            .filter(|(_, turn)| Arc::strong_count(turn) > 1);
        busy.map(|(name, _)| name.clone()).collect()
    }
}

const STEP: &str = "regular";
const MOUNT: &str = "exec.cachemount";

fn mounts(store: &BuildStore) -> Result<Vec<BuildCache>> {
    let mounts = store
        .mounts()
        .map_err(ServiceError::failed("look at the caches of builds"))?;
    let items = mounts.into_iter().map(|(id, path)| BuildCache {
        id,
        kind: MOUNT.to_owned(),
        description: "mount of RUN --mount=type=cache".to_owned(),
        size: engine_storage::usage(&path).map_or(0, |usage| usage.size_bytes),
        ..BuildCache::default()
    });
    Ok(items.collect())
}

fn prune_mounts(
    store: &BuildStore,
    chosen: &Chosen,
    busy: &[String],
) -> Result<(Vec<String>, u64)> {
    let (mut ids, mut bytes) = (Vec::new(), 0);
    for mount in mounts(store)? {
        let is_named = |id: &String| mount.id.starts_with(id.as_str());
        let is_chosen = chosen.ids.is_empty() || chosen.ids.iter().any(is_named);
        if !is_chosen || busy.contains(&mount.id) {
            continue;
        }
        store
            .remove_mount(&mount.id)
            .map_err(ServiceError::failed("remove a cache of builds"))?;
        bytes += mount.size;
        ids.push(mount.id);
    }
    Ok((ids, bytes))
}

fn chosen(filters: &Filters, now_ns: i64) -> Result<Chosen> {
    // Two names of one filter.
    let moments = filters.values("until").iter();
    Ok(Chosen {
        ids: filters.values("id").to_vec(),
        unused_since_ns: moment(moments.chain(filters.values("unused-for")), now_ns)?,
    })
}

/// Takes the Dockerfile off the beginning of the body; returns the rest too.
async fn given<R: Read + Send + 'static>(mut source: R, bytes: u64) -> Result<(R, Vec<u8>)> {
    on_own_thread("dockerfile", move || {
        let text = context::given(&mut source, bytes)?;
        Ok((source, text))
    })
    .await
    .map_err(ServiceError::failed("receive the Dockerfile"))?
}

fn plan(text: &[u8], request: &BuildRequest) -> Result<Plan> {
    let dockerfile = parse(text).map_err(|faults| {
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        ServiceError::BadRequest(texts.join("\n"))
    })?;
    Plan::new(&dockerfile, &options(request)?)
        .map_err(|fault| ServiceError::BadRequest(fault.to_string()))
}

/// What a plan is made for.
///
/// # Errors
/// When the platform is none.
pub(super) fn options(request: &BuildRequest) -> Result<Options> {
    let bad = |text: &str| ServiceError::BadRequest(format!("{text:?} is no platform"));
    let own = Platform::host().to_string();
    let asked = request.platform.as_deref().unwrap_or(&own);
    Ok(Options {
        target: request.target.clone(),
        build_args: request.build_args.clone(),
        platform: engine_build::Platform::parse(asked).ok_or_else(|| bad(asked))?,
        build_platform: engine_build::Platform::parse(&own).ok_or_else(|| bad(&own))?,
    })
}
