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
use super::client::{Ask, Client, LONG, Session};
use super::error::RegistryError;
use super::push::PushProgress;
use super::retry::Tries;
use crate::blobs::read_failed;
use crate::error::StoreError;
use crate::manifest::Descriptor;
use crate::store::Store;
use crate::tasks;

/// Attempts at one blob, however much each of them brings.
const ATTEMPTS_MAX: usize = 100;

/// Hears how far the blob is.
type Listener<'a> = &'a (dyn Fn(PushProgress) + Send + Sync);

/// What comes of beginning.
enum Begun {
    /// It is there.
    Exists,
    /// It was in a neighbour, and is here now.
    Mounted { from: String },
    /// The registry waits for it here.
    At(Url),
}

/// Why an attempt did not bring the blob there.
enum Failure {
    /// Another one may.
    Again(RegistryError),
    Final(RegistryError),
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
    let mut upload = Upload {
        client,
        session,
        store,
        blob,
        progress,
        at: None,
        n_sent: Arc::default(),
        n_kept: 0,
        tries: Tries::default(),
    };
    let mut n_attempts = 0;
    loop {
        let error = match upload.attempt().await {
            Ok(()) => return Ok(()),
            Err(Failure::Final(error)) => return Err(error),
            Err(Failure::Again(error)) => error,
        };
        n_attempts += 1;
        match upload.tries.failed() {
            Some(wait) if n_attempts < ATTEMPTS_MAX => {
                progress(PushProgress::Retrying);
                tokio::time::sleep(wait).await;
            }
            _ => return Err(error),
        }
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
    /// The most that the registry said it has.
    n_kept: u64,
    tries: Tries,
}

impl Upload<'_> {
    async fn attempt(&mut self) -> Result<(), Failure> {
        let has_begun = self.at.is_some();
        let (url, offset) = match self.resume().await.map_err(|e| self.judge(e))? {
            Some(place) => place,
            None => match self.begin().await.map_err(|e| self.judge(e))? {
                Begun::Exists if has_begun => {
                    // Only the answer to the last attempt was lost.
                    (self.progress)(PushProgress::Complete);
                    return Ok(());
                }
                Begun::Exists => {
                    (self.progress)(PushProgress::Exists);
                    return Ok(());
                }
                Begun::Mounted { from } => {
                    (self.progress)(PushProgress::Mounted { from });
                    return Ok(());
                }
                Begun::At(url) => (url, 0),
            },
        };
        self.at = Some(url.clone());
        let url = if offset < self.blob.size_bytes {
            self.send(url, offset).await?
        } else {
            url
        };
        self.at = Some(url.clone());
        self.end(url).await?;
        (self.progress)(PushProgress::Complete);
        Ok(())
    }

    /// Whether an attempt after this one may do better.
    fn judge(&self, error: RegistryError) -> Failure {
        use RegistryError::{Connect, Dns, RateLimited};
        // Somebody was there: it may come back.
        let was_there = self.session.has_answered()
            && matches!(error, Connect { .. } | Dns { .. } | RateLimited { .. });
        match was_there || error.is_passing() {
            true => Failure::Again(error),
            false => Failure::Final(error),
        }
    }

