//! Looking: what is at a path, and what is in it.

use engine_api::containers::{Directory, FileOrder, PathStat, go_mode};

use super::text::{Content, VIEW_BYTES_MAX};
use crate::access::{Permit, container};
use crate::domain::InsidePath;
use crate::fleet::{ClientError, DirectoryQuery, EngineClient, Opened};
use crate::services::{Result, Services};

/// Rows of a page.
pub const ROWS: usize = 100;

/// How a directory is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesQuery {
    /// A part of the names.
    pub filter: String,
    /// The word of the column that sorts.
    pub sort: String,
    /// The other way round.
    pub is_descending: bool,
    /// The page, from 1.
    pub page: usize,
}

/// What is at a path.
#[derive(Debug)]
pub enum Found {
    /// A directory and a page of what is in it.
    Directory(Directory),
    /// A regular file.
    File(ShownFile),
    /// A link to what is elsewhere.
    Link(InsidePath),
    /// A link to nothing.
    BrokenLink(String),
    /// Something that holds no content: a device, a pipe, a socket.
    Special(PathStat),
    /// The kernel's own files, or a link to one.
    Kernels,
    /// Nothing.
    Nothing,
}

/// A file to read.
#[derive(Debug)]
pub struct ShownFile {
    /// What the engine says of it.
    pub stat: PathStat,
    /// Permission bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// What it holds.
    pub content: Content,
}

impl ShownFile {
    /// Returns what is known of a file that can no longer be asked for.
    pub fn unknown() -> Self {
        Self {
            stat: PathStat::default(),
            mode: 0,
            uid: 0,
            gid: 0,
            content: Content::Binary,
        }
    }
}

/// Finds what is at a path; a directory by a page of its entries, a file by its text.
///
/// # Errors
/// When the container is gone, or the engine is away or too busy.
pub async fn look(
    services: &Services,
    permit: &Permit<container::Files>,
    path: &InsidePath,
    query: &FilesQuery,
) -> Result<Found> {
    let client = services.link().client(permit);
    let id = permit.place().id.as_str();
    match at(&client, id, path, query).await {
        Err(error) => absent(error).map_err(super::put::of_files),
        found => found.map_err(super::put::of_files),
    }
}

async fn at(
    client: &EngineClient,
    id: &str,
    path: &InsidePath,
    query: &FilesQuery,
) -> Result<Found, ClientError> {
    let stat = client.container_path_stat(id, path.as_str()).await?;
    if stat.mode & go_mode::DIRECTORY != 0 {
        let query = directory_query(query);
        let listed = client.container_files(id, path.as_str(), &query).await?;
        return Ok(Found::Directory(listed));
    }
    if stat.mode & go_mode::SYMLINK != 0 {
        return behind(client, id, stat.link_target).await;
    }
    match client.open_file(id, path.as_str()).await? {
        Opened::Other(stat) => Ok(Found::Special(stat)),
        Opened::File(file) => Ok(Found::File(ShownFile {
            stat: file.stat.clone(),
            mode: file.attributes.mode,
            uid: file.attributes.uid,
            gid: file.attributes.gid,
            content: Content::of(file.whole(VIEW_BYTES_MAX).await?),
        })),
    }
}

/// A link that still leads to a link goes in a circle, or is being changed.
async fn behind(client: &EngineClient, id: &str, target: String) -> Result<Found, ClientError> {
    match client.container_path_stat(id, &target).await {
        Ok(stat) if stat.mode & go_mode::SYMLINK == 0 => Ok(match target.parse() {
            Ok(path) => Found::Link(path),
            Err(_) => Found::BrokenLink(target),
        }),
        Ok(_) => Ok(Found::BrokenLink(target)),
        Err(error) => match absent(error)? {
            Found::Nothing => Ok(Found::BrokenLink(target)),
            other => Ok(other),
        },
    }
}

/// What a refusal says of the path, when it is about the path.
fn absent(error: ClientError) -> Result<Found, ClientError> {
    match &error {
        ClientError::Refused { status: 404, .. } => Ok(Found::Nothing),
        ClientError::Refused { status: 403, .. } => Ok(Found::Kernels),
        _ => Err(error),
    }
}

fn directory_query(query: &FilesQuery) -> DirectoryQuery {
    DirectoryQuery {
        filter: query.filter.clone(),
        order: FileOrder::of(&query.sort).unwrap_or_default(),
        is_descending: query.is_descending,
        skip: query.page.saturating_sub(1).saturating_mul(ROWS),
        limit: ROWS,
    }
}
