//! Putting in: a text that was edited, a file that is uploaded, a new folder. Each is one entry of the
//! audit, by its path and length.

use bytes::Bytes;
use engine_api::containers::go_mode;
use futures_util::Stream;

use super::text::{EDIT_BYTES_MAX, LineEnds, VIEW_BYTES_MAX, digest};
use crate::access::{Permit, container};
use crate::domain::{FileName, InsidePath, Rule};
use crate::fleet::{ClientError, DirectoryQuery, EngineClient, FileAttributes, NewFile, Opened};
use crate::services::{Error, Obstacle, Result, Services, audit};

/// Permission bits of what is new.
const NEW_FILE: u32 = 0o644;
const NEW_FOLDER: u32 = 0o755;

/// A file that comes in.
#[derive(Debug, Clone)]
pub struct Arriving {
    /// Its name in the directory.
    pub name: FileName,
    /// Its length, which it keeps.
    pub size_bytes: u64,
    /// Whether it may take the place of a file of that name.
    pub replaces: bool,
}

/// Writes an edited text, if the file still holds what was read; owner and bits stay.
///
/// # Errors
/// [`Obstacle::FileChanged`] when somebody else wrote it meanwhile; when it is gone, may not be
/// written, or the engine is away.
pub async fn save(
    services: &Services,
    permit: &Permit<container::WriteFiles>,
    path: &InsidePath,
    typed: &str,
    read: &str,
) -> Result<()> {
    let (Some(directory), false) = (path.parent(), typed.len() > 2 * EDIT_BYTES_MAX) else {
        return Err(Error::InTheWay(Obstacle::FileTooLarge));
    };
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let now = services.clock().now().as_second();
    let (path, typed, read) = (path.clone(), typed.to_owned(), read.to_owned());
    let detail = format!("path={} bytes={}", path.shown(), typed.len());
    audit::bracket(services, permit, detail, async move {
        let id = id.as_str();
        let file = match client.open_file(id, path.as_str()).await {
            Err(ClientError::Refused { status: 404, .. }) => {
                return Err(Error::InTheWay(Obstacle::FileGone));
            }
            Err(error) => return Err(of_files(error)),
            Ok(Opened::Other(_)) => return Err(Error::InTheWay(Obstacle::FileChanged)),
            Ok(Opened::File(file)) => file,
        };
        let attributes = file.attributes.clone();
        let there = file.whole(VIEW_BYTES_MAX).await.map_err(of_files)?;
        let there = there.ok_or(Error::InTheWay(Obstacle::FileChanged))?;
        if digest(&there) != read {
            return Err(Error::InTheWay(Obstacle::FileChanged));
        }
        let ends = LineEnds::of(&String::from_utf8_lossy(&there)).unwrap_or(LineEnds::Unix);
        let text = Bytes::from(ends.end(&typed));
        let file = NewFile {
            name: path.name(),
            attributes: &attributes,
            modified_s: now,
            size_bytes: text.len() as u64,
        };
        let content = futures_util::stream::iter([Ok(text)]);
        let done = client.write_file(id, directory.as_str(), file, content);
        done.await.map_err(of_files)
    })
    .await
}

/// Puts a file into a directory. One that takes another's place has its owner and bits; a new one
/// belongs to whom the directory belongs.
///
/// # Errors
/// [`Obstacle::NameTaken`] when there is something of that name; when the directory is gone, may not
/// be written, the content breaks off, or the engine is away.
pub async fn upload(
    services: &Services,
    permit: &Permit<container::WriteFiles>,
    directory: &InsidePath,
    arriving: Arriving,
    content: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let now = services.clock().now().as_second();
    let path = directory.join(arriving.name.as_str());
    let directory = directory.clone();
    let shown = crate::domain::shown_name(&path);
    let detail = format!(
        "path={shown} bytes={} replace={}",
        arriving.size_bytes, arriving.replaces
    );
    audit::bracket(services, permit, detail, async move {
        let id = id.as_str();
        let attributes = match standing(&client, id, &path).await? {
            Standing::Nothing => of_new(&client, id, &directory, NEW_FILE).await?,
            Standing::File(attributes) if arriving.replaces => attributes,
            Standing::File(_) | Standing::Other => {
                return Err(Error::InTheWay(Obstacle::NameTaken));
            }
        };
        let file = NewFile {
            name: arriving.name.as_str(),
            attributes: &attributes,
            modified_s: now,
            size_bytes: arriving.size_bytes,
        };
        let done = client.write_file(id, directory.as_str(), file, content);
        done.await.map_err(of_files)
    })
    .await
}

