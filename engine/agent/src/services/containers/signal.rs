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

/// Names a signal: `SIGTERM`, `SIGRTMIN+3`.
pub(crate) fn name(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) if number >= RTMIN => format!("SIGRTMIN+{}", number - RTMIN),
        Err(_) => format!("signal {number}"),
    }
}

/// Tells whether a program that gets it is meant to end: what its own stop signal is, and what
/// people use to end things. Docker takes every signal for that, also one that only says "read
/// your settings again".
pub(crate) fn ends(number: i32, stop_signal: &str) -> bool {
    let ends = [
        Signal::SIGKILL,
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGABRT,
    ];
    ends.iter().any(|signal| *signal as i32 == number)
        || parse(stop_signal).is_ok_and(|stop| stop == number)
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
    fn numbers_have_names_and_some_of_them_end_a_program() {
        assert_eq!(
            [9, 37, 99].map(name),
            ["SIGKILL", "SIGRTMIN+3", "SIGRTMIN+65"]
        );
        assert!(ends(15, "") && ends(9, "") && ends(10, "USR1"));
        assert!(!ends(1, "") && !ends(28, "TERM"));
    }

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
