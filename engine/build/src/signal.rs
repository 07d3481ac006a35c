//! The names that a `STOPSIGNAL` may have.

const NAMES: [&str; 35] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV",
    "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CLD", "CONT", "STOP", "TSTP", "TTIN",
    "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "POLL", "PWR", "SYS", "UNUSED",
];

/// Whether it is a signal's number or name, with `SIG` in front or not.
pub(crate) fn is_known(text: &str) -> bool {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return text
            .parse::<u8>()
            .is_ok_and(|number| (1..=64).contains(&number));
    }
    let name = text.to_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let real_time = |prefix: &str, sign: char, most: u8| {
        let Some(rest) = name.strip_prefix(prefix) else {
            return false;
        };
        rest.is_empty()
            || rest
                .strip_prefix(sign)
                .and_then(|number| number.parse::<u8>().ok())
                .is_some_and(|number| (1..=most).contains(&number))
    };
    NAMES.contains(&name) || real_time("RTMIN", '+', 15) || real_time("RTMAX", '-', 14)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_known() {
        for fine in [
            "9",
            "15",
            "SIGTERM",
            "TERM",
            "sigquit",
            "RTMIN",
            "SIGRTMIN+3",
            "RTMAX-14",
            "64",
        ] {
            assert!(is_known(fine), "{fine}");
        }
        for wrong in [
            "",
            "0",
            "65",
            "-1",
            "SIG",
            "TERMINATE",
            "RTMIN+16",
            "RTMIN3",
            "9x",
        ] {
            assert!(!is_known(wrong), "{wrong}");
        }
    }
}
