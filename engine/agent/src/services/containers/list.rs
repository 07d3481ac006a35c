//! The list of containers and its filters.

use engine_api::containers::{ContainerSummary, Port, SummaryHostConfig, SummaryNetworkSettings};
use engine_api::filter::{FilterError, Filters};
use regex_lite::Regex;

use super::registry::{Containers, Site};
use super::view::View;
use super::{process, volumes};
use crate::services::error::Result;
use crate::services::networks::Networks;

/// Which containers to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListOptions {
    pub(crate) all: bool,
    /// Only the newest so many, running or not.
    pub(crate) limit: Option<usize>,
    /// Also how much each has written; takes longer.
    pub(crate) with_size: bool,
    pub(crate) filters: Filters,
}

const STATUSES: &[&str] = &[
    "created",
    "restarting",
    "running",
    "removing",
    "paused",
    "exited",
    "dead",
];

const HEALTHS: &[&str] = &["none", "starting", "healthy", "unhealthy"];

impl Containers {
    /// Lists containers, newest first.
    ///
    /// # Errors
    /// When a filter's value cannot be.
    pub(crate) async fn list(&self, options: &ListOptions) -> Result<Vec<ContainerSummary>> {
        let filter = self.filter(&options.filters)?;
        // A question about the state is a question about all of them.
        let all = options.all
            || options.limit.is_some()
            || ["status", "exited"]
                .iter()
                .any(|key| !options.filters.values(key).is_empty());
        let now_ns = self.site.clock.now_ns();
        let mut list: Vec<_> = self
            .views()
            .iter()
            .filter(|view| (all || view.is_up()) && filter.admits(view))
            .take(options.limit.unwrap_or(usize::MAX))
            .map(|view| summary(&self.site, view, now_ns))
            .collect();
        if options.with_size {
            for one in &mut list {
                // One that is removed meanwhile has no size.
                let container = self.inspect(&one.id, true).await.ok();
                one.size_rw = container.as_ref().and_then(|c| c.size_rw);
                one.size_root_fs = container.and_then(|c| c.size_root_fs);
            }
        }
        Ok(list)
    }

    fn filter<'f>(&'f self, filters: &'f Filters) -> Result<Filter<'f>> {
        let invalid = |key: &str, value: &str| FilterError::Value {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        for status in filters.values("status") {
            if !STATUSES.contains(&status.as_str()) {
                return Err(invalid("status", status).into());
            }
        }
        for health in filters.values("health") {
            if !HEALTHS.contains(&health.as_str()) {
                return Err(invalid("health", health).into());
            }
        }
        let mut exited = Vec::new();
        for code in filters.values("exited") {
            exited.push(code.parse().map_err(|_| invalid("exited", code))?);
        }
        let mut names = Vec::new();
        for name in filters.values("name") {
            names.push(Regex::new(name).map_err(|_| invalid("name", name))?);
        }
        let created = |key: &str| -> Result<Option<i64>> {
            let moments = filters
                .values(key)
                .iter()
                .map(|reference| Ok(self.find(reference)?.view().record.created_ns));
            Ok(moments.collect::<Result<Vec<_>>>()?.into_iter().min())
        };
        // An image that is not there has no descendants; the others count.
        let ancestors = filters.values("ancestor").iter();
        let ancestors = ancestors.filter_map(|reference| self.images.id_of(reference).ok());
        Ok(Filter {
            networks: &self.site.networks,
            site: &self.site,
            filters,
            exited,
            names,
            before_ns: created("before")?,
            since_ns: created("since")?,
            ancestors: ancestors.collect(),
        })
    }
}

/// Filters whose values are looked up and compiled.
struct Filter<'f> {
    networks: &'f Networks,
    site: &'f Site,
    filters: &'f Filters,
    exited: Vec<i32>,
    names: Vec<Regex>,
    before_ns: Option<i64>,
    since_ns: Option<i64>,
    ancestors: Vec<String>,
}

impl Filter<'_> {
    fn admits(&self, view: &View) -> bool {
        let (filters, record) = (self.filters, &view.record);
        let asked = |key: &str| !filters.values(key).is_empty();
        let name = record.name.as_str();
        let has_name = |regex: &Regex| regex.is_match(name) || regex.is_match(&format!("/{name}"));
        let has_ended_with = |code: &i32| view.status() == "exited" && view.exit_code() == *code;
        let port = |wanted: &str| {
            let wanted = wanted.split('/').next().unwrap_or_default();
            record
                .config
                .exposed_ports
                .keys()
                .any(|p| p.split('/').next() == Some(wanted))
        };
        let has_mount = |wanted: &str| {
            volumes::points(self.site, record).iter().any(|mount| {
                [&mount.name, &mount.destination, &mount.source].contains(&&wanted.to_owned())
            })
        };
        filters.labels_match(&record.config.labels)
            && filters.any("id", |wanted| record.id.as_str().starts_with(wanted))
            && (!asked("name") || self.names.iter().any(has_name))
            && filters.any("status", |wanted| view.status() == wanted)
            && (!asked("exited") || self.exited.iter().any(has_ended_with))
            && self
                .before_ns
                .is_none_or(|moment| record.created_ns < moment)
            && self
                .since_ns
                .is_none_or(|moment| record.created_ns > moment)
            && (!asked("ancestor") || self.ancestors.contains(&record.image_id))
            && (!asked("network") || {
                let networks = self.networks.endpoints(record);
                filters.any("network", |wanted| {
                    let is_it = |id: &str| !wanted.is_empty() && id.starts_with(wanted);
                    let mut all = networks.iter();
                    all.any(|(name, endpoint)| name == wanted || is_it(&endpoint.network_id))
                })
            })
            && filters.any("expose", port)
            && (!asked("publish") || {
                let ports = self.networks.ports(&record.id, &record.config);
                filters.any("publish", |wanted| {
                    let published = ports.iter().filter(|port| port.public_port.is_some());
                    published.into_iter().any(|port| is_port(port, wanted))
                })
            })
            && filters.any("volume", has_mount)
            && filters.any("health", |wanted| view.health_status() == wanted)
            && filters.any("is-task", |wanted| matches!(wanted, "false" | "0"))
            && filters.any("isolation", |wanted| wanted == "default")
    }
}

fn summary(site: &Site, view: &View, now_ns: i64) -> ContainerSummary {
    let record = &view.record;
    ContainerSummary {
        id: record.id.to_string(),
        names: vec![format!("/{}", record.name)],
        image: record.config.image.clone(),
        image_id: record.image_id.clone(),
        command: process::arguments(&record.config).join(" "),
        created: record.created_ns.div_euclid(1_000_000_000),
        ports: site.networks.ports(&record.id, &record.config),
        labels: record.config.labels.clone(),
        state: view.status().to_owned(),
        status: view.status_words(now_ns),
        host_config: SummaryHostConfig {
            network_mode: record.host_config.network_mode.clone(),
        },
        network_settings: SummaryNetworkSettings {
            networks: site.networks.endpoints(record),
        },
        mounts: volumes::points(site, record),
        ..ContainerSummary::default()
    }
}

/// Says whether a port is meant by `80`, `80/tcp`, or a range of either.
fn is_port(port: &Port, wanted: &str) -> bool {
    let (numbers, kind) = match wanted.split_once('/') {
        Some((numbers, kind)) => (numbers, Some(kind)),
        None => (wanted, None),
    };
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>()) else {
        return false;
    };
    (first..=last).contains(&port.private_port) && kind.is_none_or(|kind| kind == port.kind)
}
