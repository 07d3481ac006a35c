//! The steps of a build: the engine's lines folded into what each step does and says.
//!
//! **Invariant:** pure. What a container says is kept as it came, within bounds, and belongs to one
//! step; nothing of it is believed.

use std::collections::VecDeque;

use engine_api::builds::{BuildLine, BuildMark, StepState};

/// Steps that are kept; an engine that names more is cut.
const MOST_STEPS: usize = 1_000;
/// Lines of one step that are kept, the newest.
const MOST_LINES: usize = 200;
/// Lines of all steps that are kept.
const MOST_LINES_IN_ALL: usize = 2_000;
/// Characters of a line that are kept.
const MOST_LETTERS: usize = 1_000;

/// How a step stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BuildStepState {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// It goes on.
    Going,
    /// What came of it before was taken.
    Cached,
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// It was broken off, because another one failed or somebody wanted so.
    Stopped,
    /// Its turn never came.
    Left,
}

/// One step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildStep {
    /// As in `Step 3/7`.
    pub number: usize,
    /// The instruction.
    pub text: String,
    /// Its line in the Dockerfile; 0 when it stands in none.
    pub line: usize,
    /// The stage that it is of; empty when of none.
    pub stage: String,
    /// How it stands.
    pub state: BuildStepState,
    /// How long it took.
    pub took_ms: Option<u64>,
    /// What it said last, line by line, as it came.
    pub lines: VecDeque<String>,
    /// Lines before those.
    pub n_left_out: usize,
    /// Whether the last line has not ended yet, and whether what comes next begins it anew.
    open: Option<Return>,
}

/// What stands behind an open line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Return {
    No,
    Came,
}

/// The steps of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildSteps {
    /// In the order of their numbers.
    pub steps: Vec<BuildStep>,
    /// Steps that are not kept.
    pub n_left_out: usize,
    /// What was said about none of them.
    pub said: BuildStep,
    /// The id of the image.
    pub image: Option<String>,
    /// The code with which a command ended the build.
    pub exit_code: Option<i32>,
    n_lines: usize,
}

impl BuildSteps {
    /// Takes in a line.
    pub(super) fn take_in(&mut self, line: &BuildLine) {
        let mark = line.gantry.as_deref();
        if let Some(mark) = mark {
            self.mark(mark);
        }
        if let Some(image) = &line.aux {
            self.image = Some(image.id.chars().take(MOST_LETTERS).collect());
        }
        if let Some(error) = &line.error_detail {
            self.exit_code = error.code;
        }
        let step = mark.and_then(|mark| mark.step).unwrap_or(0);
        match (&line.stream, &line.status, &line.id) {
            (Some(text), ..) => self.say(step, text),
            // Of a layer that is pulled only its state counts.
            (None, Some(status), None) => self.say(step, &format!("{status}\n")),
            _ => {}
        }
    }

    /// Says that nothing goes on any more.
    pub(super) fn stop(&mut self) {
        for step in &mut self.steps {
            step.state = match step.state {
                BuildStepState::Going => BuildStepState::Stopped,
                BuildStepState::Waiting => BuildStepState::Left,
                ended => ended,
            };
        }
    }

    /// Returns the step that failed.
    pub fn failed(&self) -> Option<&BuildStep> {
        let mut steps = self.steps.iter();
        steps.find(|step| step.state == BuildStepState::Failed)
    }

    /// Returns how many steps have ended well, and how many of those were done before.
    pub fn counts(&self) -> (usize, usize) {
        let n = |state| self.steps.iter().filter(|step| step.state == state).count();
        let n_cached = n(BuildStepState::Cached);
        (n(BuildStepState::Done) + n_cached, n_cached)
    }

    fn mark(&mut self, mark: &BuildMark) {
        if !mark.steps.is_empty() && self.steps.is_empty() {
            self.n_left_out = mark.steps.len().saturating_sub(MOST_STEPS);
            let named = mark.steps.iter().take(MOST_STEPS);
            let short = |text: &str| text.chars().take(MOST_LETTERS).collect();
            self.steps = named
                .map(|step| BuildStep {
                    number: step.number,
                    text: short(&step.text),
                    line: step.line,
                    stage: short(&step.stage),
                    ..BuildStep::default()
                })
                .collect();
        }
        let (Some(number), Some(state)) = (mark.step, mark.state) else {
            return;
        };
        let mut steps = self.steps.iter_mut();
        if let Some(step) = steps.find(|step| step.number == number) {
            step.state = match state {
                StepState::Begun => BuildStepState::Going,
                StepState::Cached => BuildStepState::Cached,
                StepState::Done => BuildStepState::Done,
                StepState::Failed => BuildStepState::Failed,
            };
            step.took_ms = mark.took_ms;
        }
    }

    fn say(&mut self, number: usize, text: &str) {
        let found = self.steps.iter_mut().find(|step| step.number == number);
        let step = found.unwrap_or(&mut self.said);
        let before = step.lines.len();
        step.say(text);
        self.n_lines = (self.n_lines + step.lines.len()).saturating_sub(before);
        while self.n_lines > MOST_LINES_IN_ALL {
            let longest = self.steps.iter_mut().max_by_key(|step| step.lines.len());
            let Some(longest) = longest.filter(|step| !step.lines.is_empty()) else {
                break;
            };
            longest.lines.pop_front();
            longest.n_left_out += 1;
            self.n_lines -= 1;
        }
    }
}

