//! What a stage knows while its steps go by: variables, arguments, and where `--from` may lead.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::action::{Action, Origin};
use crate::dockerfile::{
    Argument, Budget, Escape, From, Instruction, Line, Reading, WrittenSource, WrittenTransfer,
    expand,
};
use crate::error::{Fault, Rule, Span};
use crate::evaluate::{Problem, Words, act, unreadable};
use crate::plan::Step;

/// The arguments that everybody has without an `ARG`, and that no cache key or history knows.
pub(crate) const PROXIES: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Where programs are looked for in a base that does not say.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// More than an environment of a program holds.
const MOST_ENVIRONMENT_BYTES: usize = 1024 * 1024;

/// The variables of one stage, step by step.
///
/// `ENV` goes before `ARG` of the same name, whichever came first; an argument counts from its `ARG`
/// on; a name that nobody set is empty.
#[derive(Debug, Clone)]
pub struct Scope {
    /// In the order in which they were first set.
    environment: Vec<(String, String)>,
    places: BTreeMap<String, usize>,
    /// Declared so far; without a value it is not set.
    arguments: BTreeMap<String, Option<String>>,
    /// `--build-arg`.
    given: BTreeMap<String, String>,
    /// What an `ARG` without a value inherits: global arguments and the platforms.
    inherited: BTreeMap<String, String>,
    /// The stages by name and by number; one that is not built before this one has no place.
    stages: BTreeMap<String, Option<usize>>,
    escape: Escape,
    budget: Budget,
}

/// What a [`Scope`] begins with.
pub(crate) struct Beginning {
    pub(crate) given: BTreeMap<String, String>,
    pub(crate) inherited: BTreeMap<String, String>,
    pub(crate) stages: BTreeMap<String, Option<usize>>,
    pub(crate) escape: Escape,
}

impl Scope {
    pub(crate) fn new(beginning: Beginning, base_environment: &[String]) -> Scope {
        let mut scope = Scope {
            environment: Vec::new(),
            places: BTreeMap::new(),
            arguments: BTreeMap::new(),
            given: beginning.given,
            inherited: beginning.inherited,
            stages: beginning.stages,
            escape: beginning.escape,
            budget: Budget::default(),
        };
        for variable in base_environment {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            scope.set(name, value);
        }
        if !scope.places.contains_key("PATH") {
            scope.set("PATH", DEFAULT_PATH);
        }
        scope
    }

    /// The same for a stage that stands on another one: its arguments are known here too.
    #[must_use]
    pub fn over(mut self, base: &Scope) -> Scope {
        self.arguments.clone_from(&base.arguments);
        self
    }

    /// Replaces a step's variables and takes in what it sets.
    ///
    /// # Errors
    ///
    /// A variable that must be set and is not, a value that is wrong once it is known, or more text
    /// than a build may make.
    pub fn evaluate(&mut self, step: &Step) -> Result<Action, Fault> {
        let Line { span, value, .. } = &step.line;
        self.act(value).map_err(|problem| problem.at(*span))
    }

