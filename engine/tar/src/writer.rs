//! Writes archives that every reader understands alike: the POSIX format, with an extension header
//! only in front of members that need one.

use std::io::{self, Read, Write};

use crate::header::BLOCK_BYTES;
use crate::reader::{Kind, Member, Time};

const NAME_BYTES_MAX: usize = 100;
/// The largest numbers of the header's fields of eight and of twelve bytes.
const SMALL_MAX: u64 = 0o777_7777;
const LARGE_MAX: u64 = 0o777_7777_7777;
const COPY_BYTES: usize = 64 * 1024;

/// An archive that is being written.
#[derive(Debug)]
pub struct Writer<W> {
    target: W,
    buffer: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins an archive.
    pub fn new(target: W) -> Self {
        Self {
            target,
            buffer: vec![0; COPY_BYTES],
        }
    }

    /// Writes a member without content, or the head of a file that [`Self::file`] would fill.
    ///
    /// # Errors
    /// When the target fails, or a device number does not fit the format.
    pub fn member(&mut self, member: &Member) -> io::Result<()> {
        let records = records(member);
        if !records.is_empty() {
            let mut header = Block::new();
            header.text(0, NAME_BYTES_MAX, b"PaxHeader");
            header.number(100, 8, 0o644);
            header.number(124, 12, records.len() as u64);
            self.write_block(header, b'x')?;
            self.target.write_all(&records)?;
            self.pad(records.len() as u64)?;
        }
        let header = header(member)?;
        self.write_block(header, type_flag(&member.kind))
    }

    /// Writes a file of exactly the length that `member` says: what `content` has more is left
    /// out, what it lacks is zeros. A file that changes while it is read does not break the rest.
    ///
    /// # Errors
    /// When `content` or the target fails.
    pub fn file(&mut self, member: &Member, content: &mut impl Read) -> io::Result<()> {
        self.member(member)?;
        let mut left = member.size_bytes;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(COPY_BYTES);
            let n_read = match content.read(&mut self.buffer[..wanted]) {
                Ok(0) => {
                    self.buffer[..wanted].fill(0);
                    wanted
                }
                Ok(n_read) => n_read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            self.target.write_all(&self.buffer[..n_read])?;
            left -= n_read as u64;
        }
        self.pad(member.size_bytes)
    }

    /// Ends the archive.
    ///
    /// # Errors
    /// When the target fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.target.write_all(&[0; 2 * BLOCK_BYTES])?;
        self.target.flush()?;
        Ok(self.target)
    }

    fn write_block(&mut self, mut header: Block, type_flag: u8) -> io::Result<()> {
        header.0[156] = type_flag;
        self.target.write_all(&header.sealed())
    }

    fn pad(&mut self, size_bytes: u64) -> io::Result<()> {
        let block = BLOCK_BYTES as u64;
        let n_padding = size_bytes.next_multiple_of(block) - size_bytes;
        let n_padding = usize::try_from(n_padding).unwrap_or(0);
        self.target.write_all(&[0; BLOCK_BYTES][..n_padding])
    }
}

struct Block([u8; BLOCK_BYTES]);

impl Block {
    fn new() -> Self {
        let mut block = [0; BLOCK_BYTES];
        block[257..265].copy_from_slice(b"ustar\x0000");
        Self(block)
    }

    fn text(&mut self, at: usize, length: usize, text: &[u8]) {
        let length = length.min(text.len());
        self.0[at..at + length].copy_from_slice(&text[..length]);
    }

    /// Writes octal digits and a zero byte; a number that does not fit stands in an extension and
    /// is 0 here.
    fn number(&mut self, at: usize, length: usize, number: u64) {
        let max = if length == 8 { SMALL_MAX } else { LARGE_MAX };
        let mut number = if number > max { 0 } else { number };
        for position in (at..at + length - 1).rev() {
            self.0[position] = b'0' + u8::try_from(number % 8).unwrap_or(0);
            number /= 8;
        }
    }

