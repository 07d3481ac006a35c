//! Changing what a container may use while it runs.
#![expect(missing_docs, reason = "fields carry Docker's own names and meanings")]

use serde::{Deserialize, Serialize};

use super::RestartPolicy;

/// What to change; what is absent or zero stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateBody {
    pub memory: i64,
    pub memory_reservation: i64,
    pub memory_swap: i64,
    pub nano_cpus: i64,
    pub cpu_shares: i64,
    pub cpu_period: i64,
    pub cpu_quota: i64,
    pub cpuset_cpus: String,
    pub cpuset_mems: String,
    pub blkio_weight: i64,
    pub pids_limit: Option<i64>,
    pub restart_policy: RestartPolicy,
}

/// The answer to an update.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct UpdateAnswer {
    pub warnings: Vec<String>,
}
