//! `RUN --mount`: what a command sees beside its image, and what never gets into the layer.
//!
//! A bind is a copy in the build's directory: no path of a context or an image is mounted, and what
//! is written to it goes with the build.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engine_api::containers::{MountRequest, TmpfsOptions};
use engine_build::cache::Inputs;
use engine_build::{Mount, MountOwner, Origin, Run, Sharing, resolve};
use engine_images::Digest;
use engine_storage::{
    AskedPath, FoundKind, GatherOptions, PlaceOptions, Taken, TreeRoot, carry, digest_of, gather,
    kind_at, place,
};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::config;
use super::context::CONTEXT;
use super::executor::Stop;
use super::stage::Stage;
use super::transfer::Tree;
use crate::records::{BuildDir, StepBind, write_file};
use crate::services::error::{Result as ServiceResult, ServiceError};
use crate::tasks::on_own_thread;

/// What is mounted for one command, as long as it runs.
#[derive(Default)]
pub(super) struct Mounted {
    pub(super) binds: Vec<StepBind>,
    pub(super) tmpfs: Vec<MountRequest>,
    _turns: Vec<OwnedMutexGuard<()>>,
    /// The caches that are mounted, whoever else has them: a prune leaves them.
    _uses: Vec<Arc<AsyncMutex<()>>>,
}

/// How long a command waits for caches that it wants to itself.
const TURN_LIMIT: Duration = Duration::from_secs(1800);

/// What the binds hold, for the step's key; a cache is nobody's input.
pub(super) async fn inputs(stage: &Stage<'_>, asked: &[Mount]) -> Result<Inputs, Stop> {
    let mut inputs = Inputs::default();
    for (n, mount) in asked.iter().enumerate() {
        if let Mount::Bind { from, source, .. } = mount {
            let (tree, dir) = (tree(stage, from).await?, Arc::clone(&stage.work.dir));
            let source = source.clone();
            let digest = on_own_thread("build read", move || digest(&tree, &dir, &source));
            let digest = digest.await.map_err(ServiceError::failed(READ))??;
            inputs.add_text(&format!("mount {n}"), &digest.to_string());
        }
    }
    Ok(inputs)
}

const READ: &str = "read what is to be mounted";

fn digest(tree: &Tree, dir: &BuildDir, source: &str) -> ServiceResult<Digest> {
    tree.with(dir, |root| {
        let path = path_of(root, source)?;
        let taken = [Taken::whole(path, name_of(source))];
        digest_of(root, &taken, GatherOptions::default()).map_err(ServiceError::failed(READ))
    })?
}

/// Makes everything that a command is to see.
pub(super) async fn make(stage: &Stage<'_>, asked: &Run) -> Result<Mounted, Stop> {
    let mut mounted = Mounted::default();
    if let Some(script) = &asked.script {
        let name = stage.new_name("script");
        let root = stage.work.dir.make(&name);
        let root = root.map_err(ServiceError::failed("make a script"))?;
        write_file(&root, Path::new("script"), script.content.as_bytes(), 0o755)
            .map_err(ServiceError::failed("make a script"))?;
        mounted.binds.push(StepBind {
            source: stage.work.dir.path_of(&name).join("script"),
            target: script.path(),
            readonly: true,
        });
    }
    take_turns(stage, &asked.mounts, &mut mounted).await?;
    let dir = config::working_dir(&stage.draft.config.config).to_owned();
    for mount in &asked.mounts {
        one(stage, &dir, mount, &mut mounted).await?;
    }
    Ok(mounted)
}

/// Waits for every cache that the command wants to itself: each once, and everybody in the same
/// order, so that no two wait for each other.
async fn take_turns(
    stage: &Stage<'_>,
    mounts: &[Mount],
    mounted: &mut Mounted,
) -> Result<(), Stop> {
    let locked = mounts.iter().filter_map(|mount| match mount {
        Mount::Cache {
            id,
            sharing: Sharing::Locked,
            ..
        } => Some((cache_name(id), id)),
        _ => None,
    });
    for (name, id) in locked.collect::<BTreeMap<_, _>>() {
        let turn = stage.work.builds.mount_turn(&name).lock_owned();
        let turn = tokio::time::timeout(TURN_LIMIT, turn).await;
        mounted._turns.push(turn.map_err(|_| {
            ServiceError::Conflict(format!(
                "another build has the cache {id:?} to itself for half an hour; try again when it \
                 has ended"
            ))
        })?);
    }
    Ok(())
}

fn cache_name(id: &str) -> String {
    Digest::of(id.as_bytes()).hex()
}

