//! Taking the children that have ended, and finding out whose they were.

use engine_sys::process;

use super::task::Task;
use super::watch::Monitor;

impl Monitor {
    /// Takes every child that has ended; what they reported before is read first.
    pub(super) fn take_ended(&mut self) {
        while let Ok(Some((pid, end))) = process::reap() {
            if let Some(at) = self.helpers.iter().position(|helper| *helper == pid) {
                self.helpers.swap_remove(at);
            } else {
                self.unclaimed.push((pid, end));
            }
        }
        for (_, task) in &mut self.tasks {
            task.hear();
        }
        self.claim();
    }

    /// Gives the ends of processes to the tasks that they were.
    ///
    /// An exec's process may end before its helper has reported that it exists; its end waits here.
    pub(super) fn claim(&mut self) {
        let tasks = &mut self.tasks;
        self.unclaimed.retain(|(pid, end)| {
            let owner = tasks.iter_mut().find(|(_, task)| task.pid() == Some(*pid));
            let Some((_, task)) = owner else { return true };
            task.end = Some(*end);
            false
        });
        // What is left can only be of those that do not know their process yet. Kept longer, it
        // would be taken for the end of a later process with the same number.
        let is_awaited = |task: &Task| task.process.is_none() && task.channel.is_some();
        if !self.tasks.iter().any(|(_, task)| is_awaited(task)) {
            self.unclaimed.clear();
        }
    }
}
