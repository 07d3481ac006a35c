//! One logical line to one instruction: which words it takes, in which form.

use crate::error::{Fault, Rule};
use crate::suggest;

use super::flags::Takes;
use super::lexer::Logical;
use super::line::Line;
use super::syntax::{Escape, From, Instruction, Word};
use super::transfers::{ADD_FLAGS, COPY_FLAGS};
use super::words;

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

/// More than a person writes; each is looked up in its line.
const MOST_FLAGS: usize = 256;

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
pub(super) fn parse_at(logical: &Logical, start: usize, escape: Escape) -> Result<Parsed, Fault> {
    let written = words::keyword(&logical.text[start..]);
    let keyword = written.to_uppercase();
    let (flags, rest) = words::flags(&logical.text, start + written.len(), escape);
    if flags.len() > MOST_FLAGS {
        let message = format!("more than {MOST_FLAGS} flags");
        return Err(Fault::new(logical.place(start), Rule::Flag, message));
    }
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

impl Line<'_> {
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
}
