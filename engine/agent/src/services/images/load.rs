//! Images from archives and tarballs.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::Bytes;
use engine_images::{ImportOptions, LoadError, Loaded, Platform, Prepared, Reference};
use futures_util::{Stream, stream};
use tokio::sync::OwnedSemaphorePermit;

use super::progress::Board;
use super::service::Images;
use crate::clock;
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::on_own_thread;

/// What is read of a refused archive so that its sender gets to read the answer.
const DRAIN_BYTES: u64 = 4 << 30;

/// Archives that may be read at a time.
pub(super) const READINGS_MAX: usize = 64;

/// What an import is to become.
#[derive(Debug, Default)]
pub(crate) struct Import {
    pub repo: Option<String>,
    pub tag: Option<String>,
    pub message: Option<String>,
    pub changes: Vec<String>,
    pub platform: Option<String>,
    /// Somebody sends it, and reads the answer when all is sent.
    pub is_sent: bool,
}

impl Images {
    /// Loads every image of an archive, or none.
    ///
    /// # Errors
    /// Why the archive is refused.
    pub(crate) async fn load(
        &self,
        mut source: impl Read + Send + 'static,
        platform: Option<&str>,
        board: &Board,
    ) -> Result<()> {
        // Dropped after the images' leases, which it would otherwise still see.
        let unfinished = self.unfinished();
        let platform = platform.map(str::parse::<Platform>).transpose();
        let platform = platform.map_err(|error| ServiceError::BadRequest(error.to_string()))?;
        let store = self.store.clone();
        let turn = self.reading_turn()?;
        let loaded = on_own_thread("load", move || {
            let loaded = engine_images::load(&store, &mut source, platform.as_ref());
            drain(source);
            drop(turn);
            loaded
        })
        .await
        .map_err(ServiceError::failed("read the archive"))?
        .map_err(refused)?;

        for Loaded { prepared, .. } in &loaded {
            self.unpack(&prepared.image).await?;
        }
        let prepared = loaded
            .into_iter()
            .map(|loaded| (loaded.prepared, loaded.names))
            .collect::<Vec<_>>();
        let names: Vec<_> = prepared.iter().map(|(_, names)| names.clone()).collect();
        let added = self.add(prepared).await?;
        unfinished.finished();

        for (image, names) in added.iter().zip(names) {
            if names.is_empty() {
                self.publish("load", image.id.to_string(), &image.id.to_string(), image);
                board.sentence(format!("Loaded image ID: {}\n", image.id));
            }
            for name in names {
                self.publish("load", image.id.to_string(), &name.familiar(), image);
                board.sentence(format!("Loaded image: {}\n", name.familiar()));
            }
        }
        Ok(())
    }

    /// Begins to fetch an archive that lies elsewhere.
    ///
    /// # Errors
    /// When the address is refused, or nobody has the archive there.
    pub(crate) async fn fetch_archive(
        &self,
        address: &str,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>> {
        let download = self.downloads.get(address).await;
        let download = download.map_err(|error| ServiceError::BadRequest(chain(&error)))?;
        Ok(stream::try_unfold(download, |mut download| async move {
            let piece = download.next().await.map_err(io::Error::other)?;
            Ok(piece.map(|piece| (piece, download)))
        }))
    }

    /// Makes an image of a root file system's tarball.
    ///
    /// # Errors
    /// Why the tarball or a change is refused.
    pub(crate) async fn import(
        &self,
        mut source: impl Read + Send + 'static,
        import: Import,
        board: &Board,
    ) -> Result<()> {
        let unfinished = self.unfinished();
        let (name, is_sent) = (import.name()?, import.is_sent);
        let options = import.options(clock::rfc3339(self.clock.now_ns()))?;
        let store = self.store.clone();
        let turn = self.reading_turn()?;
        let prepared: Prepared = on_own_thread("import", move || {
            let prepared = engine_images::import(&store, &mut source, &options);
            if is_sent {
                drain(source);
            }
            drop(turn);
            prepared
        })
        .await
        .map_err(ServiceError::failed("read the archive"))?
        .map_err(refused)?;

        self.unpack(&prepared.image).await?;
        let names = name.clone().into_iter().collect();
        let added = self.add(vec![(prepared, names)]).await?;
        unfinished.finished();

        for image in &added {
            let id = image.id.to_string();
            let called = name
                .as_ref()
                .map_or_else(|| id.clone(), Reference::familiar);
            self.publish("import", id.clone(), &called, image);
            board.status("", id);
        }
        Ok(())
    }
}

impl Images {
    /// Takes the turn of an archive that is read: its sender sets the pace, and each has a thread.
    fn reading_turn(&self) -> Result<OwnedSemaphorePermit> {
        let turn = Arc::clone(&self.readings).try_acquire_owned();
        turn.map_err(|_| {
            let message = format!("{READINGS_MAX} archives are being read already");
            ServiceError::Unavailable(message)
        })
    }
}

impl Import {
    pub(super) fn name(&self) -> Result<Option<Reference>> {
        let Some(repo) = &self.repo else {
            return Ok(None);
        };
        let bad =
            |error: engine_images::MalformedReference| ServiceError::BadRequest(error.to_string());
        let name: Reference = repo.parse().map_err(bad)?;
        if name.digest().is_some() {
            let reason = "a name with a digest cannot be given, only taken".to_owned();
            return Err(ServiceError::BadRequest(reason));
        }
        match &self.tag {
            Some(tag) => name.with_tag(tag).map_err(bad).map(Some),
            None => Ok(Some(name.or_latest())),
        }
    }

    fn options(self, created: String) -> Result<ImportOptions> {
        let platform = match self.platform {
            Some(text) => text
                .parse()
                .map_err(|error: engine_images::MalformedPlatform| {
                    ServiceError::BadRequest(error.to_string())
                })?,
            None => Platform::host(),
        };
        Ok(ImportOptions {
            changes: self.changes,
            message: self.message.unwrap_or_default(),
            platform,
            created,
        })
    }
}

fn refused(error: LoadError) -> ServiceError {
    match error {
        _ if error.is_full() => ServiceError::failed(super::unpack::FULL)(error),
        LoadError::Store(_) => ServiceError::failed("load the image")(error),
        _ => ServiceError::BadRequest(chain(&error)),
    }
}

/// Reads what is left of a request: a client that is still sending would not read the answer.
fn drain(source: impl Read) {
    // Whether the rest comes matters to nobody any more.
    let _ = io::copy(&mut source.take(DRAIN_BYTES), &mut io::sink());
}
