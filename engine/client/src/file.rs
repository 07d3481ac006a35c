//! One file in or out of a container. The engine speaks in archives; the archive round a single
//! file is taken off and put on here, and neither way is more of it in memory than a piece.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Buf as _, Bytes, BytesMut};
use engine_api::containers::{PathStat, go_mode};
use engine_api::operation;
use engine_tar::{Archive, Kind, Member, TarError, Time, Writer, Xattr};
use futures_util::{Stream, StreamExt};

use crate::client::EngineClient;
use crate::error::{ClientError, Result};
use crate::files::ExtractOptions;
use crate::stream::Chunks;

/// What may stand before the content: a header, and one extension header of attributes.
const HEAD_BYTES_MAX: usize = (1 << 20) + 64 * 1024;
/// Headers before the content.
const HEADERS_MAX: u64 = 8;
const BLOCK_BYTES: u64 = 512;
/// Two empty blocks end an archive.
const END_BYTES: usize = 1024;

/// Bits of Go's `FileMode` of anything but a regular file.
const NOT_A_FILE: u32 = go_mode::DIRECTORY
    | go_mode::SYMLINK
    | go_mode::DEVICE
    | go_mode::PIPE
    | go_mode::SOCKET
    | go_mode::CHARACTER_DEVICE;

/// What is at a path.
#[derive(Debug)]
pub enum Opened {
    /// A regular file, to be read.
    File(FileContent),
    /// Something else.
    Other(PathStat),
}

/// A regular file's content as it arrives. Dropping it closes the connection.
#[derive(Debug)]
pub struct FileContent {
    /// What the engine says of the path.
    pub stat: PathStat,
    /// Who it belongs to and who may what.
    pub attributes: FileAttributes,
    /// Its length; so much comes, or an error.
    pub size_bytes: u64,
    left: u64,
    ready: Bytes,
    chunks: Chunks,
}

/// Who a file belongs to and who may do what with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAttributes {
    /// Permission bits with set-id and sticky bits (`0o7777`).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Extended attributes; nobody but the archive reads them.
    xattrs: Vec<Xattr>,
}

impl FileAttributes {
    /// Returns the attributes of something new.
    pub const fn new(mode: u32, uid: u32, gid: u32) -> Self {
        Self {
            mode,
            uid,
            gid,
            xattrs: Vec::new(),
        }
    }
}

impl FileContent {
    /// Returns the next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks before the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        if self.left == 0 {
            return Ok(None);
        }
        if self.ready.is_empty() {
            self.ready = self.chunks.next().await?.ok_or_else(cut)?;
        }
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
        let piece = self.ready.split_to(wanted.min(self.ready.len()));
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }

    /// Reads all of it; `None` when it is longer than `max_bytes`.
    ///
    /// # Errors
    /// When the connection breaks before the end.
    pub async fn whole(mut self, max_bytes: u64) -> Result<Option<Vec<u8>>> {
        if self.size_bytes > max_bytes {
            return Ok(None);
        }
        let mut content = Vec::new();
        while let Some(piece) = self.next().await? {
            content.extend_from_slice(&piece);
        }
        Ok(Some(content))
    }
}

impl EngineClient {
    /// Begins to read the file at a path inside a container. A link is not followed.
    ///
    /// # Errors
    /// When the container or the path is not there.
    pub async fn open_file(&self, id: &str, path: &str) -> Result<Opened> {
        let (stat, mut chunks) = self.container_archive(id, path).await?;
        if stat.mode & NOT_A_FILE != 0 {
            return Ok(Opened::Other(stat));
        }
        let mut head = BytesMut::new();
        let (member, n_read) = loop {
            match first_member(&head)? {
                Some(found) => break found,
                None if head.len() > HEAD_BYTES_MAX => {
                    return Err(unreadable("its head is too long"));
                }
                None => head.extend_from_slice(&chunks.next().await?.ok_or_else(cut)?),
            }
        };
        // It may have become something else between the two looks.
        if member.kind != Kind::File {
            return Ok(Opened::Other(stat));
        }
        head.advance(n_read);
        Ok(Opened::File(FileContent {
            stat,
            size_bytes: member.size_bytes,
            left: member.size_bytes,
            attributes: FileAttributes {
                mode: member.mode,
                uid: member.uid,
                gid: member.gid,
                xattrs: member.xattrs,
            },
            ready: head.freeze(),
            chunks,
        }))
    }

    /// Puts a file of exactly `size_bytes` into a directory of a container, in place of the file of
    /// that name.
    ///
    /// # Errors
    /// When the directory is not there or may not be written, a directory has that name, or
    /// `content` breaks off or has another length: then the file that was there still is.
    pub async fn write_file(
        &self,
        id: &str,
        directory: &str,
        file: NewFile<'_>,
        content: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<()> {
        let member = member(file, Kind::File);
        let (head, tail) = around(&member)?;
        let is_broken = Arc::new(AtomicBool::new(false));
        let body = futures_util::stream::iter([Ok(head)])
            .chain(exactly(content, file.size_bytes, Arc::clone(&is_broken)))
            .chain(futures_util::stream::iter([Ok(tail)]));
        let done = self
            .extract_to_container(id, directory, KEEP_KINDS, body)
            .await;
        // The engine only sees that the connection closed.
        if is_broken.load(Ordering::Acquire) {
            return Err(ClientError::Stream(io::Error::other(
                "the content broke off",
            )));
        }
        done
    }

    /// Makes a directory in a directory of a container; one that is there takes the attributes.
    ///
    /// # Errors
    /// When the directory is not there or may not be written, or something else has that name.
    pub async fn make_directory(&self, id: &str, directory: &str, made: NewFile<'_>) -> Result<()> {
        let member = Member {
            size_bytes: 0,
            ..member(made, Kind::Directory)
        };
        let (head, tail) = around(&member)?;
        let body = futures_util::stream::iter([Ok(head), Ok(tail)]);
        self.extract_to_container(id, directory, KEEP_KINDS, body)
            .await
    }
}

const KEEP_KINDS: ExtractOptions = ExtractOptions {
    keep_kinds: true,
    as_user: false,
};

/// What is written.
#[derive(Debug, Clone, Copy)]
pub struct NewFile<'a> {
    /// Its name: one component.
    pub name: &'a str,
    /// Who it belongs to.
    pub attributes: &'a FileAttributes,
    /// When it was changed last, in seconds since 1970.
    pub modified_s: i64,
    /// Its length; a directory's is ignored.
    pub size_bytes: u64,
}

