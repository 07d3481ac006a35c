//! A look at a Dockerfile before anything is built: everything that can be said without its images.

use crate::dockerfile::parse;
use crate::error::Fault;
use crate::plan::{Options, Plan};

/// What a look at a Dockerfile found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is wrong, by place; of what does not depend on a line, the first.
    pub faults: Vec<Fault>,
    /// Every stage: its name, or its number where it has none, and the line of its `FROM`. None while
    /// the text does not read.
    pub stages: Vec<(String, usize)>,
}

/// Looks at a Dockerfile.
///
/// A step that is wrong only by what its variables are worth is not among the faults: some of them
/// come from the base image.
pub fn check(text: &[u8], options: &Options) -> Checked {
    let dockerfile = match parse(text) {
        Ok(dockerfile) => dockerfile,
        Err(faults) => {
            return Checked {
                faults,
                stages: Vec::new(),
            };
        }
    };
    let stages = dockerfile.stages.iter().enumerate();
    let stages = stages.map(|(index, stage)| {
        let name = stage.from.value.name.clone();
        let name = name.unwrap_or_else(|| index.to_string());
        (name, stage.from.span.first_line)
    });
    Checked {
        stages: stages.collect(),
        faults: Plan::new(&dockerfile, options).err().into_iter().collect(),
    }
}
