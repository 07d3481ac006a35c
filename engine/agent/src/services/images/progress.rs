//! What a client is told while it waits: Docker's lines, merged while nobody reads them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use engine_api::images::{Progress, ProgressDetail, ProgressError, PushResult};
use tokio::sync::Notify;

/// Columns of the bar that terminals show.
const BAR_COLUMNS: u8 = 50;

/// The lines that are still to be told.
///
/// Bounded by construction: a layer has a handful of states, and a line that only counts on
/// replaces the one before it that nobody has read yet.
#[derive(Debug, Default)]
pub(crate) struct Board {
    lines: Mutex<VecDeque<Progress>>,
    changed: Notify,
}

impl Board {
    /// Tells a state, of a layer or of the whole.
    pub(crate) fn status(&self, id: &str, status: impl Into<String>) {
        self.push(Progress {
            status: Some(status.into()),
            progress_detail: (!id.is_empty()).then(ProgressDetail::default),
            id: (!id.is_empty()).then(|| id.to_owned()),
            ..Progress::default()
        });
    }

    /// Tells that an image with this tag is pulled; the first line of every pull.
    pub(crate) fn title(&self, id: &str, status: String) {
        self.push(Progress {
            status: Some(status),
            id: Some(id.to_owned()),
            ..Progress::default()
        });
    }

    /// Tells how far a layer is.
    pub(crate) fn count(&self, id: &str, status: &str, current: u64, total: u64) {
        self.push(Progress {
            status: Some(status.to_owned()),
            progress_detail: Some(ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            progress: Some(bar(current, total)),
            id: Some(id.to_owned()),
            ..Progress::default()
        });
    }

    /// Tells what a pushed tag stands for now; the last line of its push.
    pub(crate) fn pushed(&self, result: PushResult) {
        self.push(Progress {
            progress_detail: Some(ProgressDetail::default()),
            aux: Some(result),
            ..Progress::default()
        });
    }

    /// Tells a sentence, as a load does.
    pub(crate) fn sentence(&self, text: String) {
        self.push(Progress {
            stream: Some(text),
            ..Progress::default()
        });
    }

    /// Tells that it failed, when the status has been sent already.
    pub(crate) fn failure(&self, message: String) {
        self.push(Progress {
            error_detail: Some(ProgressError {
                code: None,
                message: message.clone(),
            }),
            error: Some(message),
            ..Progress::default()
        });
    }

    /// Takes what is to be told now.
    pub(crate) fn take(&self) -> VecDeque<Progress> {
        std::mem::take(&mut *self.lines())
    }

    /// Waits until there is something to tell.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn push(&self, line: Progress) {
        let mut lines = self.lines();
        let counts = line.progress.is_some();
        let same = |told: &&mut Progress| {
            told.progress.is_some() && told.id == line.id && told.status == line.status
        };
        match lines.iter_mut().filter(|_| counts).find(same) {
            Some(told) => *told = line,
            None => lines.push_back(line),
        }
        drop(lines);
        self.changed.notify_one();
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<Progress>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Draws `[====>    ]  1.5MB/3MB`, as Docker's client does.
fn bar(current: u64, total: u64) -> String {
    let part = u128::from(current.min(total)) * u128::from(BAR_COLUMNS) / u128::from(total.max(1));
    let columns = usize::from(BAR_COLUMNS);
    let done = usize::try_from(part).unwrap_or(columns);
    let head = if done < columns { ">" } else { "" };
    let rest = columns - done - head.len();
    let (current, total) = (size(current), size(total));
    format!(
        "[{}{head}{}]  {current}/{total}",
        "=".repeat(done),
        " ".repeat(rest)
    )
}

/// Writes a size with four digits of meaning at most, in decimal units.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut unit, mut scale) = (0, 1_u64);
    while bytes / scale >= 1000 && unit + 1 < UNITS.len() {
        unit += 1;
        scale *= 1000;
    }
    let (whole, thousandths) = (bytes / scale, bytes % scale * 1000 / scale);
    let text = match whole {
        0..=9 => format!("{whole}.{thousandths:03}"),
        10..=99 => format!("{whole}.{:02}", thousandths / 10),
        _ => format!("{whole}.{}", thousandths / 100),
    };
    format!(
        "{}{}",
        text.trim_end_matches('0').trim_end_matches('.'),
        UNITS[unit]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_bars_are_drawn_as_docker_draws_them() {
        for (bytes, text) in [
            (0, "0B"),
            (999, "999B"),
            (1_000, "1kB"),
            (1_536, "1.536kB"),
            (12_340_000, "12.34MB"),
            (123_460_000, "123.4MB"),
            (u64::MAX, "18446744TB"),
        ] {
            assert!(
                size(bytes).starts_with(text.trim_end_matches("TB")),
                "{}",
                size(bytes)
            );
        }
        assert_eq!(bar(0, 10).chars().count(), 52 + "  0B/10B".len());
        assert!(bar(10, 10).starts_with(&format!("[{}]", "=".repeat(50))));
        assert!(bar(5, 0).contains("5B/0B"));
    }

    #[test]
    fn counts_that_nobody_read_are_merged_and_states_are_not() {
        let board = Board::default();
        board.status("a", "Pulling fs layer");
        for n in 0..1000 {
            board.count("a", "Downloading", n, 1000);
            board.count("b", "Downloading", n, 1000);
        }
        board.status("a", "Download complete");
        let lines = board.take();
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines[1].progress_detail.as_ref().unwrap().current,
            Some(999)
        );
        assert!(board.take().is_empty());
    }
}
