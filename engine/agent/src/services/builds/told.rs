//! The steps of a build, as whoever watches them is told before the first begins.

use engine_api::builds::BuildStep;
use engine_build::Told;

use super::executor::{Work, n_steps};

/// All steps, in the order of their numbers.
pub(super) fn steps(work: &Work) -> Vec<BuildStep> {
    let plan = &work.plan;
    let mut steps: Vec<BuildStep> = plan.globals.iter().map(|told| step(told, "")).collect();
    for stage in &plan.stages {
        let name = stage.name.clone();
        let name = name.unwrap_or_else(|| stage.index.to_string());
        steps.push(step(&stage.told, &name));
        steps.extend(stage.steps.iter().map(|one| step(&one.told, &name)));
    }
    let last = labels(work).map(|told| step(&told, ""));
    steps.extend(last);
    steps
}

/// The step behind the last: labels that were asked for beside the Dockerfile.
pub(super) fn labels(work: &Work) -> Option<Told> {
    let labels = work.request.labels.iter();
    let pairs: Vec<String> = labels
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    (!pairs.is_empty()).then(|| Told {
        number: n_steps(work),
        text: format!("LABEL {}", pairs.join(" ")),
        span: engine_build::Span::default(),
    })
}

fn step(told: &Told, stage: &str) -> BuildStep {
    BuildStep {
        number: told.number,
        text: told.text.clone(),
        line: told.span.first_line,
        stage: stage.to_owned(),
    }
}
