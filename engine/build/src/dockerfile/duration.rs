//! Durations as Go writes them: `1h2m3.5s`, `150ms`.

use std::time::Duration;

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The duration, or nothing where the text is none; a negative one is none.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total_ns: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, after) = after.split_at(unit_end.unwrap_or(after.len()));
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: u64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        total_ns = total_ns.checked_add(whole.checked_mul(*scale)?)?;
        let mut place_ns = *scale;
        for digit in fraction.bytes() {
            place_ns /= 10;
            total_ns = total_ns.checked_add(u64::from(digit.checked_sub(b'0')?) * place_ns)?;
        }
        rest = after;
    }
    // What Docker keeps is a signed number of nanoseconds.
    i64::try_from(total_ns).ok()?;
    Some(Duration::from_nanos(total_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, ms) in [
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("1.5s", 1_500),
            (".5s", 500),
            ("100ms", 100),
            ("2h", 7_200_000),
            ("0", 0),
            ("+1s", 1_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for wrong in [
            "",
            "5",
            "s",
            "-1s",
            "1x",
            "1.2.3s",
            ".s",
            "999999999999h",
            "1 s",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
