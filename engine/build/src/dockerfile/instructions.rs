//! One logical line to one instruction: which words it takes, in which form.

use std::time::Duration;

use crate::error::{Fault, Rule, Span};
use crate::suggest;

use super::flags::{Flags, Known, Takes};
use super::lexer::{self, Logical};
use super::syntax::{
    Argument, Command, Escape, From, Healthcheck, Heredoc, Instruction, RunNetwork, Word,
    WrittenRun, WrittenSource, WrittenTransfer,
};
use super::{duration, mounts, words};

/// Every instruction, for what was probably meant.
const NAMES: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

const ADD_FLAGS: &[Known] = &[
    ("chown", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Switch),
    ("keep-git-dir", Takes::Switch),
    ("checksum", Takes::Text),
    ("unpack", Takes::Switch),
    ("exclude", Takes::Texts),
];

const COPY_FLAGS: &[Known] = &[
    ("from", Takes::Text),
    ("chown", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Switch),
    ("parents", Takes::Switch),
    ("exclude", Takes::Texts),
];

const RUN_FLAGS: &[Known] = &[
    ("mount", Takes::Texts),
    ("network", Takes::Text),
    ("security", Takes::Text),
    ("device", Takes::Texts),
];

const HEALTHCHECK_FLAGS: &[Known] = &[
    ("interval", Takes::Text),
    ("timeout", Takes::Text),
    ("start-period", Takes::Text),
    ("start-interval", Takes::Text),
    ("retries", Takes::Text),
];

/// What a line is.
pub(super) enum Parsed {
    From(From),
    Other(Instruction),
}

/// Reads one line.
pub(super) fn parse(logical: &Logical, escape: Escape) -> Result<Parsed, Fault> {
    parse_at(logical, 0, escape)
}

/// The same for the instruction that begins at `start`: the trigger of an `ONBUILD` is one.
fn parse_at(logical: &Logical, start: usize, escape: Escape) -> Result<Parsed, Fault> {
    let written = words::keyword(&logical.text[start..]);
    let keyword = written.to_uppercase();
    let (flags, rest) = words::flags(&logical.text, start + written.len(), escape);
    let line = Line {
        logical,
        start,
        rest,
        flags: flags
            .into_iter()
            .map(|(at, text)| (logical.place(at), text))
            .collect(),
        keyword: &keyword,
        escape,
    };
    let instruction = match keyword.as_str() {
        "FROM" => return line.from().map(Parsed::From),
        "ADD" => Instruction::Add(line.transfer(ADD_FLAGS)?),
        "ARG" => Instruction::Arg(line.arguments()?),
        "CMD" => Instruction::Cmd(line.plain_command()?),
        "COPY" => Instruction::Copy(line.transfer(COPY_FLAGS)?),
        "ENTRYPOINT" => Instruction::Entrypoint(line.plain_command()?),
        "ENV" => Instruction::Env(line.pairs()?),
        "EXPOSE" => Instruction::Expose(line.some_words()?),
        "HEALTHCHECK" => Instruction::Healthcheck(line.healthcheck()?),
        "LABEL" => Instruction::Label(line.pairs()?),
        "MAINTAINER" => Instruction::Maintainer(line.text()?),
        "ONBUILD" => Instruction::Onbuild(line.trigger()?),
        "RUN" => Instruction::Run(line.run()?),
        "SHELL" => Instruction::Shell(line.shell()?),
        "STOPSIGNAL" => Instruction::Stopsignal(Word(line.text()?)),
        "USER" => Instruction::User(Word(line.text()?)),
        "VOLUME" => Instruction::Volume(line.volumes()?),
        "WORKDIR" => Instruction::Workdir(Word(line.text()?)),
        _ => {
            let message = format!("unknown instruction: {written}");
            let fault = Fault::new(logical.place(start), Rule::Instruction, message);
            return Err(fault.meaning(suggest::nearest(&keyword, NAMES)));
        }
    };
    Ok(Parsed::Other(instruction))
}

struct Line<'a> {
    logical: &'a Logical,
    /// Where the instruction begins in the joined text.
    start: usize,
    /// Where its words begin, behind the flags.
    rest: usize,
    flags: Vec<(Span, String)>,
    keyword: &'a str,
    escape: Escape,
}

