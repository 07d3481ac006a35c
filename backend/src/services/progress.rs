//! Progress: an image's way here, the engine's lines folded into what each layer does; or the stages of
//! other work.
//!
//! **Invariant:** pure. A line goes in, the next picture comes out.

use std::sync::Arc;

use engine_api::builds::BuildLine;
use engine_api::images::Progress as Line;

use super::build_steps::BuildSteps;
use super::stages::Stages;

/// Layers of one image; an engine that names more is not believed.
const MOST_LAYERS: usize = 512;
/// Lines of text that are kept.
const MOST_NOTES: usize = 100;

/// What happens to a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// Its bytes come.
    Downloading,
    /// Its bytes are there; their digest is computed.
    Verifying,
    /// Its bytes are there and right.
    Downloaded,
    /// It is unpacked.
    Extracting,
    /// It is made small before it goes.
    Compressing,
    /// Its bytes go.
    Uploading,
    /// It is there.
    Done,
    /// It was there before.
    Exists,
}

/// How far a layer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    /// The first twelve digits of its digest, or the archive's name for it.
    pub id: String,
    /// What happens to it.
    pub step: Step,
    /// Bytes of this step that are done, where the engine says so.
    pub current_bytes: Option<u64>,
    /// Bytes of this step in all, where the engine says so.
    pub total_bytes: Option<u64>,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The layers, in the order in which they were named.
    pub layers: Vec<Layer>,
    /// What else the engine said, as `Digest: …`, `Loaded image: …`.
    pub notes: Vec<String>,
    /// What is done one after the other, where that is known before.
    pub stages: Stages,
    /// What a program said last that did not run as it should.
    pub last_words: LastWords,
    /// The steps of a build. Shared, because whoever looks takes a copy of the whole.
    pub build: Option<Arc<BuildSteps>>,
}

/// What a program said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastWords {
    /// What its last health check said.
    pub probe: String,
    /// The last lines of its log, oldest first.
    pub lines: Vec<String>,
}

impl Progress {
    /// Takes in a line; the error is the engine's word that the work failed.
    pub(super) fn take_in(&mut self, line: &Line) -> Result<(), String> {
        failure(line)?;
        let status = line.status.as_deref().unwrap_or("");
        match (step(status), &line.id) {
            (Some(step), Some(id)) => self.layer_is(id, step, line),
            _ => self.note(line.stream.as_deref().unwrap_or(status)),
        }
        Ok(())
    }

    /// Takes in a line of a build; the error is the engine's word that it failed.
    pub(super) fn take_in_build(&mut self, line: &BuildLine) -> Result<(), String> {
        let steps = self.build.get_or_insert_default();
        Arc::make_mut(steps).take_in(line);
        failure(line)?;
        if let (Some(step), Some(id)) = (step(line.status.as_deref().unwrap_or("")), &line.id) {
            self.layer_is(id, step, line);
        }
        Ok(())
    }

    /// Nothing goes on any more, and not all is done.
    pub(super) fn fail(&mut self) {
        self.stages.fail();
        if let Some(steps) = &mut self.build {
            Arc::make_mut(steps).stop();
        }
    }

    /// Marks every layer as there, and every stage as done.
    pub(super) fn finish(&mut self) {
        self.stages.finish();
        for layer in &mut self.layers {
            if layer.step != Step::Exists {
                *layer = Layer {
                    id: std::mem::take(&mut layer.id),
                    step: Step::Done,
                    ..Layer::default()
                };
            }
        }
    }

    /// Returns how much of the work is done, between 0 and 1; a layer counts half when it is there
    /// and half when it is unpacked, or half when it is ready and half when it went.
    pub fn fraction(&self) -> f64 {
        if let Some(build) = &self.build {
            let n_steps = build.steps.len().max(1);
            return count(build.counts().0) / count(n_steps);
        }
        if self.layers.is_empty() {
            return self.stages.fraction();
        }
        let sum: f64 = self.layers.iter().map(Layer::fraction).sum();
        sum / count(self.layers.len())
    }

    fn layer_is<A>(&mut self, id: &str, step: Step, line: &Line<A>) {
        let detail = line.progress_detail.clone().unwrap_or_default();
        let known = self.layers.iter().position(|layer| layer.id == id);
        let layer = match known {
            Some(known) => &mut self.layers[known],
            None if self.layers.len() >= MOST_LAYERS => return,
            None => {
                self.layers.push(Layer {
                    id: id.to_owned(),
                    ..Layer::default()
                });
                let last = self.layers.len() - 1;
                &mut self.layers[last]
            }
        };
        layer.step = step;
        layer.current_bytes = detail.current;
        layer.total_bytes = detail.total.filter(|total| *total > 0);
    }