async fn one(
    stage: &Stage<'_>,
    working_dir: &str,
    mount: &Mount,
    mounted: &mut Mounted,
) -> Result<(), Stop> {
    match mount {
        Mount::Bind {
            target,
            from,
            source,
            writable,
        } => {
            let name = stage.new_name("bind");
            let root = stage.work.dir.make(&name);
            let root = root.map_err(ServiceError::failed("make a mount"))?;
            let tree = tree(stage, from).await?;
            let inside = copy(stage, tree, source, root).await?;
            mounted.binds.push(StepBind {
                source: stage.work.dir.path_of(&name).join(inside),
                target: resolve(working_dir, target),
                readonly: !writable,
            });
        }
        Mount::Cache {
            target,
            id,
            sharing,
            from,
            source,
            read_only,
            owner,
        } => {
            let target = resolve(working_dir, target);
            let from = from.as_ref().map(|from| (from, source.as_str()));
            let path = cache(stage, id, *sharing, from, *owner, mounted).await?;
            mounted.binds.push(StepBind {
                source: path,
                target,
                readonly: *read_only,
            });
        }
        Mount::Tmpfs { target, size_bytes } => mounted.tmpfs.push(MountRequest {
            kind: "tmpfs".to_owned(),
            target: resolve(working_dir, target),
            tmpfs_options: size_bytes.map(|size_bytes| TmpfsOptions {
                size_bytes: i64::try_from(size_bytes).unwrap_or(i64::MAX),
                ..TmpfsOptions::default()
            }),
            ..MountRequest::default()
        }),
        Mount::Secret { id, required, .. } => unsent("secret", id, *required)?,
        Mount::Ssh { id, required, .. } => unsent("ssh", id, *required)?,
    }
    Ok(())
}

/// What the classic protocol does not carry is not there; whoever requires it is told so.
fn unsent(kind: &str, id: &str, is_required: bool) -> ServiceResult<()> {
    if !is_required {
        return Ok(());
    }
    Err(ServiceError::BadRequest(format!(
        "RUN --mount=type={kind} requires {id:?}, which the classic build protocol cannot carry: \
         leave required out, or give it as a build argument or a file of the context"
    )))
}

async fn tree(stage: &Stage<'_>, from: &Origin) -> Result<Tree, Stop> {
    Ok(match stage.origin(from).await? {
        None => Tree::Dir(CONTEXT.to_owned()),
        Some(draft) => Tree::View(Arc::new(stage.view(&draft).await?)),
    })
}

/// Copies a source into a new directory; returns the name to mount, empty for the directory itself.
async fn copy(
    stage: &Stage<'_>,
    tree: Tree,
    source: &str,
    into: TreeRoot,
) -> Result<PathBuf, Stop> {
    let (dir, source) = (Arc::clone(&stage.work.dir), source.to_owned());
    let copied = on_own_thread("build write", move || {
        let read_from = |target| {
            tree.with(&dir, |root| {
                let path = path_of(root, &source)?;
                let kind = kind_at(root, &path).map_err(ServiceError::failed(READ))?;
                let name = match kind {
                    Some(FoundKind::Directory) => PathBuf::new(),
                    _ => name_of(&source),
                };
                let taken = [Taken::whole(path, &name)];
                let gathered = gather(root, &taken, GatherOptions::default(), target);
                gathered.map(|_| name).map_err(ServiceError::failed(READ))
            })?
        };
        let write_to = |archive| {
            let options = PlaceOptions::default();
            place(&into, &AskedPath::new("/"), archive, options)
        };
        let (name, placed) =
            carry(read_from, write_to).map_err(ServiceError::failed("copy what is mounted"))?;
        let name = name?;
        placed.map_err(ServiceError::failed("copy what is mounted"))?;
        Ok::<_, ServiceError>(name)
    });
    let copied = copied.await;
    Ok(copied.map_err(ServiceError::failed("copy what is mounted"))??)
}

async fn cache(
    stage: &Stage<'_>,
    id: &str,
    sharing: Sharing,
    from: Option<(&Origin, &str)>,
    owner: MountOwner,
    mounted: &mut Mounted,
) -> Result<PathBuf, Stop> {
    let builds = &stage.work.builds;
    let name = cache_name(id);
    let turn = builds.mount_turn(&name);
    mounted._uses.push(Arc::clone(&turn));
    let name = match sharing {
        Sharing::Shared | Sharing::Locked => name,
        Sharing::Private => match turn.try_lock_owned() {
            Ok(turn) => {
                mounted._turns.push(turn);
                name
            }
            // Somebody has it: one of its own, which goes with the build.
            Err(_) => {
                let own = stage.new_name("cache");
                let made = stage.work.dir.make(&own);
                made.map_err(ServiceError::failed("make a cache"))?;
                return Ok(stage.work.dir.path_of(&own));
            }
        },
    };
    let made = builds
        .store
        .mount_dir(&name, (owner.uid, owner.gid, owner.mode));
    let (path, root, is_new) = made.map_err(ServiceError::failed("make a cache"))?;
    if let (true, Some((from, source))) = (is_new, from) {
        let tree = tree(stage, from).await?;
        copy(stage, tree, source, root).await?;
    }
    Ok(path)
}

fn path_of(root: &TreeRoot, source: &str) -> ServiceResult<PathBuf> {
    let path = PathBuf::from(resolve("/", source).trim_start_matches('/'));
    let there = kind_at(root, &path).map_err(ServiceError::failed(READ))?;
    match there {
        Some(_) => Ok(path),
        None => Err(ServiceError::BadRequest(format!(
            "RUN --mount failed: stat {source}: file does not exist"
        ))),
    }
}

fn name_of(source: &str) -> PathBuf {
    let path = resolve("/", source);
    Path::new(&path)
        .file_name()
        .map(PathBuf::from)
        .unwrap_or_default()
}