impl Line<'_> {
    fn rest(&self) -> &str {
        &self.logical.text[self.rest..]
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(self.logical.place(self.start), Rule::Arguments, message)
    }

    fn fault_at(&self, offset: usize, message: impl Into<String>) -> Fault {
        Fault::new(self.logical.place(offset), Rule::Arguments, message)
    }

    fn flags(&self, known: &[Known]) -> Result<Flags, Fault> {
        Flags::parse(self.keyword, &self.flags, known)
    }

    fn at_least_one(&self) -> Fault {
        self.fault(format!("{} requires at least one argument", self.keyword))
    }

    /// `FROM [--platform=P] IMAGE [AS NAME]`.
    fn from(&self) -> Result<From, Fault> {
        let flags = self.flags(&[("platform", Takes::Text)])?;
        let words = words::plain(&self.logical.text, self.rest);
        let (image, name) = match words.as_slice() {
            [(_, image)] => (image, None),
            [(_, image), (at, as_word), name] => {
                if !as_word.eq_ignore_ascii_case("as") {
                    let message = "FROM requires either one or three arguments";
                    let meant = suggest::nearest(as_word, ["AS"]);
                    return Err(self.fault_at(*at, message).meaning(meant));
                }
                (image, Some(name))
            }
            _ => return Err(self.fault("FROM requires either one or three arguments")),
        };
        let name = name
            .map(|(at, name)| self.stage_name(*at, name))
            .transpose()?;
        Ok(From {
            platform: flags.text("platform").map(Word),
            image: Word((*image).to_owned()),
            name,
        })
    }

    fn stage_name(&self, at: usize, name: &str) -> Result<String, Fault> {
        let lower = name.to_lowercase();
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
        if !lower.starts_with(|c: char| c.is_ascii_lowercase()) || !lower.chars().all(fine) {
            let message = format!(
                "invalid name for build stage: \"{name}\", name can't start with a number or \
                 contain symbols"
            );
            return Err(Fault::new(self.logical.place(at), Rule::Stage, message));
        }
        Ok(lower)
    }

    fn run(&self) -> Result<WrittenRun, Fault> {
        let flags = self.flags(RUN_FLAGS)?;
        let network = match flags.get("network") {
            None | Some(("default", _)) => RunNetwork::Default,
            Some(("none", _)) => RunNetwork::None,
            Some(("host", _)) => RunNetwork::Host,
            Some((other, span)) => {
                let message = format!("invalid network mode \"{other}\"");
                let meant = suggest::nearest(other, ["default", "none", "host"]);
                return Err(Fault::new(span, Rule::Flag, message).meaning(meant));
            }
        };
        if let Some((_, span)) = flags.get("security").filter(|(mode, _)| *mode != "sandbox") {
            let message = "RUN --security is not supported: a build has the rights of a container";
            return Err(Fault::new(span, Rule::Refused, message));
        }
        if let Some((_, span)) = flags.get("device") {
            let message = "RUN --device is not supported: a build is given no devices";
            return Err(Fault::new(span, Rule::Refused, message));
        }
        let mounts = flags
            .all("mount")
            .map(|(text, span)| mounts::parse(text, span));
        Ok(WrittenRun {
            mounts: mounts.collect::<Result<_, _>>()?,
            network,
            command: self.command(self.rest)?,
            heredocs: self.logical.heredocs.clone(),
        })
    }

    /// A shell's text, or a JSON array of words.
    fn command(&self, at: usize) -> Result<Command, Fault> {
        let text = &self.logical.text[at..];
        match words::json(text) {
            words::Json::Strings(words) => Ok(Command::Exec(words)),
            words::Json::Mixed => Err(self.mixed(at)),
            words::Json::No if text.is_empty() => Err(self.at_least_one()),
            words::Json::No => Ok(Command::Shell(text.to_owned())),
        }
    }

    fn mixed(&self, at: usize) -> Fault {
        let message = "when using JSON array syntax, arrays must be comprised of strings only";
        self.fault_at(at, message)
    }

    fn plain_command(&self) -> Result<Command, Fault> {
        self.flags(&[])?;
        self.command(self.rest)
    }

    fn shell(&self) -> Result<Vec<String>, Fault> {
        self.flags(&[])?;
        match self.command(self.rest)? {
            Command::Exec(words) if words.is_empty() => Err(self.at_least_one()),
            Command::Exec(words) => Ok(words),
            Command::Shell(_) => {
                let message = format!(
                    "SHELL requires the arguments to be in JSON form: {}",
                    self.logical.text
                );
                Err(self.fault_at(self.rest, message))
            }
        }
    }

    /// The words of a JSON array, or those between spaces.
    fn list(&self) -> Result<Vec<words::Placed<String>>, Fault> {
        match words::json(self.rest()) {
            words::Json::Strings(words) => {
                Ok(words.into_iter().map(|word| (self.rest, word)).collect())
            }
            words::Json::Mixed => Err(self.mixed(self.rest)),
            words::Json::No => Ok(words::plain(&self.logical.text, self.rest)
                .into_iter()
                .map(|(at, word)| (at, word.to_owned()))
                .collect()),
        }
    }

    fn transfer(&self, known: &[Known]) -> Result<WrittenTransfer, Fault> {
        let flags = self.flags(known)?;
        let keyword = self.keyword;
        let mut words = self.list()?;
        let target = words.pop().filter(|_| !words.is_empty());
        let Some((at, target)) = target else {
            return Err(self.fault(format!(
                "{keyword} requires at least two arguments, but only one was provided. \
                 Destination could not be determined"
            )));
        };
        if !self.logical.heredocs.is_empty() && lexer::heredoc(&target).is_some() {
            let message = format!("{keyword} cannot accept a heredoc as a destination");
            return Err(self.fault_at(at, message));
        }
        if let Some((from, span)) = flags.get("from").filter(|(from, _)| from.contains('$')) {
            let message = format!(
                "variable expansion is not supported for --from={from}, define a new stage with \
                 FROM using ARG from global scope as a workaround"
            );
            return Err(Fault::new(span, Rule::Variable, message));
        }
        let word = |name| flags.text(name).map(Word);
        Ok(WrittenTransfer {
            sources: self.sources(words),
            target: Word(target),
            from: flags.text("from").filter(|from| !from.is_empty()),
            chown: word("chown"),
            chmod: word("chmod"),
            link: flags.switch("link") == Some(true),
            parents: flags.switch("parents") == Some(true),
            exclude: flags
                .all("exclude")
                .map(|(text, _)| Word(text.to_owned()))
                .collect(),
            checksum: word("checksum"),
            keep_git_dir: flags.switch("keep-git-dir") == Some(true),
            unpack: flags.switch("unpack"),
        })
    }

    /// The documents stand in the order in which they were asked for.
    fn sources(&self, words: Vec<words::Placed<String>>) -> Vec<WrittenSource> {
        let mut heredocs = self.logical.heredocs.iter();
        words
            .into_iter()
            .map(|(_, word)| {
                let asked = lexer::heredoc(&word);
                match asked.and_then(|_| heredocs.next()) {
                    Some(heredoc) => WrittenSource::Heredoc(Heredoc::clone(heredoc)),
                    None => WrittenSource::Path(Word(word)),
                }
            })
            .collect()
    }

    fn arguments(&self) -> Result<Vec<Argument>, Fault> {
        self.flags(&[])?;
        let words = words::quoted(&self.logical.text, self.rest, self.escape);
        if words.is_empty() {
            return Err(self.at_least_one());
        }
        words
            .into_iter()
            .map(|(at, word)| {
                let (name, default) = match word.split_once('=') {
                    Some((name, default)) => (name, Some(Word(default.to_owned()))),
                    None => (word.as_str(), None),
                };
                if name.is_empty() {
                    return Err(self.fault_at(at, "ARG names can not be blank"));
                }
                if name.contains(['$', '"', '\'', '\\', '`']) {
                    let message = format!("ARG {name}: a name has no quotes and no variables");
                    return Err(self.fault_at(at, message));
                }
                Ok(Argument {
                    name: name.to_owned(),
                    default,
                })
            })
            .collect()
    }

    /// `NAME=value …`, or the old `NAME value with spaces`.
    fn pairs(&self) -> Result<Vec<(Word, Word)>, Fault> {
        self.flags(&[])?;
        let keyword = self.keyword;
        let words = words::quoted(&self.logical.text, self.rest, self.escape);
        let Some((_, first)) = words.first() else {
            return Err(self.at_least_one());
        };
        if !first.contains('=') {
            let Some((name, value)) = self.rest().split_once(words::SPACES) else {
                return Err(self.fault(format!("{keyword} must have two arguments")));
            };
            let value = value.trim_start_matches(words::SPACES);
            return Ok(vec![(Word(name.to_owned()), Word(value.to_owned()))]);
        }
        words
            .into_iter()
            .map(|(at, word)| match word.split_once('=') {
                None => Err(self.fault_at(
                    at,
                    format!(
                        "Syntax error - can't find = in \"{word}\". Must be of the form: name=value"
                    ),
                )),
                Some(("", _)) => {
                    Err(self.fault_at(at, format!("{keyword} names can not be blank")))
                }
                Some((name, value)) => Ok((Word(name.to_owned()), Word(value.to_owned()))),
            })
            .collect()
    }

    fn some_words(&self) -> Result<Vec<Word>, Fault> {
        self.flags(&[])?;
        let words = words::plain(&self.logical.text, self.rest);
        if words.is_empty() {
            return Err(self.at_least_one());
        }
        Ok(words
            .into_iter()
            .map(|(_, word)| Word(word.to_owned()))
            .collect())
    }

    fn volumes(&self) -> Result<Vec<Word>, Fault> {
        self.flags(&[])?;
        let words = self.list()?;
        if words.is_empty() {
            return Err(self.at_least_one());
        }
        Ok(words.into_iter().map(|(_, word)| Word(word)).collect())
    }

    /// All of the rest, spaces and all.
    fn text(&self) -> Result<String, Fault> {
        self.flags(&[])?;
        if self.rest().is_empty() {
            let message = format!("{} requires exactly one argument", self.keyword);
            return Err(self.fault(message));
        }
        Ok(self.rest().to_owned())
    }

    /// A trigger is checked now and read again when it fires.
    fn trigger(&self) -> Result<String, Fault> {
        self.flags(&[])?;
        if self.rest().is_empty() {
            return Err(self.at_least_one());
        }
        let keyword = words::keyword(self.rest()).to_uppercase();
        let order = |message: String| {
            Err(Fault::new(
                self.logical.place(self.rest),
                Rule::Order,
                message,
            ))
        };
        match keyword.as_str() {
            "ONBUILD" => {
                return order("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed".to_owned());
            }
            "FROM" | "MAINTAINER" => {
                return order(format!("{keyword} isn't allowed as an ONBUILD trigger"));
            }
            _ => {}
        }
        parse_at(self.logical, self.rest, self.escape)?;
        let mut text = self.rest().to_owned();
        for heredoc in &self.logical.heredocs {
            text.push('\n');
            text.push_str(&heredoc.content);
            text.push_str(&heredoc.name);
        }
        Ok(text)
    }

    fn healthcheck(&self) -> Result<Healthcheck, Fault> {
        let kind = words::keyword(self.rest());
        let after = self.rest + kind.len();
        let after = after
            + (self.logical.text[after..].len() - self.logical.text[after..].trim_start().len());
        match kind.to_uppercase().as_str() {
            "" => Err(self.at_least_one()),
            "NONE" if after < self.logical.text.len() => {
                Err(self.fault_at(after, "HEALTHCHECK NONE takes no arguments"))
            }
            "NONE" => {
                self.flags(&[])?;
                Ok(Healthcheck::None)
            }
            "CMD" => self.healthcheck_command(after),
            _ => {
                let message = format!("Unknown type \"{kind}\" in HEALTHCHECK (try CMD)");
                let meant = suggest::nearest(kind, ["CMD", "NONE"]);
                Err(self.fault_at(self.rest, message).meaning(meant))
            }
        }
    }

    fn healthcheck_command(&self, at: usize) -> Result<Healthcheck, Fault> {
        let flags = self.flags(HEALTHCHECK_FLAGS)?;
        let missing = || self.fault("Missing command after HEALTHCHECK CMD");
        if self.logical.text[at..].is_empty() {
            return Err(missing());
        }
        let command = self.command(at)?;
        if command == Command::Exec(Vec::new()) {
            return Err(missing());
        }
        Ok(Healthcheck::Cmd {
            command,
            interval: time(&flags, "interval")?,
            timeout: time(&flags, "timeout")?,
            start_period: time(&flags, "start-period")?,
            start_interval: time(&flags, "start-interval")?,
            retries: retries(&flags)?,
        })
    }
}

/// Nothing and zero are the default.
fn time(flags: &Flags, name: &'static str) -> Result<Option<Duration>, Fault> {
    let Some((text, span)) = flags.get(name) else {
        return Ok(None);
    };
    let fault = |message| Err(Fault::new(span, Rule::Flag, message));
    match duration::parse(text) {
        None => fault(format!("invalid duration \"{text}\" for --{name}")),
        Some(Duration::ZERO) => Ok(None),
        Some(time) if time < Duration::from_millis(1) => {
            fault(format!("Interval \"{name}\" cannot be less than 1ms"))
        }
        Some(time) => Ok(Some(time)),
    }
}

fn retries(flags: &Flags) -> Result<Option<u32>, Fault> {
    let Some((text, span)) = flags.get("retries") else {
        return Ok(None);
    };
    let message = match text.parse::<i32>() {
        Ok(0) => return Ok(None),
        Ok(number) if number > 0 => return Ok(Some(number.unsigned_abs())),
        Ok(number) => format!("--retries cannot be negative ({number})"),
        Err(_) => format!("invalid number \"{text}\" for --retries"),
    };
    Err(Fault::new(span, Rule::Flag, message))
}
