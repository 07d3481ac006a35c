//! Changing what a container may use, also while it runs.
//!
//! ```text
//!   checked ── marked ── record ── control group ──> unmarked
//!                                       └ refused ── former record ── unmarked, and the reason
//! ```
//! An engine that begins and finds the mark tells the control group once more.

use std::sync::Arc;

use engine_api::body;
use engine_api::containers::{HostConfig, UpdateAnswer, UpdateBody};
use engine_api::options::{self, CREATE};
use engine_runtime::{Phase, Resources};
use serde_json::{Map, Value, json};

use super::command::Command;
use super::owner::Owner;
use super::pausing::group;
use super::registry::{Containers, Site};
use super::{resources as limits, restarts};
use crate::faults;
use crate::records::ContainerRecord;
use crate::services::error::{Result, ServiceError, chain};
use crate::tasks::blocking;

/// The most processes that a kernel can count: what "no limit" is once there was one.
const PIDS_MAX: u64 = 4_194_304;

impl Containers {
    /// Changes what a container may use, by the bytes of an update's body.
    ///
    /// # Errors
    /// When it is not there, the body is malformed, or the kernel refuses; nothing is changed then.
    pub(crate) async fn update(&self, reference: &str, bytes: &[u8]) -> Result<UpdateAnswer> {
        let bad = |e: body::BodyError| ServiceError::BadRequest(e.to_string());
        let value = body::parse_value(bytes).map_err(bad)?;
        refuse(&value)?;
        let asked: UpdateBody = body::shaped(&value).map_err(bad)?;
        let handle = self.find(reference)?;
        let warnings = handle
            .ask(|reply| Command::Update {
                body: Box::new(asked),
                reply,
            })
            .await?;
        Ok(UpdateAnswer { warnings })
    }
}

impl Owner {
    pub(super) async fn update(&mut self, asked: &UpdateBody) -> Result<Vec<String>> {
        let id = self.record.id.clone();
        let cannot = move |why: &dyn std::fmt::Display| {
            ServiceError::Conflict(format!("Cannot update container {id}: {why}"))
        };
        if self.removing {
            return Err(cannot(&"it is marked for removal"));
        }
        let former = Arc::clone(&self.record);
        let mut record = (*former).clone();
        merge(&mut record.host_config, asked)?;
        let mut warnings = Vec::new();
        limits::settle_update(
            &self.site.layout,
            asked,
            &mut record.host_config,
            &mut warnings,
        );
        limits::check_support(&self.site, &self.record.id, &record.host_config).await?;
        let before = resources(&self.site, &former.host_config)?;
        let after = resources(&self.site, &record.host_config)?;
        let change = difference(&before, &after)?;
        let is_live = matches!(self.phase, Phase::Running { .. }) && change.is_some();

        let has_policy = |record: &ContainerRecord| restarts::has_policy(&record.host_config);
        if has_policy(&record) && !has_policy(&former) {
            self.make_end_lasting().await;
        }
        if is_live {
            self.change_life(|life| life.unapplied = true).await;
            faults::point("update.marked");
        }
        self.keep(record).await?;
        if let (true, Some(change)) = (is_live, change) {
            faults::point("update.recorded");
            let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
            let applied = blocking(move || group(&site, &record)?.change(&change)).await;
            if let Err(error) = applied {
                let error = cannot(&chain(&error));
                self.keep((*former).clone()).await?;
                self.change_life(|life| life.unapplied = false).await;
                return Err(error);
            }
            faults::point("update.applied");
            self.change_life(|life| life.unapplied = false).await;
        }
        if !restarts::has_policy(&self.record.host_config) {
            self.restart_at = None;
        }
        self.publish_view();
        self.tell("update", []);
        Ok(warnings)
    }

