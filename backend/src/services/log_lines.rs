//! Lines out of a container's output: pieces cut anywhere go in, whole lines with times come out.
//!
//! **Invariant:** pure, and bounded: an unfinished line never holds more than
//! [`MOST_LINE_BYTES`]; a longer one comes in pieces.

use std::collections::VecDeque;

use engine_api::frame::Stream;
use jiff::Timestamp;

/// A line longer than this is shown in pieces.
pub(super) const MOST_LINE_BYTES: usize = 64 << 10;
/// Lines that wait for a slow reader.
const MOST_WAITING_LINES: usize = 4_000;
/// Bytes of lines that wait for a slow reader.
const MOST_WAITING_BYTES: usize = 2 << 20;
/// What a waiting line costs beside its text.
const LINE_COST_BYTES: usize = 48;
/// Lines handed out at once.
const BATCH_LINES: usize = 1_000;
/// Bytes of text handed out at once; one line may be longer.
const BATCH_BYTES: usize = 256 << 10;

/// A line of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether it was written as an error.
    pub is_error: bool,
    /// When, in nanoseconds since 1970.
    pub nano: i128,
    /// The text, without its line end.
    pub text: String,
}

/// What a reader of a log gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Lines, the oldest first.
    Lines(Vec<Line>),
    /// So many lines were left out here, because the reader was too slow.
    Skipped(u64),
}

/// Puts lines together.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    output: Vec<u8>,
    errors: Vec<u8>,
    last_nano: i128,
}

impl Joiner {
    /// Takes a piece and passes on each line that it completes.
    pub(super) fn push(&mut self, stream: Stream, mut bytes: &[u8], mut take: impl FnMut(Line)) {
        let is_error = matches!(stream, Stream::Stderr | Stream::System);
        while !bytes.is_empty() {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let (piece, rest) = match end {
                Some(end) => (&bytes[..end], &bytes[end + 1..]),
                None => (bytes, &[][..]),
            };
            let open = if is_error {
                &mut self.errors
            } else {
                &mut self.output
            };
            let room = (MOST_LINE_BYTES).saturating_sub(open.len());
            if piece.len() > room {
                open.extend_from_slice(&piece[..room]);
                let whole = std::mem::take(open);
                take(self.line(is_error, &whole));
                bytes = &bytes[room..];
                continue;
            }
            if end.is_none() {
                open.extend_from_slice(piece);
            } else if open.is_empty() {
                take(self.line(is_error, piece));
            } else {
                open.extend_from_slice(piece);
                let whole = std::mem::take(open);
                take(self.line(is_error, &whole));
            }
            bytes = rest;
        }
    }

    /// Passes on what is unfinished: a prompt, or the end of the log.
    pub(super) fn flush(&mut self, mut take: impl FnMut(Line)) {
        for is_error in [false, true] {
            let open = if is_error {
                &mut self.errors
            } else {
                &mut self.output
            };
            let whole = std::mem::take(open);
            if !whole.is_empty() {
                take(self.line(is_error, &whole));
            }
        }
    }

    /// Tells whether a line has begun and not ended.
    pub(super) fn is_open(&self) -> bool {
        !self.output.is_empty() || !self.errors.is_empty()
    }

    /// Takes the time off the front; what has none belongs to the line before it.
    fn line(&mut self, is_error: bool, bytes: &[u8]) -> Line {
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let (nano, text) = match timed(bytes) {
            Some((nano, text)) => (nano, text),
            None => (self.last_nano, bytes),
        };
        self.last_nano = nano;
        Line {
            is_error,
            nano,
            text: String::from_utf8_lossy(text).into_owned(),
        }
    }
}

/// `2026-01-02T03:04:05.123456789Z text`: the form is fixed, so a line that only looks alike at its
/// beginning is not taken for one.
fn timed(bytes: &[u8]) -> Option<(i128, &[u8])> {
    const LENGTH: usize = 30;
    if bytes.len() < LENGTH || bytes[10] != b'T' || bytes[LENGTH - 1] != b'Z' {
        return None;
    }
    let text = std::str::from_utf8(&bytes[..LENGTH]).ok()?;
    let moment: Timestamp = text.parse().ok()?;
    let rest = &bytes[LENGTH..];
    Some((
        moment.as_nanosecond(),
        rest.strip_prefix(b" ").unwrap_or(rest),
    ))
}

/// Lines that wait for their reader; full, it counts what it leaves out.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    items: VecDeque<Entry>,
    bytes: usize,
    is_skipping: bool,
}

#[derive(Debug)]
enum Entry {
    Line(Line),
    Skipped(u64),
}

