//! A change of several steps: each that succeeds leaves its own undo, and a failure later, or a
//! caller that goes away, runs them backwards.

type Step = Box<dyn FnOnce() + Send>;

/// What has to be undone if the change does not come to its end.
#[derive(Default)]
pub(crate) struct Undo(Vec<Step>);

impl Undo {
    /// Remembers how to undo the step just taken.
    pub(crate) fn push(&mut self, step: impl FnOnce() + Send + 'static) {
        self.0.push(Box::new(step));
    }

    /// The change is complete: nothing is undone any more.
    pub(crate) fn complete(mut self) {
        self.0.clear();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        while let Some(step) = self.0.pop() {
            step();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn undone(complete: bool) -> Vec<u8> {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut undo = Undo::default();
        for n in 1..=3 {
            let order = Arc::clone(&order);
            undo.push(move || order.lock().unwrap().push(n));
        }
        if complete {
            undo.complete();
        } else {
            drop(undo);
        }
        let order = order.lock().unwrap();
        order.clone()
    }

    #[test]
    fn steps_are_undone_backwards_unless_complete() {
        assert_eq!(undone(false), [3, 2, 1]);
        assert!(undone(true).is_empty());
    }
}
