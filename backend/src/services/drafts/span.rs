//! Spans of time as Docker writes them: `1m30s`, `500ms`.

use crate::domain::Rule;

/// Units by their nanoseconds, the longest first; none is the beginning of one before it.
const UNITS: &[(&str, i64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
];

/// The shortest span that an engine takes: one millisecond.
const LEAST: i64 = 1_000_000;

/// Reads a span as nanoseconds.
pub(super) fn parse_span(text: &str) -> Result<i64, Rule> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(Rule::Span);
    }
    let mut total: i64 = 0;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(Rule::Span)?;
        let (number, after) = rest.split_at(end);
        let (unit, nanoseconds) = UNITS
            .iter()
            .find(|(unit, _)| after.starts_with(unit))
            .ok_or(Rule::Span)?;
        total = part(number, *nanoseconds)
            .and_then(|part| total.checked_add(part))
            .ok_or(Rule::Span)?;
        rest = &after[unit.len()..];
    }
    if total < LEAST {
        return Err(Rule::Span);
    }
    Ok(total)
}

/// A number with a fraction, in a unit.
fn part(number: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = !(whole.is_empty() && fraction.is_empty()) && fraction.len() <= 9;
    if !is_number || fraction.contains('.') {
        return None;
    }
    let read = |digits: &str| match digits {
        "" => Some(0),
        digits => digits.parse::<i128>().ok(),
    };
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let unit = i128::from(unit);
    let whole = read(whole)?.checked_mul(unit)?;
    i64::try_from(whole + read(fraction)? * unit / scale).ok()
}

/// Writes nanoseconds as [`parse_span`] reads them, exactly.
pub(super) fn format_span(nanoseconds: i64) -> String {
    let mut rest = nanoseconds;
    let mut text = String::new();
    for unit in ["h", "m", "s", "ms", "us", "ns"] {
        let size = UNITS.iter().find(|(name, _)| *name == unit);
        let size = size.map_or(1, |(_, size)| *size);
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_exactly() {
        for (text, nanoseconds) in [
            ("30s", 30_000_000_000),
            ("1m30s", 90_000_000_000),
            ("500ms", 500_000_000),
            ("1h1ms", 3_600_001_000_000),
            ("1ms1us1ns", 1_001_001),
        ] {
            assert_eq!(parse_span(text), Ok(nanoseconds), "{text}");
            assert_eq!(format_span(nanoseconds), text);
        }
        assert_eq!(parse_span("1.5s"), Ok(1_500_000_000));
        for text in [
            "",
            "30",
            "s",
            "1x",
            "-1s",
            "0s",
            "1us",
            "1.2.3s",
            "99999999999h",
        ] {
            assert_eq!(parse_span(text), Err(Rule::Span), "{text}");
        }
    }
}