    /// Takes in what else there is to say.
    pub(super) fn note(&mut self, text: &str) {
        let text = text.trim();
        if !text.is_empty() && self.notes.len() < MOST_NOTES {
            self.notes.push(text.to_owned());
        }
    }
}

impl Layer {
    fn fraction(&self) -> f64 {
        let within = match (self.current_bytes, self.total_bytes) {
            (Some(current), Some(total)) => (bytes(current) / bytes(total)).min(1.0),
            _ => 0.0,
        };
        match self.step {
            Step::Waiting => 0.0,
            Step::Downloading | Step::Compressing => within / 2.0,
            Step::Verifying | Step::Downloaded => 0.5,
            Step::Extracting | Step::Uploading => 0.5 + within / 2.0,
            Step::Done | Step::Exists => 1.0,
        }
    }
}

/// The engine's word that the work failed.
fn failure<A>(line: &Line<A>) -> Result<(), String> {
    let detailed = line.error_detail.as_ref().map(|detail| &detail.message);
    match line.error.as_ref().or(detailed) {
        Some(message) => Err(message.clone()),
        None => Ok(()),
    }
}

/// The word that an engine has for a step; `None` when the line is about something else.
fn step(status: &str) -> Option<Step> {
    Some(match status {
        "Pulling fs layer" | "Waiting" | "Preparing" => Step::Waiting,
        "Downloading" | "Loading layer" | "Retrying" => Step::Downloading,
        "Verifying Checksum" => Step::Verifying,
        "Download complete" => Step::Downloaded,
        "Extracting" => Step::Extracting,
        "Compressing" => Step::Compressing,
        "Pushing" => Step::Uploading,
        "Pull complete" | "Pushed" => Step::Done,
        "Already exists" | "Layer already exists" => Step::Exists,
        status if status.starts_with("Mounted from ") => Step::Exists,
        status if status.starts_with("Retrying in") => Step::Downloading,
        _ => return None,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a fraction for a bar, not a sum"
)]
fn bytes(n: u64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most 512 layers, or 1,000 steps"
)]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use engine_api::images::{ProgressDetail, ProgressError};

    use super::*;

    fn line(id: &str, status: &str, current: u64, total: u64) -> Line {
        Line {
            id: Some(id.to_owned()),
            status: Some(status.to_owned()),
            progress_detail: Some(ProgressDetail {
                current: Some(current),
                total: Some(total),
            }),
            ..Line::default()
        }
    }

    #[test]
    fn lines_become_layers_and_notes() {
        let mut progress = Progress::default();
        progress
            .take_in(&line("latest", "Pulling from library/x", 0, 0))
            .unwrap();
        progress
            .take_in(&line("aa", "Pulling fs layer", 0, 0))
            .unwrap();
        progress
            .take_in(&line("bb", "Already exists", 0, 0))
            .unwrap();
        progress
            .take_in(&line("aa", "Downloading", 25, 50))
            .unwrap();

        assert_eq!(progress.notes, ["Pulling from library/x"]);
        assert_eq!(progress.layers[0].step, Step::Downloading);
        assert_eq!(progress.layers[0].total_bytes, Some(50));
        assert_eq!(progress.layers[1].step, Step::Exists);
        assert!((progress.fraction() - 0.625).abs() < 1e-9);

        progress.finish();
        assert_eq!(progress.layers[0].step, Step::Done);
        assert!((progress.fraction() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_failure_after_the_start_is_seen() {
        let failed = Line {
            error_detail: Some(ProgressError {
                code: None,
                message: "no space left".to_owned(),
            }),
            ..Line::default()
        };
        assert_eq!(
            Progress::default().take_in(&failed),
            Err("no space left".to_owned())
        );
    }

    #[test]
    fn layers_and_notes_are_bounded() {
        let mut progress = Progress::default();
        for n in 0..2_000 {
            progress
                .take_in(&line(&n.to_string(), "Waiting", 0, 0))
                .unwrap();
            progress
                .take_in(&line("x", &format!("note {n}"), 0, 0))
                .unwrap();
        }
        assert_eq!((progress.layers.len(), progress.notes.len()), (512, 100));
    }
}
