//! Numbers and times as people read them. Plain functions of their arguments.

use crate::words::Words;

/// Writes a byte count with binary units: `12.4 MiB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut whole = count;
    let mut tenths = 0;
    let mut unit = 0;
    while whole >= 1024 && unit + 1 < UNITS.len() {
        tenths = (whole % 1024) * 10 / 1024;
        whole /= 1024;
        unit += 1;
    }
    if unit == 0 || whole >= 100 {
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{tenths} {}", UNITS[unit])
    }
}

/// Writes per cent with one digit below ten, none from a hundred on.
pub fn percent(value: f64) -> String {
    if value >= 99.95 {
        format!("{value:.0} %")
    } else {
        format!("{value:.1} %")
    }
}

/// Writes a count with thin groups: `12 345`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Writes how long something took or has lasted, in its largest unit: `3 days`, `45 seconds`.
pub fn duration(words: Words, seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    match seconds {
        0..60 => words.n("seconds", seconds),
        60..3_600 => words.n("minutes", seconds / 60),
        3_600..86_400 => words.n("hours", seconds / 3_600),
        86_400..5_184_000 => words.n("days", seconds / 86_400),
        5_184_000..63_072_000 => words.n("months", seconds / 2_592_000),
        _ => words.n("years", seconds / 31_536_000),
    }
}

/// Writes how long ago something was: `3 days ago`, `just now`.
pub fn ago(words: Words, seconds: i64) -> String {
    if seconds < 5 {
        return words.t("just-now");
    }
    words.with("ago", &[("duration", &duration(words, seconds))])
}

/// Shortens an id to what people compare, without its algorithm.
pub fn short_id(id: &str) -> &str {
    let hex = id.strip_prefix("sha256:").unwrap_or(id);
    hex.get(..12).unwrap_or(hex)
}

/// Returns the points of a sparkline of 60 values in a box of 60 × 20, newest at the right.
pub fn spark(values: &[f32], ceiling: f32) -> String {
    let ceiling = if ceiling > 0.0 { ceiling } else { 1.0 };
    let values = &values[values.len().saturating_sub(60)..];
    let start = 60 - values.len();
    let mut points = String::with_capacity(values.len() * 8);
    for (index, value) in values.iter().enumerate() {
        let y = 19.0 - (value / ceiling).clamp(0.0, 1.0) * 18.0;
        if index > 0 {
            points.push(' ');
        }
        points.push_str(&format!("{},{y:.1}", start + index));
    }
    points
}

/// A moment, once for people and once for machines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// What is shown: usually an age.
    pub text: String,
    /// RFC 3339, for `datetime` and as the tooltip; empty when unknown.
    pub exact: String,
}

impl Moment {
    /// A moment some time before `now`, shown as its age.
    pub fn past(words: Words, at: jiff::Timestamp, now: jiff::Timestamp) -> Moment {
        let seconds = now.as_second().saturating_sub(at.as_second());
        Moment {
            text: ago(words, seconds),
            exact: exact(at),
        }
    }

    /// A moment shown as its date and time, in UTC; the browser turns it into local time.
    pub fn stamp(at: jiff::Timestamp) -> Moment {
        Moment {
            text: at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            exact: exact(at),
        }
    }
}

fn exact(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_keep_three_digits() {
        let check = |count, expected: &str| assert_eq!(bytes(count), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1.0 KiB");
        check(13_003_653, "12.4 MiB");
        check(512 << 20, "512 MiB");
        check(u64::MAX, "16383 PiB");
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
    }

    #[test]
    fn a_sparkline_ends_at_the_right_edge() {
        assert_eq!(spark(&[0.0, 1.0], 1.0), "58,19.0 59,1.0");
        assert_eq!(spark(&[], 1.0), "");
    }

    #[test]
    fn ids_are_short() {
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(short_id("abc"), "abc");
    }
}
