//! The whole file: instructions into stages, and what one line may say of another.

use crate::error::{Fault, Rule, Span};
use crate::scope;

use super::expand::Budget;
use super::instructions::{self, Parsed};
use super::lexer::{self, Logical};
use super::syntax::{Argument, Directives, Dockerfile, Escape, Instruction, Line, WrittenStage};

/// More faults than a person reads at once.
const MOST_FAULTS: usize = 100;
const MOST_STAGES: usize = 500;
/// Each is read again for each stage that stands on its own.
pub(crate) const MOST_TRIGGERS: usize = 256;

/// Reads a Dockerfile.
///
/// # Errors
///
/// All faults that one pass finds, by their place: at most one for each instruction.
pub fn parse(bytes: &[u8]) -> Result<Dockerfile, Vec<Fault>> {
    let lexed = lexer::lex(bytes).map_err(|fault| vec![fault])?;
    let mut file = File {
        dockerfile: Dockerfile {
            directives: Directives::default(),
            globals: Vec::new(),
            stages: Vec::new(),
        },
        faults: lexed.faults,
        is_lost: false,
        n_triggers: 0,
        budget: Budget::default(),
    };
    let escape = lexed.directives.escape;
    file.dockerfile.directives = lexed.directives;
    for logical in &lexed.lines {
        if let Err(fault) = file.add(logical, escape) {
            file.faults.push(fault);
        }
    }
    let last_line = lexed.lines.last().map_or(1, |line| line.span.last_line);
    file.finish(lexed.lines.is_empty(), last_line)
}

/// Reads the text of a trigger, as an image's configuration keeps it.
pub(crate) fn parse_trigger(text: &str) -> Result<Line<Instruction>, Fault> {
    let lexed = lexer::lex(text.as_bytes())?;
    if let Some(fault) = lexed.faults.into_iter().next() {
        return Err(fault);
    }
    let [logical] = lexed.lines.as_slice() else {
        let message = format!("the trigger is not one instruction: {text:?}");
        return Err(Fault::new(Span::default(), Rule::Arguments, message));
    };
    let refused = |name: &str| {
        let message = format!("{name} isn't allowed as an ONBUILD trigger");
        Err(Fault::new(Span::default(), Rule::Order, message))
    };
    match instructions::parse(logical, Escape::Backslash)? {
        Parsed::From(_) => refused("FROM"),
        Parsed::Other(Instruction::Onbuild(_)) => refused("ONBUILD"),
        Parsed::Other(Instruction::Maintainer(_)) => refused("MAINTAINER"),
        Parsed::Other(value) => Ok(Line {
            span: Span::default(),
            text: logical.text.clone(),
            value,
        }),
    }
}

struct File {
    dockerfile: Dockerfile,
    faults: Vec<Fault>,
    /// A `FROM` was wrong: that the next lines stand in no stage is nobody's second mistake.
    is_lost: bool,
    n_triggers: usize,
    budget: Budget,
}

impl File {
    fn add(&mut self, logical: &Logical, escape: Escape) -> Result<(), Fault> {
        let span = logical.span;
        let line = |value| Line {
            span,
            text: logical.text.clone(),
            value,
        };
        let is_from =
            logical.text.len() >= 4 && logical.text.as_bytes()[..4].eq_ignore_ascii_case(b"FROM");
        let parsed =
            instructions::parse(logical, escape).inspect_err(|_| self.is_lost |= is_from)?;
        let instruction = match parsed {
            Parsed::From(from) => {
                if self.dockerfile.stages.len() == MOST_STAGES {
                    let message = format!("more than {MOST_STAGES} stages");
                    return Err(Fault::new(span, Rule::File, message));
                }
                scope::check_from(&from, span, escape)?;
                self.dockerfile.stages.push(WrittenStage {
                    from: Line {
                        span,
                        text: logical.text.clone(),
                        value: from,
                    },
                    lines: Vec::new(),
                });
                return Ok(());
            }
            Parsed::Other(instruction) => instruction,
        };
        let line = line(instruction);
        self.n_triggers += usize::from(matches!(line.value, Instruction::Onbuild(_)));
        if self.n_triggers > MOST_TRIGGERS {
            let message = format!("more than {MOST_TRIGGERS} triggers");
            return Err(Fault::new(span, Rule::File, message));
        }
        scope::check(&line, escape, &mut self.budget)?;
        self.check_origins(&line)?;
        match (self.dockerfile.stages.last_mut(), line.value) {
            (Some(stage), value) => {
                let Line { span, text, .. } = line;
                stage.lines.push(Line { span, text, value });
            }
            (None, Instruction::Arg(arguments)) => self.global(span, line.text, arguments),
            (None, _) if self.is_lost => {}
            (None, _) => {
                let message = "no build stage in current context";
                return Err(Fault::new(span, Rule::Order, message));
            }
        }
        Ok(())
    }

