//! The loop, and everything that it holds.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use engine_sys::file::Lock;
use engine_sys::memory::Buffer;
use engine_sys::namespace::Namespaces;
use engine_sys::poll::{Interest, Poller, Ready};
use engine_sys::process::End;

use super::engine::{CONNECTION, Engine, LISTENER};
use super::exit;
use super::streams::{BUFFER_BYTES, CHANNEL, Pump};
use super::task::{Task, TaskPhase};
use crate::cgroups::Cgroup;
use crate::log::Writer;
use crate::protocol::{ExecState, MonitorState, PROTOCOL_VERSION};
use crate::spec::{Remap, Rlimit, Seccomp, Spec};
use crate::{Bundle, Event, clock};

const CHILDREN: u64 = 3;
/// The key of the container's first process; execs get the next ones.
pub(super) const INIT: u64 = 1;
/// How long the buffer is kept when nothing flows.
const IDLE: Duration = Duration::from_millis(100);

/// What a monitor is made from.
pub(super) struct Parts {
    pub(super) filter: Option<OwnedFd>,
    pub(super) spec: Spec,
    pub(super) namespaces: Namespaces,
    pub(super) cgroup: Cgroup,
    pub(super) log: Writer,
    pub(super) init: Task,
    pub(super) children: OwnedFd,
    pub(super) root: Root,
    pub(super) claim: File,
}

/// The container's mounts, kept past its last process.
///
/// Taking them apart waits for the kernel's grace periods, 1.2 ms of a life of ten. Without this the
/// process would do it on its way out, before anybody could hear that it has ended.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) _mounts: OwnedFd,
    /// Let go of last: the next life mounts the same files.
    pub(super) _place: Lock,
}

/// What every process of the container is held to.
pub(super) struct Common {
    pub(super) capabilities: Vec<String>,
    pub(super) seccomp: Seccomp,
    pub(super) no_new_privileges: bool,
    pub(super) rlimits: Vec<Rlimit>,
    pub(super) oom_score_adj: Option<i32>,
    pub(super) apparmor: Option<String>,
    pub(super) remap: Option<Remap>,
}

impl Common {
    fn of(spec: Spec) -> Self {
        Self {
            capabilities: spec.capabilities,
            seccomp: spec.seccomp,
            no_new_privileges: spec.process.no_new_privileges,
            rlimits: spec.process.rlimits,
            oom_score_adj: spec.oom_score_adj,
            apparmor: spec.apparmor,
            remap: spec.remap,
        }
    }
}

/// The monitor of one container.
pub(super) struct Monitor {
    pub(super) bundle: Bundle,
    pub(super) poller: Poller,
    pub(super) engine: Engine,
    pub(super) cgroup: Cgroup,
    /// Those that an exec enters.
    pub(super) namespaces: Namespaces,
    /// What execs have in common with the container.
    pub(super) common: Common,
    /// Held until the end has been told.
    pub(super) root: Option<Root>,
    /// The container's filter, compiled.
    pub(super) filter: Option<OwnedFd>,
    pub(super) log: Option<Writer>,
    children: OwnedFd,
    /// Every process with streams, by its key.
    pub(super) tasks: Vec<(u64, Task)>,
    pub(super) next_key: u64,
    /// Processes that only bring an exec in.
    pub(super) helpers: Vec<i32>,
    /// Ends of processes that nobody has reported yet.
    pub(super) unclaimed: Vec<(i32, End)>,
    pub(super) started_at_unix_ns: Option<u64>,
    /// Bytes in flight; held only while something flows.
    buffer: Option<Buffer>,
    /// Says to everybody that this process watches the bundle, until nothing of it is left.
    pub(super) claim: Option<File>,
    /// The exit record has been written.
    pub(super) is_over: bool,
}

