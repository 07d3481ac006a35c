//! Writer and reader together, on real files.

use std::{fs, path::Path};

use proptest::prelude::*;

use super::{Entry, LogError, MAX_CHUNK, Position, Query, Reader, Stream, Writer, files, record};
use crate::LogOptions;

const KEEP_ALL: LogOptions = LogOptions {
    max_bytes: 10 << 20,
    max_files: 3,
};

/// A line as the tests compare it: stream, time, text, partial.
type Told = (Stream, u64, String, bool);

fn told(entry: &Entry<'_>) -> Option<Told> {
    match entry {
        Entry::Line(line) => {
            let text = String::from_utf8_lossy(line.text).into_owned();
            Some((line.stream, line.unix_ns, text, line.partial))
        }
        Entry::Lost { .. } => None,
    }
}

/// Reads to the present end and hands out what is unfinished, at time 0.
fn drain(reader: &mut Reader) -> Vec<Told> {
    let mut lines = Vec::new();
    while let Some(entry) = reader.next().unwrap() {
        lines.extend(told(&entry));
    }
    while let Some(line) = reader.finish() {
        lines.extend(told(&Entry::Line(line)));
    }
    lines
}

fn read(dir: &Path, query: Query) -> Vec<Told> {
    drain(&mut Reader::open(dir, query).unwrap())
}

fn texts(lines: &[Told]) -> Vec<&str> {
    lines.iter().map(|line| line.2.as_str()).collect()
}

#[test]
fn lines_come_back_with_stream_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path(), KEEP_ALL).unwrap();
    writer.write(Stream::Stdout, 10, b"one\ntw");
    writer.write(Stream::Stderr, 20, b"oops\n");
    writer.write(Stream::Stdout, 30, b"o\nthr");

    let lines = read(dir.path(), Query::default());

    let expected = [
        (Stream::Stdout, 10, "one", false),
        (Stream::Stderr, 20, "oops", false),
        (Stream::Stdout, 30, "two", false),
        (Stream::Stdout, 30, "thr", true),
    ];
    assert_eq!(
        lines,
        expected.map(|(stream, ns, text, part)| (stream, ns, text.to_owned(), part))
    );
}

#[test]
fn a_log_that_is_not_there_is_empty_and_can_be_followed() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let mut reader = Reader::open(&log, Query::default()).unwrap();
    assert_eq!(reader.next().unwrap(), None);

    Writer::open(&log, KEEP_ALL)
        .unwrap()
        .write(Stream::Stdout, 1, b"hello\n");

    assert_eq!(texts(&drain(&mut reader)), ["hello"]);
}

#[test]
fn a_query_selects_streams_and_times() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path(), KEEP_ALL).unwrap();
    for second in 1..=5 {
        writer.write(Stream::Stdout, second, format!("out {second}\n").as_bytes());
        writer.write(Stream::Stderr, second, format!("err {second}\n").as_bytes());
    }

    let query = Query {
        stderr: false,
        since_ns: Some(2),
        until_ns: Some(4),
        ..Query::default()
    };
    let tail = Query {
        tail: Some(2),
        ..query
    };

    assert_eq!(texts(&read(dir.path(), query)), ["out 2", "out 3", "out 4"]);
    assert_eq!(texts(&read(dir.path(), tail)), ["out 3", "out 4"]);
}

#[test]
fn a_follower_goes_on_across_rotation_and_is_told_what_it_missed() {
    let dir = tempfile::tempdir().unwrap();
    let options = LogOptions {
        max_bytes: 60,
        max_files: 2,
    };
    let mut writer = Writer::open(dir.path(), options).unwrap();
    let mut reader = Reader::open(dir.path(), Query::default()).unwrap();

    for second in 0..9 {
        writer.write(
            Stream::Stdout,
            second,
            format!("line {second}\n").as_bytes(),
        );
        assert_eq!(texts(&drain(&mut reader)), [format!("line {second}")]);
    }
    for second in 10..30 {
        writer.write(
            Stream::Stdout,
            second,
            format!("line {second}\n").as_bytes(),
        );
    }

    assert_eq!(files::list(dir.path()).unwrap().len(), 2);
    let mut gaps = 0;
    let mut last = String::new();
    while let Some(entry) = reader.next().unwrap() {
        gaps += u32::from(matches!(entry, Entry::Lost { bytes: None, .. }));
        last = told(&entry).map_or(last, |line| line.2);
    }
    assert_eq!((gaps, last.as_str()), (1, "line 29"));
}

