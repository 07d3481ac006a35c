//! The socket of a tab: says what changed of what the tab looks at, as the parts it is made of.
//!
//! ```text
//! index, jobs ─→ changes ─→ gathered for a moment ─→ drawn for this reader ─→ tab
//! tab ─→ topics ─→ which changes, and whose load
//! ```
//!
//! A tab that is too slow misses changes and is told to fetch its page again; nothing is queued for
//! it but the index' own short list.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use frontend::live::{FromPage, ToPage};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, SelectAll};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::access::{Permit, container, host, job};
use crate::app::App;
use crate::domain::{ContainerId, JobId, Language};
use crate::http::extract::Visit;
use crate::http::present::Reader;
use crate::http::present::fragments::{self, Topics};
use crate::http::wire::{self, Cut, Gone, Incoming, Inlet, Outlet};
use crate::services::hosts::{self, Change};
use crate::services::jobs;
use crate::services::metrics::{self, Load};

/// A list of topics: fifty ids and some words.
const MOST_BYTES: usize = 16 << 10;
/// Changes that come within this time go out together.
const GATHER: Duration = Duration::from_millis(40);
/// Load goes out this often; pages that can only be fetched again are fetched at most so often.
const ROUND: Duration = Duration::from_secs(2);
/// A panel of more bytes, of a job that goes on, is drawn once in a round.
const LARGE_PANEL: usize = 64 << 10;
/// What happened between the drawing of a page and its first word here is told again.
const RECENT: Duration = Duration::from_secs(15);

pub(super) async fn open(
    permit: Permit<host::View>,
    containers: Permit<container::List>,
    jobs: Permit<job::List>,
    State(app): State<App>,
    visit: Visit,
    upgrade: WebSocketUpgrade,
) -> Response {
    wire::accept(upgrade, MOST_BYTES, async move |mut outlet, inlet| {
        let mut tab = Tab {
            language: visit.language,
            host: permit.clone(),
            changes: hosts::watch(&app.services, &permit),
            progress: jobs::watch(&app.services, &jobs),
            topics: Topics::default(),
            loads: SelectAll::new(),
            minutes: HashSet::new(),
            is_stale: false,
            is_large: false,
            is_behind: false,
            containers,
            jobs,
            app: app.clone(),
        };
        let cut = tokio::select! {
            _ = tab.serve(inlet, &mut outlet) => Cut::Gone,
            cut = wire::cut(&app, permit.revoked(), std::future::pending()) => cut,
        };
        if cut == Cut::Revoked {
            let _heard = outlet.json(&ToPage::SignedOut).await;
        }
        outlet.close(Some(cut)).await;
    })
}

/// One tab and what it looks at.
struct Tab {
    app: App,
    language: Language,
    host: Permit<host::View>,
    containers: Permit<container::List>,
    jobs: Permit<job::List>,
    changes: Receiver<Change>,
    progress: Receiver<JobId>,
    topics: Topics,
    loads: SelectAll<BoxStream<'static, ContainerId>>,
    /// Containers whose load is newer than what the tab shows.
    minutes: HashSet<ContainerId>,
    /// Whether the tab shows something that can only be fetched again.
    is_stale: bool,
    /// Whether the panel of the tab's job has grown large.
    is_large: bool,
    /// Whether that panel waits for the next round.
    is_behind: bool,
}

/// What wakes a tab.
enum Wake {
    Heard(Option<Incoming>),
    Changed(Result<Change, RecvError>),
    Progressed(Result<JobId, RecvError>),
    Loaded(ContainerId),
    Round,
}

