//! Which stage stands on what and needs what, by the numbers of the Dockerfile; which one is the
//! target, and what the global arguments are worth.

use std::collections::{BTreeMap, BTreeSet};

use crate::dockerfile::{
    Budget, Dockerfile, Escape, Instruction, Reading, Word, WrittenStage, expand, origins,
    parse_trigger,
};
use crate::error::{Fault, Rule, Span};
use crate::evaluate::unreadable;
use crate::plan::{Base, Options, Stage, Step, Told};
use crate::platform::Platform;
use crate::scope::PROXIES;
use crate::suggest;

/// Build arguments that are for the builder itself.
const FOR_THE_BUILDER: [&str; 2] = ["SOURCE_DATE_EPOCH", "BUILDKIT_INLINE_CACHE"];

/// A stage by the numbers of the Dockerfile, before the plan's places are known.
pub(crate) struct Draft {
    base: Base,
    platform: Option<Platform>,
    pub(crate) needs: BTreeSet<usize>,
    images: BTreeSet<String>,
}

impl Draft {
    pub(crate) fn new(
        dockerfile: &Dockerfile,
        index: usize,
        known: &BTreeMap<String, String>,
    ) -> Result<Draft, Fault> {
        let stages = &dockerfile.stages;
        let from = &stages[index].from;
        let escape = dockerfile.directives.escape;
        let word = |word: &Word| replaced(word, known, escape, from.span);
        let platform = from.value.platform.as_ref().map(|written| {
            let text = word(written)?;
            Platform::parse(&text).ok_or_else(|| {
                let message = format!("failed to parse platform \"{text}\" of FROM --platform");
                Fault::new(from.span, Rule::Flag, message)
            })
        });
        let image = word(&from.value.image)?;
        if image.is_empty() {
            let message = format!("base name ({}) should not be blank", from.value.image.0);
            return Err(Fault::new(from.span, Rule::Variable, message));
        }
        let base = match above(stages, index, &image, false) {
            Some(stage) => Base::Stage(stage),
            None if image == "scratch" => Base::Scratch,
            None => Base::Image(image),
        };
        let mut draft = Draft {
            base,
            platform: platform.transpose()?,
            needs: BTreeSet::new(),
            images: BTreeSet::new(),
        };
        if let Base::Stage(stage) = draft.base {
            draft.needs.insert(stage);
            // The triggers of a stage fire in those that stand on it.
            for line in &stages[stage].lines {
                if let Instruction::Onbuild(text) = &line.value
                    && let Ok(trigger) = parse_trigger(text)
                {
                    draft.need(stages, index, &trigger.value);
                }
            }
        }
        for line in &stages[index].lines {
            draft.need(stages, index, &line.value);
        }
        Ok(draft)
    }

    /// Adds what an instruction copies or mounts from.
    fn need(&mut self, stages: &[WrittenStage], index: usize, instruction: &Instruction) {
        for (from, _) in origins(instruction, Span::default()) {
            if let Some(stage) = above(stages, index, from, true) {
                self.needs.insert(stage);
            } else {
                self.images.insert(from.to_owned());
            }
        }
    }

    pub(crate) fn stage(
        self,
        index: usize,
        written: &WrittenStage,
        places: &BTreeMap<usize, usize>,
        mut tell: impl FnMut(&str, Span) -> Told,
    ) -> Stage {
        Stage {
            told: tell(&written.from.text, written.from.span),
            name: written.from.value.name.clone(),
            index,
            base: match self.base {
                Base::Stage(stage) => Base::Stage(places[&stage]),
                other => other,
            },
            platform: self.platform,
            needs: self.needs.iter().map(|stage| places[stage]).collect(),
            images: self.images.into_iter().collect(),
            steps: written
                .lines
                .iter()
                .map(|line| Step {
                    told: tell(&line.text, line.span),
                    line: line.clone(),
                })
                .collect(),
        }
    }
}

