//! Brings one blob: resumed after a cut, compared with its digest, kept when it is whole.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::CONTENT_RANGE;
use tokio::sync::mpsc;

use super::arriving::{Arriving, Piece, Reader};
use super::client::{Client, Session};
use super::error::RegistryError;
use super::retry::Tries;
use crate::blobs::write_failed;
use crate::manifest::Descriptor;
use crate::store::Store;
use crate::tasks;

/// Chunks between the network and the disk; each is what one read brought, at most some 16 KiB.
const CHUNKS_MAX: usize = 64;

/// How far a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerProgress {
    /// It was here before.
    Exists,
    /// It is on its way.
    Downloading {
        /// How much came so far.
        n_bytes: u64,
        /// How long it is, as the manifest says.
        total_bytes: u64,
    },
    /// The connection broke; it goes on soon.
    Retrying,
    /// All came; it is compared and made durable.
    Verifying,
    /// It is here.
    Complete,
}

/// Who follows a blob on its way.
pub struct Follow<'a> {
    /// Hears how far it is.
    pub progress: &'a (dyn Fn(LayerProgress) + Send + Sync),
    /// Reads it while it arrives; not asked when it is here already.
    pub reader: Option<Arc<Reader>>,
}

/// Fetches a blob from the first of `sessions` that has it, unless it is here.
pub(super) async fn fetch(
    client: &Client,
    sessions: &[Session],
    store: &Store,
    blob: &Descriptor,
    follow: &Follow<'_>,
) -> Result<(), RegistryError> {
    let progress = follow.progress;
    let turn = store.blobs().turn(blob.digest).await;
    match store.blobs().size(blob.digest) {
        Some(n_bytes) if n_bytes == blob.size_bytes => {
            progress(LayerProgress::Exists);
            return Ok(());
        }
        // Cut or grown on the disk: it cannot be what it is called.
        Some(_) => store
            .blobs()
            .remove(blob.digest)
            .map_err(RegistryError::Store)?,
        None => {}
    }
    let mut last = None;
    for session in sessions {
        match fetch_from(client, session, store, blob, follow).await {
            Err(error @ RegistryError::Store(_)) => return Err(error),
            Err(error) if error.is_no_connection() && last.is_some() => {}
            Err(error) => last = Some(error),
            Ok(()) => {
                progress(LayerProgress::Complete);
                drop(turn);
                return Ok(());
            }
        }
    }
    Err(last.unwrap_or(RegistryError::NotFound {
        reference: blob.digest.to_string(),
    }))
}

async fn fetch_from(
    client: &Client,
    session: &Session,
    store: &Store,
    blob: &Descriptor,
    follow: &Follow<'_>,
) -> Result<(), RegistryError> {
    let (pieces, incoming) = mpsc::channel(CHUNKS_MAX);
    let writer = store.blobs().writer()?;
    let digest = blob.digest;
    // The thread may come to its end after everybody else has gone; then its lease is the last.
    let mut lease = store.lease();
    lease.add_blob(digest);
    // Each has a thread for as long as the registry takes.
    let _turn = client.transfers.acquire().await;
    let reader = follow.reader.clone();
    let written = tasks::on_own_thread(move || {
        let mut arriving = Arriving::new(writer, incoming);
        if let Some(reader) = reader {
            reader(&mut arriving);
        }
        let written = arriving.keep(digest);
        drop(lease);
        written
    });
    let read = async move {
        read(client, session, blob, &pieces, follow.progress).await?;
        drop(pieces);
        Ok(())
    };
    let (read, written) = futures_util::future::join(read, written).await;
    let written = written.map_err(|error| RegistryError::Store(write_failed(&error)))?;
    match (read, written) {
        // The writer gave up first, and knows why.
        (Err(Failure::Pull(error)), _) => Err(error),
        (Err(Failure::WriterGone) | Ok(()), written) => written,
    }
}

enum Failure {
    Pull(RegistryError),
    WriterGone,
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        Self::Pull(error)
    }
}

/// Brings the whole blob, however often the connection breaks meanwhile.
async fn read(
    client: &Client,
    session: &Session,
    blob: &Descriptor,
    pieces: &mpsc::Sender<Piece>,
    progress: &(dyn Fn(LayerProgress) + Send + Sync),
) -> Result<(), Failure> {
    let mut tries = Tries::default();
    let mut n_bytes = 0;
    loop {
        let before = n_bytes;
        let attempt = read_once(client, session, blob, &mut n_bytes, pieces, progress).await;
        let error = match attempt {
            Ok(()) => break,
            Err(Failure::Pull(error)) if error.is_passing() => error,
            Err(failure) => return Err(failure),
        };
        if n_bytes > before {
            tries.progressed();
        }
        let Some(wait) = tries.failed() else {
            return Err(error.into());
        };
        progress(LayerProgress::Retrying);
        tokio::time::sleep(wait).await;
    }
    progress(LayerProgress::Verifying);
    send(pieces, Piece::End).await
}

async fn read_once(
    client: &Client,
    session: &Session,
    blob: &Descriptor,
    n_bytes: &mut u64,
    pieces: &mpsc::Sender<Piece>,
    progress: &(dyn Fn(LayerProgress) + Send + Sync),
) -> Result<(), Failure> {
    let host = session.endpoint.host();
    let total_bytes = blob.size_bytes;
    let wrong_size = || RegistryError::WrongSize {
        digest: blob.digest,
        expected: total_bytes,
    };
    if *n_bytes == total_bytes && total_bytes > 0 {
        return Ok(());
    }
    let thing = format!("blobs/{}", blob.digest);
    let mut response = client.get(session, &thing, "*/*", *n_bytes).await?;
    if *n_bytes > 0 && !continues(&response, *n_bytes) {
        send(pieces, Piece::Restart).await?;
        *n_bytes = 0;
    }
    if response
        .content_length()
        .is_some_and(|length| *n_bytes + length > total_bytes)
    {
        return Err(wrong_size().into());
    }
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|error| RegistryError::from_request(host.clone(), error))?;
        let Some(chunk) = chunk else {
            break;
        };
        *n_bytes += chunk.len() as u64;
        if *n_bytes > total_bytes {
            return Err(wrong_size().into());
        }
        send(pieces, Piece::Chunk(chunk)).await?;
        progress(LayerProgress::Downloading {
            n_bytes: *n_bytes,
            total_bytes,
        });
    }
    if *n_bytes < total_bytes {
        let source = std::io::ErrorKind::UnexpectedEof.into();
        return Err(RegistryError::Broken { host, source }.into());
    }
    Ok(())
}

/// Whether the answer goes on where we stopped. A registry may send everything again instead.
fn continues(response: &reqwest::Response, offset: u64) -> bool {
    let range = response
        .headers()
        .get(CONTENT_RANGE)
        .and_then(|value| value.to_str().ok());
    let expected = format!("bytes {offset}-");
    response.status() == StatusCode::PARTIAL_CONTENT
        && range.is_some_and(|range| range.starts_with(&expected))
}

async fn send(pieces: &mpsc::Sender<Piece>, piece: Piece) -> Result<(), Failure> {
    pieces.send(piece).await.map_err(|_| Failure::WriterGone)
}
