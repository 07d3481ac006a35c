//! Images of containers, and images as archives.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use engine_api::containers::ContainerConfig;
use engine_images::{CommitOptions, Empty, Image, LoadError, Reference, RunConfig};

use super::load::Import;
use super::service::Images;
use crate::clock;
use crate::services::chunks::{self, Chunks};
use crate::services::error::{Result, ServiceError};
use crate::tasks::{on_own_thread, own_thread};

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
        let base = self.find(&commit.base)?;
        // First held, then used: the base may be removed meanwhile.
        let _held = self.store.hold_layers(base.diff_ids());
        let options = CommitOptions {
            run: run_config(&commit.config)?,
            changes: commit.changes,
            author: commit.author,
            comment: commit.comment,
            created_by: commit.created_by,
            created: clock::rfc3339(self.clock.now_ns()),
        };
        let store = self.store.clone();
        let prepared = on_own_thread("commit", move || {
            engine_images::commit(&store, &base, options, write)
        })
        .await
        .map_err(ServiceError::failed("commit the container"))?
        .map_err(refused)?;

        self.unpack(&prepared.image).await?;
        let names = name.clone().into_iter().collect();
        let added = self.add(vec![(prepared, names)]).await?;
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

fn refused(error: LoadError) -> ServiceError {
    match error {
        _ if error.is_full() => ServiceError::failed(super::unpack::FULL)(error),
        LoadError::Store(_) => ServiceError::failed("commit the container")(error),
        _ => ServiceError::BadRequest(crate::services::error::chain(&error)),
    }
}
