//! The body of a create, and the part of it that belongs to the program inside.
#![expect(missing_docs, reason = "fields carry Docker's own names and meanings")]

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{HealthConfig, HostConfig, words};
use crate::networks::EndpointSettings;

/// A member whose presence is all it says: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Empty {}

/// What to create. Options that have no effect yet are in [`crate::options`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateBody {
    #[serde(flatten)]
    pub config: ContainerConfig,
    pub host_config: HostConfig,
    pub networking_config: NetworkingConfig,
}

impl CreateBody {
    /// Returns a body that holds every member it can, to compare names with.
    pub fn all_members() -> serde_json::Value {
        let body = Self {
            config: ContainerConfig {
                exposed_ports: [(String::new(), Empty {})].into(),
                mac_address: "02:42:00:00:00:00".to_owned(),
                stop_signal: "TERM".to_owned(),
                stop_timeout: Some(0),
                shell: Some(Vec::new()),
                healthcheck: Some(HealthConfig::default()),
                ..ContainerConfig::default()
            },
            ..Self::default()
        };
        serde_json::to_value(body).unwrap_or_default()
    }
}

/// What belongs to the program inside and may come from its image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerConfig {
    pub hostname: String,
    pub domainname: String,
    pub user: String,
    pub attach_stdin: bool,
    pub attach_stdout: bool,
    pub attach_stderr: bool,
    /// Of its first network; newer clients say it there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mac_address: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Empty>,
    pub tty: bool,
    pub open_stdin: bool,
    pub stdin_once: bool,
    pub env: Option<Vec<String>>,
    #[serde(deserialize_with = "words")]
    pub cmd: Option<Vec<String>>,
    pub image: String,
    pub volumes: Option<BTreeMap<String, Empty>>,
    pub working_dir: String,
    #[serde(deserialize_with = "words")]
    pub entrypoint: Option<Vec<String>>,
    pub on_build: Option<Vec<String>>,
    pub labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<HealthConfig>,
}

/// The networks to join at create.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkingConfig {
    pub endpoints_config: BTreeMap<String, EndpointSettings>,
}

/// The answer to a create.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CreateAnswer {
    pub id: String,
    pub warnings: Vec<String>,
}
