//! What is run: `RUN`, `SHELL`, `HEALTHCHECK`, and the trigger of an `ONBUILD`.

use std::time::Duration;

use crate::error::{Fault, Rule};
use crate::suggest;

use super::flags::{Flags, Known, Takes};
use super::line::Line;
use super::syntax::{Command, Healthcheck, RunNetwork, WrittenRun};
use super::{duration, instructions, mounts, words};

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

impl Line<'_> {
    pub(super) fn run(&self) -> Result<WrittenRun, Fault> {
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

    pub(super) fn shell(&self) -> Result<Vec<String>, Fault> {
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

    pub(super) fn healthcheck(&self) -> Result<Healthcheck, Fault> {
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

    /// A trigger is checked now and read again when it fires.
    pub(super) fn trigger(&self) -> Result<String, Fault> {
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
        instructions::parse_at(self.logical, self.rest, self.escape)?;
        let mut text = self.rest().to_owned();
        for heredoc in &self.logical.heredocs {
            text.push('\n');
            text.push_str(&heredoc.content);
            text.push_str(&heredoc.name);
        }
        Ok(text)
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
