//! One directory of an image, and one file of it, as they are after a layer. Nothing is mounted.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use engine_api::layers::{FileMark, ImageDirectory, ImageFile};
use engine_images::Image;
pub(crate) use engine_storage::StackQuery;
use engine_storage::{BrowseError, Mark, OwnerNames, Stack, StackEntry};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::layers::{not_shown, steps};
use super::service::Images;
use crate::services::chunks::{self, Chunks};
use crate::services::error::{Result, ServiceError};
use crate::services::looking::{Waiting, file_entry};
use crate::tasks::{blocking, own_thread};

/// How long a directory may take.
const LIST_LIMIT: Duration = Duration::from_secs(20);

/// A place in an image.
#[derive(Debug, Clone)]
pub(crate) struct FileAt {
    pub(crate) path: String,
    /// As it is after this layer; after all of them if none is given.
    pub(crate) layer: Option<usize>,
}

impl Images {
    /// Tells what is at a path of an image after a layer; a directory by a part of its names.
    ///
    /// # Errors
    /// When the image, the layer or the path is not there, or it takes too long.
    pub(crate) async fn files(
        &self,
        name: &str,
        at: FileAt,
        query: StackQuery,
    ) -> Result<ImageDirectory> {
        let seat = seat(&self.looks.seats)?;
        let image = self.find(name)?;
        let layer = layer_of(&image, &at)?;
        let opened = self.opened(&image).await?;
        let waiting = Waiting::default();
        let is_given_up = waiting.is_given_up();
        let name = name.to_owned();
        let work = blocking(move || {
            let _seat = seat;
            let read = read(&opened.stack, &at.path, layer, &query, is_given_up);
            read.map_err(|error| not_shown(error, &name, layer))
        });
        let step = steps(&image)
            .into_iter()
            .find(|step| step.layer == Some(layer));
        let told = tokio::time::timeout(LIST_LIMIT, work).await;
        drop(waiting);
        let told = told.map_err(|_| {
            ServiceError::Unavailable("the directory takes too long to read".to_owned())
        })?;
        Ok(ImageDirectory {
            created_by: step.map(|step| step.created_by).unwrap_or_default(),
            ..told?
        })
    }

    /// Begins to read a regular file of an image; with its length.
    ///
    /// # Errors
    /// When the image, the layer or the file is not there, or it is none.
    pub(crate) async fn file(&self, name: &str, at: FileAt) -> Result<(u64, Chunks)> {
        let seat = seat(&self.looks.readers)?;
        let image = self.find(name)?;
        let layer = layer_of(&image, &at)?;
        let opened = self.opened(&image).await?;
        // An open file stays what it is when its layer goes.
        let found = blocking(move || opened.stack.locate(Path::new(&at.path), layer)?.open()).await;
        let (file, length) = found.map_err(|error| not_shown(error, name, layer))?;
        let (sender, chunks) = chunks::channel();
        own_thread("image file", move || {
            let _seat = seat;
            chunks::send(&sender, |target| {
                let n_copied = io::copy(&mut file.take(length), target)?;
                match n_copied == length {
                    true => Ok(()),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                }
            });
        })
        .map_err(ServiceError::failed("begin to read the file"))?;
        Ok((length, chunks))
    }
}

fn seat(seats: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    let seat = Arc::clone(seats).try_acquire_owned();
    seat.map_err(|_| {
        let message = "too many files of images are looked at; try again when one is done";
        ServiceError::Unavailable(message.to_owned())
    })
}

/// The layer that is meant.
fn layer_of(image: &Image, at: &FileAt) -> Result<usize> {
    let n_layers = image.diff_ids().len();
    match at.layer {
        None => Ok(n_layers.saturating_sub(1)),
        Some(layer) if layer < n_layers => Ok(layer),
        Some(layer) => Err(ServiceError::BadRequest(format!(
            "there is no layer {layer}: the image has {n_layers}, counted from 0"
        ))),
    }
}

fn read(
    stack: &Stack,
    path: &str,
    layer: usize,
    query: &StackQuery,
    is_given_up: impl Fn() -> bool,
) -> std::result::Result<ImageDirectory, BrowseError> {
    let found = stack.locate(Path::new(path), layer)?;
    let mut told = ImageDirectory {
        path: found.path.to_string_lossy().into_owned(),
        layer,
        layers: stack.n_layers(),
        ..ImageDirectory::default()
    };
    // An image without layers is an empty directory.
    if stack.n_layers() == 0 {
        return Ok(told);
    }
    let names = stack.owner_names(layer);
    if found.is_directory() {
        let listed = found.list(query, is_given_up)?;
        let entries = listed.entries.into_iter();
        told.entries = entries.map(|entry| file(entry, &names)).collect();
        (told.total, told.is_cut) = (listed.n_matching, listed.is_cut);
    } else {
        told.file = Some(file(found.entry()?, &names));
    }
    Ok(told)
}

fn file(found: StackEntry, names: &OwnerNames) -> ImageFile {
    ImageFile {
        entry: file_entry(found.entry, names, |id| id),
        mark: match found.mark {
            Mark::Unchanged => FileMark::Unchanged,
            Mark::Added => FileMark::Added,
            Mark::Changed => FileMark::Changed,
            Mark::Removed => FileMark::Removed,
        },
        layer: found.layer,
        size_before: found.bytes_before,
        hidden_by: found.hidden_by,
        wasted: found.wasted_bytes,
    }
}
