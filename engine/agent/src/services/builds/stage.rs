//! One stage: its base, then step after step, each taken from the cache or done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine_build::cache::{self, Inputs, Key};
use engine_build::{Action, Base, Origin, Scope, Step};
use engine_images::History;

use super::bases::{image, wanted_platform};
use super::cache as kept;
use super::ending::Ground;
use super::executor::{Stop, Work, n_steps};
use super::output::Output;
use super::view::View;
use super::{config, run, transfer};
use crate::clock::rfc3339;
use crate::faults;
use crate::services::error::ServiceError;
use crate::services::images::{Draft, HeldLayer};
use crate::tasks::blocking;

/// What a step's history says beside the step: the key that it was kept under, for `--cache-from`.
pub(super) const KEY_MARK: &str = "gantry.build ";
const NS_PER_S: i64 = 1_000_000_000;

/// A stage that is done.
pub(super) struct Built {
    pub(super) draft: Draft,
    pub(super) key: Key,
    /// What a stage that stands on it knows.
    pub(super) scope: Scope,
    /// The image below it and below the stages that it stands on.
    pub(super) ground: Ground,
}

/// A stage while it is built.
pub(super) struct Stage<'w> {
    pub(super) work: &'w Arc<Work>,
    pub(super) output: &'w Output,
    pub(super) draft: Draft,
    pub(super) key: Key,
    pub(super) is_cmd_set: bool,
}

/// Numbers the directories that builds make, whichever build they are of.
static N_NAMES: AtomicUsize = AtomicUsize::new(0);

/// Builds a stage.
pub(super) async fn build(work: &Arc<Work>, place: usize, output: &Output) -> Result<Built, Stop> {
    let told = &work.plan.stages[place].told;
    output.begin(told, n_steps(work)).await?;
    let begun = Stage::begin(work, place, output).await;
    output.end(&begun).await?;
    let (mut stage, mut scope, ground) = begun?;
    stage.steps(place, &mut scope).await?;
    Ok(Built {
        draft: stage.draft,
        key: stage.key,
        scope,
        ground,
    })
}

/// What was made for another moment is no use, the moment stands in it; nor what was made in another
/// network, or where names meant other hosts.
fn scope(work: &Work) -> String {
    let mut said = Vec::new();
    said.extend(work.epoch.map(|epoch| format!("epoch {epoch}")));
    let host = &work.request.host;
    if !matches!(host.network_mode.as_str(), "" | "default") {
        said.push(format!("network {:?}", host.network_mode));
    }
    if let Some(hosts) = host.extra_hosts.as_ref().filter(|hosts| !hosts.is_empty()) {
        said.push(format!("hosts {hosts:?}"));
    }
    said.join(" ")
}

impl<'w> Stage<'w> {
    /// Finds what the stage stands on, and does what that asks for.
    async fn begin(
        work: &'w Arc<Work>,
        place: usize,
        output: &'w Output,
    ) -> Result<(Self, Scope, Ground), Stop> {
        let stage = &work.plan.stages[place];
        let platform = stage.platform.as_ref().map(ToString::to_string);
        let platform = platform.or_else(|| work.request.platform.clone());
        let (draft, key, below) = match &stage.base {
            Base::Scratch => {
                let platform = wanted_platform(platform.as_deref())?;
                let key = cache::base(&scope(work), "scratch", &platform.to_string());
                (Draft::scratch(platform), key, None)
            }
            Base::Image(name) => {
                let draft = image(work, name, platform.as_deref(), output).await?;
                let (id, platform) = (draft.id()?.to_string(), draft.config.platform.to_string());
                let key = cache::base(&scope(work), &id, &platform);
                (draft, key, None)
            }
            Base::Stage(base) => {
                let built = work.stage(*base).await?;
                (built.draft.clone(), built.key, Some(built))
            }
        };
        let ground = match (&stage.base, &below) {
            (_, Some(below)) => below.ground,
            (Base::Image(_), None) => Ground {
                id: Some(draft.id()?),
                n_steps: draft.config.history.len(),
                n_layers: draft.n_layers(),
            },
            _ => Ground::default(),
        };
        let env = draft.config.config.env.clone();
        let mut scope = work.plan.scope(place, &env);
        if let Some(below) = below {
            scope = scope.over(&below.scope);
        }
        let mut stage = Self {
            work,
            output,
            draft,
            key,
            is_cmd_set: false,
        };
        stage.say_id().await?;
        stage.triggers(place, &mut scope).await?;
        Ok((stage, scope, ground))
    }

