//! The instruction `HEALTHCHECK`, as a Dockerfile writes it.
//!
//! `NONE`, or options and `CMD` with a JSON array or a line for the shell.

use serde_json::{Map, Value, json};

const NS_PER_SECOND: f64 = 1e9;
/// The shortest span that may be asked for: one millisecond.
const SPAN_MIN_NS: i64 = 1_000_000;

/// Reads what stands behind the instruction; the answer has Docker's names.
///
/// # Errors
/// Says what is malformed.
pub(crate) fn parse(text: &str) -> Result<Value, &'static str> {
    let mut health = Map::new();
    let mut rest = text.trim();
    while let Some(option) = rest.strip_prefix("--") {
        let (option, behind) = option
            .split_once(char::is_whitespace)
            .ok_or("it needs NONE or CMD")?;
        let (name, value) = option.split_once('=').ok_or("an option needs a value")?;
        let key = match name {
            "interval" => "Interval",
            "timeout" => "Timeout",
            "start-period" => "StartPeriod",
            "start-interval" => "StartInterval",
            "retries" => "Retries",
            _ => return Err("the option is unknown"),
        };
        let value = match key {
            "Retries" => retries(value)?,
            _ => span_ns(value)?,
        };
        if health.insert(key.to_owned(), json!(value)).is_some() {
            return Err("an option is given twice");
        }
        rest = behind.trim_start();
    }
    let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let command = command.trim();
    let test = match kind.to_ascii_uppercase().as_str() {
        "NONE" if command.is_empty() => vec!["NONE".to_owned()],
        "NONE" => return Err("NONE takes no arguments"),
        "CMD" if command.is_empty() => return Err("a command is missing behind CMD"),
        "CMD" => test(command)?,
        _ => return Err("it needs NONE or CMD"),
    };
    health.insert("Test".to_owned(), json!(test));
    Ok(Value::Object(health))
}

fn test(command: &str) -> Result<Vec<String>, &'static str> {
    if !command.starts_with('[') {
        return Ok(vec!["CMD-SHELL".to_owned(), command.to_owned()]);
    }
    let words: Vec<String> =
        serde_json::from_str(command).map_err(|_| "it is not a JSON array of strings")?;
    if words.is_empty() {
        return Err("a command is missing behind CMD");
    }
    Ok([vec!["CMD".to_owned()], words].concat())
}

fn retries(text: &str) -> Result<i64, &'static str> {
    let value = text.parse::<i32>().ok().filter(|value| *value >= 0);
    value
        .map(i64::from)
        .ok_or("--retries is a number from 0 on")
}

/// Reads a span as Go writes it, such as `1m30s` or `500ms`; zero is the default.
fn span_ns(text: &str) -> Result<i64, &'static str> {
    const MALFORMED: &str = "a span is written like 30s, 1m30s or 500ms";
    if text == "0" {
        return Ok(0);
    }
    let mut total_s = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let n_digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or(MALFORMED)?;
        let (number, behind) = rest.split_at(n_digits);
        let n_letters = behind
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(n_letters);
        let unit_s = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            _ => return Err(MALFORMED),
        };
        total_s += number.parse::<f64>().map_err(|_| MALFORMED)? * unit_s;
        rest = behind;
    }
    if text.is_empty() || total_s > 1e9 {
        return Err(MALFORMED);
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is below 2^60")]
    let span_ns = (total_s * NS_PER_SECOND).round() as i64;
    match span_ns {
        0 | SPAN_MIN_NS.. => Ok(span_ns),
        _ => Err("a span cannot be less than 1ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dockerfile_writes_is_read() {
        assert_eq!(parse("none"), Ok(json!({"Test": ["NONE"]})));
        assert_eq!(
            parse("CMD curl -f http://localhost/ || exit 1"),
            Ok(json!({"Test": ["CMD-SHELL", "curl -f http://localhost/ || exit 1"]}))
        );
        assert_eq!(
            parse(
                "--interval=1m30s --timeout=1.5s  --start-period=0 --start-interval=500ms \
                 --retries=4 CMD [\"/check\", \"a b\"]"
            ),
            Ok(json!({
                "Interval": 90_000_000_000_i64, "Timeout": 1_500_000_000, "StartPeriod": 0,
                "StartInterval": 500_000_000, "Retries": 4, "Test": ["CMD", "/check", "a b"]
            }))
        );
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in [
            "",
            "CMD",
            "CMD []",
            "CMD [1]",
            "NONE now",
            "RUN x",
            "--interval=30s",
            "--interval CMD x",
            "--interval=30 CMD x",
            "--interval=s CMD x",
            "--interval=1.2.3s CMD x",
            "--interval=-1s CMD x",
            "--interval=10us CMD x",
            "--interval=1e9h CMD x",
            "--interval=9999999999h CMD x",
            "--timeout=1s --timeout=2s CMD x",
            "--retries=-1 CMD x",
            "--often=1 CMD x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
