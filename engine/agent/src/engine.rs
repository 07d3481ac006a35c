//! The composition root: builds every service, serves the socket, owns the shutdown.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::time::Duration;

use engine_runtime::Launcher;
use engine_runtime::layout::Layout;
use engine_sys::capability::CapabilitySet;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::{self, Clock};
use crate::config::Config;
use crate::guard::Guard;
use crate::http::{Door, listen};
use crate::preflight::{self, StartError};
use crate::records;
use crate::recover;
use crate::services::builds::{Builds, KeptBuilds};
use crate::services::containers::{self, Containers, Powers, Site, SiteParts};
use crate::services::error::ServiceError;
use crate::services::events::Events;
use crate::services::execs::Execs;
use crate::services::images::Images;
use crate::services::networks::{Networks, NetworksParts};
use crate::services::volumes::Volumes;
use crate::tasks::{Tasks, blocking};
use crate::users::Users;

/// How long the firewall's table may be gone before it is put back.
const RULES_PERIOD: Duration = Duration::from_secs(1);

/// The engine's own version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The program that stays with each container; built by `build.rs`.
const MONITOR_ELF: &[u8] = include_bytes!(env!("GANTRY_MONITOR_ELF"));

/// The first process of containers made with `--init`; built by `build.rs`.
const INIT_ELF: &[u8] = include_bytes!(env!("GANTRY_INIT_ELF"));

/// Everything one engine is made of.
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) tasks: Tasks,
    pub(crate) events: Arc<Events>,
    pub(crate) images: Arc<Images>,
    pub(crate) volumes: Arc<Volumes>,
    pub(crate) containers: Arc<Containers>,
    pub(crate) execs: Arc<Execs>,
    pub(crate) builds: Arc<Builds>,
    started_at: String,
}

impl Engine {
    /// Builds the services and brings back what the last engine left running.
    ///
    /// # Errors
    /// When a store cannot be opened.
    pub async fn open(config: Config, clock: Clock, tasks: Tasks) -> Result<Arc<Self>, StartError> {
        let events = Arc::new(Events::new(clock.clone()));
        let images = Arc::new(Images::open(&config, clock.clone(), Arc::clone(&events)).await?);
        let kept_builds = KeptBuilds::open(&config, &images).await?;
        images.sweep_blobs().await;
        let site = Arc::new(site(&config, &clock, tasks.clone(), Arc::clone(&events))?);
        let volumes = Arc::clone(&site.volumes);
        let all_are_known = recover::containers(&site, &images).await?;
        images.begin(all_are_known).await?;
        let containers = Arc::new(Containers {
            site,
            images: Arc::clone(&images),
        });
        containers.end_broken_commits().await;
        let builds = Builds::begin_with(kept_builds, Arc::clone(&containers)).await?;
        let execs = Arc::new(Execs::new(Arc::clone(&containers)));
        let started_at = clock::rfc3339(clock.now_ns());
        Ok(Arc::new(Self {
            config,
            clock,
            tasks,
            events,
            images,
            volumes,
            containers,
            execs,
            builds,
            started_at,
        }))
    }

    /// Returns the version that clients are told.
    pub fn version(&self) -> &'static str {
        VERSION
    }

    /// Returns when this engine began.
    pub fn started_at(&self) -> &str {
        &self.started_at
    }
}

/// Puts together what the owners of containers share.
fn site(
    config: &Config,
    clock: &Clock,
    tasks: Tasks,
    events: Arc<Events>,
) -> Result<Site, StartError> {
    let layout = Layout::detect().map_err(ServiceError::failed("find the control groups"))?;
    let launcher =
        Launcher::new(MONITOR_ELF).map_err(ServiceError::failed("keep the monitor's program"))?;
    let store = containers::open_store(&config.data)?;
    records::keep_program(&containers::init_program(&config.run), INIT_ELF)
        .map_err(ServiceError::failed("keep the init of containers"))?;
    let grantable = engine_sys::capability::bounding()
        .map_err(ServiceError::failed("read the engine's capabilities"))?;
    let users = Users::new(config.userns_remap);
    users.check(&config.data.join("containers"), &config.run, &launcher)?;
    let guard = Guard {
        own: vec![config.data.clone(), config.run.clone()],
        socket: config.socket.clone(),
        confined: config.confined,
    };
    let (of_volumes, told) = (guard.clone(), Arc::clone(&events));
    let volumes = Volumes::open(config, clock.clone(), tasks.clone(), told, of_volumes)?;
    let names = |set: CapabilitySet| set.iter().map(|one| one.to_string()).collect();
    Ok(Site::new(SiteParts {
        clock: clock.clone(),
        keeps_sizes: containers::keeps_sizes(&store),
        store,
        run: config.run.clone(),
        cgroup_parent: config.cgroup_parent.clone(),
        layout,
        launcher,
        guard,
        volumes: Arc::new(volumes),
        powers: Powers {
            known: names(CapabilitySet::known()),
            grantable: names(grantable),
        },
        skeleton: records::make_skeleton(&config.data)
            .map_err(ServiceError::failed("make the layer below every image"))?,
        users,
        networks: Networks::open(NetworksParts {
            data: config.data.clone(),
            run: config.run.clone(),
            bridge: config.bridge.clone(),
            pools: config.address_pools.clone(),
            clock: clock.clone(),
            events: Arc::clone(&events),
            tasks: tasks.clone(),
        })?,
        tasks,
        events,
    }))
}

/// Serves until a signal asks to stop.
///
/// # Errors
/// Names what is missing or in the way; see [`StartError::exit_code`].
pub async fn serve(config: Config) -> Result<(), StartError> {
    init_log(&config.log);
    // Before the socket is there: whoever sees it may ask to stop, and then the path must go.
    let asked_to_stop = asked_to_stop()?;
    let ground = preflight::prepare(&config)?;
    let listener = listen::bind(&config.socket, config.socket_group)?;
    tracing::info!(?config, version = VERSION, "the engine begins");

    let tasks = Tasks::default();
    let engine = Engine::open(config.clone(), Clock::System, tasks.clone()).await?;
    let site = Arc::clone(&engine.containers.site);
    tasks.spawn("firewall", guard_rules(Arc::clone(&site)));
    let accepting = listen::accept(listener, Door::new(engine), tasks.clone());
    tasks.spawn("accept", accepting);
    tracing::info!(socket = %config.socket.display(), "the engine serves");

    asked_to_stop.await;
    tracing::info!("the engine stops; containers go on");
    // The path may be gone already; nothing depends on it.
    let _ = std::fs::remove_file(&config.socket);
    tasks.stop().await;
    site.leave_cgroups();
    drop(ground);
    Ok(())
}

/// Looks again and again whether the firewall's table is still there: others flush what they know.
async fn guard_rules(site: Arc<Site>) {
    let mut looks = tokio::time::interval(RULES_PERIOD);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if !site.networks.has_rules() {
            continue;
        }
        let site = Arc::clone(&site);
        blocking(move || site.networks.guard_rules()).await;
    }
}

/// Takes over the signals that ask to stop; the future ends when one has come.
fn asked_to_stop() -> Result<impl Future<Output = ()>, StartError> {
    let take = |kind| signal(kind).map_err(ServiceError::failed("take over the stop signals"));
    let mut terminate = take(SignalKind::terminate())?;
    let mut interrupt = take(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

fn init_log(filter: &str) {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second engine in one process (tests) keeps the first one's log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .try_init();
}