    async fn triggers(&mut self, place: usize, scope: &mut Scope) -> Result<(), Stop> {
        let plan = &self.work.plan;
        let triggers = std::mem::take(&mut self.draft.config.config.on_build);
        if !triggers.is_empty() {
            let (n, s) = (triggers.len(), if triggers.len() == 1 { "" } else { "s" });
            let text = format!("# Executing {n} build trigger{s}\n");
            self.output.say(text).await?;
            for step in plan
                .triggers(place, &triggers)
                .map_err(|error| fault(&error))?
            {
                self.step(&step, scope).await?;
            }
        }
        Ok(())
    }

    async fn steps(&mut self, place: usize, scope: &mut Scope) -> Result<(), Stop> {
        for step in &self.work.plan.stages[place].steps {
            self.output.begin(&step.told, n_steps(self.work)).await?;
            let done = self.step(step, scope).await;
            self.output.end(&done).await?;
            done?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step, scope: &mut Scope) -> Result<(), Stop> {
        let action = scope.evaluate(step).map_err(|error| fault(&error))?;
        self.act(action).await
    }

    /// Does an action, or takes what came of it before.
    pub(super) async fn act(&mut self, action: Action) -> Result<(), Stop> {
        let inputs = self.inputs(&action).await?;
        let (digests, prepared) = inputs;
        let key = match action {
            // Whoever uses it has it in the own key.
            Action::Arg(_) => return self.declare(&action).await,
            _ => cache::key(&self.key, &action, &digests),
        };
        let found = match self.work.request.no_cache {
            true => None,
            false => self.find(&key).await,
        };
        let shell = config::shell(&self.draft.config.config);
        let step = match found {
            Some(step) => {
                self.output.cached().await?;
                step
            }
            None => {
                let layer = self.layer(&action, prepared).await?;
                let history = History {
                    created: Some(made_at(self.work)),
                    created_by: action.history(&shell),
                    author: self.draft.config.author.clone(),
                    comment: format!("{KEY_MARK}{key}"),
                    empty_layer: layer.is_none(),
                };
                let step = kept::Step { history, layer };
                self.keep(&key, &step).await?;
                step
            }
        };
        config::apply(&mut self.draft.config, &action, &mut self.is_cmd_set);
        self.draft.add(step.history, step.layer);
        self.key = key;
        self.say_id().await
    }

    /// Puts an argument into the history. The step before says when: so that nothing changes when
    /// nothing has changed.
    async fn declare(&mut self, action: &Action) -> Result<(), Stop> {
        let config = &self.draft.config;
        let history = History {
            created: config.history.last().and_then(|last| last.created.clone()),
            created_by: action.history(&config::shell(&config.config)),
            author: config.author.clone(),
            comment: String::new(),
            empty_layer: true,
        };
        self.draft.add(history, None);
        self.say_id().await
    }

    /// What the step reads, for its key, and what was found out on the way.
    async fn inputs(&self, action: &Action) -> Result<(Inputs, Option<transfer::Prepared>), Stop> {
        match action {
            Action::Add(asked) | Action::Copy(asked) => {
                let is_add = matches!(action, Action::Add(_));
                let prepared = transfer::prepare(self, asked, is_add).await?;
                let mut inputs = Inputs::default();
                for (what, digest) in prepared.digests() {
                    inputs.add_text(&what, &digest);
                }
                Ok((inputs, Some(prepared)))
            }
            Action::Run(asked) => Ok((run::inputs(self, asked).await?, None)),
            _ => Ok((Inputs::default(), None)),
        }
    }

    /// Does what changes files; returns what changed.
    async fn layer(
        &self,
        action: &Action,
        prepared: Option<transfer::Prepared>,
    ) -> Result<Option<HeldLayer>, Stop> {
        match (action, prepared) {
            (Action::Add(asked) | Action::Copy(asked), Some(prepared)) => {
                transfer::carry_out(self, asked, prepared).await
            }
            (Action::Run(asked), _) => run::run(self, asked).await,
            (Action::Workdir(path), _) => {
                let dir = config::working_dir(&self.draft.config.config);
                transfer::make_directory(self, engine_build::resolve(dir, path)).await
            }
            _ => Ok(None),
        }
    }

    async fn find(&self, key: &Key) -> Option<kept::Step> {
        let found = kept::find(&self.work.builds, key.to_string(), &self.draft).await;
        let names = &self.work.request.cache_from;
        found.or_else(|| names.iter().find_map(|name| self.find_in(name, key)))
    }

    /// Looks for the step in the history of an image that is here.
    fn find_in(&self, name: &str, key: &Key) -> Option<kept::Step> {
        let images = &self.work.builds.images;
        let (config, notes) = images.notes_of(name).ok()?;
        let comment = format!("{KEY_MARK}{key}");
        let at = config.history.iter().position(|h| h.comment == comment)?;
        let below = config.history[..at].iter().filter(|h| !h.empty_layer);
        let n_below = below.count();
        let is_on_same = config.rootfs.diff_ids.get(..n_below) == Some(self.draft.diff_ids());
        let history = config.history[at].clone();
        let layer = match history.empty_layer {
            true => None,
            false => Some(images.hold_note(notes.get(n_below)?.clone())?),
        };
        is_on_same.then_some(kept::Step { history, layer })
    }

    async fn keep(&self, key: &Key, step: &kept::Step) -> Result<(), Stop> {
        faults::point("build.stepped");
        let (builds, key) = (Arc::clone(&self.work.builds), key.to_string());
        let (step, draft) = (step.clone(), self.draft.clone());
        let kept = blocking(move || {
            let now_ns = builds.clock.now_ns();
            builds.cache.add(key, &draft, step, now_ns)
        });
        kept.await?;
        faults::point("build.noted");
        Ok(())
    }

    async fn say_id(&self) -> Result<(), Stop> {
        let id = match self.draft.config.history.is_empty() && self.draft.n_layers() == 0 {
            true => String::new(),
            false => self.draft.id()?.short(),
        };
        self.output.chat(format!(" ---> {id}\n")).await
    }

    /// A name that nothing in the build's directory has.
    pub(super) fn new_name(&self, what: &str) -> String {
        format!("{what}-{}", N_NAMES.fetch_add(1, Ordering::Relaxed))
    }

    /// Makes an overlay on the layers of an image.
    pub(super) async fn view(&self, draft: &Draft) -> Result<View, Stop> {
        let (made_of, held) = self.work.builds.images.for_draft(draft).await?;
        let dir = Arc::clone(&self.work.dir);
        let name = self.new_name("view");
        let view = blocking(move || View::make(&dir, &name, made_of.layers, held)).await;
        Ok(view?)
    }

    /// The image that files come from, when they do not come from the context.
    pub(super) async fn origin(&self, origin: &Origin) -> Result<Option<Draft>, Stop> {
        match origin {
            Origin::Context => Ok(None),
            Origin::Stage(place) => Ok(Some(self.work.stage(*place).await?.draft.clone())),
            Origin::Image(name) => {
                let platform = self.work.request.platform.as_deref();
                image(self.work, name, platform, self.output)
                    .await
                    .map(Some)
            }
        }
    }
}

/// The moment at which everything is said to be made.
pub(super) fn made_at(work: &Work) -> String {
    let epoch_ns = work.epoch.map(|epoch| epoch.saturating_mul(NS_PER_S));
    rfc3339(epoch_ns.unwrap_or_else(|| work.builds.clock.now_ns()))
}

/// A fault of the Dockerfile that only shows when its variables are known.
fn fault(fault: &engine_build::Fault) -> Stop {
    Stop::Failed(ServiceError::BadRequest(fault.to_string()))
}
