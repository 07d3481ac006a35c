//! From the syntax tree to what is built: the stages that the target needs, in an order in which
//! each comes after those it needs, and their steps with the numbers a person sees.

use std::collections::{BTreeMap, BTreeSet};

use crate::dockerfile::{
    Budget, Dockerfile, Escape, Instruction, Line, Reading, Word, WrittenStage, expand, origins,
    parse_trigger,
};
use crate::error::{Fault, Rule, Span};
use crate::evaluate::unreadable;
use crate::platform::Platform;
use crate::scope::{Beginning, PROXIES, Scope};
use crate::suggest;

/// Build arguments that are for the builder itself.
const FOR_THE_BUILDER: [&str; 2] = ["SOURCE_DATE_EPOCH", "BUILDKIT_INLINE_CACHE"];

/// What a build is asked for beside the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// `--target`: a stage's name or number; none is the last.
    pub target: Option<String>,
    /// `--build-arg`.
    pub build_args: BTreeMap<String, String>,
    /// `--platform`, or the machine's own.
    pub platform: Platform,
    /// The machine that builds.
    pub build_platform: Platform,
}

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The `ARG`s before the first `FROM`: steps to be told, with nothing to do.
    pub globals: Vec<Told>,
    /// The needed stages, each after those it needs; the last is the target.
    pub stages: Vec<Stage>,
    /// The number behind the slash in `Step 3/7`. Triggers of a base image are not counted.
    pub n_steps: usize,
    /// Build arguments that no `ARG` takes, for Docker's warning.
    pub unconsumed: Vec<String>,
    known: Known,
}

/// What all stages of a plan know.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    given: BTreeMap<String, String>,
    /// Global arguments and the platforms.
    inherited: BTreeMap<String, String>,
    escape: Escape,
    /// Every stage of the Dockerfile: its name, and its place in the plan if it is needed.
    stages: Vec<(Option<String>, Option<usize>)>,
}

/// Something that is told as a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The number before the slash; 0 for a trigger.
    pub number: usize,
    /// `RUN apk add curl`, for `Step 3/7 : …`.
    pub text: String,
    /// The lines of the Dockerfile; 0 for a trigger.
    pub span: Span,
}

/// One stage that is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The `FROM` line itself as a step.
    pub told: Told,
    /// Its name, in small letters; where it has none, its number in the Dockerfile is what it goes by.
    pub name: Option<String>,
    /// Its number in the Dockerfile, from 0.
    pub index: usize,
    pub base: Base,
    /// `FROM --platform`, else none: the build's own.
    pub platform: Option<Platform>,
    /// The stages that must be there first: places in [`Plan::stages`], ascending. Stages of which
    /// none needs the other, directly or by others, may be built side by side.
    pub needs: Vec<usize>,
    /// The images beside the base that its steps copy or mount from, each once.
    pub images: Vec<String>,
    pub steps: Vec<Step>,
}

/// What a stage begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    Scratch,
    /// An image's name with its variables replaced; the executor resolves it.
    Image(String),
    /// An earlier stage, by its place in [`Plan::stages`].
    Stage(usize),
}

/// One instruction of a stage, to be evaluated in the stage's [`Scope`](crate::Scope).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub told: Told,
    pub(crate) line: Line<Instruction>,
}

impl Plan {
    /// Makes the plan.
    ///
    /// # Errors
    ///
    /// A target that is not there, or a `FROM` or a global `ARG` whose variables make no sense.
    pub fn new(dockerfile: &Dockerfile, options: &Options) -> Result<Plan, Fault> {
        let inherited = globals(dockerfile, options)?;
        let target = target(dockerfile, options.target.as_deref())?;
        let mut drafts = BTreeMap::new();
        let mut wanted = vec![target];
        while let Some(index) = wanted.pop() {
            if drafts.contains_key(&index) {
                continue;
            }
            let draft = Draft::new(dockerfile, index, &inherited)?;
            wanted.extend(&draft.needs);
            drafts.insert(index, draft);
        }
        // A stage needs those above it only: the order of the file is one of dependency.
        let places: BTreeMap<usize, usize> = drafts
            .keys()
            .enumerate()
            .map(|(place, index)| (*index, place))
            .collect();

        let mut n_steps = 0;
        let mut tell = |text: &str, span: Span| {
            n_steps += 1;
            Told {
                number: n_steps,
                text: text.to_owned(),
                span,
            }
        };
        let globals = dockerfile
            .globals
            .iter()
            .map(|line| tell(&line.text, line.span))
            .collect();
        let stages = drafts
            .into_iter()
            .map(|(index, draft)| draft.stage(index, &dockerfile.stages[index], &places, &mut tell))
            .collect();
        Ok(Plan {
            globals,
            stages,
            n_steps,
            unconsumed: unconsumed(dockerfile, options),
            known: Known {
                given: options.build_args.clone(),
                inherited,
                escape: dockerfile.directives.escape,
                stages: dockerfile
                    .stages
                    .iter()
                    .enumerate()
                    .map(|(index, stage)| {
                        (stage.from.value.name.clone(), places.get(&index).copied())
                    })
                    .collect(),
            },
        })
    }

