//! Reading lines forwards, across files, from wherever one asks to begin.

use std::{
    fs::File,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{
    Entry, Line, LogError, Position, Query, Stream,
    error::Result,
    files,
    lines::{Assembler, Piece},
    record::{self, HEADER, Header, Kind, MAX_CHUNK, Parsed},
    tail,
};

/// Reads a log forwards. Holds one file open and a buffer of 256 KiB.
#[derive(Debug)]
pub struct Reader {
    dir: PathBuf,
    query: Query,
    /// `None` while the log has no file.
    file: Option<File>,
    number: u64,
    /// What of the file is in the buffer: `buffer[at..filled]` begins at `offset`.
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    offset: u64,
    record: Option<Open>,
    streams: [Assembler; 2],
    /// When the latest of what waits in each stream was read.
    waiting_ns: [u64; 2],
    /// Told bytes to pass over, after a resume.
    skip: [u64; 2],
    position: Position,
    past_until: bool,
}

/// The record that is being cut into lines.
#[derive(Debug, Clone, Copy)]
struct Open {
    stream: Stream,
    unix_ns: u64,
    /// The rest of its payload in the buffer.
    at: usize,
    end: usize,
}

impl Reader {
    /// Opens the log in `dir`; a directory that is not there yet is an empty log.
    ///
    /// # Errors
    /// [`LogError`] when a file cannot be read.
    pub fn open(dir: &Path, query: Query) -> Result<Self> {
        let start = tail::start(dir, &query).map_err(LogError::during("search", dir))?;
        Self::resume(dir, query, start)
    }

    /// Opens the log where another reader stood; the query's tail counts no more.
    ///
    /// # Errors
    /// [`LogError`] when a file cannot be read.
    pub fn resume(dir: &Path, query: Query, position: Position) -> Result<Self> {
        let mut reader = Self {
            dir: dir.to_owned(),
            query,
            file: None,
            number: position.file,
            buffer: vec![0; 4 * MAX_CHUNK],
            at: 0,
            filled: 0,
            offset: position.offset,
            record: None,
            streams: Default::default(),
            waiting_ns: [0; 2],
            skip: position.told,
            position,
            past_until: false,
        };
        match File::open(files::path(dir, position.file)) {
            Ok(file) => reader.file = Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Rotated away, or not written yet: `advance` finds what there is.
                reader.offset = 0;
                reader.skip = [0; 2];
            }
            Err(error) => return Err(LogError::during("open", dir)(error)),
        }
        Ok(reader)
    }

    /// Returns the next line, or `None` at the present end; later calls see what came since.
    ///
    /// A line whose end is not written yet is not told; see [`Reader::finish`].
    ///
    /// # Errors
    /// [`LogError`] when a file cannot be read.
    #[expect(
        clippy::should_implement_trait,
        reason = "the line borrows from the reader"
    )]
    pub fn next(&mut self) -> Result<Option<Entry<'_>>> {
        loop {
            let Some(open) = self.record else {
                match self.load().map_err(LogError::during("read", &self.dir))? {
                    Loaded::Output => continue,
                    Loaded::Lost { unix_ns, bytes } => {
                        return Ok(Some(Entry::Lost { unix_ns, bytes }));
                    }
                    Loaded::End => return Ok(None),
                }
            };
            let chunk = &self.buffer[open.at..open.end];
            let (used, piece) = self.streams[open.stream.index()].next(chunk);
            self.position.told[open.stream.index()] += used as u64;
            let rest = open.at + used;
            // An empty rest may still hold back a part that is full to the brim; it waits.
            self.record = (rest < open.end).then_some(Open { at: rest, ..open });
            let (start, partial) = match piece {
                Some(Piece::Inside { len, partial }) => (open.at..open.at + len, partial),
                Some(Piece::Joined { partial }) => (0..0, partial),
                None => {
                    self.waiting_ns[open.stream.index()] = open.unix_ns;
                    continue;
                }
            };
            if self
                .query
                .since_ns
                .is_some_and(|since| open.unix_ns < since)
            {
                continue;
            }
            let text = match piece {
                Some(Piece::Joined { .. }) => self.streams[open.stream.index()].joined(),
                _ => &self.buffer[start],
            };
            return Ok(Some(Entry::Line(Line {
                stream: open.stream,
                unix_ns: open.unix_ns,
                text,
                partial,
            })));
        }
    }

    /// Returns what is left of lines that never ended, one stream a call, then `None`.
    ///
    /// To be called when [`Reader::next`] said `None` and the container is known to have exited, or
    /// when one wants to show a prompt.
    pub fn finish(&mut self) -> Option<Line<'_>> {
        let since_ns = self.query.since_ns.unwrap_or(0);
        let stream = Stream::BOTH.into_iter().find(|stream| {
            let n = stream.index();
            self.streams[n].finish() && self.waiting_ns[n] >= since_ns
        })?;
        Some(Line {
            stream,
            unix_ns: self.waiting_ns[stream.index()],
            text: self.streams[stream.index()].joined(),
            partial: true,
        })
    }

    /// Tells whether output later than the query's `until` has been met; nothing more will come.
    pub fn is_past_until(&self) -> bool {
        self.past_until
    }

    /// Returns where this reader stands, for [`Reader::resume`].
    pub fn position(&self) -> Position {
        let mut position = self.position;
        for stream in Stream::BOTH {
            position.told[stream.index()] -= self.streams[stream.index()].waiting() as u64;
        }
        position
    }

    /// Makes the next record the open one, unless it is not wanted or tells a loss.
    fn load(&mut self) -> io::Result<Loaded> {
        loop {
            if self.past_until || self.is_at_end() {
                return Ok(Loaded::End);
            }
            let header = match record::parse(&self.buffer[self.at..self.filled]) {
                Parsed::Record(header) => header,
                Parsed::Damaged => {
                    self.pass(record::resync(&self.buffer[self.at..self.filled]));
                    continue;
                }
                Parsed::Incomplete if self.fill()? => continue,
                Parsed::Incomplete => match self.advance()? {
                    Advanced::Next => continue,
                    Advanced::Gap => {
                        return Ok(Loaded::Lost {
                            unix_ns: self.first_time()?,
                            bytes: None,
                        });
                    }
                    Advanced::End => return Ok(Loaded::End),
                },
            };
            if let Some(loaded) = self.take(header) {
                return Ok(loaded);
            }
        }
    }

    /// Passes over the record at `at`; what is to be told of it, if anything.
    fn take(&mut self, header: Header) -> Option<Loaded> {
        if self
            .query
            .until_ns
            .is_some_and(|until| header.unix_ns > until)
        {
            self.past_until = true;
            return Some(Loaded::End);
        }
        if self.streams.iter().all(|stream| stream.waiting() == 0) && self.skip == [0; 2] {
            self.position = Position {
                file: self.number,
                offset: self.offset,
                told: [0; 2],
            };
        }
        let payload = self.at + HEADER..self.at + HEADER + header.payload_len();
        self.pass(header.record_len());
        match header.kind {
            Kind::Output(stream) => {
                let skip = self.skip[stream.index()].min(payload.len() as u64);
                self.skip[stream.index()] -= skip;
                let at = payload.start + usize::try_from(skip).unwrap_or(payload.len());
                if at == payload.end || !self.query.wants(stream) {
                    return None;
                }
                self.record = Some(Open {
                    stream,
                    unix_ns: header.unix_ns,
                    at,
                    end: payload.end,
                });
                Some(Loaded::Output)
            }
            Kind::Lost => {
                if self
                    .query
                    .since_ns
                    .is_some_and(|since| header.unix_ns < since)
                {
                    return None;
                }
                let count = self.buffer[payload].first_chunk().copied();
                Some(Loaded::Lost {
                    unix_ns: header.unix_ns,
                    bytes: count.map(u64::from_le_bytes),
                })
            }
        }
    }

    /// Tells whether the place is reached behind which nothing is wanted.
    fn is_at_end(&self) -> bool {
        let here = Position::at(self.number, self.offset);
        self.query.end.is_some_and(|end| here >= end)
    }

    fn pass(&mut self, n: usize) {
        self.at += n;
        self.offset += n as u64;
    }

    /// Reads more of the file behind what is in the buffer; tells whether there was more.
    ///
    /// An incomplete record is forgotten and read again later: it may be one that the writer cuts.
    fn fill(&mut self) -> io::Result<bool> {
        let Some(file) = &self.file else {
            return Ok(false);
        };
        self.at = 0;
        self.filled = files::read_full(file, &mut self.buffer, self.offset)?;
        let more = record::parse(&self.buffer[..self.filled]) != Parsed::Incomplete;
        if !more {
            self.filled = 0;
        }
        Ok(more)
    }

    /// Goes on to the next file, if the writer has.
    fn advance(&mut self) -> io::Result<Advanced> {
        let next = self.number + u64::from(self.file.is_some());
        match File::open(files::path(&self.dir, next)) {
            Ok(file) => {
                // The writer has left the old file for good; what it wrote last comes first.
                if self.fill()? {
                    return Ok(Advanced::Next);
                }
                self.go_to(next, file);
                Ok(Advanced::Next)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.leap(next),
            Err(error) => Err(error),
        }
    }

    /// Goes on to the oldest file there is, if this reader's own has been rotated away.
    fn leap(&mut self, missing: u64) -> io::Result<Advanced> {
        if let Some(file) = &self.file
            && file.metadata()?.nlink() > 0
        {
            return Ok(Advanced::End);
        }
        let numbers = match files::list(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            numbers => numbers?,
        };
        let Some(number) = numbers.into_iter().find(|number| *number > missing) else {
            return Ok(Advanced::End);
        };
        let file = File::open(files::path(&self.dir, number))?;
        let began = self.file.is_some() || self.number > 0;
        self.go_to(number, file);
        self.streams = Default::default();
        Ok(if began { Advanced::Gap } else { Advanced::Next })
    }

    fn go_to(&mut self, number: u64, file: File) {
        self.file = Some(file);
        self.number = number;
        self.offset = 0;
        self.at = 0;
        self.filled = 0;
    }

    /// Returns the time of the record that comes next, zero if it is not there yet.
    fn first_time(&mut self) -> io::Result<u64> {
        self.fill()?;
        Ok(match record::parse(&self.buffer[self.at..self.filled]) {
            Parsed::Record(header) => header.unix_ns,
            Parsed::Incomplete | Parsed::Damaged => 0,
        })
    }
}

enum Loaded {
    /// A record is open.
    Output,
    Lost {
        unix_ns: u64,
        bytes: Option<u64>,
    },
    End,
}

enum Advanced {
    Next,
    /// Files between were rotated away unread.
    Gap,
    End,
}
