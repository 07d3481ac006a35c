//! `/build`: a context in, lines out, an image made.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use engine_api::builds::{
    DOCKERFILE_HEADER, DockerfileCheck, REGISTRY_CONFIG_HEADER, STEPS_HEADER, WITHOUT_EFFECT,
};
use engine_api::containers::{HostConfig, Ulimit};
use engine_api::images::RegistryAuth;
use engine_api::operation;
use futures_util::StreamExt;
use futures_util::future::join;
use serde::de::DeserializeOwned;
use tokio_stream::wrappers::ReceiverStream;

use super::credentials::decoded;
use super::error::{ApiError, Result};
use super::extract::{Values, drain, read};
use super::routes::{App, Route};
use super::stream::{blocking_reader, flushed};
use super::swarm::NEEDS_CLASSIC;
use crate::services::builds::BuildRequest;

pub(super) fn routes() -> Vec<Route> {
    vec![
        (&operation::BUILD, post(build)),
        (&operation::BUILD_CHECK, post(check)),
    ]
}

async fn build(
    State(app): State<App>,
    values: Values,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    let request = match request(&values, &headers) {
        Ok(request) => request,
        Err(error) => {
            drain(body).await;
            return Err(error);
        }
    };
    let (bring, reader) = blocking_reader(body);
    let (build, ()) = join(app.builds.prepare(request, reader), bring).await;
    let lines = ReceiverStream::new(app.builds.run(build?));
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, flushed(lines.map(Ok))).into_response())
}

/// Our own: what is wrong with a Dockerfile, before anybody builds it.
async fn check(
    State(app): State<App>,
    values: Values,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<DockerfileCheck>> {
    let text = read(body).await?;
    let asked = request(&values, &headers)?;
    Ok(Json(app.builds.check(text, &asked).await?))
}

fn request(values: &Values, headers: &HeaderMap) -> Result<BuildRequest> {
    if values.text("version") == Some("2") {
        return Err(ApiError::bad_request(NEEDS_CLASSIC));
    }
    refuse(values)?;
    let text = |name| values.text(name).map(str::to_owned);
    let args: BTreeMap<String, Option<String>> = json(values, "buildargs")?;
    let dockerfile = text("dockerfile");
    let auths = headers.get(REGISTRY_CONFIG_HEADER);
    let auths = auths.filter(|value| !value.is_empty());
    let auths: Option<BTreeMap<String, RegistryAuth>> =
        match auths {
            None => None,
            Some(value) => Some(decoded(value.as_bytes()).ok_or_else(|| {
                ApiError::bad_request("the X-Registry-Config header is malformed")
            })?),
        };
    let dockerfile_bytes = headers.get(DOCKERFILE_HEADER).map(|value| {
        let number = value.to_str().ok().and_then(|text| text.parse().ok());
        number.ok_or_else(|| ApiError::bad_request(format!("{DOCKERFILE_HEADER} is no number")))
    });
    Ok(BuildRequest {
        dockerfile,
        dockerfile_bytes: dockerfile_bytes.transpose()?,
        is_marked: headers.get(STEPS_HEADER).is_some_and(|value| value == "on"),
        names: values
            .all("t")
            .into_iter()
            .filter(|name| !name.is_empty())
            .collect(),
        remote: text("remote").filter(|remote| remote != "client-session"),
        quiet: values.truth("q"),
        no_cache: values.truth("nocache"),
        pull: values.truth("pull"),
        squash: values.truth("squash"),
        remove: values.text("rm").is_none() || values.truth("rm"),
        force_remove: values.truth("forcerm"),
        // One without a value was not set where the client is.
        build_args: args
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect(),
        labels: json(values, "labels")?,
        cache_from: json(values, "cachefrom")?,
        target: text("target"),
        platform: text("platform"),
        host: host(values)?,
        auths: auths.unwrap_or_default(),
    })
}

/// Refuses by name what has no effect.
fn refuse(values: &Values) -> Result<()> {
    for (name, why) in WITHOUT_EFFECT {
        let asked = values.text(name);
        if asked.is_some_and(|text| !matches!(text, "0" | "false" | "[]" | "{}" | "null")) {
            return Err(ApiError::bad_request(*why));
        }
    }
    match values.text("isolation") {
        None | Some("default") => Ok(()),
        Some(_) => Err(ApiError::bad_request(
            "isolation is an option of Windows containers",
        )),
    }
}

/// Reads the limits and the network of the steps.
fn host(values: &Values) -> Result<HostConfig> {
    let number = |name| Ok::<i64, ApiError>(values.number(name)?.unwrap_or_default());
    let text = |name| values.text(name).unwrap_or_default().to_owned();
    let ulimits: Vec<Ulimit> = json(values, "ulimits")?;
    let hosts = values.all("extrahosts").into_iter();
    let hosts: Vec<String> = hosts
        .flat_map(|hosts| hosts.split(',').map(str::to_owned).collect::<Vec<_>>())
        .filter(|host| !host.is_empty())
        .collect();
    let security: Vec<String> = match values.text("securityopt") {
        Some(_) => json(values, "securityopt")?,
        None => Vec::new(),
    };
    let network = text("networkmode");
    Ok(HostConfig {
        // As for a container: what Docker's default would be is not there yet.
        network_mode: match network.as_str() {
            "bridge" => "default".to_owned(),
            _ => network,
        },
        memory: number("memory")?,
        memory_swap: number("memswap")?,
        cpu_shares: number("cpushares")?,
        cpu_period: number("cpuperiod")?,
        cpu_quota: number("cpuquota")?,
        cpuset_cpus: text("cpusetcpus"),
        cpuset_mems: text("cpusetmems"),
        shm_size: number("shmsize")?,
        cgroup_parent: text("cgroupparent"),
        ulimits: (!ulimits.is_empty()).then_some(ulimits),
        extra_hosts: (!hosts.is_empty()).then_some(hosts),
        security_opt: (!security.is_empty()).then_some(security),
        ..HostConfig::default()
    })
}

/// Reads a value that is JSON; absent, empty and `null` are nothing.
fn json<T: DeserializeOwned + Default>(values: &Values, name: &str) -> Result<T> {
    let Some(text) = values.text(name) else {
        return Ok(T::default());
    };
    let value: Option<T> = serde_json::from_str(text)
        .map_err(|error| ApiError::bad_request(format!("invalid value of {name}: {error}")))?;
    Ok(value.unwrap_or_default())
}
