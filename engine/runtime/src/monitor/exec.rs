//! Bringing a further process into the container.

use std::os::fd::{AsFd as _, OwnedFd};

use engine_sys::process::{self, Forked};
use engine_sys::{fd, socket};

use super::streams::Streams;
use super::task::{Task, TaskPhase};
use super::watch::{INIT, Monitor};
use crate::chain;
use crate::init::{self, Entry};
use crate::protocol::AttachStreams;
use crate::spec::Process;

impl Monitor {
    /// Forks the process that brings an exec in; what becomes of it is told by events.
    pub(super) fn begin_exec(
        &mut self,
        id: String,
        mut process: Process,
        view: AttachStreams,
        client: Option<OwnedFd>,
    ) -> Result<(), String> {
        let running = self.tasks.iter().find(|(key, _)| *key == INIT);
        let running = running
            .map(|(_, task)| task)
            .filter(|task| task.phase == TaskPhase::Running && task.end.is_none());
        let Some(init) = running.and_then(|task| task.process.as_ref()) else {
            return Err("the container is not running".into());
        };
        if self
            .tasks
            .iter()
            .any(|(_, task)| task.id.as_ref() == Some(&id))
        {
            return Err(format!("the exec {id} exists already"));
        }
        // The end of an exec's only viewer is the end of its input.
        process.stdin_once = true;
        process.open_stdin &= client.is_some();
        process.no_new_privileges |= self.common.no_new_privileges;
        if process.rlimits.is_empty() {
            process.rlimits.clone_from(&self.common.rlimits);
        }

        let (mut streams, stdio) = Streams::open(&process).map_err(|error| chain(&error))?;
        let (channel, theirs) = socket::packet_pair().map_err(|error| chain(&error))?;
        fd::set_nonblocking(&channel, true).map_err(|error| chain(&error))?;
        if let Some(client) = client {
            streams
                .attach(self.next_key, id.clone(), view, client)
                .map_err(|error| chain(&error))?;
        }
        let into = self.cgroup.unified().map_err(|error| chain(&error))?;
        let into = into.as_ref().map(OwnedFd::as_fd);
        let helper = match process::fork_into(engine_sys::namespace::Namespaces::NONE, into)
            .map_err(|error| chain(&error))?
        {
            Forked::Parent(helper) => helper,
            Forked::Child => init::enter(&Entry {
                init: init.pidfd.as_fd(),
                namespaces: self.namespaces,
                cgroup: &self.cgroup,
                process: &process,
                capabilities: &self.common.capabilities,
                seccomp: self.common.seccomp,
                oom_score_adj: self.common.oom_score_adj,
                apparmor: self.common.apparmor.as_deref(),
                remap: self.common.remap,
                filter: self.filter.as_ref().map(OwnedFd::as_fd),
                stdio,
                channel: theirs,
            }),
        };
        drop((theirs, stdio));
        self.helpers.push(helper.pid);
        self.add_task(Task::exec(id, streams, channel));
        Ok(())
    }
}
