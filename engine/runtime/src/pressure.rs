//! Pressure: how much of the time processes of a group waited for what they lacked.
//!
//! Version 2 tells it, where the kernel is built and begun with it.

/// What processes waited for.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pressure {
    pub cpu: Option<Stalls>,
    pub memory: Option<Stalls>,
    pub io: Option<Stalls>,
}

/// Waiting for one thing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stalls {
    /// At least one process waited.
    pub some: Stall,
    /// All of them did; older kernels do not tell it of processors.
    pub full: Option<Stall>,
}

/// Shares of the time in hundredths, over the last seconds, and microseconds in all.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Stall {
    pub last_10_s: f64,
    pub last_60_s: f64,
    pub last_300_s: f64,
    pub total_us: u64,
}

impl Stalls {
    /// Reads `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` and the line `full` of the same form;
    /// `None` when there is nothing of that.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let line = |kind: &str| {
            let fields = text.lines().find_map(|line| line.strip_prefix(kind))?;
            Some(stall(fields))
        };
        Some(Self {
            some: line("some ")?,
            full: line("full "),
        })
    }
}

fn stall(fields: &str) -> Stall {
    let mut stall = Stall::default();
    for (key, value) in fields.split(' ').filter_map(|field| field.split_once('=')) {
        let share = || value.parse().unwrap_or(0.0);
        match key {
            "avg10" => stall.last_10_s = share(),
            "avg60" => stall.last_60_s = share(),
            "avg300" => stall.last_300_s = share(),
            "total" => stall.total_us = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    stall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_and_none() {
        let text = "some avg10=12.50 avg60=3.00 avg300=0.25 total=99\n\
                    full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        let stalls = Stalls::parse(text).expect("both are there");
        let some = stalls.some;
        let shares = [some.last_10_s, some.last_60_s, some.last_300_s];
        assert_eq!((shares, some.total_us), ([12.5, 3.0, 0.25], 99));
        assert_eq!(stalls.full.map(|full| full.total_us), Some(7));
        assert_eq!(Stalls::parse(""), None);
    }
}