impl Monitor {
    pub(super) fn new(bundle: Bundle, engine: Engine, parts: Parts) -> engine_sys::Result<Self> {
        let poller = Poller::new()?;
        let readable = Interest {
            readable: true,
            writable: false,
        };
        poller.add(&engine.listener, LISTENER, readable)?;
        poller.add(&parts.children, CHILDREN, readable)?;
        let mut monitor = Self {
            bundle,
            poller,
            engine,
            cgroup: parts.cgroup,
            namespaces: parts.namespaces,
            root: Some(parts.root),
            common: Common::of(parts.spec),
            filter: parts.filter,
            log: Some(parts.log),
            children: parts.children,
            tasks: Vec::new(),
            next_key: INIT,
            helpers: Vec::new(),
            unclaimed: Vec::new(),
            started_at_unix_ns: None,
            buffer: None,
            claim: Some(parts.claim),
            is_over: false,
        };
        monitor.add_task(parts.init);
        Ok(monitor)
    }

    /// Watches until the container has ended and everything is delivered.
    pub(super) fn watch(&mut self) {
        let mut is_resting = false;
        while !(self.is_over && self.tasks.is_empty()) {
            let timeout = self.timeout();
            let waited = if is_resting {
                self.poller.rest(timeout)
            } else {
                self.poller.wait(timeout)
            };
            let Ok(ready) = waited else { break };
            // Nothing flows: what a sleeping process does not need is given back.
            is_resting = ready.is_empty();
            if is_resting {
                self.buffer = None;
            }
            for one in ready {
                self.handle(one);
            }
            self.settle();
        }
        self.engine.flush_last(&self.poller);
    }

    fn timeout(&self) -> Option<Duration> {
        let idle = self.buffer.is_some().then_some(IDLE);
        let now = Instant::now();
        let late = self.tasks.iter().filter_map(|(_, task)| match task.phase {
            TaskPhase::Draining(since) => {
                let at = task.streams.given_up_at(since);
                Some(at.unwrap_or(now).saturating_duration_since(now))
            }
            _ => None,
        });
        late.chain(idle).min()
    }

    fn handle(&mut self, ready: Ready) {
        match ready.token {
            LISTENER => {
                if self.engine.accept(&self.poller) {
                    self.greet();
                }
            }
            CONNECTION => self.converse(),
            CHILDREN => self.reap(),
            token => {
                let (key, slot) = (token >> 32, token & u64::from(u32::MAX));
                self.serve(key, slot, ready.hung_up);
            }
        }
    }

    fn serve(&mut self, key: u64, slot: u64, hung_up: bool) {
        if slot == CHANNEL {
            if let Some((_, task)) = self.tasks.iter_mut().find(|(one, _)| *one == key) {
                task.hear();
            }
            self.claim();
            self.with_streams(key, |task, pump| task.streams.poll(pump));
        } else {
            self.with_streams(key, |task, pump| task.streams.handle(slot, hung_up, pump));
        }
    }

