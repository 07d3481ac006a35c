//! Where to begin: backwards for the last lines, by the first times of the files for `since`.

use std::{fs::File, io, ops::Range, path::Path};

use super::{
    Position, Query, Stream, files,
    record::{self, FRAME, HEADER, Header, Kind, MAX_CHUNK},
};

/// How far back the beginnings of lines are looked for that end among the wanted ones. A line is
/// told in parts of 16 KiB, so this only ends the search on a stream that is not used.
const MAX_LOOK_BACK: u64 = 1 << 20;

/// Finds where a reader begins so that it tells what `query` asks and little else.
pub(super) fn start(dir: &Path, query: &Query) -> io::Result<Position> {
    let numbers = match files::list(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        numbers => numbers?,
    };
    let Some(oldest) = numbers.first() else {
        return Ok(Position::default());
    };
    let beginning = Position {
        file: *oldest,
        ..Position::default()
    };
    match (query.tail, query.since_ns) {
        (Some(n_lines), _) => from_end(dir, &numbers, query, n_lines),
        (None, Some(since)) => Ok(Position {
            file: last_file_before(dir, &numbers, since)?.unwrap_or(*oldest),
            ..beginning
        }),
        (None, None) => Ok(beginning),
    }
}

/// Finds the newest file that begins before `since`.
fn last_file_before(dir: &Path, numbers: &[u64], since: u64) -> io::Result<Option<u64>> {
    for number in numbers.iter().rev() {
        match files::first_header(&files::path(dir, *number)) {
            Ok(Some(header)) if header.unix_ns < since => return Ok(Some(*number)),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn from_end(dir: &Path, numbers: &[u64], query: &Query, n_lines: u64) -> io::Result<Position> {
    let mut walk = Walk::new(query, n_lines);
    for number in numbers.iter().rev() {
        let file = match File::open(files::path(dir, *number)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => break,
            file => file?,
        };
        let mut records = Backwards::new(&file)?;
        if walk.at.file == 0 {
            walk.at = Position {
                file: *number,
                offset: records.end,
                ..Position::default()
            };
        }
        while !walk.is_done() {
            let Some((offset, header, payload)) = records.previous()? else {
                break;
            };
            let payload = &records.buffer[payload];
            walk.take(*number, offset, header, payload);
        }
        if walk.is_done() {
            break;
        }
    }
    Ok(walk.position())
}

/// What the way back has shown.
struct Walk<'a> {
    query: &'a Query,
    /// Lines still to be found.
    missing: u64,
    /// The record reached last; its `told` is unused.
    at: Position,
    streams: [Way; 2],
    /// Bytes passed since the last wanted line was found.
    look_back: u64,
    stopped: bool,
}

/// One stream on the way back.
#[derive(Default, Clone, Copy)]
struct Way {
    wanted: bool,
    /// Its last byte has been seen.
    seen: bool,
    /// Its bytes from the record reached to the end.
    bytes: u64,
    /// Its bytes from the first one to be told to the end, once that is known.
    told_from: Option<u64>,
}

impl<'a> Walk<'a> {
    fn new(query: &'a Query, n_lines: u64) -> Self {
        let way = |stream| Way {
            wanted: query.wants(stream),
            ..Way::default()
        };
        Self {
            query,
            missing: n_lines,
            at: Position::default(),
            streams: Stream::BOTH.map(way),
            look_back: 0,
            stopped: n_lines == 0,
        }
    }

    fn is_done(&self) -> bool {
        let complete = |way: &Way| !way.wanted || way.told_from.is_some();
        self.stopped
            || self.look_back > MAX_LOOK_BACK
            || self.missing == 0 && self.streams.iter().all(complete)
    }

    fn take(&mut self, file: u64, offset: u64, header: Header, payload: &[u8]) {
        if self
            .query
            .until_ns
            .is_some_and(|until| header.unix_ns > until)
        {
            self.at = Position {
                file,
                offset,
                ..self.at
            };
            return;
        }
        if self
            .query
            .since_ns
            .is_some_and(|since| header.unix_ns < since)
        {
            self.stopped = true;
            return;
        }
        self.at = Position {
            file,
            offset,
            ..self.at
        };
        if self.missing == 0 {
            self.look_back += payload.len() as u64;
        }
        if let Kind::Output(stream) = header.kind
            && self.query.wants(stream)
        {
            self.count(stream.index(), payload);
        }
    }

    /// Counts the newlines of a record from its end.
    fn count(&mut self, index: usize, payload: &[u8]) {
        if !self.streams[index].seen && !payload.is_empty() {
            self.streams[index].seen = true;
            // A last line without its end is one that will be told when it has it.
            let ended = payload.ends_with(b"\n");
            self.missing -= u64::from(!ended && self.missing > 0);
        }
        for newline in memchr::memrchr_iter(b'\n', payload) {
            let way = &mut self.streams[index];
            if self.missing > 0 {
                self.missing -= 1;
                continue;
            }
            let behind = payload.len() - newline - 1;
            way.told_from.get_or_insert(way.bytes + behind as u64);
            break;
        }
        self.streams[index].bytes += payload.len() as u64;
    }

    fn position(&self) -> Position {
        let told = self
            .streams
            .map(|way| way.bytes - way.told_from.unwrap_or(way.bytes));
        Position { told, ..self.at }
    }
}

/// The records of one file from the last to the first.
struct Backwards<'a> {
    file: &'a File,
    buffer: Vec<u8>,
    /// The buffer's place in the file.
    start: u64,
    /// Where the record returned last begins.
    end: u64,
}

impl<'a> Backwards<'a> {
    fn new(file: &'a File) -> io::Result<Self> {
        let end = files::sound_len(file)?;
        Ok(Self {
            file,
            buffer: Vec::new(),
            start: end,
            end,
        })
    }

    fn previous(&mut self) -> io::Result<Option<(u64, Header, Range<usize>)>> {
        if self.end == 0 {
            return Ok(None);
        }
        let mut found = self.in_buffer();
        if found.is_none() {
            self.load()?;
            found = self.in_buffer();
        }
        // Damage in the middle ends the way back; what is behind it can still be told.
        let Some((at, header)) = found else {
            return Ok(None);
        };
        self.end = self.start + at as u64;
        let payload = at + HEADER..at + HEADER + header.payload_len();
        Ok(Some((self.end, header, payload)))
    }

    fn in_buffer(&self) -> Option<(usize, Header)> {
        let len = usize::try_from(self.end - self.start).ok()?;
        record::parse_last(self.buffer.get(..len)?)
    }

    fn load(&mut self) -> io::Result<()> {
        let len = self.end.min((4 * (FRAME + MAX_CHUNK)) as u64);
        self.start = self.end - len;
        self.buffer.resize(usize::try_from(len).unwrap_or(0), 0);
        files::read_full(self.file, &mut self.buffer, self.start)?;
        Ok(())
    }
}
