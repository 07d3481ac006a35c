//! Sizes as Docker writes them: `512m` is 512 MiB, with or without `b` or `ib`, decimals allowed.

const UNITS: &[(char, u32)] = &[('k', 10), ('m', 20), ('g', 30), ('t', 40), ('p', 50)];

/// Returns the bytes that a size means, or `None` when it is none.
pub fn parse_size(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_lowercase();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim() {
        "" | "b" => 0,
        unit => {
            let letter = unit
                .strip_suffix("ib")
                .or_else(|| unit.strip_suffix('b'))
                .unwrap_or(unit);
            UNITS.iter().find(|(name, _)| letter == name.to_string())?.1
        }
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    if !has_digits || whole.len() > 18 || fraction.len() > 9 {
        return None;
    }
    let whole: i128 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let parts: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
    let bytes = (whole << shift) + ((parts << shift) / scale);
    i64::try_from(bytes).ok()
}

/// Returns a size as Docker's command line takes it, in the largest unit that loses nothing.
pub fn format_size(bytes: i64) -> String {
    for (letter, shift) in UNITS.iter().rev() {
        let unit = 1_i64 << shift;
        if bytes != 0 && bytes % unit == 0 {
            return format!("{}{letter}", bytes / unit);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_mean_what_docker_means() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1024", Some(1024)),
            ("512m", Some(512 << 20)),
            ("512MB", Some(512 << 20)),
            ("1.5g", Some(3 << 29)),
            ("2 GiB", Some(2 << 30)),
            (".5k", Some(512)),
            ("", None),
            ("m", None),
            ("-1", None),
            ("12q", None),
            ("1.2.3m", None),
            ("9999999p", None),
        ] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
    }

    #[test]
    fn a_size_is_written_in_the_largest_unit_that_loses_nothing() {
        for (bytes, text) in [
            (512 << 20, "512m"),
            (3 << 29, "1536m"),
            (1000, "1000"),
            (0, "0"),
        ] {
            assert_eq!(format_size(bytes), text);
            assert_eq!(parse_size(text), Some(bytes));
        }
    }
}