    /// Adds a process with streams and begins to poll it; returns its key.
    pub(super) fn add_task(&mut self, task: Task) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        if let Some(channel) = &task.channel {
            let readable = Interest {
                readable: true,
                writable: false,
            };
            // Without it the reports are read when the process ends.
            let _ = self.poller.add(channel, key << 32 | CHANNEL, readable);
        }
        self.tasks.push((key, task));
        self.with_streams(key, |task, pump| task.streams.poll(pump));
        key
    }

    /// Runs something with a task and all that moving its bytes needs.
    pub(super) fn with_streams(&mut self, key: u64, act: impl FnOnce(&mut Task, &mut Pump<'_>)) {
        let Some((_, task)) = self.tasks.iter_mut().find(|(one, _)| *one == key) else {
            return;
        };
        if self.buffer.is_none() {
            let Ok(buffer) = Buffer::new(BUFFER_BYTES) else {
                return;
            };
            self.buffer = Some(buffer);
        }
        let Some(buffer) = &mut self.buffer else {
            return;
        };
        let mut events = Vec::new();
        let mut pump = Pump {
            poller: &self.poller,
            key,
            buffer,
            log: self.log.as_mut().filter(|_| key == INIT),
            events: &mut events,
        };
        act(task, &mut pump);
        for event in events {
            self.engine.tell(event, &self.poller);
        }
    }

    /// Tells a new engine how things stand.
    pub(super) fn greet(&mut self) {
        let mut execs = self.engine.take_missed();
        execs.extend(self.tasks.iter().filter_map(|(_, task)| {
            let id = task.id.clone()?;
            let is_running = task.phase == TaskPhase::Running;
            is_running.then(|| ExecState {
                id,
                pid: task.pid().unwrap_or(0),
                code: None,
            })
        }));
        let init = self.tasks.iter().find(|(key, _)| *key == INIT);
        let state = MonitorState {
            monitor_pid: engine_sys::process::own_pid(),
            init_pid: init.and_then(|(_, task)| task.pid()).unwrap_or(0),
            started_at_unix_ns: self.started_at_unix_ns,
            execs,
        };
        let ready = Event::Ready {
            protocol: PROTOCOL_VERSION,
            state,
        };
        self.engine.tell(ready, &self.poller);
    }

    /// Reads what children have reported, then takes those that have ended.
    fn reap(&mut self) {
        // Draining first: a child that ends meanwhile makes the descriptor ready again.
        let _ = engine_sys::signal::drain(&self.children);
        self.take_ended();
    }

    /// Tells what has become true, in the order in which it did.
    pub(super) fn settle(&mut self) {
        // Execs first: all of them have ended before the first process could.
        let keys: Vec<u64> = self.tasks.iter().rev().map(|(key, _)| *key).collect();
        for key in keys {
            let Some((_, task)) = self.tasks.iter().find(|(one, _)| *one == key) else {
                continue;
            };
            let is_silent = task.channel.is_none();
            match task.phase {
                TaskPhase::Starting if is_silent => self.announce_start(key),
                TaskPhase::Waiting if is_silent && key == INIT => exit::give_up(self),
                _ => {}
            }
            self.announce_end(key);
            self.finish(key);
        }
    }

    fn announce_start(&mut self, key: u64) {
        let Some((_, task)) = self.tasks.iter_mut().find(|(one, _)| *one == key) else {
            return;
        };
        let (id, pid) = (task.id.clone(), task.pid());
        let event = match (&task.failure, pid, id) {
            (None, Some(pid), Some(id)) => Event::ExecStarted { id, pid },
            (None, Some(pid), None) => {
                let started_at_unix_ns = clock::unix_ns();
                self.started_at_unix_ns = Some(started_at_unix_ns);
                Event::Started {
                    pid,
                    started_at_unix_ns,
                }
            }
            (failure, _, id) => {
                let (message, exit_code) = failure.as_ref().map_or_else(
                    || {
                        (
                            "the process ended on its way into the container".to_owned(),
                            128,
                        )
                    },
                    |failure| (failure.message.clone(), failure.exit_code),
                );
                task.phase = TaskPhase::Draining(Instant::now());
                match id {
                    Some(id) => Event::ExecFailed {
                        id,
                        message,
                        exit_code,
                    },
                    None => return exit::start_failed(self, message, exit_code),
                }
            }
        };
        if task.phase == TaskPhase::Starting {
            task.phase = TaskPhase::Running;
        }
        self.engine.tell(event, &self.poller);
    }

    fn announce_end(&mut self, key: u64) {
        let Some((_, task)) = self.tasks.iter_mut().find(|(one, _)| *one == key) else {
            return;
        };
        let (TaskPhase::Running, Some(code), Some(end)) = (task.phase, task.code(), task.end)
        else {
            return;
        };
        task.phase = TaskPhase::Draining(Instant::now());
        let exec = task.id.clone().map(|id| ExecState {
            id,
            pid: task.pid().unwrap_or(0),
            code: Some(code),
        });
        self.with_streams(key, |task, pump| task.streams.drain(pump));
        match exec {
            Some(exec) => self.engine.tell_exec_end(exec, &self.poller),
            None => exit::conclude(self, end),
        }
    }

    /// Lets go of a process whose streams are delivered, or late.
    fn finish(&mut self, key: u64) {
        let Some(at) = self.tasks.iter().position(|(one, _)| *one == key) else {
            return;
        };
        let task = &mut self.tasks[at].1;
        let TaskPhase::Draining(since) = task.phase else {
            return;
        };
        let mut events = Vec::new();
        let is_done = task.streams.finish(since, &mut events);
        for event in events {
            self.engine.tell(event, &self.poller);
        }
        if is_done {
            self.tasks.remove(at);
        }
    }
}