#[test]
fn a_torn_tail_is_passed_over_and_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    Writer::open(dir.path(), KEEP_ALL)
        .unwrap()
        .write(Stream::Stdout, 1, b"first\n");
    let path = files::path(dir.path(), 1);
    let sound = fs::read(&path).unwrap();
    Writer::open(dir.path(), KEEP_ALL)
        .unwrap()
        .write(Stream::Stdout, 2, b"second\n");
    let whole = fs::read(&path).unwrap();

    for cut in sound.len()..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let mut follower = Reader::open(dir.path(), Query::default()).unwrap();
        assert_eq!(texts(&drain(&mut follower)), ["first"], "cut at {cut}");
        let last = Query {
            tail: Some(1),
            ..Query::default()
        };
        assert_eq!(texts(&read(dir.path(), last)), ["first"], "cut at {cut}");

        let mut writer = Writer::open(dir.path(), KEEP_ALL).unwrap();
        writer.write(Stream::Stdout, 3, b"third\n");

        assert_eq!(texts(&drain(&mut follower)), ["third"], "cut at {cut}");
        assert_eq!(
            texts(&read(dir.path(), Query::default())),
            ["first", "third"],
            "cut at {cut}"
        );
    }
}

#[test]
fn a_power_cut_that_left_zeros_loses_only_them() {
    let dir = tempfile::tempdir().unwrap();
    Writer::open(dir.path(), KEEP_ALL)
        .unwrap()
        .write(Stream::Stdout, 1, b"first\n");
    let path = files::path(dir.path(), 1);
    let sound = fs::read(&path).unwrap();
    fs::write(&path, [&sound[..], &[0; 5000], &sound[..]].concat()).unwrap();

    assert_eq!(
        texts(&read(dir.path(), Query::default())),
        ["first", "first"]
    );

    fs::write(&path, [&sound[..], &[0; 5000]].concat()).unwrap();
    Writer::open(dir.path(), KEEP_ALL)
        .unwrap()
        .write(Stream::Stdout, 2, b"second\n");

    assert_eq!(
        texts(&read(dir.path(), Query::default())),
        ["first", "second"]
    );
    assert_eq!(
        fs::metadata(&path).unwrap().len(),
        (sound.len() * 2 + 1) as u64
    );
}

#[test]
fn a_chunk_that_is_too_long_becomes_two_records() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(dir.path(), KEEP_ALL).unwrap();
    let long = vec![b'x'; MAX_CHUNK + 10];

    writer.write(Stream::Stdout, 1, &long);

    let size = fs::metadata(files::path(dir.path(), 1)).unwrap().len();
    assert_eq!(size, (long.len() + 2 * record::FRAME) as u64);
    let lines = read(dir.path(), Query::default());
    assert_eq!(
        lines.iter().map(|line| line.2.len()).sum::<usize>(),
        long.len()
    );
}

#[test]
fn an_unreadable_directory_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log");
    fs::write(&file, "").unwrap();

    let error: LogError = Writer::open(&file, KEEP_ALL).unwrap_err();

    assert_eq!(
        error.to_string(),
        format!("failed to create the log at {}", file.display())
    );
}

/// A chunk as a container may print it.
fn any_chunk() -> impl Strategy<Value = (Stream, Vec<u8>)> {
    let text = prop_oneof![
        4 => prop::collection::vec(prop_oneof![2 => Just(b'\n'), 5 => b'a'..=b'z'], 0..60),
        1 => (0_usize..40_000).prop_map(|len| vec![b'x'; len]),
    ];
    let stream = prop_oneof![Just(Stream::Stdout), Just(Stream::Stderr)];
    (stream, text)
}

fn write_all(dir: &Path, options: LogOptions, chunks: &[(Stream, Vec<u8>)], reopen: usize) {
    let mut writer = Writer::open(dir, options).unwrap();
    for (at, (stream, text)) in chunks.iter().enumerate() {
        if at % reopen == reopen - 1 {
            writer = Writer::open(dir, options).unwrap();
        }
        writer.write(*stream, at as u64 + 1, text);
    }
}

