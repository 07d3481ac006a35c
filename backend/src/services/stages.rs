//! Stages: what a job does one after the other, as it is shown.
//!
//! **Invariant:** pure. At most one stage goes on, and those before it are done.

/// Where a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StageState {
    /// Its turn has not come.
    Waiting,
    /// It goes on.
    Going,
    /// It is done.
    Done,
    /// It failed.
    Failed,
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The key of its words in the catalogue.
    pub key: &'static str,
    /// More about it, as a key of the catalogue with its values; empty when there is no more.
    pub note: String,
    /// Where it is.
    pub state: StageState,
}

/// The stages of a job, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stages(Vec<Stage>);

impl Stages {
    /// Names what shall be done, beside what is named already.
    pub(super) fn plan(&mut self, keys: &[&'static str]) {
        let stage = |key: &&'static str| Stage {
            key,
            note: String::new(),
            state: StageState::Waiting,
        };
        self.0.extend(keys.iter().map(stage));
    }

    /// Goes on to a stage; those before it are done, or were not needed. One that was not planned is
    /// added.
    pub(super) fn enter(&mut self, key: &'static str) {
        self.settle(StageState::Done);
        if !self.0.iter().any(|stage| stage.key == key) {
            self.plan(&[key]);
        }
        if let Some(stage) = self.0.iter_mut().find(|stage| stage.key == key) {
            stage.state = StageState::Going;
        }
    }

    /// Says more about the stage that goes on.
    pub(super) fn note(&mut self, note: String) {
        if let Some(stage) = self.going_mut() {
            stage.note = note;
        }
    }

    /// The stage that goes on failed, and those that wait do not come any more.
    pub(super) fn fail(&mut self) {
        self.settle(StageState::Failed);
        self.0.retain(|stage| stage.state != StageState::Waiting);
    }

    /// All is done.
    pub(super) fn finish(&mut self) {
        self.settle(StageState::Done);
    }

    /// Returns the stage that goes on.
    pub fn going(&self) -> Option<&Stage> {
        self.0.iter().find(|stage| stage.state == StageState::Going)
    }

    /// Returns every stage.
    pub fn all(&self) -> &[Stage] {
        &self.0
    }

    /// Returns how much is done, between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "a handful of stages")]
    pub fn fraction(&self) -> f64 {
        let n_done = self
            .0
            .iter()
            .filter(|stage| stage.state == StageState::Done);
        n_done.count() as f64 / self.0.len().max(1) as f64
    }

    fn settle(&mut self, state: StageState) {
        if let Some(stage) = self.going_mut() {
            stage.state = state;
        }
    }

    fn going_mut(&mut self) -> Option<&mut Stage> {
        self.0
            .iter_mut()
            .find(|stage| stage.state == StageState::Going)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(stages: &Stages) -> Vec<(&'static str, StageState)> {
        stages.all().iter().map(|s| (s.key, s.state)).collect()
    }

    #[test]
    fn what_goes_on_is_done_when_the_next_begins_and_a_failure_stays_where_it_was() {
        use StageState::{Done, Failed, Going, Waiting};
        let mut stages = Stages::default();
        stages.plan(&["make", "stop", "start"]);
        stages.enter("make");
        assert_eq!(
            states(&stages),
            [("make", Going), ("stop", Waiting), ("start", Waiting)]
        );
        stages.enter("stop");
        stages.fail();
        stages.enter("back");
        assert_eq!(
            states(&stages),
            [("make", Done), ("stop", Failed), ("back", Going)]
        );
        stages.finish();
        assert_eq!(stages.going(), None);
        assert!((stages.fraction() - 2.0 / 3.0).abs() < 1e-9);
    }
}