/// Says whether nothing has a name in a directory.
///
/// # Errors
/// When the container is gone, or the engine is away.
pub async fn is_free(
    services: &Services,
    permit: &Permit<container::WriteFiles>,
    directory: &InsidePath,
    name: &FileName,
) -> Result<bool> {
    let client = services.link().client(permit);
    let path = directory.join(name.as_str());
    match client
        .container_path_stat(permit.place().id.as_str(), &path)
        .await
    {
        Ok(_) => Ok(false),
        Err(ClientError::Refused { status: 404, .. }) => Ok(true),
        Err(error) => Err(of_files(error)),
    }
}

/// Makes a folder in a directory, of the directory's owner.
///
/// # Errors
/// With the field when there is something of that name; when the directory is gone, may not be
/// written, or the engine is away.
pub async fn make_folder(
    services: &Services,
    permit: &Permit<container::WriteFiles>,
    directory: &InsidePath,
    name: FileName,
) -> Result<()> {
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    let now = services.clock().now().as_second();
    let path = directory.join(name.as_str());
    let directory = directory.clone();
    let detail = format!("path={} folder=true", crate::domain::shown_name(&path));
    audit::bracket(services, permit, detail, async move {
        let id = id.as_str();
        match client.container_path_stat(id, &path).await {
            Ok(_) => return Err(Error::field("name", Rule::Taken)),
            Err(ClientError::Refused { status: 404, .. }) => {}
            Err(error) => return Err(of_files(error)),
        }
        let attributes = of_new(&client, id, &directory, NEW_FOLDER).await?;
        let folder = NewFile {
            name: name.as_str(),
            attributes: &attributes,
            modified_s: now,
            size_bytes: 0,
        };
        let done = client.make_directory(id, directory.as_str(), folder).await;
        done.map_err(of_files)
    })
    .await
}

/// What has a name already.
enum Standing {
    Nothing,
    File(FileAttributes),
    Other,
}

async fn standing(client: &EngineClient, id: &str, path: &str) -> Result<Standing> {
    let stat = match client.container_path_stat(id, path).await {
        Err(ClientError::Refused { status: 404, .. }) => return Ok(Standing::Nothing),
        other => other.map_err(of_files)?,
    };
    // The archive of a directory is not even begun.
    if stat.mode & (go_mode::DIRECTORY | go_mode::SYMLINK) != 0 {
        return Ok(Standing::Other);
    }
    match client.open_file(id, path).await {
        Ok(Opened::File(file)) => Ok(Standing::File(file.attributes)),
        Ok(Opened::Other(_)) => Ok(Standing::Other),
        Err(ClientError::Refused { status: 404, .. }) => Ok(Standing::Nothing),
        Err(error) => Err(of_files(error)),
    }
}

async fn of_new(
    client: &EngineClient,
    id: &str,
    directory: &InsidePath,
    mode: u32,
) -> Result<FileAttributes> {
    let query = DirectoryQuery {
        limit: 1,
        ..DirectoryQuery::default()
    };
    let listed = client.container_files(id, directory.as_str(), &query).await;
    let listed = listed.map_err(of_files)?;
    Ok(FileAttributes::new(mode, listed.uid, listed.gid))
}

/// What the engine's refusal means where files are concerned.
pub(super) fn of_files(error: ClientError) -> Error {
    let ClientError::Refused {
        status, message, ..
    } = &error
    else {
        return match error {
            ClientError::Stream(_) => Error::InTheWay(Obstacle::BrokenOff),
            other => other.into(),
        };
    };
    match (status, message.as_str()) {
        (403, "container rootfs is marked read-only") => Error::InTheWay(Obstacle::ReadOnlyRoot),
        (403, "mounted volume is marked read-only") => Error::InTheWay(Obstacle::ReadOnlyMount),
        (403, _) => Error::InTheWay(Obstacle::KernelFile),
        (404, _) => Error::NotFound { kind: "file" },
        // What it says of an archive and of a name says nothing to whoever typed a text.
        (400, _) if message.contains("cannot overwrite") => Error::InTheWay(Obstacle::NameTaken),
        _ => error.into(),
    }
}
