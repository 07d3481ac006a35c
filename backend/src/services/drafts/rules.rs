//! The rules of single values: each reads a text as it was typed, and names the rule it breaks.

use std::net::IpAddr;

use super::size::parse_size;
use crate::domain::Rule;

/// The least memory that an engine gives, as Docker's.
const LEAST_MEMORY: i64 = 6 << 20;
const MOST_NAME: usize = 128;
const MOST_HOSTNAME: usize = 63;

pub(super) fn image(text: &str) -> Result<String, Rule> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    let is_name =
        text.len() <= 512 && text.chars().all(allowed) && !text.starts_with(['-', '/', ':']);
    if is_name {
        Ok(text.to_owned())
    } else {
        Err(Rule::ImageName)
    }
}

/// A container's name.
pub(super) fn name(text: &str) -> Result<String, Rule> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if text.len() > MOST_NAME {
        return Err(Rule::TooLong { most: MOST_NAME });
    }
    let begins_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if text.len() < 2 {
        return Err(Rule::TooShort { least: 2 });
    }
    if begins_well && text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(Rule::Name)
    }
}

pub(super) fn environment(line: &str) -> Result<String, Rule> {
    match line.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() && !line.contains('\0') => Ok(line.to_owned()),
        // What the image or an older client left without a value.
        _ => Err(Rule::Environment),
    }
}

pub(super) fn absolute(text: &str) -> Result<String, Rule> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err(Rule::AbsolutePath)
    }
}

pub(super) fn word(text: &str) -> Result<String, Rule> {
    if text.contains(char::is_whitespace) {
        Err(Rule::Name)
    } else {
        Ok(text.to_owned())
    }
}

pub(super) fn hostname(text: &str) -> Result<String, Rule> {
    if text.len() > MOST_HOSTNAME {
        return Err(Rule::TooLong {
            most: MOST_HOSTNAME,
        });
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.chars().all(allowed) {
        Ok(text.to_owned())
    } else {
        Err(Rule::Name)
    }
}

/// One of a few words.
pub(super) fn choice(choices: &'static [&'static str]) -> impl Fn(&str) -> Result<String, Rule> {
    move |text| {
        let chosen = choices.iter().find(|choice| **choice == text);
        chosen.map(ToString::to_string).ok_or(Rule::Choice)
    }
}

/// One of a few words, or another container's.
pub(super) fn mode(choices: &'static [&'static str]) -> impl Fn(&str) -> Result<String, Rule> {
    move |text| match text.strip_prefix("container:") {
        Some(other) if !other.is_empty() => word(text),
        _ => choice(choices)(text),
    }
}

/// A network's name, `none`, `host`, or another container's.
pub(super) fn network(text: &str) -> Result<String, Rule> {
    match text.is_empty() {
        true => Err(Rule::Name),
        false => word(text),
    }
}

/// A word that the engine has for nothing asked for is the same as nothing.
pub(super) fn unless(
    usual: &'static str,
    rule: impl Fn(&str) -> Result<String, Rule>,
) -> impl Fn(&str) -> Result<String, Rule> {
    move |text| match text {
        text if text == usual => Ok(String::new()),
        text => rule(text),
    }
}

pub(super) fn address(text: &str) -> Result<String, Rule> {
    let parsed: Result<IpAddr, _> = text.parse();
    parsed.map(|_| text.to_owned()).map_err(|_| Rule::Address)
}

/// `name:address`; docker takes `name=address` too.
pub(super) fn extra_host(line: &str) -> Result<String, Rule> {
    let line = line.trim();
    let (host, at) = line
        .split_once(':')
        .or_else(|| line.split_once('='))
        .ok_or(Rule::Address)?;
    hostname(host)?;
    let at = at.trim_matches(['[', ']']);
    Ok(format!("{host}:{}", address(at)?))
}

pub(super) fn size(text: &str) -> Result<i64, Rule> {
    parse_size(text).ok_or(Rule::Size)
}

pub(super) fn memory(text: &str) -> Result<i64, Rule> {
    match size(text)? {
        bytes if bytes < LEAST_MEMORY => Err(Rule::Number {
            least: LEAST_MEMORY,
            most: i64::MAX,
        }),
        bytes => Ok(bytes),
    }
}

/// A size, or `-1` for no limit.
pub(super) fn size_or_unlimited(text: &str) -> Result<i64, Rule> {
    if text == "-1" { Ok(-1) } else { size(text) }
}

/// Processors as billionths of one, exact: `1.5` is 1,500,000,000.
pub(super) fn cpus(text: &str) -> Result<i64, Rule> {
    let broken = Rule::Number {
        least: 0,
        most: 4_096,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.len() > 9 || whole.len() > 4 || !digits(whole) || !digits(fraction) {
        return Err(broken);
    }
    let nano = format!("{whole}{fraction:0<9}")
        .parse()
        .map_err(|_| broken.clone())?;
    if (1..=4_096_000_000_000).contains(&nano) {
        Ok(nano)
    } else {
        Err(broken)
    }
}

/// Writes billionths of a processor as [`cpus`] reads them.
pub(super) fn format_cpus(nano: i64) -> String {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

pub(super) fn whole(text: &str, least: i64, most: i64) -> Result<i64, Rule> {
    let number = text
        .trim()
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number));
    number.ok_or(Rule::Number { least, most })
}

pub(super) fn capability(word: &str) -> Result<String, Rule> {
    let name = word.to_ascii_uppercase();
    let allowed = |c: char| c.is_ascii_uppercase() || c == '_';
    if name.chars().all(allowed) {
        Ok(name)
    } else {
        Err(Rule::Name)
    }
}

/// `name=value`; without a value it is empty.
pub(super) fn pair(line: &str) -> Result<(String, String), Rule> {
    let (key, value) = line.split_once('=').unwrap_or((line, ""));
    if key.trim().is_empty() {
        Err(Rule::Label)
    } else {
        Ok((key.to_owned(), value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_exact_in_both_directions() {
        for (text, nano) in [
            ("1.5", 1_500_000_000),
            ("0.001", 1_000_000),
            ("12", 12_000_000_000),
            ("0.000000001", 1),
        ] {
            assert_eq!(cpus(text), Ok(nano), "{text}");
            assert_eq!(format_cpus(nano), text);
        }
        assert_eq!(cpus(".5"), Ok(500_000_000));
    }

    #[test]
    fn a_host_is_written_with_a_colon_whatever_was_typed() {
        for text in ["db:10.0.0.2", "db=10.0.0.2"] {
            assert_eq!(extra_host(text), Ok("db:10.0.0.2".to_owned()));
        }
        assert_eq!(extra_host("db:[::1]"), Ok("db:::1".to_owned()));
        assert_eq!(extra_host("db:here"), Err(Rule::Address));
    }
}
