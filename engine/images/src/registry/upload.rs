//! Brings one blob to a registry: not at all when it is there, mounted from a neighbour when that
//! has it, resumed after a cut.
//!
//! ```text
//! HEAD blobs/D ──200──> it is there
//!   └404─> POST blobs/uploads/?mount=D&from=R ──201──> mounted
//!            └202─> PATCH (all of it) ──202──> PUT ?digest=D ──201──> there
//!                     └ cut ─> GET (how far?) ─> PATCH (the rest)
//! ```
//! OCI distribution specification 1.1, "Pushing blobs" and "Mounting a blob from another repository".

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, RANGE};
use reqwest::{Body, Method, Response, StatusCode, Url};

use super::answer::accepted;
use super::client::{Ask, Client, Session};
use super::error::RegistryError;
use super::push::PushProgress;
use super::retry::Tries;
use crate::blobs::read_failed;
use crate::error::StoreError;
use crate::manifest::Descriptor;
use crate::store::Store;
use crate::tasks;

/// Hears how far the blob is.
type Listener<'a> = &'a (dyn Fn(PushProgress) + Send + Sync);

/// Where the registry waits for the content.
enum Begun {
    /// It has the content already.
    Mounted { from: String },
    /// Here.
    At(Url),
}

/// Brings a blob to the session's repository.
///
/// # Errors
/// When the registry does not take it, or it is damaged here.
pub(super) async fn upload(
    client: &Client,
    session: &Session,
    store: &Store,
    blob: &Descriptor,
    progress: Listener<'_>,
) -> Result<(), RegistryError> {
    let _turn = client.transfers.acquire().await;
    let mut tries = Tries::default();
    let mut upload = Upload {
        client,
        session,
        store,
        blob,
        progress,
        at: None,
        n_sent: Arc::default(),
    };
    loop {
        let before = upload.n_sent.load(Ordering::Relaxed);
        let error = match upload.attempt().await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_passing() => error,
            Err(error) => return Err(error),
        };
        if upload.n_sent.load(Ordering::Relaxed) > before {
            tries.progressed();
        }
        let Some(wait) = tries.failed() else {
            return Err(error);
        };
        progress(PushProgress::Retrying);
        tokio::time::sleep(wait).await;
    }
}

struct Upload<'a> {
    client: &'a Client,
    session: &'a Session,
    store: &'a Store,
    blob: &'a Descriptor,
    progress: Listener<'a>,
    /// Where it goes on, once it has begun.
    at: Option<Url>,
    /// How much the network took.
    n_sent: Arc<AtomicU64>,
}

