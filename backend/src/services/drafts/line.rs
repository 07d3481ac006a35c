//! The `docker run` line that says what the form says.

use super::Typed;
use super::row::{Kind, Row, join};
use super::rows::ALL;

/// Writes the line; fields with an error stand in it as they were typed.
pub fn equivalent(typed: &Typed) -> String {
    let begin = match typed.text("start") {
        "" => ["docker", "create"].as_slice(),
        _ => ["docker", "run", "-d"].as_slice(),
    };
    let mut line: Vec<String> = begin.iter().map(ToString::to_string).collect();
    let rows = ALL.iter().copied().flatten();
    for row in rows.filter(|row| !row.flag.long.is_empty()) {
        line.extend(flags(row, typed.text(row.field)));
    }
    line.push(match typed.text("image").trim() {
        "" => "IMAGE".to_owned(),
        image => image.to_owned(),
    });
    // Docker's flag takes one word; the others go before the command.
    line.extend(words(typed.text("entrypoint")).into_iter().skip(1));
    line.extend(words(typed.text("command")));
    join(&line)
}

/// A text whose quotes are not closed stands there as it is.
fn words(text: &str) -> Vec<String> {
    Kind::Command
        .items(text)
        .unwrap_or_else(|_| vec![text.to_owned()])
}

fn flags(row: &Row, text: &str) -> Vec<String> {
    let name = match row.flag.short {
        Some(letter) => format!("-{letter}"),
        None => format!("--{}", row.flag.long),
    };
    let items = match row.kind {
        Kind::Command => words(text).into_iter().take(1).collect(),
        kind => kind.items(text).unwrap_or_default(),
    };
    let mut flags = Vec::new();
    for item in items {
        flags.push(name.clone());
        flags.extend((row.said)(&item));
    }
    flags
}
