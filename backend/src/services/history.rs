//! History: what a container used in its last hour.
//!
//! ```text
//! watched   ─ a second each ─→ recent ─ every tenth ─→ older
//! unwatched ─ a minute each ─────────────────────────→ minutes
//! ```
//!
//! Seconds go before minutes: a minute in which somebody watched has no row of its own. What nobody
//! looks at any more is thinned to a row a minute, so that it costs as little as what was never
//! looked at.

use std::collections::VecDeque;

use super::load::Load;

/// Samples that are kept as they came.
const RECENT: usize = 300;
/// Of what is older every tenth is kept, up to an hour.
const OLDER: usize = 330;
const OLDER_EVERY: u32 = 10;
/// Rows of a minute.
const MINUTES: usize = 60;
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// What one container used lately.
#[derive(Debug, Default)]
pub(super) struct History {
    recent: VecDeque<Load>,
    older: VecDeque<Load>,
    minutes: VecDeque<Load>,
    n_aged: u32,
}

impl History {
    /// Adds a second.
    pub(super) fn push(&mut self, load: Load) {
        self.recent.push_back(load);
        if self.recent.len() <= RECENT {
            return;
        }
        let Some(aged) = self.recent.pop_front() else {
            return;
        };
        if self.n_aged.is_multiple_of(OLDER_EVERY) {
            self.older.push_back(aged);
            if self.older.len() > OLDER {
                self.older.pop_front();
            }
        }
        self.n_aged = self.n_aged.wrapping_add(1);
    }

    /// Adds a minute, unless there are seconds of it.
    pub(super) fn push_minute(&mut self, load: Load) {
        let last = self.recent.back().map_or(i64::MIN, |last| last.at_ms);
        if last.saturating_add(MINUTE_MS / 2) > load.at_ms {
            return;
        }
        self.minutes.push_back(load);
        if self.minutes.len() > MINUTES {
            self.minutes.pop_front();
        }
    }

    /// Keeps a row a minute of everything.
    pub(super) fn thin(&mut self) {
        if self.recent.is_empty() {
            return;
        }
        let rows = self.by_minute();
        let skip = rows.len().saturating_sub(MINUTES);
        *self = Self {
            minutes: rows.into_iter().skip(skip).collect(),
            ..Self::default()
        };
    }

    /// Returns the last hour, the oldest first.
    pub(super) fn all(&self) -> Vec<Load> {
        let mut all: Vec<_> = self
            .minutes
            .iter()
            .chain(&self.older)
            .chain(&self.recent)
            .cloned()
            .collect();
        all.sort_by_key(|load| load.at_ms);
        let newest = all.last().map_or(0, |load| load.at_ms);
        all.retain(|load| load.at_ms > newest - HOUR_MS);
        all
    }

    /// Returns the last hour with one row a minute, the oldest first.
    pub(super) fn by_minute(&self) -> Vec<Load> {
        let mut rows: Vec<Load> = Vec::new();
        for load in self.all() {
            let minute = load.at_ms.div_euclid(MINUTE_MS);
            match rows.last_mut() {
                Some(last) if last.at_ms.div_euclid(MINUTE_MS) == minute => *last = load,
                _ => rows.push(load),
            }
        }
        rows
    }

    /// Returns the last `n` rows, seconds or minutes, the oldest first.
    pub(super) fn last(&self, n: usize) -> Vec<Load> {
        if self.recent.len() >= n {
            let skip = self.recent.len() - n;
            return self.recent.iter().skip(skip).cloned().collect();
        }
        let mut all = self.all();
        all.split_off(all.len().saturating_sub(n))
    }

    /// Returns the newest row.
    pub(super) fn newest(&self) -> Option<&Load> {
        let both = [self.recent.back(), self.minutes.back()];
        both.into_iter().flatten().max_by_key(|load| load.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Load {
        Load {
            at_ms: second * 1_000,
            ..Load::default()
        }
    }

    #[test]
    fn the_history_of_an_hour_stays_small() {
        let mut history = History::default();
        for second in 0..4_000 {
            history.push(at(second));
        }
        let all = history.all();
        assert_eq!(all.len(), 630);
        assert!(all.is_sorted_by_key(|load| load.at_ms));
        assert_eq!((all[0].at_ms, all[629].at_ms), (400_000, 3_999_000));
        assert_eq!(history.last(60).len(), 60);
        assert_eq!(history.last(60)[0].at_ms, 3_940_000);
    }

    #[test]
    fn an_hour_that_nobody_watched_is_sixty_rows() {
        let mut history = History::default();
        for minute in 0..200 {
            history.push_minute(at(minute * 60));
        }
        let all = history.all();
        assert_eq!(all.len(), 60);
        assert_eq!(all[59].at_ms, 199 * 60_000);
        assert_eq!(history.newest().unwrap().at_ms, 199 * 60_000);
        assert_eq!(history.last(10).len(), 10);
    }

    #[test]
    fn seconds_go_before_the_minute_they_are_in() {
        let mut history = History::default();
        history.push_minute(at(0));
        history.push_minute(at(60));
        for second in 70..100 {
            history.push(at(second));
        }
        history.push_minute(at(120));
        history.push_minute(at(180));
        let times: Vec<_> = history
            .all()
            .iter()
            .map(|load| load.at_ms / 1_000)
            .collect();
        assert_eq!(times.len(), 33);
        assert_eq!((times[1], times[2], times[32]), (60, 70, 180));
        assert!(times.is_sorted() && !times.contains(&120));
    }

    #[test]
    fn what_is_older_than_an_hour_is_not_shown_though_little_came_since() {
        let mut history = History::default();
        history.push_minute(at(0));
        history.push_minute(at(7_200));
        assert_eq!(history.all().len(), 1);
    }

    #[test]
    fn seconds_that_nobody_looks_at_become_minutes() {
        let mut history = History::default();
        for second in 0..1_200 {
            history.push(at(second));
        }
        history.thin();
        let all = history.all();
        assert!(all.len() <= 21, "{}", all.len());
        assert_eq!(all.last().unwrap().at_ms, 1_199_000);
        history.push_minute(at(1_260));
        assert_eq!(history.newest().unwrap().at_ms, 1_260_000);
    }
}
