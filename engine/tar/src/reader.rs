//! Walks an archive member by member.

use std::io::{self, Read};

use crate::error::TarError;
use crate::header::{BLOCK_BYTES, FieldResult, Header};
use crate::pax::{Extension, check_global};

/// Extension headers and long names above this are nobody's.
const EXTENSION_BYTES_MAX: u64 = 1 << 20;
/// The largest size that the plain header field holds; only above it may an extension differ.
const FIELD_SIZE_MAX: u64 = 0o777_7777_7777;

/// One thing in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name as written: not yet checked, not yet clean.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// Length of the content that follows.
    pub size_bytes: u64,
    /// Permission bits (`0o7777`).
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Last change of the content.
    pub modified: Time,
    /// Extended attributes, each name once.
    pub xattrs: Vec<Xattr>,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file; its content follows.
    File,
    /// A directory.
    Directory,
    /// A symbolic link with this text.
    Symlink(Vec<u8>),
    /// A further name of the member with this name.
    HardLink(Vec<u8>),
    /// A character device, major and minor number.
    CharacterDevice(u32, u32),
    /// A block device, major and minor number.
    BlockDevice(u32, u32),
    /// A named pipe.
    Fifo,
}

/// A moment, in seconds and nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Whole seconds, negative before 1970.
    pub seconds: i64,
    /// The rest, below a milliard.
    pub nanoseconds: u32,
}

/// One extended attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xattr {
    /// Its whole name, `user.` and all.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
}

/// An archive that is being read.
#[derive(Debug)]
pub struct Archive<R> {
    source: R,
    offset: u64,
    content_left: u64,
    padding: u64,
    n_members: u64,
    n_members_max: u64,
    ended: bool,
}

/// What extension headers in front of a member said.
#[derive(Default)]
struct Pending {
    extension: Option<Extension>,
    long_path: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl<R: Read> Archive<R> {
    /// Begins to read `source`, which may hold `n_members_max` members, extensions included.
    pub fn new(source: R, n_members_max: u64) -> Self {
        Self {
            source,
            offset: 0,
            content_left: 0,
            padding: 0,
            n_members: 0,
            n_members_max,
            ended: false,
        }
    }

    /// The next member; what was not read of the one before is skipped. `None` at the end.
    ///
    /// # Errors
    /// When the archive is malformed, ambiguous, too large, or its source fails.
    pub fn next_member(&mut self) -> Result<Option<Member>, TarError> {
        let mut pending = Pending::default();
        loop {
            let Some(block) = self.next_header()? else {
                if pending.is_empty() {
                    return Ok(None);
                }
                return Err(self.malformed("it ends after an extension header"));
            };
            let header = Header::parse(&block).map_err(|reason| self.malformed(reason))?;
            let size = header.size().map_err(|reason| self.malformed(reason))?;
            match header.type_flag() {
                b'x' => {
                    let bytes = self.read_extension(size)?;
                    let extension = self.field(Extension::parse(&bytes))?;
                    self.once(pending.extension.replace(extension).is_none())?;
                }
                b'g' => {
                    let bytes = self.read_extension(size)?;
                    self.field(check_global(&bytes))?;
                }
                b'L' => {
                    let name = self.read_long_name(size)?;
                    self.once(pending.long_path.replace(name).is_none())?;
                }
                b'K' => {
                    let name = self.read_long_name(size)?;
                    self.once(pending.long_link.replace(name).is_none())?;
                }
                _ => {
                    let member = self.field(member(&header, size, pending))?;
                    self.set_content(member.size_bytes)?;
                    return Ok(Some(member));
                }
            }
        }
    }

    /// The content of the member that was returned last, from where it was left.
    pub fn content(&mut self) -> Content<'_, R> {
        Content { archive: self }
    }

    /// Reads what stands behind the end, so that a checksum over the source covers it.
    ///
    /// # Errors
    /// When the source fails.
    pub fn drain(mut self) -> Result<(), TarError> {
        io::copy(&mut self.source, &mut io::sink()).map_err(TarError::from_read)?;
        Ok(())
    }

    fn next_header(&mut self) -> Result<Option<[u8; BLOCK_BYTES]>, TarError> {
        if self.ended {
            return Ok(None);
        }
        self.skip(self.content_left + self.padding)?;
        (self.content_left, self.padding) = (0, 0);
        let mut block = [0; BLOCK_BYTES];
        if !self.read_block(&mut block)? {
            self.ended = true;
            return Ok(None);
        }
        if block.iter().any(|byte| *byte != 0) {
            self.n_members += 1;
            if self.n_members > self.n_members_max {
                return Err(TarError::Limit {
                    what: "entries",
                    limit: self.n_members_max,
                });
            }
            return Ok(Some(block));
        }
        // Two blocks of zeros are the end. Readers differ on a lone one with more behind it.
        self.ended = true;
        if self.read_block(&mut block)? && block.iter().any(|byte| *byte != 0) {
            return Err(self.malformed("a single block of zeros stands between entries"));
        }
        Ok(None)
    }

    /// Fills `block`; says whether there was one. A part of one is a cut archive.
    fn read_block(&mut self, block: &mut [u8; BLOCK_BYTES]) -> Result<bool, TarError> {
        let mut n_read = 0;
        while n_read < BLOCK_BYTES {
            match self.source.read(&mut block[n_read..]) {
                Ok(0) if n_read == 0 => return Ok(false),
                Ok(0) => return Err(TarError::Read(io::ErrorKind::UnexpectedEof.into())),
                Ok(n) => n_read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(TarError::from_read(error)),
            }
        }
        self.offset += BLOCK_BYTES as u64;
        Ok(true)
    }

