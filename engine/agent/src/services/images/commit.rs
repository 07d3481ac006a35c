//! Images of containers, and images as archives.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, PipeWriter, Write};
use std::sync::Arc;

use engine_api::containers::ContainerConfig;
use engine_images::{
    CommitOptions, Empty, Image, LoadError, Prepared, Reference, RunConfig, Store,
};
use engine_storage::{ApplyError, Unpacked};

use super::load::Import;
use super::service::Images;
use super::unpack;
use crate::clock;
use crate::faults;
use crate::services::chunks::{self, Chunks};
use crate::services::error::{Result, ServiceError};
use crate::tasks::{blocking, on_own_thread, own_thread};

/// How much of a layer is written at once.
const PIECE_BYTES: usize = 256 << 10;

/// What an image of a container is to become.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// The image that the container was made of, `sha256:…`.
    pub base: String,
    pub repo: Option<String>,
    pub tag: Option<String>,
    pub author: String,
    pub comment: String,
    pub changes: Vec<String>,
    pub created_by: String,
    pub config: ContainerConfig,
}

impl Images {
    /// Makes an image with what `write` writes as its top layer; returns its id and name.
    ///
    /// # Errors
    /// When the base is gone, or the name or a change is malformed.
    pub(crate) async fn commit(
        &self,
        commit: Commit,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<(String, Option<String>)> {
        let unfinished = self.unfinished();
        let name = Import {
            repo: commit.repo,
            tag: commit.tag,
            ..Import::default()
        };
        let name = name.name()?;
        let id = self.find(&commit.base)?.id;
        // First held, then used: the base may be removed meanwhile, or its archives exchanged by a push.
        let held = self.store.hold(id);
        let (base, _archives) = held.ok_or_else(|| ServiceError::NoSuchImage(id.to_string()))?;
        let _layers = self.store.hold_layers(base.diff_ids());
        let options = CommitOptions {
            run: run_config(&commit.config)?,
            changes: commit.changes,
            author: commit.author,
            comment: commit.comment,
            created_by: commit.created_by,
            created: clock::rfc3339(self.clock.now_ns()),
        };
        let prepared = self.make(base, options, write).await?;
        faults::point("commit.unpacked");
        self.unpack(&prepared.image).await?;
        let names = name.clone().into_iter().collect();
        let added = self.add(vec![(prepared, names)]).await?;
        faults::point("commit.listed");
        unfinished.finished();
        let Some(image) = added.first() else {
            return Err(ServiceError::Unavailable(
                "the image was not listed".to_owned(),
            ));
        };
        let id = image.id.to_string();
        let called = name.as_ref().map(Reference::familiar);
        self.publish(
            "create",
            id.clone(),
            called.as_deref().unwrap_or(&id),
            image,
        );
        if let Some(called) = &called {
            self.publish("tag", id.clone(), called, image);
        }
        Ok((id, called))
    }

    /// Makes the image, with its layer unpacked. The archive of the layer is unpacked while it is
    /// written: it may be long, and is not read again.
    async fn make(
        &self,
        base: Arc<Image>,
        options: CommitOptions,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
    ) -> Result<Prepared> {
        let (archive, copy) = io::pipe().map_err(ServiceError::failed("begin a layer"))?;
        let n_layers = base.layers.len();
        let (store, layers) = (self.store.clone(), Arc::clone(&self.layers));
        let writing = on_own_thread("commit", move || {
            write_image(&store, &base, options, copy, write)
        });
        let unpacking = on_own_thread("unpack", move || layers.unpack_new(archive));
        let (prepared, unpacked) = tokio::join!(writing, unpacking);
        let prepared = prepared.map_err(ServiceError::failed("commit the container"))?;
        let unpacked = unpacked.map_err(ServiceError::failed("unpack the layer"))?;
        blocking(move || settle(prepared, unpacked, n_layers)).await
    }

    /// Begins to write images as an archive. A name without a tag means all tags of its repository.
    ///
    /// # Errors
    /// When one of them is not here.
    pub(crate) fn save(&self, names: &[String]) -> Result<Chunks> {
        // Held: a push may exchange an image's archives for others meanwhile.
        let mut held = Vec::new();
        let images = self
            .chosen(names)?
            .into_iter()
            .filter_map(|(image, names)| {
                let (image, lease) = self.store.hold(image.id)?;
                held.push(lease);
                Some((image, names))
            });
        let images: Vec<_> = images.collect();
        let (sender, chunks) = chunks::channel();
        let store = self.store.clone();
        for (image, _) in &images {
            let id = image.id.to_string();
            self.publish("save", id.clone(), &id, image);
        }
        own_thread("save", move || {
            chunks::send(&sender, |target| {
                engine_images::save(&store, &images, target)
            });
            drop(held);
        })
        .map_err(ServiceError::failed("begin to save the images"))?;
        Ok(chunks)
    }

    fn chosen(&self, names: &[String]) -> Result<Vec<(Arc<Image>, Vec<Reference>)>> {
        let mut chosen: BTreeMap<_, (Arc<Image>, Vec<Reference>)> = BTreeMap::new();
        for text in names {
            let name = text.parse::<Reference>().ok();
            let name = name.filter(|name| self.store.named(&name.clone().or_latest()).is_some());
            let whole = text.parse::<Reference>().ok();
            let whole = whole.filter(|name| name.tag().is_none() && name.digest().is_none());
            let tags = whole.map(|name| self.tags_of(&name)).unwrap_or_default();
            if !tags.is_empty() {
                for tag in tags {
                    if let Some(image) = self.store.named(&tag) {
                        add(&mut chosen, image, Some(tag));
                    }
                }
                continue;
            }
            let image = self.find(text)?;
            let tag = name
                .map(Reference::or_latest)
                .filter(|name| name.digest().is_none());
            add(&mut chosen, image, tag);
        }
        Ok(chosen.into_values().collect())
    }

    /// All tags of a repository.
    pub(super) fn tags_of(&self, repository: &Reference) -> Vec<Reference> {
        let bare = repository.bare();
        let images = self.store.list();
        images
            .iter()
            .flat_map(|image| self.store.names_of(image.id).tags)
            .filter(|tag| tag.bare() == bare)
            .collect()
    }
}

/// Keeps the archive that `write` writes, with a copy of it for whoever unpacks it. Blocks.
fn write_image(
    store: &Store,
    base: &Image,
    options: CommitOptions,
    copy: PipeWriter,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> std::result::Result<Prepared, LoadError> {
    engine_images::commit(store, base, options, |target| {
        write_both(target, copy, write)
    })
}

/// Writes an archive to `target`, with a copy of it for whoever unpacks it. Blocks.
pub(super) fn write_both(
    target: &mut dyn Write,
    copy: PipeWriter,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let copy = Some(copy);
    let mut both = BufWriter::with_capacity(PIECE_BYTES, Both { target, copy });
    write(&mut both)?;
    both.flush()?;
    faults::point("commit.read");
    Ok(())
}

/// Keeps the layer that was unpacked, if the image has one more than before. Blocks.
fn settle(
    prepared: std::result::Result<Prepared, LoadError>,
    unpacked: std::result::Result<Unpacked, ApplyError>,
    n_layers: usize,
) -> Result<Prepared> {
    // An archive that broke off is not whole for whoever unpacks it either.
    let prepared = prepared.map_err(refused)?;
    faults::point("commit.kept");
    let unpacked = unpacked.map_err(unpack::refused)?;
    if let Some(layer) = prepared.image.layers.get(n_layers) {
        let kept = unpacked.keep(layer.diff_id.into());
        kept.map_err(unpack::refused)?;
    }
    Ok(prepared)
}

/// What is written goes to both. Whoever takes the copy may give up, and says why himself.
struct Both<'a> {
    target: &'a mut dyn Write,
    copy: Option<PipeWriter>,
}

impl Write for Both<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n_written = self.target.write(bytes)?;
        if let Some(copy) = &mut self.copy
            && copy.write_all(&bytes[..n_written]).is_err()
        {
            self.copy = None;
        }
        faults::point("commit.writing");
        Ok(n_written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}

fn add(
    chosen: &mut BTreeMap<engine_images::Digest, (Arc<Image>, Vec<Reference>)>,
    image: Arc<Image>,
    name: Option<Reference>,
) {
    let (_, names) = chosen.entry(image.id).or_insert((image, Vec::new()));
    if let Some(name) = name.filter(|name| !names.contains(name)) {
        names.push(name);
    }
}

fn run_config(config: &ContainerConfig) -> Result<RunConfig> {
    let set = |keys: &BTreeMap<String, engine_api::containers::Empty>| {
        keys.keys().map(|key| (key.clone(), Empty {})).collect()
    };
    let healthcheck = config.healthcheck.as_ref().map(serde_json::to_value);
    Ok(RunConfig {
        user: config.user.clone(),
        exposed_ports: set(&config.exposed_ports),
        env: config.env.clone().unwrap_or_default(),
        entrypoint: config.entrypoint.clone(),
        cmd: config.cmd.clone(),
        volumes: config.volumes.as_ref().map(set).unwrap_or_default(),
        working_dir: config.working_dir.clone(),
        labels: config.labels.clone(),
        stop_signal: config.stop_signal.clone(),
        healthcheck: healthcheck
            .transpose()
            .map_err(ServiceError::failed("keep the health check"))?,
        on_build: config.on_build.clone().unwrap_or_default(),
        shell: config.shell.clone(),
    })
}

pub(super) fn refused(error: LoadError) -> ServiceError {
    match error {
        _ if error.is_full() => ServiceError::failed(unpack::FULL)(error),
        LoadError::Store(_) => ServiceError::failed("commit the container")(error),
        _ => ServiceError::BadRequest(crate::services::error::chain(&error)),
    }
}
