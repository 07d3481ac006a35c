//! From the syntax tree to what is built: the stages that the target needs, in an order in which
//! each comes after those it needs, and their steps with the numbers a person sees.

use std::collections::BTreeMap;

use crate::dockerfile::{Instruction, Line};
use crate::error::Span;
use crate::platform::Platform;

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