    /// Tells the control group what the last engine may not have come to tell it.
    pub(super) async fn apply_again(&mut self) {
        let (site, record) = (Arc::clone(&self.site), Arc::clone(&self.record));
        if let Err(error) = blocking(move || apply(&site, &record)).await {
            tracing::warn!(
                container.id = self.record.id.as_str(),
                reason = chain(&error),
                "the limits of a container are not what its record says"
            );
        }
        // Whoever looks on already has read the limits as they were.
        self.record = Arc::new((*self.record).clone());
        self.publish_view();
        self.change_life(|life| life.unapplied = false).await;
    }

    async fn keep(&mut self, record: ContainerRecord) -> Result<()> {
        let record = Arc::new(record);
        let (site, saved) = (Arc::clone(&self.site), Arc::clone(&record));
        blocking(move || site.store.save(&saved))
            .await
            .map_err(ServiceError::failed("keep what was changed"))?;
        self.record = record;
        Ok(())
    }
}

fn apply(site: &Site, record: &ContainerRecord) -> Result<()> {
    let failed = "tell the control group";
    let after = resources(site, &record.host_config)?;
    group(site, record)
        .map_err(ServiceError::failed(failed))?
        .change(&after)
        .map_err(ServiceError::failed(failed))
}

/// Lays what is asked for over what there is. Docker's zero says "as it is".
fn merge(host: &mut HostConfig, asked: &UpdateBody) -> Result<()> {
    let conflict = |message: &str| Err(ServiceError::Conflict(message.to_owned()));
    if asked.nano_cpus > 0 && (asked.cpu_quota != 0 || asked.cpu_period != 0) {
        return conflict(
            "Conflicting options: Nano CPUs and CPU Quota or Period cannot both be set",
        );
    }
    if asked.nano_cpus > 0 && (host.cpu_quota > 0 || host.cpu_period > 0) {
        return conflict(
            "Conflicting options: Nano CPUs cannot be updated as CPU Period or Quota has already \
             been set",
        );
    }
    if host.nano_cpus > 0 && (asked.cpu_quota != 0 || asked.cpu_period != 0) {
        return conflict(
            "Conflicting options: CPU Period or Quota cannot be updated as NanoCPUs has already \
             been set",
        );
    }
    let swap = member(host, "MemorySwap").as_i64().unwrap_or(0);
    if asked.memory > 0 && asked.memory_swap == 0 && swap > 0 && asked.memory > swap {
        return conflict(
            "Memory limit should be smaller than already set memoryswap limit, update the \
             memoryswap at the same time",
        );
    }
    lay_over(host, asked)?;
    if !asked.restart_policy.name.is_empty() {
        if host.auto_remove && asked.restart_policy.name != "no" {
            return conflict(
                "Restart policy cannot be updated because AutoRemove is enabled for the container",
            );
        }
        restarts::check(&asked.restart_policy, host.auto_remove)?;
        host.restart_policy.clone_from(&asked.restart_policy);
    }
    Ok(())
}

/// Refuses what Docker's body may hold and an update cannot change; a value that says nothing is
/// no request.
fn refuse(value: &Value) -> Result<()> {
    let says_nothing = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    };
    let none = Map::new();
    let mut asked = value.as_object().unwrap_or(&none).clone();
    asked.retain(|_, value| !says_nothing(value));
    let known = json!(UpdateBody::default());
    for (key, value) in &asked {
        let name = known
            .as_object()
            .and_then(|known| known.keys().find(|name| name.eq_ignore_ascii_case(key)));
        let message = match name {
            Some(name) if name == key => continue,
            Some(name) => format!("the key {key} is written {name}"),
            None => format!("{key} cannot be updated: {value} was asked for"),
        };
        return Err(ServiceError::BadRequest(message));
    }
    Ok(options::refuse_unsupported(
        &json!({ "HostConfig": asked }),
        CREATE,
    )?)
}

fn member(host: &HostConfig, name: &str) -> Value {
    serde_json::to_value(host)
        .ok()
        .and_then(|value| value.get(name).cloned())
        .unwrap_or_default()
}