impl Upload<'_> {
    async fn attempt(&mut self) -> Result<(), RegistryError> {
        let (url, offset) = match self.at.clone() {
            Some(url) => match self.resume(&url).await? {
                Some(resumed) => resumed,
                None => (self.begin_again().await?, 0),
            },
            None => {
                if self.is_there().await? {
                    (self.progress)(PushProgress::Exists);
                    return Ok(());
                }
                match self.begin().await? {
                    Begun::Mounted { from } => {
                        (self.progress)(PushProgress::Mounted { from });
                        return Ok(());
                    }
                    Begun::At(url) => (url, 0),
                }
            }
        };
        self.at = Some(url.clone());
        let url = self.send(url, offset).await?;
        self.at = Some(url.clone());
        self.end(url).await?;
        (self.progress)(PushProgress::Complete);
        Ok(())
    }

    async fn is_there(&self) -> Result<bool, RegistryError> {
        let thing = format!("blobs/{}", self.blob.digest);
        let ask = Ask::new(Method::HEAD, self.session.url(&thing));
        let answer = self.client.ask(self.session, ask).await?;
        match answer.status() {
            // The repository itself may be missing yet.
            StatusCode::NOT_FOUND => Ok(false),
            _ => accepted(self.session, answer).await.map(|_| true),
        }
    }

    /// Opens an upload; the registry may have the content in a neighbour.
    async fn begin(&self) -> Result<Begun, RegistryError> {
        let mut url = self.session.url("blobs/uploads/");
        let from = self.session.sources.first();
        if let Some(from) = from {
            url.query_pairs_mut()
                .append_pair("mount", &self.blob.digest.to_string())
                .append_pair("from", from);
        }
        let ask = Ask::new(Method::POST, url.clone());
        let answer = self.client.ask(self.session, ask).await?;
        let answer = accepted(self.session, answer).await?;
        if let (StatusCode::CREATED, Some(from)) = (answer.status(), from) {
            return Ok(Begun::Mounted { from: from.clone() });
        }
        let at = self.client.location(self.session, &url, &answer)?;
        Ok(Begun::At(at))
    }

    /// Opens another upload, after the registry has forgotten the first.
    async fn begin_again(&self) -> Result<Url, RegistryError> {
        let url = self.session.url("blobs/uploads/");
        let ask = Ask::new(Method::POST, url.clone());
        let answer = self.client.ask(self.session, ask).await?;
        let answer = accepted(self.session, answer).await?;
        self.client.location(self.session, &url, &answer)
    }

    /// Asks how far the upload is; `None` when the registry does not know it any more.
    async fn resume(&self, at: &Url) -> Result<Option<(Url, u64)>, RegistryError> {
        let ask = Ask::new(Method::GET, at.clone());
        let answer = self.client.ask(self.session, ask).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = accepted(self.session, answer).await?;
        let n_kept = kept(&answer).filter(|kept| *kept <= self.blob.size_bytes);
        let Some(n_kept) = n_kept else {
            return Ok(None);
        };
        let next = self.client.location(self.session, at, &answer);
        Ok(Some((next.unwrap_or_else(|_| at.clone()), n_kept)))
    }

    /// Sends everything from `offset` on; returns where the upload is ended.
    async fn send(&self, url: Url, offset: u64) -> Result<Url, RegistryError> {
        let total_bytes = self.blob.size_bytes;
        let mut ask = Ask::new(Method::PATCH, url.clone());
        let kind = HeaderValue::from_static("application/octet-stream");
        ask.headers.insert(CONTENT_TYPE, kind);
        ask.headers
            .insert(CONTENT_LENGTH, (total_bytes - offset).into());
        if offset > 0
            && let Ok(range) = format!("{offset}-{}", total_bytes - 1).parse()
        {
            ask.headers.insert(CONTENT_RANGE, range);
        }
        self.n_sent.store(offset, Ordering::Relaxed);
        let failed = |error| RegistryError::Store(read_failed(&error));
        let content = content(self.whole_file()?, offset, Arc::clone(&self.n_sent));
        let content = content.map_err(failed)?;
        let answer = self
            .watched(self.client.put(self.session, ask, content))
            .await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            // A token may end while a long blob is under way: what went is not lost.
            self.client.introduce(self.session, &answer).await?;
            return Err(RegistryError::Broken {
                host: self.session.host(),
                source: io::ErrorKind::ConnectionReset.into(),
            });
        }
        let answer = accepted(self.session, answer).await?;
        self.client.location(self.session, &url, &answer)
    }

    /// The content, if it has the length that it should have.
    fn whole_file(&self) -> Result<File, RegistryError> {
        let digest = self.blob.digest;
        let file = self.store.blobs().reader(digest)?;
        let metadata = file.metadata();
        let metadata = metadata.map_err(|error| RegistryError::Store(read_failed(&error)))?;
        if metadata.len() != self.blob.size_bytes {
            return Err(StoreError::Damaged { digest }.into());
        }
        Ok(file)
    }

    /// Tells how far it is while it goes, and gives up when nothing moves.
    async fn watched(
        &self,
        request: impl Future<Output = Result<Response, RegistryError>>,
    ) -> Result<Response, RegistryError> {
        const LOOKS: u32 = 100;
        let (look, total_bytes) = (self.client.config.patience / LOOKS, self.blob.size_bytes);
        let mut request = std::pin::pin!(request);
        let (mut before, mut n_still) = (u64::MAX, 0);
        loop {
            tokio::select! {
                answer = &mut request => return answer,
                () = tokio::time::sleep(look) => {}
            }
            let n_bytes = self.n_sent.load(Ordering::Relaxed);
            n_still = if n_bytes == before { n_still + 1 } else { 0 };
            if n_still >= LOOKS {
                let host = self.session.host();
                return Err(RegistryError::Stalled { host });
            }
            if n_bytes != before {
                (self.progress)(PushProgress::Uploading {
                    n_bytes,
                    total_bytes,
                });
            }
            before = n_bytes;
        }
    }

    /// Says what the content is: only now does the registry keep it.
    async fn end(&self, mut url: Url) -> Result<(), RegistryError> {
        let digest = self.blob.digest;
        url.query_pairs_mut()
            .append_pair("digest", &digest.to_string());
        let answer = self
            .client
            .ask(self.session, Ask::new(Method::PUT, url))
            .await?;
        if answer.status() == StatusCode::BAD_REQUEST && self.is_damaged().await {
            return Err(StoreError::Damaged { digest }.into());
        }
        accepted(self.session, answer).await.map(drop)
    }

    /// Whether what was sent is not what it should be: the registry compares, and so do we then.
    async fn is_damaged(&self) -> bool {
        let (blobs, digest) = (Arc::clone(self.store.blobs()), self.blob.digest);
        let verified = tasks::on_own_thread(move || blobs.verify(digest)).await;
        matches!(verified, Ok(Err(StoreError::Damaged { .. })))
    }
}

/// How many bytes a registry has of an upload: `Range: 0-99` is a hundred of them.
fn kept(answer: &Response) -> Option<u64> {
    let Some(range) = answer.headers().get(RANGE) else {
        return Some(0);
    };
    let range = range.to_str().ok()?;
    let last: u64 = range
        .trim_start_matches("bytes=")
        .strip_prefix("0-")?
        .parse()
        .ok()?;
    // Registries say 0-0 for nothing at all.
    Some(if last == 0 { 0 } else { last.checked_add(1)? })
}

/// The content from `offset` on as it is read; counts what the network takes.
fn content(mut file: File, offset: u64, n_sent: Arc<AtomicU64>) -> io::Result<Body> {
    file.seek(SeekFrom::Start(offset))?;
    let chunks = tasks::read_ahead(file)?;
    let stream = stream::unfold((chunks, n_sent), async |(chunks, n_sent)| {
        let mut chunks = chunks;
        let next = chunks.recv().await?;
        if let Ok(chunk) = &next {
            n_sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        }
        Some((next, (chunks, n_sent)))
    });
    Ok(Body::wrap_stream(stream))
}