    /// Fills the checksum in: six digits, a zero byte, a space.
    fn sealed(mut self) -> [u8; BLOCK_BYTES] {
        self.0[148..156].fill(b' ');
        let mut sum: u64 = self.0.iter().map(|byte| u64::from(*byte)).sum();
        for position in (148..154).rev() {
            self.0[position] = b'0' + u8::try_from(sum % 8).unwrap_or(0);
            sum /= 8;
        }
        self.0[154] = 0;
        self.0
    }
}

fn header(member: &Member) -> io::Result<Block> {
    let mut header = Block::new();
    header.text(0, NAME_BYTES_MAX, &name(member));
    header.number(100, 8, u64::from(member.mode & 0o7777));
    header.number(108, 8, member.uid.into());
    header.number(116, 8, member.gid.into());
    header.number(124, 12, member.size_bytes);
    header.number(136, 12, u64::try_from(member.modified.seconds).unwrap_or(0));
    match &member.kind {
        Kind::Symlink(link) | Kind::HardLink(link) => header.text(157, NAME_BYTES_MAX, link),
        Kind::CharacterDevice(major, minor) | Kind::BlockDevice(major, minor) => {
            if u64::from(*major.max(minor)) > SMALL_MAX {
                let message = "a device number does not fit an archive";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
            header.number(329, 8, (*major).into());
            header.number(337, 8, (*minor).into());
        }
        Kind::File | Kind::Directory | Kind::Fifo => {}
    }
    Ok(header)
}

fn type_flag(kind: &Kind) -> u8 {
    match kind {
        Kind::File => b'0',
        Kind::HardLink(_) => b'1',
        Kind::Symlink(_) => b'2',
        Kind::CharacterDevice(..) => b'3',
        Kind::BlockDevice(..) => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
    }
}

/// A directory's name ends with a slash.
fn name(member: &Member) -> Vec<u8> {
    let mut name = member.path.clone();
    if member.kind == Kind::Directory && name.last() != Some(&b'/') {
        name.push(b'/');
    }
    name
}

/// What the header's fields do not hold.
fn records(member: &Member) -> Vec<u8> {
    let mut records = Vec::new();
    let name = name(member);
    if name.len() > NAME_BYTES_MAX {
        record(&mut records, b"path", &name);
    }
    if let Kind::Symlink(link) | Kind::HardLink(link) = &member.kind
        && link.len() > NAME_BYTES_MAX
    {
        record(&mut records, b"linkpath", link);
    }
    if member.size_bytes > LARGE_MAX {
        record(
            &mut records,
            b"size",
            member.size_bytes.to_string().as_bytes(),
        );
    }
    for (key, id) in [(b"uid", member.uid), (b"gid", member.gid)] {
        if u64::from(id) > SMALL_MAX {
            record(&mut records, key, id.to_string().as_bytes());
        }
    }
    if !is_plain(member.modified) {
        record(&mut records, b"mtime", time(member.modified).as_bytes());
    }
    for attribute in &member.xattrs {
        let key = [b"SCHILY.xattr.", attribute.name.as_slice()].concat();
        record(&mut records, &key, &attribute.value);
    }
    records
}

fn is_plain(time: Time) -> bool {
    time.nanoseconds == 0 && u64::try_from(time.seconds).is_ok_and(|seconds| seconds <= LARGE_MAX)
}

/// Seconds with a fraction; before 1970 both parts count downwards.
fn time(time: Time) -> String {
    let (mut seconds, mut nanoseconds) = (time.seconds, time.nanoseconds);
    if seconds < 0 && nanoseconds > 0 {
        seconds += 1;
        nanoseconds = 1_000_000_000 - nanoseconds;
        if seconds == 0 {
            return format!("-0.{nanoseconds:09}");
        }
    }
    if nanoseconds == 0 {
        return seconds.to_string();
    }
    format!("{seconds}.{nanoseconds:09}")
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    records.extend(length.to_string().into_bytes());
    records.push(b' ');
    records.extend_from_slice(key);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}