impl Waiting {
    /// Adds a line, or counts it when there is no room. Once it counts, it counts until half the
    /// room is free: a few long gaps read better than many short ones.
    pub(super) fn push(&mut self, line: Line) {
        let cost = line.text.len() + LINE_COST_BYTES;
        let (lines, bytes) = (self.items.len(), self.bytes + cost);
        self.is_skipping = if self.is_skipping {
            lines > MOST_WAITING_LINES / 2 || bytes > MOST_WAITING_BYTES / 2
        } else {
            lines >= MOST_WAITING_LINES || bytes > MOST_WAITING_BYTES
        };
        if !self.is_skipping || self.items.is_empty() {
            self.bytes = bytes;
            self.items.push_back(Entry::Line(line));
        } else if let Some(Entry::Skipped(count)) = self.items.back_mut() {
            *count += 1;
        } else {
            self.items.push_back(Entry::Skipped(1));
        }
    }

    /// Tells whether a line more would be left out.
    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= MOST_WAITING_LINES || self.bytes >= MOST_WAITING_BYTES
    }

    /// Takes the next batch.
    pub(super) fn pop(&mut self) -> Option<Item> {
        let mut lines = Vec::new();
        let mut batch_bytes = 0;
        while lines.len() < BATCH_LINES && batch_bytes < BATCH_BYTES {
            match self.items.pop_front() {
                Some(Entry::Line(line)) => {
                    self.bytes -= line.text.len() + LINE_COST_BYTES;
                    batch_bytes += line.text.len();
                    lines.push(line);
                }
                Some(Entry::Skipped(count)) if lines.is_empty() => {
                    return Some(Item::Skipped(count));
                }
                Some(skipped @ Entry::Skipped(_)) => {
                    self.items.push_front(skipped);
                    break;
                }
                None => break,
            }
        }
        (!lines.is_empty()).then_some(Item::Lines(lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-01-02T03:04:05.123456789Z";
    const NANO: i128 = 1_767_323_045_123_456_789;

    fn lines(pieces: &[(Stream, &str)]) -> Vec<(bool, i128, String)> {
        let mut joiner = Joiner::default();
        let mut all = Vec::new();
        let mut take = |line: Line| all.push((line.is_error, line.nano, line.text));
        for (stream, piece) in pieces {
            joiner.push(*stream, piece.as_bytes(), &mut take);
        }
        joiner.flush(&mut take);
        all
    }

    #[test]
    fn pieces_cut_anywhere_become_lines() {
        let (front, back) = TIME.split_at(9);
        let found = lines(&[
            (Stream::Stdout, front),
            (Stream::Stderr, &format!("{TIME} bad\r\n")),
            (Stream::Stdout, &format!("{back} one\n{TIME} \n{TIME} thr")),
            (Stream::Stdout, "ee"),
        ]);
        let expected = [(true, "bad"), (false, "one"), (false, ""), (false, "three")];
        assert_eq!(found, expected.map(|(e, text)| (e, NANO, text.to_owned())));
    }

    #[test]
    fn a_line_without_a_time_belongs_to_the_one_before() {
        let found = lines(&[(Stream::Stdout, &format!("{TIME} one\nno time\n"))]);
        assert_eq!(found[1], (false, NANO, "no time".to_owned()));
    }

    #[test]
    fn an_endless_line_comes_in_pieces() {
        let piece = "x".repeat(100_000);
        let found = lines(&[(Stream::Stdout, &piece), (Stream::Stdout, &piece)]);
        let total: usize = found.iter().map(|(_, _, text)| text.len()).sum();
        assert_eq!(total, 200_000);
        assert!(
            found
                .iter()
                .all(|(_, _, text)| text.len() <= MOST_LINE_BYTES)
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_and_not_fatal() {
        let mut joiner = Joiner::default();
        let mut all = Vec::new();
        joiner.push(Stream::Stdout, b"\xff\xfe\n", |line| all.push(line.text));
        assert_eq!(all, ["\u{fffd}\u{fffd}"]);
    }

    #[test]
    fn a_slow_reader_learns_how_many_lines_it_missed() {
        let mut waiting = Waiting::default();
        let line = |n: usize| Line {
            is_error: false,
            nano: 0,
            text: n.to_string(),
        };
        for n in 0..100_000 {
            waiting.push(line(n));
        }
        let (mut shown, mut skipped, mut gaps) = (0, 0, 0);
        while let Some(item) = waiting.pop() {
            match item {
                Item::Lines(lines) => shown += lines.len(),
                Item::Skipped(count) => (skipped, gaps) = (skipped + count, gaps + 1),
            }
        }
        assert_eq!((shown, skipped, gaps), (4_000, 96_000, 1));

        waiting.push(line(7));
        assert_eq!(waiting.pop(), Some(Item::Lines(vec![line(7)])));
        assert_eq!(waiting.bytes, 0);
    }

    #[test]
    fn long_lines_are_bounded_by_their_bytes() {
        let mut waiting = Waiting::default();
        for _ in 0..1_000 {
            waiting.push(Line {
                is_error: false,
                nano: 0,
                text: "x".repeat(60_000),
            });
        }
        assert!(waiting.bytes <= MOST_WAITING_BYTES);
        let Some(Item::Lines(batch)) = waiting.pop() else {
            panic!("there are lines")
        };
        assert_eq!(batch.len(), 5);
    }
}
