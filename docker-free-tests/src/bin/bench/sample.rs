//! Times taken one after the other, and what is said about them.

use std::time::{Duration, Instant};

/// Durations of one thing done many times.
#[derive(Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    /// Does it once and keeps how long it took.
    pub(crate) fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let value = work();
        self.0.push(begin.elapsed());
        value
    }

    pub(crate) fn push(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// The duration that `percent` of the samples do not exceed, in milliseconds.
    pub(crate) fn percentile_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        let last = sorted.len().saturating_sub(1);
        let at = (sorted.len() * percent / 100).min(last);
        sorted
            .get(at)
            .map_or(f64::NAN, |duration| duration.as_secs_f64() * 1e3)
    }
}

/// Prints one figure.
pub(crate) fn line(what: &str, figure: &str) {
    println!("  {what:<46} {figure}");
}

/// Prints the median and the slowest hundredth of some samples.
pub(crate) fn times(what: &str, samples: &Samples) {
    let (median, slow) = (samples.percentile_ms(50), samples.percentile_ms(99));
    line(what, &format!("p50 {median:8.2} ms   p99 {slow:8.2} ms"));
}