    /// `ENV` so far with that of the base: what the image's configuration has, as names and values.
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }

    /// The declared arguments with a value that no `ENV` hides, by name.
    pub fn arguments(&self) -> Vec<(String, String)> {
        let visible = self
            .arguments
            .iter()
            .filter(|(name, _)| !self.places.contains_key(*name));
        visible
            .filter_map(|(name, value)| Some((name.clone(), value.clone()?)))
            .collect()
    }

    fn act(&mut self, instruction: &Instruction) -> Result<Action, Problem> {
        if let Instruction::Arg(arguments) = instruction {
            let declared = arguments.iter().map(|argument| self.declare(argument));
            return Ok(Action::Arg(declared.collect::<Result<_, _>>()?));
        }
        let mut budget = self.budget;
        let lookup = |name: &str| self.value(name);
        let origins = |from: &str| self.origin(from);
        let mut words = Words {
            lookup: &lookup,
            escape: self.escape.character(),
            budget: &mut budget,
        };
        let mut action = act(instruction, &mut words, &origins)?;
        self.budget = budget;
        match &mut action {
            Action::Env(variables) => {
                for (name, value) in variables.iter() {
                    self.set(name, value);
                }
                self.bounded()?;
            }
            Action::Run(run) => {
                run.environment = self.environment.clone();
                run.arguments = self.arguments();
                run.environment.extend(run.arguments.iter().cloned());
                run.environment.extend(self.proxies());
            }
            _ => {}
        }
        Ok(action)
    }

    fn value(&self, name: &str) -> Option<&str> {
        if let Some(place) = self.places.get(name) {
            return Some(&self.environment[*place].1);
        }
        // A proxy that nobody declared is for programs alone: here it could end up in the image.
        self.arguments.get(name)?.as_deref()
    }

    fn set(&mut self, name: &str, value: &str) {
        match self.places.entry(name.to_owned()) {
            Entry::Occupied(place) => value.clone_into(&mut self.environment[*place.get()].1),
            Entry::Vacant(place) => {
                place.insert(self.environment.len());
                self.environment.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn bounded(&self) -> Result<(), Problem> {
        let variables = self.environment.iter();
        let sizes = variables.map(|(name, value)| name.len() + value.len());
        let arguments = self.arguments.iter();
        let more =
            arguments.map(|(name, value)| name.len() + value.as_ref().map_or(0, String::len));
        if sizes.chain(more).sum::<usize>() <= MOST_ENVIRONMENT_BYTES {
            return Ok(());
        }
        let message = format!("the environment is larger than {MOST_ENVIRONMENT_BYTES} bytes");
        Err(Problem::new(Rule::Variable, message))
    }

    /// What was given goes before the default, that before what is inherited, and that before what
    /// an earlier declaration said. A default that is not needed is not read.
    fn declare(&mut self, argument: &Argument) -> Result<(String, Option<String>), Problem> {
        let name = &argument.name;
        let value = if let Some(given) = self.given.get(name) {
            Some(given.clone())
        } else if let Some(default) = &argument.default {
            let mut budget = self.budget;
            let lookup = |name: &str| self.value(name);
            let mut words = Words {
                lookup: &lookup,
                escape: self.escape.character(),
                budget: &mut budget,
            };
            let value = words.word(default)?;
            self.budget = budget;
            Some(value)
        } else {
            let earlier = || self.arguments.get(name).cloned().flatten();
            self.inherited.get(name).cloned().or_else(earlier)
        };
        self.arguments.insert(name.clone(), value.clone());
        self.bounded()?;
        Ok((name.clone(), value))
    }

    /// The proxies in both spellings: some programs read one, others the other.
    fn proxies(&self) -> impl Iterator<Item = (String, String)> + '_ {
        let is_free =
            |name: &&str| !self.places.contains_key(*name) && !self.arguments.contains_key(*name);
        let value = |name: &str| {
            let other = match name.chars().any(char::is_uppercase) {
                true => name.to_lowercase(),
                false => name.to_uppercase(),
            };
            self.given.get(name).or_else(|| self.given.get(&other))
        };
        let proxies = PROXIES.into_iter().filter(is_free);
        proxies.filter_map(move |name| Some((name.to_owned(), value(name)?.clone())))
    }

    fn origin(&self, from: &str) -> Result<Origin, Problem> {
        match self.stages.get(&from.to_lowercase()) {
            Some(Some(place)) => Ok(Origin::Stage(*place)),
            Some(None) => {
                let message = format!(
                    "cannot copy from stage \"{from}\", it needs to be defined before current stage"
                );
                Err(Problem::new(Rule::Stage, message))
            }
            None => Ok(Origin::Image(from.to_owned())),
        }
    }
}

/// What can be said of an instruction before any variable is known: that its words can be read, and,
/// where they have no variable, that their values are right.
pub(crate) fn check(
    line: &Line<Instruction>,
    escape: Escape,
    budget: &mut Budget,
) -> Result<(), Fault> {
    let mut has_variables = false;
    for (word, is_heredoc) in words_of(&line.value) {
        has_variables |= word.contains('$');
        let escape = if is_heredoc { '\\' } else { escape.character() };
        let problem = readable(word, escape, is_heredoc, budget);
        problem.map_err(|problem| problem.at(line.span))?;
    }
    if has_variables {
        return Ok(());
    }
    let mut words = Words {
        lookup: &|_| None,
        escape: escape.character(),
        budget,
    };
    let unresolved = |_: &str| Ok(Origin::Context);
    match act(&line.value, &mut words, &unresolved) {
        Ok(_) => Ok(()),
        Err(problem) => Err(problem.at(line.span)),
    }
}

/// The same for a `FROM`.
pub(crate) fn check_from(from: &From, span: Span, escape: Escape) -> Result<(), Fault> {
    let mut budget = Budget::default();
    let words = from.platform.iter().chain([&from.image]);
    for word in words {
        let problem = readable(&word.0, escape.character(), false, &mut budget);
        problem.map_err(|problem| problem.at(span))?;
    }
    Ok(())
}

fn readable(
    word: &str,
    escape: char,
    is_heredoc: bool,
    budget: &mut Budget,
) -> Result<(), Problem> {
    let reading = Reading {
        lookup: &|_| None,
        escape,
        keeps_quotes: is_heredoc,
        checks_only: true,
    };
    match expand(word, reading, budget) {
        Ok(_) => Ok(()),
        Err(wrong) => Err(unreadable(word, &wrong)),
    }
}

/// Every text in which variables are replaced, and whether it is a here-document.
fn words_of(instruction: &Instruction) -> Vec<(&str, bool)> {
    match instruction {
        Instruction::Add(transfer) | Instruction::Copy(transfer) => transfer_words(transfer),
        Instruction::Arg(arguments) => {
            let defaults = arguments
                .iter()
                .filter_map(|argument| argument.default.as_ref());
            defaults.map(|word| (word.0.as_str(), false)).collect()
        }
        Instruction::Env(pairs) | Instruction::Label(pairs) => pairs
            .iter()
            .flat_map(|(name, value)| [(name.0.as_str(), false), (value.0.as_str(), false)])
            .collect(),
        Instruction::Expose(words) | Instruction::Volume(words) => {
            words.iter().map(|word| (word.0.as_str(), false)).collect()
        }
        Instruction::Run(run) => {
            let options = run.mounts.iter().flat_map(|mount| &mount.options);
            let values = options.filter_map(|(_, value)| value.as_ref());
            values.map(|word| (word.0.as_str(), false)).collect()
        }
        Instruction::Stopsignal(word) | Instruction::User(word) | Instruction::Workdir(word) => {
            vec![(word.0.as_str(), false)]
        }
        Instruction::Cmd(_)
        | Instruction::Entrypoint(_)
        | Instruction::Healthcheck(_)
        | Instruction::Maintainer(_)
        | Instruction::Onbuild(_)
        | Instruction::Shell(_) => Vec::new(),
    }
}

fn transfer_words(transfer: &WrittenTransfer) -> Vec<(&str, bool)> {
    let flags = [&transfer.chown, &transfer.chmod, &transfer.checksum];
    let sources = transfer.sources.iter().filter_map(|source| match source {
        WrittenSource::Path(word) => Some((word.0.as_str(), false)),
        WrittenSource::Heredoc(heredoc) => {
            heredoc.expands.then_some((heredoc.content.as_str(), true))
        }
    });
    let words = flags
        .into_iter()
        .flatten()
        .chain(&transfer.exclude)
        .chain([&transfer.target]);
    words
        .map(|word| (word.0.as_str(), false))
        .chain(sources)
        .collect()
}