/// The stage above `index` that goes by `name`, the nearest of that name; by number only in `--from`.
fn above(stages: &[WrittenStage], index: usize, name: &str, by_number: bool) -> Option<usize> {
    let named = |stage: &WrittenStage| {
        let own = stage.from.value.name.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(name))
    };
    let number = name
        .parse::<usize>()
        .ok()
        .filter(|number| by_number && *number < index);
    stages[..index].iter().rposition(named).or(number)
}

/// The stage to end with: by name, else by number, else the last.
pub(crate) fn target(dockerfile: &Dockerfile, wanted: Option<&str>) -> Result<usize, Fault> {
    let stages = &dockerfile.stages;
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return stages.len().checked_sub(1).ok_or_else(|| {
            let message = "dockerfile contains no stages to build";
            Fault::new(Span::default(), Rule::Order, message)
        });
    };
    above(stages, stages.len(), wanted, true).ok_or_else(|| {
        let message = format!("target stage \"{wanted}\" could not be found");
        let names = stages
            .iter()
            .filter_map(|stage| stage.from.value.name.as_deref());
        let meant = suggest::nearest(wanted, names);
        Fault::new(Span::default(), Rule::Stage, message).meaning(meant)
    })
}

/// What a `FROM` and an `ARG` without a value may use: the platforms, then each global argument.
pub(crate) fn globals(
    dockerfile: &Dockerfile,
    options: &Options,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut known = BTreeMap::new();
    for (which, platform) in [
        ("BUILD", &options.build_platform),
        ("TARGET", &options.platform),
    ] {
        let variant = platform.variant.clone().unwrap_or_default();
        known.insert(format!("{which}PLATFORM"), platform.to_string());
        known.insert(format!("{which}OS"), platform.os.clone());
        known.insert(format!("{which}ARCH"), platform.architecture.clone());
        known.insert(format!("{which}VARIANT"), variant);
    }
    let stage = options.target.clone().filter(|target| !target.is_empty());
    known.insert(
        "TARGETSTAGE".to_owned(),
        stage.unwrap_or_else(|| "default".to_owned()),
    );
    for (name, value) in &mut known {
        if let Some(given) = options.build_args.get(name) {
            value.clone_from(given);
        }
    }
    let escape = dockerfile.directives.escape;
    for line in &dockerfile.globals {
        for argument in &line.value {
            let default = argument.default.as_ref();
            let default = default
                .map(|word| replaced(word, &known, escape, line.span))
                .transpose()?;
            let value = options.build_args.get(&argument.name).cloned().or(default);
            known.extend(value.map(|value| (argument.name.clone(), value)));
        }
    }
    Ok(known)
}

fn replaced(
    word: &Word,
    known: &BTreeMap<String, String>,
    escape: Escape,
    span: Span,
) -> Result<String, Fault> {
    let lookup = |name: &str| known.get(name).map(String::as_str);
    let reading = Reading {
        lookup: &lookup,
        escape: escape.character(),
        keeps_quotes: false,
        checks_only: false,
    };
    let mut budget = Budget::small();
    expand(&word.0, reading, &mut budget).map_err(|wrong| unreadable(&word.0, &wrong).at(span))
}

/// What was given and is asked for nowhere.
pub(crate) fn unconsumed(dockerfile: &Dockerfile, options: &Options) -> Vec<String> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let globals = dockerfile.globals.iter().flat_map(|line| &line.value);
    let lines = dockerfile.stages.iter().flat_map(|stage| &stage.lines);
    let local = lines.filter_map(|line| match &line.value {
        Instruction::Arg(arguments) => Some(arguments),
        _ => None,
    });
    taken.extend(
        globals
            .chain(local.flatten())
            .map(|argument| argument.name.as_str()),
    );
    taken.extend(PROXIES.into_iter().chain(FOR_THE_BUILDER));
    let given = options.build_args.keys();
    given
        .filter(|name| !taken.contains(name.as_str()))
        .cloned()
        .collect()
}
