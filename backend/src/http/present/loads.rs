//! What containers use, as the two small cells of a row.

use frontend::format;
use frontend::parts::LoadCell;

use super::Reader;
use crate::services::metrics::Load;

/// Returns the cells of one container: processor and memory, from its last minute.
pub fn cells(reader: &Reader, id: &str, minute: &[Load]) -> [LoadCell; 2] {
    let last = minute.last();
    let cpu = minute.iter().map(|load| load.cpu_percent);
    let memory = minute.iter().map(|load| share(load) * 100.0);
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

/// Returns a cell that has no number yet.
pub fn empty(reader: &Reader, kind: &str, id: &str) -> LoadCell {
    LoadCell {
        dom_id: format!("{kind}-{id}"),
        label: reader.words.t(kind),
        ..LoadCell::default()
    }
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
