//! What containers use: as the two small cells of a row, and as the numbers of the statistics tab.

use frontend::format::{self, Moment};
use frontend::pages::StatsRow;
use frontend::parts::LoadCell;
use frontend::ui::{KeyValue, Pair};
use jiff::Timestamp;

use super::Reader;
use crate::services::metrics::Load;

/// Returns the cells of one container: processor and memory, from what it used lately.
pub fn cells(reader: &Reader, id: &str, lately: &[Load]) -> [LoadCell; 2] {
    let last = lately.last();
    let cpu = lately.iter().map(|load| load.cpu_percent);
    let memory = lately.iter().map(|load| share(load) * 100.0);
    [
        LoadCell {
            number: last.map_or_else(String::new, |load| format::percent(load.cpu_percent)),
            points: points(cpu),
            ..empty(reader, "cpu", id)
        },
        LoadCell {
            number: last.map_or_else(String::new, |load| format::bytes(load.memory_bytes)),
            points: points(memory),
            ..empty(reader, "memory", id)
        },
    ]
}

fn empty(reader: &Reader, kind: &str, id: &str) -> LoadCell {
    LoadCell {
        dom_id: format!("{kind}-{id}"),
        label: reader.words.t(kind),
        ..LoadCell::default()
    }
}

/// Returns the numbers of the statistics tab: the newest of each chart, and the last hour as a table.
pub fn hour(rows: &[Load]) -> (Vec<String>, Vec<StatsRow>) {
    let newest = rows.last().map_or_else(Vec::new, |load| {
        let [cpu, _, memory, _, _, received, _, read, _, pids] = numbers(load);
        vec![cpu, memory, received, read, pids]
    });
    let row = |load: &Load| StatsRow {
        at: Moment::stamp(Timestamp::from_millisecond(load.at_ms).unwrap_or_default()),
        cells: numbers(load).into(),
    };
    (newest, rows.iter().rev().map(row).collect())
}

/// Returns the newest numbers as pairs, for those without scripts.
pub fn now(reader: &Reader, rows: &[Load]) -> KeyValue {
    let keys = [
        "cpu",
        "throttled",
        "memory",
        "file-cache",
        "limit",
        "received",
        "sent",
        "read",
        "written",
        "processes",
    ];
    let Some(load) = rows.last() else {
        return KeyValue::default();
    };
    let pairs = keys.into_iter().zip(numbers(load));
    KeyValue {
        pairs: pairs
            .map(|(key, number)| Pair::text(reader.words.t(key), number))
            .collect(),
    }
}

/// The numbers of a row, in the order of the charts.
fn numbers(load: &Load) -> [String; 10] {
    let none = || "–".to_owned();
    let rate = |bytes: u64| format!("{}/s", format::bytes(bytes));
    [
        format::percent(load.cpu_percent),
        format::percent(load.throttled_percent),
        format::bytes(load.memory_bytes),
        format::bytes(load.cache_bytes),
        match load.memory_limit_bytes {
            0 => none(),
            limit => format::bytes(limit),
        },
        load.received_bytes.map_or_else(none, rate),
        load.sent_bytes.map_or_else(none, rate),
        rate(load.read_bytes),
        rate(load.written_bytes),
        format::count(load.pids),
    ]
}

/// Memory in use as a part of its limit; of a gigabyte where there is none.
#[expect(clippy::cast_precision_loss, reason = "a picture of twenty pixels")]
fn share(load: &Load) -> f64 {
    let limit = match load.memory_limit_bytes {
        0 => 1 << 30,
        limit => limit,
    };
    load.memory_bytes as f64 / limit as f64
}

/// A line whose top is the highest value, but at least a hundredth: rest looks like rest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a picture of twenty pixels"
)]
fn points(values: impl Iterator<Item = f64>) -> String {
    let values: Vec<f32> = values.map(|value| value as f32).collect();
    let top = values.iter().copied().fold(1.0_f32, f32::max);
    format::spark(&values, top)
}