    fn set_content(&mut self, size: u64) -> Result<(), TarError> {
        let block = BLOCK_BYTES as u64;
        if size > u64::MAX / 4 {
            return Err(self.malformed("the size is out of range"));
        }
        self.content_left = size;
        self.padding = size.next_multiple_of(block) - size;
        Ok(())
    }

    fn read_extension(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > EXTENSION_BYTES_MAX {
            let what = "bytes in an extension header";
            return Err(TarError::Limit {
                what,
                limit: EXTENSION_BYTES_MAX,
            });
        }
        self.set_content(size)?;
        let mut bytes = Vec::new();
        self.content()
            .read_to_end(&mut bytes)
            .map_err(TarError::from_read)?;
        Ok(bytes)
    }

    fn read_long_name(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        let mut name = self.read_extension(size)?;
        if name.last() == Some(&0) {
            name.pop();
        }
        if name.is_empty() || name.contains(&0) {
            return Err(self.malformed("a long name is empty, or has a zero byte in it"));
        }
        Ok(name)
    }

    fn skip(&mut self, n_bytes: u64) -> Result<(), TarError> {
        let skipped = io::copy(&mut (&mut self.source).take(n_bytes), &mut io::sink())
            .map_err(TarError::from_read)?;
        self.offset += skipped;
        if skipped < n_bytes {
            return Err(TarError::Read(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(())
    }

    fn once(&self, first: bool) -> Result<(), TarError> {
        if first {
            return Ok(());
        }
        Err(self.malformed("an entry has two extension headers of one kind"))
    }

    fn field<T>(&self, result: FieldResult<T>) -> Result<T, TarError> {
        result.map_err(|reason| self.malformed(reason))
    }

    fn malformed(&self, reason: &str) -> TarError {
        let offset = self.offset.saturating_sub(BLOCK_BYTES as u64);
        TarError::Malformed {
            offset,
            reason: reason.to_owned(),
        }
    }
}

/// The content of one member.
#[derive(Debug)]
pub struct Content<'a, R> {
    archive: &'a mut Archive<R>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.archive.content_left).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        if wanted == 0 {
            return Ok(0);
        }
        let n_read = self.archive.source.read(&mut buffer[..wanted])?;
        if n_read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.archive.content_left -= n_read as u64;
        self.archive.offset += n_read as u64;
        Ok(n_read)
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.extension.is_none() && self.long_path.is_none() && self.long_link.is_none()
    }
}

fn member(header: &Header<'_>, field_size: u64, pending: Pending) -> FieldResult<Member> {
    let extension = pending.extension.unwrap_or_default();
    let size_bytes = agreed_size(field_size, extension.size)?;
    let path = agreed(pending.long_path, extension.path)?.unwrap_or_else(|| header.path());
    let link = agreed(pending.long_link, extension.link)?.unwrap_or_else(|| header.link());
    let kind = kind(header, &path, link)?;
    if size_bytes != 0 && kind != Kind::File {
        return Err("an entry that is not a file has content");
    }
    let modified = match extension.modified {
        Some(modified) => modified,
        None => Time {
            seconds: header.modified()?,
            nanoseconds: 0,
        },
    };
    Ok(Member {
        path,
        kind,
        size_bytes,
        mode: header.mode()?,
        uid: extension.uid.map_or_else(|| header.uid(), Ok)?,
        gid: extension.gid.map_or_else(|| header.gid(), Ok)?,
        modified,
        xattrs: extension.xattrs,
    })
}

/// An extension may repeat the header's size, or give one that does not fit into the header,
/// which is then zero or full. Anything else is read differently by different readers.
fn agreed_size(field: u64, extension: Option<u64>) -> FieldResult<u64> {
    match extension {
        None => Ok(field),
        Some(size) if size == field => Ok(size),
        Some(size) if size > FIELD_SIZE_MAX && matches!(field, 0 | FIELD_SIZE_MAX) => Ok(size),
        Some(_) => Err("the header and its extension disagree on the size"),
    }
}

fn agreed(long: Option<Vec<u8>>, extension: Option<Vec<u8>>) -> FieldResult<Option<Vec<u8>>> {
    match (long, extension) {
        (Some(long), Some(extension)) if long != extension => {
            Err("two extension headers disagree on a name")
        }
        (long, extension) => Ok(long.or(extension)),
    }
}

fn kind(header: &Header<'_>, path: &[u8], link: Vec<u8>) -> FieldResult<Kind> {
    let is_slashed = path.last() == Some(&b'/');
    Ok(match header.type_flag() {
        // Before POSIX a directory was a file with a slash behind its name.
        0 if is_slashed => Kind::Directory,
        b'5' => Kind::Directory,
        _ if is_slashed => return Err("an entry has a directory's name and is not one"),
        0 | b'0' | b'7' => Kind::File,
        b'1' if link.is_empty() => return Err("a hard link leads nowhere"),
        b'1' => Kind::HardLink(link),
        b'2' if link.is_empty() => return Err("a symbolic link leads nowhere"),
        b'2' => Kind::Symlink(link),
        b'3' => {
            let (major, minor) = header.device()?;
            Kind::CharacterDevice(major, minor)
        }
        b'4' => {
            let (major, minor) = header.device()?;
            Kind::BlockDevice(major, minor)
        }
        b'6' => Kind::Fifo,
        b'S' => return Err("sparse files are not supported"),
        _ => return Err("an entry is of an unknown type"),
    })
}