    /// The same for an answer about an upload that has begun: one that the registry has lost or
    /// confused is begun anew.
    async fn accepted(&mut self, answer: Response) -> Result<Response, Failure> {
        let is_lost = matches!(
            answer.status(),
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE
        );
        // It has compared what came with its name.
        let is_other = answer.status() == StatusCode::BAD_REQUEST;
        match accepted(self.session, answer).await {
            Ok(answer) => Ok(answer),
            Err(_) if is_other && self.is_damaged().await => {
                let digest = self.blob.digest;
                Err(Failure::Final(StoreError::Damaged { digest }.into()))
            }
            Err(error) if is_lost => {
                self.at = None;
                Err(Failure::Again(error))
            }
            Err(error) => Err(self.judge(error)),
        }
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

    /// Opens an upload, unless the registry has the content, here or in a neighbour.
    async fn begin(&self) -> Result<Begun, RegistryError> {
        if self.is_there().await? {
            return Ok(Begun::Exists);
        }
        if let Some(from) = self.session.sources.first()
            && let Some(begun) = self.mount(from).await?
        {
            return Ok(begun);
        }
        let url = self.session.url("blobs/uploads/");
        let ask = Ask::new(Method::POST, url.clone());
        let answer = self.client.ask(self.session, ask).await?;
        let answer = accepted(self.session, answer).await?;
        let at = self.client.location(self.session, &url, &answer)?;
        Ok(Begun::At(at))
    }

    /// Asks the registry to take the content from a neighbour. `None` when it may not be seen there:
    /// whoever pushes need not be allowed to read it.
    async fn mount(&self, from: &str) -> Result<Option<Begun>, RegistryError> {
        let mut url = self.session.url("blobs/uploads/");
        url.query_pairs_mut()
            .append_pair("mount", &self.blob.digest.to_string())
            .append_pair("from", from);
        let ask = Ask::new(Method::POST, url.clone());
        let answer = match self.client.ask(self.session, ask).await {
            Err(error) if error.is_refusal() => return Ok(None),
            other => other?,
        };
        match answer.status() {
            StatusCode::CREATED => Ok(Some(Begun::Mounted {
                from: from.to_owned(),
            })),
            StatusCode::ACCEPTED => {
                let at = self.client.location(self.session, &url, &answer)?;
                Ok(Some(Begun::At(at)))
            }
            _ => Ok(None),
        }
    }

    /// Where an upload that has begun goes on; `None` when there is none of which the registry has
    /// kept anything.
    async fn resume(&mut self) -> Result<Option<(Url, u64)>, RegistryError> {
        let Some(at) = self.at.clone() else {
            return Ok(None);
        };
        let ask = Ask::new(Method::GET, at.clone());
        let answer = self.client.ask(self.session, ask).await?;
        let n_kept = match answer.status().is_success() {
            true => kept(&answer).filter(|kept| *kept <= self.blob.size_bytes),
            // It does not know it any more, or does not tell.
            false => None,
        };
        let Some(n_kept) = n_kept else {
            return Ok(None);
        };
        if n_kept > self.n_kept {
            self.n_kept = n_kept;
            self.tries.progressed();
        }
        let next = self.client.location(self.session, &at, &answer);
        Ok(Some((next.unwrap_or(at), n_kept)))
    }

    /// Sends everything from `offset` on; returns where the upload is ended.
    async fn send(&mut self, url: Url, offset: u64) -> Result<Url, Failure> {
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
        let failed = |error| Failure::Final(RegistryError::Store(read_failed(&error)));
        let file = self.whole_file().map_err(Failure::Final)?;
        let content = content(file, offset, Arc::clone(&self.n_sent)).map_err(failed)?;
        let answer = self.watched(self.client.put(self.session, ask, content));
        let answer = answer.await.map_err(|e| self.judge(e))?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            // A token may end while a long blob is under way: what went is not lost.
            let introduced = self.client.introduce(self.session, &answer).await;
            introduced.map_err(|e| self.judge(e))?;
            return Err(Failure::Again(RegistryError::Broken {
                host: self.session.host(),
                source: io::ErrorKind::ConnectionReset.into(),
            }));
        }
        let answer = self.accepted(answer).await?;
        let next = self.client.location(self.session, &url, &answer);
        next.map_err(Failure::Final)
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
            // When all has gone into buffers, they may take their time on a slow line.
            let patience = if n_bytes < total_bytes { 1 } else { LONG };
            if n_still >= LOOKS * patience {
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

    /// Says what the content is: only now does the registry keep it, and may copy all of it for that.
    async fn end(&mut self, mut url: Url) -> Result<(), Failure> {
        let digest = self.blob.digest;
        url.query_pairs_mut()
            .append_pair("digest", &digest.to_string());
        let ask = Ask {
            is_long: true,
            ..Ask::new(Method::PUT, url)
        };
        let answer = self.client.ask(self.session, ask).await;
        let answer = answer.map_err(|e| self.judge(e))?;
        self.accepted(answer).await.map(drop)
    }

    /// Whether what was sent is not what it should be: the registry compares, and so do we then.
    async fn is_damaged(&self) -> bool {
        let (blobs, digest) = (Arc::clone(self.store.blobs()), self.blob.digest);
        let verified = tasks::on_own_thread(move || blobs.verify(digest)).await;
        matches!(verified, Ok(Err(StoreError::Damaged { .. })))
    }
}

/// How many bytes a registry has of an upload: `Range: 0-99` is a hundred of them. `None` when it has
/// nothing: what is still on its way there could come to lie before what is sent anew.
fn kept(answer: &Response) -> Option<u64> {
    let range = answer.headers().get(RANGE)?.to_str().ok()?;
    let last: u64 = range
        .trim_start_matches("bytes=")
        .strip_prefix("0-")?
        .parse()
        .ok()?;
    // Registries say 0-0 for nothing at all.
    last.checked_add(1).filter(|_| last > 0)
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