    fn global(&mut self, span: Span, text: String, value: Vec<Argument>) {
        self.dockerfile.globals.push(Line { span, text, value });
    }

    /// What is copied or mounted from must stand above.
    fn check_origins(&self, line: &Line<Instruction>) -> Result<(), Fault> {
        let Some(current) = self.dockerfile.stages.len().checked_sub(1) else {
            return Ok(());
        };
        for (from, span) in origins(&line.value, line.span) {
            let stage = &self.dockerfile.stages[current];
            let itself = stage.from.value.name.as_deref() == Some(&from.to_lowercase());
            let above = self.dockerfile.stages[..current].iter();
            let is_above = above
                .filter_map(|stage| stage.from.value.name.as_deref())
                .any(|name| name.eq_ignore_ascii_case(from));
            let message = match from.parse::<usize>() {
                Ok(index) if index >= current => {
                    format!("invalid stage index {index}: {current} stages stand above this one")
                }
                _ if itself && !is_above => {
                    format!("cannot copy from stage \"{from}\": it is the one that is being built")
                }
                _ => continue,
            };
            return Err(Fault::new(span, Rule::Stage, message));
        }
        Ok(())
    }

    /// A stage that stands below is known only now.
    fn check_later(&mut self) {
        let names: Vec<Option<String>> = self
            .dockerfile
            .stages
            .iter()
            .map(|stage| stage.from.value.name.clone())
            .collect();
        for (index, stage) in self.dockerfile.stages.iter().enumerate() {
            for line in &stage.lines {
                for (from, span) in origins(&line.value, line.span) {
                    let is = |name: &Option<String>| {
                        name.as_deref()
                            .is_some_and(|name| name.eq_ignore_ascii_case(from))
                    };
                    if names[..=index].iter().any(is) || !names[index + 1..].iter().any(is) {
                        continue;
                    }
                    let current = names[index].clone().unwrap_or_else(|| index.to_string());
                    let message = format!(
                        "cannot copy from stage \"{from}\", it needs to be defined before current \
                         stage \"{current}\""
                    );
                    self.faults.push(Fault::new(span, Rule::Stage, message));
                }
            }
        }
    }

    fn finish(mut self, is_empty: bool, last_line: usize) -> Result<Dockerfile, Vec<Fault>> {
        self.check_later();
        let span = Span {
            first_line: last_line,
            last_line,
            column: 1,
        };
        if is_empty && self.faults.is_empty() {
            self.faults
                .push(Fault::new(span, Rule::File, "file with no instructions"));
        } else if self.dockerfile.stages.is_empty() && self.faults.is_empty() {
            let message = "dockerfile contains no stages to build";
            self.faults.push(Fault::new(span, Rule::Order, message));
        }
        if self.faults.is_empty() {
            return Ok(self.dockerfile);
        }
        self.faults.sort();
        self.faults.truncate(MOST_FAULTS);
        Err(self.faults)
    }
}

/// What an instruction copies or mounts from, as it is written.
pub(crate) fn origins(instruction: &Instruction, span: Span) -> Vec<(&str, Span)> {
    match instruction {
        Instruction::Copy(transfer) => transfer
            .from
            .as_deref()
            .map(|from| (from, span))
            .into_iter()
            .collect(),
        Instruction::Run(run) => run
            .mounts
            .iter()
            .filter_map(|mount| mount.from.as_deref().map(|from| (from, mount.span)))
            .collect(),
        _ => Vec::new(),
    }
}
