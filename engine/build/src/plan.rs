//! From the syntax tree to what is built: the stages that the target needs, in an order in which
//! each comes after those it needs, and their steps with the numbers a person sees.

use std::collections::{BTreeMap, BTreeSet};

use crate::dockerfile::{Dockerfile, Escape, Instruction, Line, MOST_TRIGGERS, parse_trigger};
use crate::error::{Fault, Rule, Span};
use crate::platform::Platform;
use crate::scope::{Beginning, Scope};
use crate::stages::{Draft, globals, target, unconsumed};
use crate::suggest;

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
        if onbuild.len() > MOST_TRIGGERS {
            let message = format!("the base has more than {MOST_TRIGGERS} triggers");
            return Err(Fault::new(span, Rule::File, message));
        }
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
