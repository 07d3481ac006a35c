//! Moments as Docker's clients write them, and spans of time in words.

use jiff::{SignedDuration, Timestamp};

const SECOND_NS: i64 = 1_000_000_000;

/// A text that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither epoch seconds, nor RFC 3339, nor a duration")]
pub(crate) struct InvalidMoment(String);

/// Reads a moment: epoch seconds with an optional fraction, RFC 3339, or an age such as `10m`.
///
/// # Errors
/// When it is none of these.
pub(crate) fn parse(text: &str, now_ns: i64) -> Result<i64, InvalidMoment> {
    let invalid = || InvalidMoment(text.to_owned());
    if let Some(ns) = epoch(text) {
        return Ok(ns);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return i64::try_from(timestamp.as_nanosecond()).map_err(|_| invalid());
    }
    if let Ok(age) = text.parse::<SignedDuration>() {
        let age_ns = i64::try_from(age.as_nanos()).map_err(|_| invalid())?;
        return now_ns.checked_sub(age_ns).ok_or_else(invalid);
    }
    Err(invalid())
}

/// `1700000000` or `1700000000.000000123`; of the fraction at most nine digits count.
fn epoch(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let seconds: i64 = seconds.parse().ok()?;
    let fraction_ns: i64 = format!("{fraction:0<9}").parse().ok()?;
    let sign = if text.starts_with('-') { -1 } else { 1 };
    seconds
        .checked_mul(SECOND_NS)?
        .checked_add(sign * fraction_ns)
}

/// Returns a span in words, as `docker ps` shows it: `3 minutes`, `About an hour`.
pub(crate) fn in_words(span_ns: i64) -> String {
    let seconds = span_ns.max(0) / SECOND_NS;
    let (minutes, hours) = (seconds / 60, (seconds + 1_800) / 3_600);
    match seconds {
        0 => "Less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        _ if minutes == 1 => "About a minute".to_owned(),
        _ if minutes < 60 => format!("{minutes} minutes"),
        _ if hours == 1 => "About an hour".to_owned(),
        _ if hours < 48 => format!("{hours} hours"),
        _ if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        _ if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        _ if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form() {
        let now = 1_700_000_000 * SECOND_NS;
        assert_eq!(parse("1700000000", now), Ok(now));
        assert_eq!(parse("1700000000.000000123", now), Ok(now + 123));
        assert_eq!(parse("1700000000.5", now), Ok(now + SECOND_NS / 2));
        assert_eq!(parse("2023-11-14T22:13:20Z", now), Ok(now));
        assert_eq!(parse("2023-11-14T22:13:20.000000001Z", now), Ok(now + 1));
        assert_eq!(parse("10m", now), Ok(now - 600 * SECOND_NS));
        for bad in ["", "yesterday", "1.2.3", "99999999999999999999", "1e5"] {
            assert!(parse(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn spans_read_as_in_dockers_list() {
        let words = |seconds: i64| in_words(seconds * SECOND_NS);
        assert_eq!(words(0), "Less than a second");
        assert_eq!(words(45), "45 seconds");
        assert_eq!(words(61), "About a minute");
        assert_eq!(words(300), "5 minutes");
        assert_eq!(words(3_600), "About an hour");
        assert_eq!(words(7_200), "2 hours");
        assert_eq!(words(3 * 86_400), "3 days");
    }
}