    /// The scope in which the steps of the stage at `place` are evaluated, one after the other.
    /// `base_environment` is the `Env` of what it stands on, each `NAME=value`.
    ///
    /// # Panics
    ///
    /// When the plan has no such place.
    pub fn scope(&self, place: usize, base_environment: &[String]) -> Scope {
        let Known {
            given,
            inherited,
            escape,
            ..
        } = &self.known;
        let beginning = Beginning {
            given: given.clone(),
            inherited: inherited.clone(),
            stages: self.sources(place),
            escape: *escape,
        };
        Scope::new(beginning, base_environment)
    }

    /// The steps that the triggers of a base make, to be done before the stage's own.
    ///
    /// # Errors
    ///
    /// A trigger that is no instruction, or that asks for a stage which is not built before.
    pub fn triggers(&self, place: usize, onbuild: &[String]) -> Result<Vec<Step>, Fault> {
        let span = self.stages[place].told.span;
        onbuild
            .iter()
            .map(|text| {
                let mut line = parse_trigger(text).map_err(|mut fault| {
                    fault.message = format!("ONBUILD {text}: {}", fault.message);
                    fault.span = span;
                    fault
                })?;
                line.span = span;
                Ok(Step {
                    told: Told {
                        number: 0,
                        text: line.text.clone(),
                        span,
                    },
                    line,
                })
            })
            .collect()
    }

    /// The place of the stage that is asked for: the last.
    pub fn target(&self) -> usize {
        self.stages.len() - 1
    }

    /// The stage that was perhaps meant by what is now an image's name, for when there is no such
    /// image.
    pub fn meant(&self, image: &str) -> Option<&str> {
        let names = self
            .known
            .stages
            .iter()
            .filter_map(|(name, _)| name.as_deref());
        suggest::nearest(image, names)
    }

    /// The stages that may be copied from in the stage at `place`: by name and by number those that
    /// are surely built before; the others of the file without a place.
    fn sources(&self, place: usize) -> BTreeMap<String, Option<usize>> {
        let before = self.all_needs(place);
        let index = self.stages[place].index;
        let mut sources = BTreeMap::new();
        let stages = || self.known.stages.iter().enumerate();
        for (number, (name, _)) in stages().skip(index) {
            sources.insert(number.to_string(), None);
            sources.extend(name.iter().map(|name| (name.clone(), None)));
        }
        // Of two with one name the nearer one above is meant.
        for (number, (name, place)) in stages().take(index) {
            let place = place.filter(|place| before.contains(place));
            sources.insert(number.to_string(), place);
            sources.extend(name.iter().map(|name| (name.clone(), place)));
        }
        sources
    }

    /// Everything that is built before the stage at `place`, at whatever distance.
    fn all_needs(&self, place: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        let mut wanted = self.stages[place].needs.clone();
        while let Some(place) = wanted.pop() {
            if all.insert(place) {
                wanted.extend(&self.stages[place].needs);
            }
        }
        all
    }
}

/// A stage by the numbers of the Dockerfile, before the plan's places are known.
struct Draft {
    base: Base,
    platform: Option<Platform>,
    needs: BTreeSet<usize>,
    images: Vec<String>,
}

impl Draft {
    fn new(
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
            images: Vec::new(),
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
            } else if !self.images.iter().any(|image| image == from) {
                self.images.push(from.to_owned());
            }
        }
    }

    fn stage(
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
            images: self.images,
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
fn target(dockerfile: &Dockerfile, wanted: Option<&str>) -> Result<usize, Fault> {
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
fn globals(dockerfile: &Dockerfile, options: &Options) -> Result<BTreeMap<String, String>, Fault> {
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
fn unconsumed(dockerfile: &Dockerfile, options: &Options) -> Vec<String> {
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
