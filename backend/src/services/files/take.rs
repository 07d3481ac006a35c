//! Taking away: a file as itself, a directory as an archive. The audit notes who did.

use bytes::Bytes;
use engine_api::containers::go_mode;
use futures_util::Stream;
use futures_util::stream::BoxStream;

use super::put::of_files;
use crate::access::{Permit, container};
use crate::domain::InsidePath;
use crate::fleet::{Chunks, FileContent, Opened};
use crate::services::held::cut_off;
use crate::services::{Error, Obstacle, Result, Services, audit};

/// What is taken, as it comes.
pub struct Taken {
    /// Whether it is an archive.
    pub is_archive: bool,
    /// Its length, where that is known.
    pub size_bytes: Option<u64>,
    /// The bytes; an error in the end says that they are not all.
    pub bytes: BoxStream<'static, std::io::Result<Bytes>>,
}

/// Begins to take what is at a path away. A link is not followed.
///
/// # Errors
/// When it is gone, is no file and no directory, or the engine is away.
pub async fn take(
    services: &Services,
    permit: &Permit<container::DownloadFiles>,
    path: &InsidePath,
) -> Result<Taken> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let asked = path.clone();
    let detail = format!("path={}", path.shown());
    let opened = audit::bracket(services, permit, detail, async move {
        let (id, path) = (id.as_str(), asked.as_str());
        let stat = client.container_path_stat(id, path).await;
        if stat.map_err(of_files)?.mode & go_mode::DIRECTORY != 0 {
            let archive = client.container_archive(id, path).await;
            return Ok(Source::Archive(archive.map_err(of_files)?.1));
        }
        match client.open_file(id, path).await.map_err(of_files)? {
            Opened::File(file) => Ok(Source::File(file)),
            Opened::Other(_) => Err(Error::InTheWay(Obstacle::NoFile)),
        }
    })
    .await?;
    let (is_archive, size_bytes) = match &opened {
        Source::Archive(_) => (true, None),
        Source::File(file) => (false, Some(file.size_bytes)),
    };
    let bytes = cut_off(pieces(opened), permit.revoked());
    Ok(Taken {
        is_archive,
        size_bytes,
        bytes: Box::pin(bytes),
    })
}

/// What comes piece by piece from an engine.
pub(in crate::services) enum Source {
    Archive(Chunks),
    File(FileContent),
}

/// The pieces; an error in the end says that they are not all.
pub(in crate::services) fn pieces(
    source: Source,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    futures_util::stream::unfold(Some(source), async |source| {
        let mut source = source?;
        let piece = match &mut source {
            Source::Archive(chunks) => chunks.next().await,
            Source::File(file) => file.next().await,
        };
        match piece {
            Ok(Some(piece)) => Some((Ok(piece), Some(source))),
            Ok(None) => None,
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    })
}