/// Sets every member that is asked for and not zero; the policy is not among them.
fn lay_over(host: &mut HostConfig, asked: &UpdateBody) -> Result<()> {
    let failed = "read what is to be changed";
    let mut members = serde_json::to_value(&*host).map_err(ServiceError::failed(failed))?;
    let asked = serde_json::to_value(asked).map_err(ServiceError::failed(failed))?;
    for (name, value) in asked.as_object().into_iter().flatten() {
        let is_set = value.as_i64().is_some_and(|number| number != 0)
            || value.as_str().is_some_and(|text| !text.is_empty());
        if is_set {
            members[name] = value.clone();
        }
    }
    *host = serde_json::from_value(members)
        .map_err(|error| ServiceError::BadRequest(error.to_string()))?;
    Ok(())
}

fn resources(site: &Site, host: &HostConfig) -> Result<Resources> {
    limits::resources(&site.layout, host)
}

/// Returns the limits that are others afterwards, each with its new value; `None` when all are the
/// same. What has no limit any more is written as the kernel's word for that.
fn difference(before: &Resources, after: &Resources) -> Result<Option<Resources>> {
    let failed = "compare the limits";
    let value = |resources: &Resources| {
        serde_json::to_value(resources).map_err(ServiceError::failed(failed))
    };
    let (old, new) = (value(before)?, value(after)?);
    if old == new {
        return Ok(None);
    }
    let mut change = value(&Resources::default())?;
    for (name, now) in new.as_object().into_iter().flatten() {
        if old.get(name) != Some(now) {
            change[name] = now.clone();
        }
    }
    let mut change: Resources =
        serde_json::from_value(change).map_err(ServiceError::failed(failed))?;
    if before.pids_limit.is_some() && after.pids_limit.is_none() {
        change.pids_limit = Some(PIDS_MAX);
    }
    if before.cpu_quota_us.is_some() && after.cpu_quota_us.is_none() {
        change.cpu_quota_us = Some(-1);
    }
    // Written together: one is counted within the other.
    if change.memory_swap_bytes.is_some() {
        change.memory_bytes = after.memory_bytes;
    }
    Ok(Some(change))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> UpdateBody {
        body::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn zero_and_empty_say_nothing_and_the_rest_is_laid_over() {
        let mut host = HostConfig {
            memory: 100,
            cpu_shares: 7,
            ..HostConfig::default()
        };
        merge(
            &mut host,
            &body(r#"{"Memory":0,"CpuShares":9,"PidsLimit":-1}"#),
        )
        .unwrap();
        assert_eq!(
            (host.memory, host.cpu_shares, host.pids_limit),
            (100, 9, Some(-1))
        );
    }

    #[test]
    fn what_cannot_be_changed_is_refused_by_name() {
        let said = |text: &str| {
            refuse(&body::parse_value(text.as_bytes()).unwrap())
                .err()
                .map(|e| e.to_string())
        };
        assert_eq!(
            said(r#"{"Memory":1,"Devices":[],"KernelMemory":0,"OomKillDisable":false}"#),
            None
        );
        for (text, word) in [
            (r#"{"memory":1}"#, "the key memory is written Memory"),
            (r#"{"Ulimits":[1]}"#, "Ulimits cannot be updated"),
            (
                r#"{"OomKillDisable":true}"#,
                "OomKillDisable cannot be updated",
            ),
        ] {
            assert!(said(text).unwrap_or_default().contains(word), "{text}");
        }
    }

    #[test]
    fn a_change_holds_what_is_different_and_says_no_limit_in_the_kernels_words() {
        let before = Resources {
            memory_bytes: Some(1),
            cpu_shares: Some(2),
            pids_limit: Some(3),
            cpu_quota_us: Some(4),
            ..Resources::default()
        };
        assert_eq!(difference(&before, &before).unwrap(), None);
        let after = Resources {
            memory_bytes: Some(9),
            cpu_shares: Some(2),
            ..Resources::default()
        };
        let change = difference(&before, &after).unwrap().unwrap();
        assert_eq!(
            change,
            Resources {
                memory_bytes: Some(9),
                pids_limit: Some(PIDS_MAX),
                cpu_quota_us: Some(-1),
                ..Resources::default()
            }
        );
    }
}
