//! The numbered files of one log directory.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::record::{self, FRAME, HEADER, Header, MAX_CHUNK, Parsed};

/// Returns the path of file `number`.
pub(super) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:08}"))
}

/// Lists the numbers that exist, oldest first.
pub(super) fn list(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Returns the offset behind the last complete record of `file`.
pub(super) fn sound_len(file: &File) -> io::Result<u64> {
    let len = file.metadata()?.len();
    let mut last = vec![
        0;
        usize::try_from(len)
            .unwrap_or(usize::MAX)
            .min(FRAME + MAX_CHUNK)
    ];
    let start = len - last.len() as u64;
    read_full(file, &mut last, start)?;
    if last.is_empty() || record::parse_last(&last).is_some() {
        return Ok(len);
    }
    // The tail is torn: walk from the front by the headers.
    let mut buffer = vec![0; 4 * MAX_CHUNK];
    let mut offset = 0;
    loop {
        let filled = read_full(file, &mut buffer, offset)?;
        let mut at = 0;
        loop {
            match record::parse(&buffer[at..filled]) {
                Parsed::Record(header) => at += header.record_len(),
                Parsed::Incomplete if at > 0 && filled == buffer.len() => break,
                Parsed::Incomplete | Parsed::Damaged => return Ok(offset + at as u64),
            }
        }
        offset += at as u64;
    }
}

/// Returns the header of the first record, if there is one.
pub(super) fn first_header(path: &Path) -> io::Result<Option<Header>> {
    let mut bytes = vec![0; HEADER + MAX_CHUNK + FRAME];
    let filled = read_full(&File::open(path)?, &mut bytes, 0)?;
    match record::parse(&bytes[..filled]) {
        Parsed::Record(header) => Ok(Some(header)),
        Parsed::Incomplete | Parsed::Damaged => Ok(None),
    }
}

/// Reads at `offset` until `buffer` is full or the file ends; returns how much was read.
pub(super) fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
