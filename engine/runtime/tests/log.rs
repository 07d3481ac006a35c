//! A log on a file system that fills up. Needs root, for a tmpfs in a mount namespace of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File};
use std::path::Path;
use std::thread;

use engine_runtime::LogOptions;
use engine_runtime::log::{Entry, Query, Reader, Stream, Writer};
use engine_sys::mount::{self, Attributes};
use engine_sys::namespace::{self, Namespaces};

/// Runs `story` on a file system of 256 KiB that nobody else sees and that goes with the thread.
fn on_a_small_disk(story: impl FnOnce(&Path) + Send) {
    let dir = tempfile::tempdir().unwrap();
    let run = || {
        namespace::unshare(Namespaces::MOUNT).unwrap();
        mount::make_all_private().unwrap();
        let disk = mount::create("tmpfs", &[("size", "256k")], Attributes::empty()).unwrap();
        mount::attach(disk, File::open(dir.path()).unwrap()).unwrap();
        story(dir.path());
    };
    thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

struct Told {
    lines: Vec<String>,
    lost_bytes: u64,
}

fn read(log: &Path) -> Told {
    let mut reader = Reader::open(log, Query::default()).unwrap();
    let mut told = Told {
        lines: Vec::new(),
        lost_bytes: 0,
    };
    while let Some(entry) = reader.next().unwrap() {
        match entry {
            Entry::Line(line) => told
                .lines
                .push(String::from_utf8(line.text.to_vec()).unwrap()),
            Entry::Lost { bytes, .. } => told.lost_bytes += bytes.unwrap(),
        }
    }
    told
}

#[test]
fn a_full_disk_loses_lines_counts_them_and_damages_none() {
    on_a_small_disk(|disk| {
        let log = disk.join("log");
        let options = LogOptions {
            max_bytes: 10 << 20,
            max_files: 3,
        };
        let mut writer = Writer::open(&log, options).unwrap();
        let ballast = disk.join("ballast");
        fs::write(&ballast, vec![0; 100 << 10]).unwrap();

        let line = |number: u64| format!("{number:0>999}\n");
        let mut written = 0;
        while writer.lost_bytes() == 0 {
            writer.write(Stream::Stdout, written, line(written).as_bytes());
            written += 1;
        }
        for _ in 0..9 {
            writer.write(Stream::Stdout, written, line(written).as_bytes());
        }
        let lost = writer.lost_bytes();
        fs::remove_file(&ballast).unwrap();
        writer.write(Stream::Stdout, written, line(written).as_bytes());

        assert_eq!(lost, 10 * 1000);
        assert_eq!(writer.lost_bytes(), 0);
        let told = read(&log);
        assert_eq!(told.lost_bytes, lost);
        let expected: Vec<String> = (0..written - 1).chain([written]).map(line).collect();
        let expected: Vec<&str> = expected.iter().map(|line| line.trim_end()).collect();
        assert_eq!(told.lines, expected);
    });
}

#[test]
fn rotation_makes_room_on_a_full_disk() {
    on_a_small_disk(|disk| {
        let log = disk.join("log");
        let options = LogOptions {
            max_bytes: 100 << 10,
            max_files: 3,
        };
        let mut writer = Writer::open(&log, options).unwrap();

        // Three files of 100 KiB do not fit: what is newest does.
        for number in 0..2000_u64 {
            writer.write(
                Stream::Stdout,
                number,
                format!("{number:0>999}\n").as_bytes(),
            );
        }

        let told = read(&log);
        let last = told.lines.last().unwrap();
        assert!(
            last.trim_start_matches('0').parse::<u64>().unwrap() > 1900,
            "{last}"
        );
        assert!(told.lines.windows(2).all(|pair| pair[0] < pair[1]));
    });
}
