//! Starting what an owner owns: by a person's word, by its policy, or because the engine begins.

use std::sync::Arc;

use engine_runtime::{Fact, Phase};
use tokio::time::Instant;

use super::conversation::Conversation;
use super::files;
use super::owner::Owner;
use super::restarts;
use super::start::{self, Launched};
use crate::faults;
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::blocking;

impl Owner {
    /// Takes up what the last engine left: an end that nobody was told of, a start that is due.
    pub(super) async fn resume(&mut self, untold_exit: bool) {
        match self.phase.clone() {
            Phase::Exited(exit) => {
                let host = &self.record.host_config;
                let is_due = self.life.wanted || restarts::at_begin(host, &self.life, exit.code);
                if untold_exit {
                    self.conclude(&exit, is_due).await;
                } else if is_due {
                    self.restart_at = Some(Instant::now());
                    self.publish_view();
                }
            }
            Phase::Running { .. } => {
                if self.life.unapplied {
                    self.apply_again().await;
                }
                self.begin_probing();
            }
            Phase::Created | Phase::Starting => {}
        }
    }

    /// Starts it because a person said so: what its policy counted begins anew.
    pub(super) async fn start_by_hand(&mut self) -> Result<()> {
        if self.paused {
            let message = "cannot start a paused container, try unpause instead";
            return Err(ServiceError::Conflict(message.to_owned()));
        }
        if self.phase.is_live() || self.restart_at.is_some() {
            return Err(ServiceError::NotModified);
        }
        let life = &self.life;
        if life.stopped_by_hand || life.wanted || life.restart_count > 0 {
            // Written first: a start that the engine does not live to finish is finished then.
            self.change_life(|life| {
                life.stopped_by_hand = false;
                life.wanted = false;
                life.restart_count = 0;
            })
            .await;
        }
        faults::point("start.noted");
        self.backoff = restarts::Backoff::default();
        self.start().await
    }

    /// Starts it because its policy said so, and the moment has come. One that cannot start stays
    /// down, as Docker leaves it.
    pub(super) async fn start_again(&mut self) {
        self.restart_at = None;
        if self.life.stopped_by_hand || self.life.wanted {
            self.change_life(|life| {
                life.stopped_by_hand = false;
                life.wanted = false;
                life.restart_count = 0;
            })
            .await;
        }
        if let Err(error) = self.start().await {
            tracing::warn!(
                container.id = self.record.id.as_str(),
                reason = chain(&error),
                "a container could not be started again"
            );
        }
    }

    /// Starts the program; everything that blocks happens in one go on a thread that may.
    async fn start(&mut self) -> Result<()> {
        let Ok(starting) = self.phase.clone().step(Fact::Launched) else {
            return Err(ServiceError::NotModified);
        };
        let _alone = files::alone(&self.files).await?;
        self.phase = starting;
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        let (clients, size) = (std::mem::take(&mut self.waiting), self.size.take());
        let launched = blocking(move || start::launch(&site, &record, clients, size)).await;
        match launched {
            Ok(launched) => {
                self.started(launched).await;
                Ok(())
            }
            Err(failure) => {
                let exit = failure.exit_record(self.now_ns());
                let error = failure.into_error();
                self.step(Fact::StartFailed(exit.clone()));
                self.n_exits += 1;
                self.last_code = exit.code;
                if !self.record.host_config.auto_remove {
                    self.put_down(&exit, false).await;
                }
                self.publish_view();
                self.tell_exit(&exit);
                Err(error)
            }
        }
    }

    async fn started(&mut self, launched: Launched) {
        let Launched {
            control,
            pid,
            started_at_unix_ns,
            events,
        } = launched;
        self.step(Fact::Started {
            pid,
            started_at_unix_ns,
        });
        match Conversation::new(control) {
            Ok(monitor) => self.monitor = Some(monitor),
            Err(error) => {
                // It runs all the same.
                tracing::warn!(reason = chain(&error), "a monitor cannot be listened to");
                self.look_for_monitor();
            }
        }
        self.paused = false;
        self.kill_asked = false;
        self.begin_health().await;
        self.publish_view();
        self.tell("start", []);
        for event in events {
            self.on_event(event).await;
        }
        self.begin_probing();
    }
}
