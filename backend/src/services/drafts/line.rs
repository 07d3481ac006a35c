//! The `docker run` line that says what the form says.

use super::Typed;
use super::flags::{FLAGS, Flag, Target};
use super::paste::join;
use super::typed::{is_on, lines, pairs, words};

/// Writes the line; fields with an error stand in it as they were typed.
pub fn equivalent(typed: &Typed) -> String {
    let mut asked = typed.clone();
    let mut line = vec!["docker".to_owned(), "run".to_owned(), "-d".to_owned()];
    for flag in FLAGS {
        write(flag, &mut asked, &mut line);
    }
    // Docker's flag takes one word; the others go before the command.
    let entrypoint = shlex::split(&typed.entrypoint).unwrap_or_default();
    let image = if typed.image.is_empty() {
        "IMAGE".to_owned()
    } else {
        typed.image.clone()
    };
    line.push(image);
    line.extend(entrypoint.into_iter().skip(1));
    let command = shlex::split(&typed.command);
    line.extend(command.unwrap_or_else(|| vec![typed.command.clone()]));
    join(&line)
}

fn write(flag: &Flag, asked: &mut Typed, line: &mut Vec<String>) {
    let name = flag
        .short
        .map_or_else(|| format!("--{}", flag.long), |letter| format!("-{letter}"));
    let mut add = |value: &str| line.extend([name.clone(), value.to_owned()]);
    match flag.target {
        Target::Field(_) if flag.long == "entrypoint" => {
            if let Some(first) =
                shlex::split(&asked.entrypoint).and_then(|all| all.into_iter().next())
            {
                add(&first);
            }
        }
        Target::Field(field) if !field(asked).trim().is_empty() => add(field(asked).trim()),
        Target::Line(field) => lines(field(asked)).for_each(add),
        Target::Word(field) => words(field(asked)).for_each(add),
        Target::Switch(field) if is_on(field(asked)) => line.push(name),
        Target::Special => special(flag.long, asked)
            .iter()
            .for_each(|value| add(value)),
        _ => {}
    }
}

fn special(name: &str, asked: &Typed) -> Vec<String> {
    let option = |key: &str, value: &str| {
        (!value.trim().is_empty())
            .then(|| format!("{key}={}", value.trim()))
            .into_iter()
            .collect()
    };
    match name {
        "network" if !asked.network.is_empty() => vec![asked.network.clone()],
        "env" => pairs(&asked.environment).map(str::to_owned).collect(),
        "volume" => lines(&asked.mounts).map(str::to_owned).collect(),
        "security-opt" if is_on(&asked.no_new_privileges) => vec!["no-new-privileges".to_owned()],
        "log-opt" => {
            let mut options: Vec<String> = option("max-size", &asked.log_max_size);
            options.extend(option("max-file", &asked.log_max_files));
            options
        }
        _ => Vec::new(),
    }
}