/// Joins what was told of one stream back into bytes.
fn bytes_of(lines: &[Told], stream: Stream) -> String {
    let own = lines.iter().filter(|line| line.0 == stream);
    own.map(|line| format!("{}{}", line.2, if line.3 { "" } else { "\n" }))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_is_lost_or_mixed_up(
        chunks in prop::collection::vec(any_chunk(), 0..30),
        max_bytes in 100_u64..100_000,
        reopen in 1_usize..20,
    ) {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), LogOptions { max_bytes, max_files: 1000 }, &chunks, reopen);

        let lines = read(dir.path(), Query::default());

        for stream in Stream::BOTH {
            let own = chunks.iter().filter(|chunk| chunk.0 == stream);
            let expected: Vec<u8> = own.flat_map(|chunk| chunk.1.clone()).collect();
            prop_assert_eq!(bytes_of(&lines, stream).into_bytes(), expected);
        }
    }

    #[test]
    fn the_tail_is_the_end_of_the_whole(
        chunks in prop::collection::vec(any_chunk(), 0..30),
        max_bytes in 100_u64..100_000,
        n in 0_usize..40,
        (stdout, stderr) in (any::<bool>(), any::<bool>()),
    ) {
        let dir = tempfile::tempdir().unwrap();
        // Long lines are told in parts, which a tail counts from their end: not compared here.
        let chunks: Vec<_> = chunks.into_iter().filter(|chunk| chunk.1.len() < 100).collect();
        write_all(dir.path(), LogOptions { max_bytes, max_files: 1000 }, &chunks, 7);
        let query = Query { stdout, stderr, ..Query::default() };
        let whole = read(dir.path(), query);

        let tail = read(dir.path(), Query { tail: Some(n as u64), ..query });

        // A line that has not ended is told after the others and counts only where it is met first.
        let unfinished = whole.iter().filter(|line| line.3).count();
        let fewest = whole.len().saturating_sub(n + unfinished);
        let most = whole.len().saturating_sub(n).min(whole.len() - unfinished);
        prop_assert!(n > 0 || tail.is_empty());
        prop_assert!(n == 0 || (fewest..=most).any(|from| tail == whole[from..]));
    }

    #[test]
    fn a_reader_resumes_where_another_stood(
        chunks in prop::collection::vec(any_chunk(), 0..30),
        max_bytes in 100_u64..100_000,
        stop in 0_usize..40,
        n in prop::option::of(1_u64..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), LogOptions { max_bytes, max_files: 1000 }, &chunks, 7);
        let query = Query { tail: n, ..Query::default() };
        let mut first = Reader::open(dir.path(), query).unwrap();
        for _ in 0..stop {
            first.next().unwrap();
        }

        let position: Position = first.position();
        let mut second = Reader::resume(dir.path(), query, position).unwrap();

        prop_assert_eq!(drain(&mut second), drain(&mut first));
    }

    #[test]
    fn since_leaves_out_the_beginning(
        chunks in prop::collection::vec(any_chunk(), 0..30),
        since in 0_u64..40,
    ) {
        let dir = tempfile::tempdir().unwrap();
        write_all(dir.path(), KEEP_ALL, &chunks, 7);
        let mut whole = read(dir.path(), Query::default());

        let late = read(dir.path(), Query { since_ns: Some(since), ..Query::default() });

        // What has not ended carries no time of its own.
        whole.retain(|line| line.1 >= since || line.1 == 0);
        prop_assert_eq!(late, whole);
    }

    #[test]
    fn any_bytes_in_a_file_are_survived(
        bytes in prop::collection::vec(any::<u8>(), 0..500),
        n in prop::option::of(0_u64..5),
    ) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(files::path(dir.path(), 3), bytes).unwrap();

        read(dir.path(), Query { tail: n, ..Query::default() });
        Writer::open(dir.path(), KEEP_ALL).unwrap().write(Stream::Stdout, 1, b"after\n");

        let lines = read(dir.path(), Query { tail: n.map(|n| n + 1), ..Query::default() });
        prop_assert_eq!(lines.last().map(|line| line.2.as_str()), Some("after"));
    }
}