impl BuildStep {
    /// Takes in what a program wrote; a carriage return begins its line anew, as on a terminal.
    fn say(&mut self, text: &str) {
        for letter in text.chars() {
            match (letter, self.open) {
                ('\n', None) => self.push(),
                ('\n', Some(_)) => self.open = None,
                ('\r', None) => {}
                ('\r', Some(_)) => self.open = Some(Return::Came),
                (letter, open) => {
                    match open {
                        None => self.push(),
                        Some(Return::Came) => {
                            if let Some(line) = self.lines.back_mut() {
                                line.clear();
                            }
                        }
                        Some(Return::No) => {}
                    }
                    self.open = Some(Return::No);
                    self.put(letter);
                }
            }
        }
    }

    fn push(&mut self) {
        if self.lines.len() == MOST_LINES {
            self.lines.pop_front();
            self.n_left_out += 1;
        }
        self.lines.push_back(String::new());
    }

    fn put(&mut self, letter: char) {
        let Some(line) = self.lines.back_mut() else {
            return;
        };
        // Bytes are counted first: most lines are far below either bound.
        if line.len() < MOST_LETTERS || line.chars().count() < MOST_LETTERS {
            line.push(letter);
        } else if !line.ends_with('…') {
            line.push('…');
        }
    }
}

#[cfg(test)]
mod tests {
    use engine_api::builds::{BuildStep as Told, BuiltImage};
    use engine_api::images::ProgressError;

    use super::*;

    fn planned(texts: &[&str]) -> BuildSteps {
        let steps = texts.iter().enumerate().map(|(at, text)| Told {
            number: at + 1,
            text: (*text).to_owned(),
            line: at + 1,
            stage: "0".to_owned(),
        });
        let mut build = BuildSteps::default();
        build.take_in(&BuildLine {
            gantry: Some(Box::new(BuildMark {
                steps: steps.collect(),
                ..BuildMark::default()
            })),
            ..BuildLine::default()
        });
        build
    }

    fn mark(step: usize, state: Option<StepState>, stream: Option<&str>) -> BuildLine {
        BuildLine {
            stream: stream.map(str::to_owned),
            gantry: Some(Box::new(BuildMark {
                step: Some(step),
                state,
                took_ms: Some(5),
                ..BuildMark::default()
            })),
            ..BuildLine::default()
        }
    }

    #[test]
    fn what_side_by_side_steps_say_is_told_apart() {
        let mut build = planned(&["FROM a", "RUN b", "RUN c"]);
        build.take_in(&mark(1, Some(StepState::Begun), None));
        build.take_in(&mark(2, Some(StepState::Begun), None));
        for (step, text) in [
            (1, "one "),
            (2, "two\n"),
            (1, "more\nx"),
            (2, "50%\r100%\r\n"),
        ] {
            build.take_in(&mark(step, None, Some(text)));
        }
        build.take_in(&mark(1, Some(StepState::Cached), None));
        assert_eq!(build.steps[0].lines, ["one more", "x"]);
        assert_eq!(build.steps[1].lines, ["two", "100%"]);
        assert_eq!(build.steps[0].state, BuildStepState::Cached);
        assert_eq!(build.counts(), (1, 1));
        build.stop();
        assert_eq!(build.steps[1].state, BuildStepState::Stopped);
        assert_eq!(build.steps[2].state, BuildStepState::Left);
    }

    #[test]
    fn the_end_says_the_image_or_the_code() {
        let mut build = planned(&["FROM a"]);
        build.take_in(&BuildLine {
            aux: Some(BuiltImage {
                id: "sha256:ab".to_owned(),
            }),
            ..BuildLine::default()
        });
        assert_eq!(build.image.as_deref(), Some("sha256:ab"));
        build.take_in(&mark(1, Some(StepState::Failed), None));
        build.take_in(&BuildLine {
            error_detail: Some(ProgressError {
                code: Some(7),
                message: String::new(),
            }),
            ..BuildLine::default()
        });
        assert_eq!(build.failed().map(|step| step.number), Some(1));
        assert_eq!(build.exit_code, Some(7));
    }

    #[test]
    fn whatever_is_said_is_kept_within_bounds() {
        let texts: Vec<String> = (0..1_500).map(|n| format!("RUN {n}")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut build = planned(&texts);
        assert_eq!((build.steps.len(), build.n_left_out), (1_000, 500));
        for step in 1..=20 {
            for line in 0..300 {
                build.take_in(&mark(step, None, Some(&format!("{line}\n"))));
            }
        }
        build.take_in(&mark(20, None, Some(&"x".repeat(9_999))));
        build.take_in(&mark(0, None, Some("of none\n")));
        let kept: usize = build.steps.iter().map(|step| step.lines.len()).sum();
        let left_out: usize = build.steps.iter().map(|step| step.n_left_out).sum();
        assert_eq!(kept + left_out, 20 * 300 + 1);
        assert!(kept <= 2_000, "{kept}");
        assert_eq!(build.steps[19].lines.back().unwrap().chars().count(), 1_001);
        assert_eq!(build.said.lines, ["of none"]);
    }
}
