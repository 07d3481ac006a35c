//! Reading `table.txt`.

use std::sync::LazyLock;

use engine_sys::capability::{Capability, CapabilitySet};

/// One call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) name: &'static str,
    /// Its number on each architecture, in the order of [`Architecture`].
    numbers: [Option<u32>; 5],
    pub(super) decision: Decision,
}

/// An architecture of the table, in the order of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Architecture {
    X86_64,
    /// 32-bit pointers on x86_64: the same architecture to the filter, numbers with bit 30.
    X32,
    I386,
    Arm64,
    Arm,
}

/// When a call is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Always,
    Never,
    /// With any one of these capabilities.
    With(CapabilitySet),
    SocketFamily,
    Personality,
    Clone,
    Clone3,
}

impl Row {
    pub(super) fn number(&self, architecture: Architecture) -> Option<u32> {
        self.numbers[architecture as usize]
    }
}

/// Returns the table, read once.
pub(super) fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
        let lines = include_str!("table.txt").lines();
        lines
            .filter(|line| !line.starts_with('#'))
            .map(row)
            .collect()
    });
    &ROWS
}

/// Reads one line. The table is part of the program: a damaged line is a bug that each test meets.
fn row(line: &'static str) -> Row {
    let mut fields = line.split_whitespace();
    let mut field = || fields.next().expect("a line of the table has seven fields");
    let name = field();
    let numbers = [(); 5].map(|()| match field() {
        "-" => None,
        digits => Some(digits.parse().expect("a number of the table has digits")),
    });
    Row {
        name,
        numbers,
        decision: decision(field()),
    }
}

fn decision(word: &str) -> Decision {
    match word {
        "always" => Decision::Always,
        "never" => Decision::Never,
        "socket" => Decision::SocketFamily,
        "personality" => Decision::Personality,
        "clone" => Decision::Clone,
        "clone3" => Decision::Clone3,
        names => {
            let parse = |name: &str| name.parse::<Capability>();
            let set = names.split('|').map(parse).collect::<Result<_, _>>();
            Decision::With(set.expect("a decision of the table names capabilities"))
        }
    }
}
