//! The end of what an owner owns: who asked for it, what is put down of it, what comes after.

use std::sync::Arc;
use std::time::Duration;

use engine_api::ours::AskedBy;
use engine_runtime::{ExitRecord, Fact, Request, Target};
use tokio::time::Instant;

use super::command::{Ask, Reply, answer};
use super::owner::Owner;
use super::running::{self, Lost};
use super::signal::{self, KILL};
use super::{restarts, volumes, why};
use crate::clock::rfc3339;
use crate::faults;
use crate::records::LifeRecord;
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::blocking;

impl Owner {
    /// Sends a signal. Who wants the program to end by it is put down first, so that no policy
    /// acts against a person's word, whatever happens to the engine.
    pub(super) async fn signal(
        &mut self,
        target: Target,
        signal: i32,
        ask: Option<Ask>,
        reply: Reply<()>,
    ) {
        // A stop ends by whatever signal the container asked for; a kill only by one that ends.
        let stop_signal = &self.record.config.stop_signal;
        let ends = ask
            .as_ref()
            .is_some_and(|ask| ask.verb != "kill" || signal::ends(signal, stop_signal));
        if let (Some(ask), true) = (ask, ends) {
            if self.restart_at.is_some() {
                self.give_up_restart(&ask).await;
                return answer(reply, Ok(()));
            }
            if self.monitor.is_some() || self.apart.is_some() {
                self.note(&ask, signal).await;
            }
        } else if self.restart_at.is_some() {
            return answer(reply, Ok(()));
        }
        faults::point("stop.noted");
        if signal == KILL && target == Target::Init {
            // A look that begins now would only find out that everything is going.
            self.probing = None;
            self.kill_asked = self.monitor.is_some();
            if self.apart.is_some() {
                let killed = self.kill_by_force().await;
                return answer(reply, killed);
            }
        }
        self.ask_running(Request::Signal { target, signal }, reply)
            .await;
        faults::point("stop.signalled");
        if ends && self.paused {
            // The signal waits for it; it can only end when it goes on.
            if let Err(error) = self.unpause().await {
                tracing::warn!(
                    container.id = self.record.id.as_str(),
                    reason = chain(&error),
                    "a paused container that is to end does not go on"
                );
            }
        }
    }

    /// Puts down who asked for the end.
    async fn note(&mut self, ask: &Ask, signal: i32) {
        if self.record.host_config.auto_remove && ask.verb != "restart" {
            // Nothing of it stays to be asked about.
            return;
        }
        let at = rfc3339(self.site.clock.now_ns());
        self.change_life(|life| {
            life.wanted = ask.verb == "restart";
            life.stopped_by_hand |= ask.verb != "restart";
            match &mut life.asked {
                Some(asked) if ask.forced => asked.forced = true,
                asked => {
                    *asked = Some(AskedBy {
                        verb: ask.verb.to_owned(),
                        signal: signal::name(signal),
                        who: ask.who.clone(),
                        forced: false,
                        at,
                    });
                }
            }
        })
        .await;
    }

    /// It has ended already and was about to be started again: it stays as it is.
    async fn give_up_restart(&mut self, ask: &Ask) {
        self.restart_at = None;
        let is_restart = ask.verb == "restart";
        self.change_life(|life| {
            life.wanted = is_restart;
            life.stopped_by_hand = !is_restart;
        })
        .await;
        self.publish_view();
    }

    /// The program has ended: everybody who waits for anything of it is told.
    pub(super) async fn ended(&mut self, fact: Fact) {
        let (Fact::Exited(exit) | Fact::Lost(exit)) = fact.clone() else {
            return;
        };
        faults::point("end.heard");
        self.leave_networks().await;
        if let Some(monitor) = self.monitor.take() {
            monitor.end(|| self.is_not_running());
        }
        self.apart = None;
        self.kill_asked = false;
        self.paused = false;
        self.step(fact);
        for id in self.execs.keys().cloned().collect::<Vec<_>>() {
            self.exec_ended(&id, 128 + KILL);
        }
        let host = &self.record.host_config;
        let again = !self.life.wanted && restarts::after_end(host, &self.life, exit.code);
        self.conclude(&exit, again).await;
    }

    /// Gives back its addresses and ports, before anybody hears that they are free.
    async fn leave_networks(&self) {
        if !self.site.networks.is_member(&self.record.id) {
            return;
        }
        let (site, id) = (Arc::clone(&self.site), self.record.id.clone());
        blocking(move || site.networks.release(&id)).await;
    }

    /// Puts an end down, tells it, and does what comes after it.
    pub(super) async fn conclude(&mut self, exit: &ExitRecord, again: bool) {
        self.n_exits += 1;
        self.last_code = exit.code;
        self.end_health();
        if !self.goes_by_itself() && !why::is_put_down(&self.life, exit) {
            self.put_down(exit, again).await;
        }
        faults::point("end.put_down");
        if again {
            let ran_ns = exit
                .finished_at_unix_ns
                .saturating_sub(exit.started_at_unix_ns);
            let delay = self.backoff.next(Duration::from_nanos(ran_ns));
            self.restart_at = Some(Instant::now() + delay);
        }
        self.publish_view();
        self.tell_exit(exit);
        faults::point("end.told");
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        blocking(move || {
            running::forget(&site, &record.id);
            volumes::end(&site, &record);
        })
        .await;
        self.remove_if_asked().await;
    }

