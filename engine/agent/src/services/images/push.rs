//! Images to registries.

use std::sync::Arc;

use engine_api::images::PushResult;
use engine_images::{
    Credentials, Digest, Image, Lease, Platform, PushProgress, Reference, Registry, compress,
};

use super::progress::Board;
use super::pull::{Wanted, failed};
use super::service::Images;
use crate::services::error::{Result, ServiceError};
use crate::tasks::on_own_thread;

/// Images that were found here and not brought yet.
pub(crate) struct Push {
    tags: Vec<(Reference, Digest)>,
    credentials: Option<Credentials>,
    authority: String,
    board: Arc<Board>,
}

impl Images {
    /// Finds what is to be pushed: without a tag, every tag of the repository that is here.
    ///
    /// # Errors
    /// When it is not here, has a digest for a name, or is not for the platform that is asked for.
    pub(crate) fn find_for_push(&self, wanted: Wanted) -> Result<Push> {
        let Wanted {
            reference,
            platform,
            credentials,
            authority,
        } = wanted;
        if reference.digest().is_some() {
            return Err(ServiceError::BadRequest(
                "cannot push a digest reference: give the image a tag and push that".to_owned(),
            ));
        }
        let mut names = match reference.tag() {
            None => self.tags_of(&reference),
            Some(_) => vec![reference.clone()],
        };
        names.sort_by_key(Reference::familiar);
        let mut tags = Vec::new();
        for name in names {
            if let Some(image) = self.store.named(&name) {
                check_platform(&name, &image, platform.as_ref())?;
                tags.push((name, image.id));
            }
        }
        if tags.is_empty() {
            let name = reference.familiar();
            let message = format!("An image does not exist locally with the tag: {name}");
            return Err(ServiceError::NotFound(message));
        }
        Ok(Push {
            tags,
            credentials,
            authority,
            board: Arc::default(),
        })
    }

    /// Brings images to their registry. Dropping this stops everything; tags that are there by then
    /// stay.
    ///
    /// # Errors
    /// What the registry says, in words.
    pub(crate) async fn push(&self, push: Push) -> Result<()> {
        let Push {
            tags,
            credentials,
            authority,
            board,
        } = push;
        if let Some((first, _)) = tags.first() {
            let repository = first.bare();
            board.status("", format!("The push refers to repository [{repository}]"));
        }
        for (name, id) in tags {
            let registry = self.registry_of(&name, &authority).await?;
            let to = (&registry, credentials.as_ref());
            self.push_one(&name, id, to, &board).await?;
        }
        Ok(())
    }

    async fn push_one(
        &self,
        name: &Reference,
        id: Digest,
        (registry, credentials): (&Registry, Option<&Credentials>),
        board: &Arc<Board>,
    ) -> Result<()> {
        let (image, held) = self.held_for_push(id)?;
        for layer in image.layers.iter().rev() {
            board.status(&layer.diff_id.short(), "Preparing");
        }
        let (image, held) = self.compressed(image, held, board).await?;
        let progress = |layer: Digest, news| tell(board, &layer.short(), news);
        let pushed = registry
            .push(&self.store, &image, name, credentials, &progress)
            .await
            .map_err(|error| failed("push", name, error))?;
        // From here on the image has that name too, by which everybody finds exactly it; if it is
        // still here.
        let by_digest = name.with_digest(pushed.digest);
        let store = self.store.clone();
        crate::tasks::blocking(move || {
            let tagged = store.tag(id, &by_digest);
            drop(held);
            tagged
        })
        .await
        .map_err(ServiceError::failed("note the digest"))?;

        let (tag, digest) = (name.tag().unwrap_or_default().to_owned(), pushed.digest);
        let size = pushed.size_bytes;
        board.status("", format!("{tag}: digest: {digest} size: {size}"));
        board.pushed(PushResult {
            tag,
            digest: digest.to_string(),
            size,
        });
        self.publish("push", name.familiar(), &name.familiar_name(), &image);
        Ok(())
    }

    fn held_for_push(&self, id: Digest) -> Result<(Arc<Image>, Lease)> {
        self.store
            .hold(id)
            .ok_or_else(|| ServiceError::NoSuchImage(id.to_string()))
    }

    /// Compresses layers that are kept as plain archives, and keeps them so.
    async fn compressed(
        &self,
        image: Arc<Image>,
        held: Lease,
        board: &Arc<Board>,
    ) -> Result<(Arc<Image>, Lease)> {
        let id = image.id;
        let (store, board) = (self.store.clone(), Arc::clone(board));
        // When whoever pushes has gone, the thread notices.
        let waiting = Arc::new(());
        let is_waited_for = Arc::downgrade(&waiting);
        let exchanged = on_own_thread("compress", move || {
            let prepared = compress(&store, &image, &|layer, n_done, n_all| {
                board.count(&layer.short(), "Compressing", n_done, n_all);
                is_waited_for.strong_count() > 0
            });
            let exchanged = match prepared {
                Ok(Some(prepared)) => store.exchange(prepared).map(drop),
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            drop(held);
            exchanged
        })
        .await
        .map_err(ServiceError::failed("compress the layers"))?;
        drop(waiting);
        exchanged.map_err(|error| match error.is_full() {
            true => ServiceError::failed(super::unpack::FULL)(error),
            false => ServiceError::failed("compress the layers")(error),
        })?;
        self.held_for_push(id)
    }
}

fn check_platform(name: &Reference, image: &Image, wanted: Option<&Platform>) -> Result<()> {
    let found = &image.config.platform;
    match wanted {
        Some(wanted) if found.fitness(wanted).is_none() => Err(ServiceError::NotFound(format!(
            "image with reference {} was found but does not provide the specified platform ({wanted}), only {found}",
            name.familiar(),
        ))),
        _ => Ok(()),
    }
}

fn tell(board: &Board, id: &str, progress: PushProgress) {
    match progress {
        PushProgress::Exists => board.status(id, "Layer already exists"),
        PushProgress::Mounted { from } => board.status(id, format!("Mounted from {from}")),
        PushProgress::Uploading {
            n_bytes,
            total_bytes,
        } => board.count(id, "Pushing", n_bytes, total_bytes),
        PushProgress::Retrying => board.status(id, "Retrying"),
        PushProgress::Complete => board.status(id, "Pushed"),
    }
}

impl Push {
    /// Where the lines of its progress appear.
    pub(crate) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }
}