impl Tab {
    async fn serve(&mut self, mut inlet: Inlet, outlet: &mut Outlet) -> Result<(), Gone> {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let wake = outlet.wait(async {
                tokio::select! {
                    heard = inlet.next() => Wake::Heard(heard),
                    changed = self.changes.recv() => Wake::Changed(changed),
                    progressed = self.progress.recv() => Wake::Progressed(progressed),
                    Some(id) = self.loads.next() => Wake::Loaded(id),
                    _ = rounds.tick() => Wake::Round,
                }
            });
            match wake.await? {
                Wake::Heard(None) => return Ok(()),
                Wake::Heard(Some(Incoming::Text(text))) => self.listen(&text, outlet).await?,
                Wake::Heard(Some(Incoming::Bytes(_))) => {}
                Wake::Changed(change) => self.changed(change, outlet).await?,
                Wake::Progressed(job) => self.progressed(job, outlet).await?,
                Wake::Loaded(id) => {
                    self.minutes.insert(id);
                }
                Wake::Round => self.round(outlet).await?,
            }
        }
    }

    fn reader(&self) -> Reader {
        let account = self.containers.actor().account.clone();
        Reader::inside(account, self.language, self.app.services.clock().now())
            .before(self.app.services.engine_address())
            .marking(self.app.services.marks())
    }

    fn lately(&self, id: &ContainerId) -> Vec<Load> {
        metrics::lately(&self.app.services, &self.containers, id)
    }

    /// Takes in what the tab looks at. Words that nobody knows are left out.
    async fn listen(&mut self, text: &str, outlet: &mut Outlet) -> Result<(), Gone> {
        let Ok(FromPage::Watch { topics }) = serde_json::from_str(text) else {
            return Ok(());
        };
        self.topics = Topics::of(&topics);
        self.minutes = self.topics.rows.iter().cloned().collect();
        self.watch_loads();
        if self.topics.jobs {
            self.draw_tray(outlet).await?;
        }
        // The job may have gone on, or ended, since its page was drawn.
        (self.is_large, self.is_behind) = (false, false);
        self.draw_job(outlet).await?;
        let missed = hosts::recent(&self.app.services, &self.host, RECENT);
        self.tell(missed, outlet).await
    }

    /// Looks at the load of the rows that live, and at no other.
    fn watch_loads(&mut self) {
        let services = &self.app.services;
        self.loads = SelectAll::new();
        for id in &self.topics.rows {
            let lives = services
                .index()
                .container(id)
                .is_some_and(|fact| fact.phase.is_alive());
            let Some(watch) = lives
                .then(|| metrics::watch_listed(services, &self.containers, id).ok())
                .flatten()
            else {
                continue;
            };
            let id = id.clone();
            let seconds = futures_util::stream::unfold(watch, move |mut watch| {
                let id = id.clone();
                async move { watch.next().await.map(|_| (id, watch)) }
            });
            self.loads.push(seconds.boxed());
        }
    }

    async fn changed(
        &mut self,
        first: Result<Change, RecvError>,
        outlet: &mut Outlet,
    ) -> Result<(), Gone> {
        tokio::time::sleep(GATHER).await;
        let mut gathered = Vec::new();
        let mut next = first;
        loop {
            match next {
                Ok(change) => gathered.push(change),
                Err(RecvError::Lagged(_)) => self.is_stale = true,
                Err(RecvError::Closed) => return Err(Gone),
            }
            match self.changes.try_recv() {
                Ok(change) => next = Ok(change),
                Err(tokio::sync::broadcast::error::TryRecvError::Lagged(n)) => {
                    next = Err(RecvError::Lagged(n));
                }
                Err(_) => break,
            }
        }
        self.tell(gathered, outlet).await
    }

    /// Draws changes for this reader; of one container only the last.
    async fn tell(&mut self, changes: Vec<Change>, outlet: &mut Outlet) -> Result<(), Gone> {
        let reader = self.reader();
        let mut last = HashMap::new();
        for (at, change) in changes.iter().enumerate() {
            if let Change::Container { fact, is_new } = change {
                let known = last.entry(fact.id.clone()).or_insert((at, false));
                *known = (at, known.1 || *is_new);
            }
        }
        let mut revived = false;
        for (at, change) in changes.iter().enumerate() {
            match change {
                Change::Container { fact, .. } => {
                    let (newest, is_new) = last[&fact.id];
                    if newest == at {
                        let lately = self.lately(&fact.id);
                        let topics = &self.topics;
                        for message in fragments::container(&reader, topics, fact, is_new, &lately)
                        {
                            outlet.json(&message).await?;
                        }
                        revived |= self.topics.rows.contains(&fact.id);
                        self.minutes.insert(fact.id.clone());
                    }
                }
                Change::ContainerGone(id) if self.topics.containers => {
                    let id = frontend::parts::ContainerRow::dom_id(id.as_str());
                    outlet.json(&ToPage::Remove { id }).await?;
                }
                Change::Event(fact) if self.topics.events => {
                    outlet.json(&fragments::event(&reader, fact)).await?;
                }
                _ => {}
            }
            self.is_stale |= self.topics.is_stale_after(change);
        }
        if revived {
            self.watch_loads();
        }
        Ok(())
    }

    async fn progressed(
        &mut self,
        job: Result<JobId, RecvError>,
        outlet: &mut Outlet,
    ) -> Result<(), Gone> {
        if !self.topics.jobs {
            return Ok(());
        }
        self.draw_tray(outlet).await?;
        match (&self.topics.job, job) {
            (Some(own), Ok(other)) if *own != other => Ok(()),
            _ => self.draw_job(outlet).await,
        }
    }

    /// Draws the job that the tab looks at; no other tab is sent what a build prints. A large panel
    /// of a job that goes on comes with the next round.
    async fn draw_job(&mut self, outlet: &mut Outlet) -> Result<(), Gone> {
        let found = self.topics.job.as_ref();
        let Some(fact) = found.and_then(|id| self.app.services.jobs().find(id)) else {
            return Ok(());
        };
        if self.is_large && fact.is_running() {
            self.is_behind = true;
            return Ok(());
        }
        let message = fragments::job(&self.reader(), &fact);
        self.is_large =
            matches!(&message, ToPage::Replace { html, .. } if html.len() > LARGE_PANEL);
        outlet.json(&message).await
    }

    async fn draw_tray(&mut self, outlet: &mut Outlet) -> Result<(), Gone> {
        let all = jobs::list(&self.app.services, &self.jobs);
        outlet.json(&fragments::tray(&self.reader(), &all)).await
    }

    /// Sends the load of the rows, and asks for what can only be fetched again.
    async fn round(&mut self, outlet: &mut Outlet) -> Result<(), Gone> {
        let reader = self.reader();
        for id in std::mem::take(&mut self.minutes) {
            let lately = self.lately(&id);
            for message in fragments::load(&reader, &id, &lately) {
                outlet.json(&message).await?;
            }
        }
        if std::mem::take(&mut self.is_behind) {
            self.is_large = false;
            self.draw_job(outlet).await?;
        }
        if std::mem::take(&mut self.is_stale) {
            outlet.json(&ToPage::Stale).await?;
        }
        Ok(())
    }
}