    /// Writes why it ended, and that its policy counts one more if it does.
    pub(super) async fn put_down(&mut self, exit: &ExitRecord, again: bool) {
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        let (life, exit) = (Arc::clone(&self.life), exit.clone());
        let health = self.health.as_ref().and_then(|h| h.log.last().cloned());
        let life = blocking(move || {
            let bundle = site.bundle(&record.id);
            let mut life = why::put_down(&why::End {
                record: &record,
                life: &life,
                exit: &exit,
                health,
                log: &bundle.log(),
            });
            life.restart_count += u64::from(again);
            // One that a power cut has emptied would count as stopped by hand.
            let synced = restarts::has_policy(&record.host_config);
            if synced {
                // First: a policy goes by its code, and an end that is not there counts as a failure.
                running::keep_exit(&bundle);
            }
            write(&life, &site.store.dir_of(&record.id), synced);
            life
        })
        .await;
        self.life = Arc::new(life);
    }

    /// Sees to it that what a policy goes by survives a power cut: as long as there was none,
    /// nobody did.
    pub(super) async fn make_end_lasting(&self) {
        let (site, id) = (Arc::clone(&self.site), self.record.id.clone());
        let life = Arc::clone(&self.life);
        blocking(move || {
            running::keep_exit(&site.bundle(&id));
            write(&life, &site.store.dir_of(&id), true);
        })
        .await;
    }

    /// Changes what is put down of its life, synced when a policy will act by it.
    pub(super) async fn change_life(&mut self, change: impl FnOnce(&mut LifeRecord)) {
        let mut life = (*self.life).clone();
        change(&mut life);
        self.life = Arc::new(life);
        let (site, id) = (Arc::clone(&self.site), self.record.id.clone());
        let life = Arc::clone(&self.life);
        let synced = restarts::has_policy(&self.record.host_config);
        blocking(move || write(&life, &site.store.dir_of(&id), synced)).await;
    }

    /// The monitor went without a word: what it wrote down counts, else the container is lost.
    pub(super) async fn monitor_is_gone(&mut self, error: &engine_runtime::Error) {
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        let now_ns = self.now_ns();
        let reason = chain(error);
        let lost = blocking(move || running::after_monitor(&site, &record, now_ns, &reason)).await;
        match lost {
            Lost::Recorded(exit) => self.ended(Fact::Exited(exit)).await,
            Lost::Unknown(exit) => {
                tracing::error!(
                    container.id = self.record.id.as_str(),
                    reason = chain(error),
                    "a monitor is gone"
                );
                self.ended(Fact::Lost(exit)).await;
            }
        }
    }

    /// Tells whether its end is the end of it altogether.
    fn goes_by_itself(&self) -> bool {
        self.record.host_config.auto_remove && !self.life.wanted
    }

    pub(super) async fn remove_if_asked(&mut self) {
        let ended = matches!(self.phase, engine_runtime::Phase::Exited(_));
        if !ended || !self.goes_by_itself() || self.gone {
            return;
        }
        if let Err(error) = self.remove(true).await {
            tracing::error!(
                container.id = self.record.id.as_str(),
                reason = chain(&error),
                "failed to remove a container that should go by itself"
            );
        }
    }

    pub(super) async fn remove(&mut self, takes_volumes: bool) -> Result<()> {
        faults::point("remove.begun");
        self.removing = true;
        self.waiting.clear();
        self.publish_view();
        let (site, id) = (Arc::clone(&self.site), self.record.id.clone());
        let has_own = takes_volumes && self.record.own_volumes().next().is_some();
        let removed = blocking(move || {
            running::forget(&site, &id);
            if has_own {
                site.store.mark_volumes(&id)?;
            }
            site.store.retire(&id)
        });
        if let Err(error) = removed.await {
            self.removing = false;
            self.publish_view();
            return Err(ServiceError::failed("remove the container")(error));
        }
        faults::point("remove.retired");
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        blocking(move || volumes::let_go(&site, &record, takes_volumes)).await;
        self.site.sweep_later(&self.record.id).await;
        self.site.unregister(&self.record);
        if let Some(held) = self.layers_held.take() {
            held.release(&self.record.image_id);
        }
        self.gone = true;
        self.tell("destroy", []);
        faults::point("remove.told");
        self.publish_view();
        Ok(())
    }

    pub(super) fn now_ns(&self) -> u64 {
        u64::try_from(self.site.clock.now_ns()).unwrap_or(0)
    }
}

/// A full disk must not keep anybody from stopping a container: what cannot be written is told.
fn write(life: &LifeRecord, dir: &std::path::Path, synced: bool) {
    if let Err(error) = life.save(dir, synced) {
        tracing::error!(
            dir = %dir.display(),
            %error,
            "what a container lived through cannot be written down"
        );
    }
}
