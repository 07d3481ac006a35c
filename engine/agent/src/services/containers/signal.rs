//! Signals by name or number, as `kill` and images write them.

use nix::sys::signal::Signal;

use crate::services::error::{Result, ServiceError};

/// The first real-time signal that a C library leaves to programs.
const RTMIN: i32 = 34;
const RTMAX: i32 = 64;

pub(crate) const KILL: i32 = Signal::SIGKILL as i32;
pub(crate) const TERM: i32 = Signal::SIGTERM as i32;
pub(crate) const HANG_UP: i32 = Signal::SIGHUP as i32;

/// Reads `TERM`, `SIGTERM`, `15`, `RTMIN+3`.
///
/// # Errors
/// When there is no such signal.
pub(crate) fn parse(text: &str) -> Result<i32> {
    let name = text.trim().to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    number(name).ok_or_else(|| ServiceError::BadRequest(format!("invalid signal: {text}")))
}

fn number(name: &str) -> Option<i32> {
    if let Ok(number) = name.parse::<i32>() {
        return (1..=RTMAX).contains(&number).then_some(number);
    }
    let real_time = match name {
        "RTMIN" => Some(RTMIN),
        "RTMAX" => Some(RTMAX),
        _ => name
            .strip_prefix("RTMIN+")
            .and_then(|n| RTMIN.checked_add(n.parse().ok()?))
            .or_else(|| {
                name.strip_prefix("RTMAX-")
                    .and_then(|n| RTMAX.checked_sub(n.parse().ok()?))
            }),
    };
    if let Some(number) = real_time {
        return (RTMIN..=RTMAX).contains(&number).then_some(number);
    }
    format!("SIG{name}")
        .parse::<Signal>()
        .ok()
        .map(|signal| signal as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read() {
        for (text, number) in [
            ("TERM", 15),
            ("SIGTERM", 15),
            ("sigkill", 9),
            ("9", 9),
            ("USR1", 10),
            ("RTMIN+3", 37),
            ("SIGRTMAX-1", 63),
        ] {
            assert_eq!(parse(text).ok(), Some(number), "{text}");
        }
        for bad in [
            "",
            "0",
            "65",
            "-1",
            "NOPE",
            "RTMIN+99",
            "RTMIN+-1",
            "RTMIN+2147483647",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
