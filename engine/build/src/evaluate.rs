//! From an instruction with words to an action with texts: variables replaced, values checked. What
//! a scope adds, the values of arguments and the environment of a command, is not here.

use std::collections::BTreeSet;

use crate::action::{Action, Origin, Port, Protocol, Run, Script};
use crate::dockerfile::{
    Argument, Budget, Command, Heredoc, Instruction, Reading, Word, WrittenRun, expand,
    is_one_heredoc,
};
use crate::error::{Fault, Rule, Span};
use crate::mounts;
use crate::signal;
use crate::transfers::{add, copy};

/// What is wrong, before its place is known.
pub(crate) struct Problem {
    pub(crate) rule: Rule,
    pub(crate) message: String,
    /// Its own place, if it has one.
    pub(crate) span: Option<Span>,
}

impl Problem {
    pub(crate) fn new(rule: Rule, message: impl Into<String>) -> Problem {
        Problem {
            rule,
            message: message.into(),
            span: None,
        }
    }

    pub(crate) fn at(self, span: Span) -> Fault {
        Fault::new(self.span.unwrap_or(span), self.rule, self.message)
    }
}

/// Replaces variables by what is known here.
pub(crate) struct Words<'a, 'b> {
    pub(crate) lookup: &'a dyn Fn(&str) -> Option<&'a str>,
    pub(crate) escape: char,
    pub(crate) budget: &'b mut Budget,
}

impl Words<'_, '_> {
    pub(crate) fn word(&mut self, word: &Word) -> Result<String, Problem> {
        self.read(&word.0, self.escape, false)
    }

    pub(crate) fn heredoc(&mut self, heredoc: &Heredoc) -> Result<String, Problem> {
        let text = heredoc.text();
        if heredoc.expands {
            // Its escape is the backslash, whatever the file's is.
            return self.read(&text, '\\', true);
        }
        Ok(text)
    }

    fn read(&mut self, text: &str, escape: char, keeps_quotes: bool) -> Result<String, Problem> {
        let reading = Reading {
            lookup: self.lookup,
            escape,
            keeps_quotes,
            checks_only: false,
        };
        expand(text, reading, self.budget).map_err(|wrong| unreadable(text, &wrong))
    }

    pub(crate) fn words(&mut self, words: &[Word]) -> Result<Vec<String>, Problem> {
        words.iter().map(|word| self.word(word)).collect()
    }
}

/// Docker's words, with as much of the text as fits on a line.
pub(crate) fn unreadable(text: &str, wrong: &str) -> Problem {
    let shown: String = text.chars().take(200).collect();
    Problem::new(
        Rule::Variable,
        format!("failed to process {shown:?}: {wrong}"),
    )
}

/// Which origin a `--from` names.
pub(crate) type Origins<'a> = &'a dyn Fn(&str) -> Result<Origin, Problem>;

/// The action of an instruction.
pub(crate) fn act(
    instruction: &Instruction,
    words: &mut Words<'_, '_>,
    origins: Origins<'_>,
) -> Result<Action, Problem> {
    Ok(match instruction {
        Instruction::Add(transfer) => Action::Add(add(transfer, words)?),
        Instruction::Arg(arguments) => Action::Arg(defaults(arguments, words)?),
        Instruction::Cmd(command) => Action::Cmd(command.clone()),
        Instruction::Copy(transfer) => Action::Copy(copy(transfer, words, origins)?),
        Instruction::Entrypoint(command) => Action::Entrypoint(command.clone()),
        Instruction::Env(written) => Action::Env(variables(written, words)?),
        Instruction::Expose(ports) => Action::Expose(expose(ports, words)?),
        Instruction::Healthcheck(check) => Action::Healthcheck(check.clone()),
        Instruction::Label(labels) => Action::Label(pairs("LABEL", labels, words)?),
        Instruction::Maintainer(text) => Action::Maintainer(text.clone()),
        Instruction::Onbuild(text) => Action::Onbuild(text.clone()),
        Instruction::Run(run) => Action::Run(command(run, words, origins)?),
        Instruction::Shell(shell) => Action::Shell(shell.clone()),
        Instruction::Stopsignal(word) => Action::Stopsignal(stopsignal(word, words)?),
        Instruction::User(word) => Action::User(words.word(word)?),
        Instruction::Volume(volumes) => Action::Volume(paths(volumes, words)?),
        Instruction::Workdir(word) => Action::Workdir(workdir(word, words)?),
    })
}

/// The values that arguments have by themselves.
fn defaults(
    arguments: &[Argument],
    words: &mut Words<'_, '_>,
) -> Result<Vec<(String, Option<String>)>, Problem> {
    arguments
        .iter()
        .map(|argument| {
            let default = argument.default.as_ref();
            let value = default.map(|word| words.word(word)).transpose()?;
            Ok((argument.name.clone(), value))
        })
        .collect()
}