fn member(file: NewFile<'_>, kind: Kind) -> Member {
    Member {
        path: file.name.as_bytes().to_vec(),
        kind,
        size_bytes: file.size_bytes,
        mode: file.attributes.mode,
        uid: file.attributes.uid,
        gid: file.attributes.gid,
        modified: Time {
            seconds: file.modified_s,
            nanoseconds: 0,
        },
        xattrs: file.attributes.xattrs.clone(),
    }
}

/// What stands before a member's content and behind it.
fn around(member: &Member) -> Result<(Bytes, Bytes)> {
    let written = || {
        let mut writer = Writer::new(Vec::new());
        writer.member(member)?;
        writer.finish()
    };
    let mut head = written().map_err(|error| ClientError::Request {
        operation: operation::CONTAINER_EXTRACT.name,
        reason: error.to_string(),
    })?;
    head.truncate(head.len().saturating_sub(END_BYTES));
    let padding = member.size_bytes.next_multiple_of(BLOCK_BYTES) - member.size_bytes;
    let tail = vec![0; END_BYTES + usize::try_from(padding).unwrap_or(0)];
    Ok((head.into(), tail.into()))
}

/// Passes a stream on and ends it with an error, and a word of that, when it is not of this length.
fn exactly(
    content: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    size_bytes: u64,
    is_broken: Arc<AtomicBool>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let held: (Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>, u64) =
        (Box::pin(content), size_bytes);
    futures_util::stream::unfold(Some(held), move |held| {
        let is_broken = Arc::clone(&is_broken);
        async move {
            let (mut content, left) = held?;
            let broken = |error: io::Error| {
                is_broken.store(true, Ordering::Release);
                Some((Err(error), None))
            };
            match content.next().await {
                Some(Ok(piece)) => match left.checked_sub(piece.len() as u64) {
                    Some(left) => Some((Ok(piece), Some((content, left)))),
                    None => broken(io::Error::other("the content is longer than was said")),
                },
                Some(Err(error)) => broken(error),
                None if left > 0 => broken(io::ErrorKind::UnexpectedEof.into()),
                None => None,
            }
        }
    })
}

/// Reads the head of an archive's first member, and how long that is; `None` when more is needed.
fn first_member(head: &[u8]) -> Result<Option<(Member, usize)>> {
    let mut source = Arrived { left: head };
    let read = Archive::new(&mut source, HEADERS_MAX).next_member();
    match read {
        Ok(Some(member)) => Ok(Some((member, head.len() - source.left.len()))),
        Ok(None) => Err(unreadable("it is empty")),
        Err(TarError::Read(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(unreadable(&error.to_string())),
    }
}

/// What has arrived of an archive; its end is not the archive's.
struct Arrived<'a> {
    left: &'a [u8],
}

impl Read for Arrived<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left.read(buffer)
    }
}

fn unreadable(reason: &str) -> ClientError {
    ClientError::Answer {
        operation: operation::CONTAINER_ARCHIVE.name,
        reason: reason.to_owned(),
    }
}

fn cut() -> ClientError {
    ClientError::Stream(io::ErrorKind::UnexpectedEof.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, size_bytes: u64) -> Member {
        let attributes = FileAttributes::new(0o4755, 3_000_000, 7);
        member(
            NewFile {
                name,
                attributes: &attributes,
                modified_s: 1_700_000_000,
                size_bytes,
            },
            Kind::File,
        )
    }

    #[test]
    fn the_head_that_is_written_is_read_again_however_it_is_cut() {
        let long = "n".repeat(200);
        for name in ["a", long.as_str(), "줄\n바꿈"] {
            let written = file(name, 700);
            let (head, tail) = around(&written).unwrap();
            for n_there in 0..head.len() {
                assert!(
                    first_member(&head[..n_there]).unwrap().is_none(),
                    "{n_there}"
                );
            }
            let whole = [&head[..], &[b'x'; 700], &tail].concat();
            let (read, n_read) = first_member(&whole).unwrap().unwrap();
            assert_eq!((read, n_read), (written, head.len()));
            assert_eq!(whole.len() % 512, 0);
        }
    }

    #[test]
    fn an_archive_of_nothing_is_no_file() {
        assert!(first_member(&[0; 1024]).is_err());
        assert!(first_member(&[b'x'; 1024]).is_err());
    }

    #[tokio::test]
    async fn content_of_another_length_ends_in_an_error() {
        for (said, is_good) in [(5, true), (4, false), (6, false), (0, false)] {
            let broken = Arc::new(AtomicBool::new(false));
            let content =
                futures_util::stream::iter([Ok(Bytes::from("ab")), Ok(Bytes::from("cde"))]);
            let passed: Vec<_> = exactly(content, said, Arc::clone(&broken)).collect().await;
            assert_eq!(passed.iter().all(Result::is_ok), is_good, "{said}");
            assert_eq!(broken.load(Ordering::Acquire), !is_good, "{said}");
        }
    }
}