fn variables(
    written: &[(Word, Word)],
    words: &mut Words<'_, '_>,
) -> Result<Vec<(String, String)>, Problem> {
    let pairs = pairs("ENV", written, words)?;
    for (name, value) in &pairs {
        if name.contains(['=', '\0']) {
            let message = format!("ENV: {name:?} is no name of a variable");
            return Err(Problem::new(Rule::Arguments, message));
        }
        if value.contains('\0') {
            let message = format!("ENV: the value of {name} has a NUL byte");
            return Err(Problem::new(Rule::Arguments, message));
        }
    }
    Ok(pairs)
}

fn pairs(
    keyword: &str,
    pairs: &[(Word, Word)],
    words: &mut Words<'_, '_>,
) -> Result<Vec<(String, String)>, Problem> {
    pairs
        .iter()
        .map(|(name, value)| {
            let name = words.word(name)?;
            if name.is_empty() {
                let message = format!("{keyword} names can not be blank");
                return Err(Problem::new(Rule::Arguments, message));
            }
            Ok((name, words.word(value)?))
        })
        .collect()
}

fn expose(ports: &[Word], words: &mut Words<'_, '_>) -> Result<Vec<Port>, Problem> {
    let mut exposed = BTreeSet::new();
    for word in ports {
        for text in words.word(word)?.split_whitespace() {
            let (low, high, protocol) = range(text).ok_or_else(|| {
                Problem::new(Rule::Arguments, format!("invalid containerPort: {text}"))
            })?;
            let ports = (low..=high).map(|number| Port { number, protocol });
            words
                .budget
                .spend(ports.len() * size_of::<Port>())
                .map_err(|wrong| {
                    Problem::new(Rule::Arguments, format!("EXPOSE {text}: {wrong}"))
                })?;
            exposed.extend(ports);
        }
    }
    Ok(exposed.into_iter().collect())
}

/// `80`, `80/udp`, `8000-8010/tcp`; a port of the host before it is left out, as Docker does.
fn range(text: &str) -> Option<(u16, u16, Protocol)> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let ports = ports.rsplit(':').next().unwrap_or(ports);
    let protocol = match protocol.to_lowercase().as_str() {
        "" | "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "sctp" => Protocol::Sctp,
        _ => return None,
    };
    let (low, high) = ports.split_once('-').unwrap_or((ports, ports));
    let port = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| plain)
    };
    let (low, high) = (port(low)?, port(high)?);
    (low <= high).then_some((low, high, protocol))
}

fn stopsignal(word: &Word, words: &mut Words<'_, '_>) -> Result<String, Problem> {
    let signal = words.word(word)?;
    if signal::is_known(&signal) {
        return Ok(signal);
    }
    Err(Problem::new(
        Rule::Arguments,
        format!("Invalid signal: {signal}"),
    ))
}

fn paths(volumes: &[Word], words: &mut Words<'_, '_>) -> Result<Vec<String>, Problem> {
    let mut paths = words.words(volumes)?;
    for path in &mut paths {
        *path = path.trim().to_owned();
        if path.is_empty() {
            let message = "VOLUME specified can not be an empty string";
            return Err(Problem::new(Rule::Arguments, message));
        }
    }
    Ok(paths)
}

fn workdir(word: &Word, words: &mut Words<'_, '_>) -> Result<String, Problem> {
    let path = words.word(word)?;
    // Nothing stays where it is, as with Docker.
    Ok(if path.is_empty() {
        ".".to_owned()
    } else {
        path
    })
}

/// A single document is the command itself; several, or one beside other words, are the shell's.
fn command(
    run: &WrittenRun,
    words: &mut Words<'_, '_>,
    origins: Origins<'_>,
) -> Result<Run, Problem> {
    let mut done = Run {
        command: run.command.clone(),
        script: None,
        mounts: Vec::new(),
        network: run.network,
        environment: Vec::new(),
        arguments: Vec::new(),
    };
    for mount in &run.mounts {
        let mount =
            mounts::evaluate(mount, words, origins, &done.mounts).map_err(|problem| Problem {
                span: problem.span.or(Some(mount.span)),
                ..problem
            })?;
        done.mounts.push(mount);
    }
    let (Command::Shell(text), [first, ..]) = (&run.command, run.heredocs.as_slice()) else {
        return Ok(done);
    };
    if !is_one_heredoc(text) {
        let mut whole = text.clone();
        for heredoc in &run.heredocs {
            whole.push('\n');
            whole.push_str(&heredoc.content);
            whole.push_str(&heredoc.name);
        }
        done.command = Command::Shell(whole);
        return Ok(done);
    }
    let content = first.text();
    if content.starts_with("#!") {
        let script = Script {
            name: file_name(&first.name)?,
            content,
        };
        done.command = Command::Shell(script.path());
        done.script = Some(script);
    } else {
        done.command = Command::Shell(content);
    }
    Ok(done)
}

/// The name of a document that becomes a file.
pub(crate) fn file_name(name: &str) -> Result<String, Problem> {
    if matches!(name, "." | "..") || name.contains('/') {
        let message = format!("the here-document {name:?} becomes a file and needs a file's name");
        return Err(Problem::new(Rule::Arguments, message));
    }
    Ok(name.to_owned())
}
