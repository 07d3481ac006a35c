//! `RUN`: a container of the image so far, whose changes are the layer.

use std::sync::Arc;

use engine_api::containers::{ContainerConfig, CreateBody, HealthConfig, WaitCondition};
use engine_api::frame::{Decoder, Stream};
use engine_api::id::ContainerId;
use engine_build::cache::Inputs;
use engine_build::{Run, RunNetwork};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use super::executor::Stop;
use super::stage::Stage;
use super::{config, mounts};
use crate::services::containers::Streams;
use crate::services::error::{Result as ServiceResult, ServiceError};
use crate::services::images::HeldLayer;
use crate::tasks::blocking;
use crate::{faults, ids};

const PIECE_BYTES: usize = 16 << 10;

/// What a command reads beside its image, for the step's key.
pub(super) async fn inputs(stage: &Stage<'_>, asked: &Run) -> Result<Inputs, Stop> {
    mounts::inputs(stage, &asked.mounts).await
}

/// Runs a command; returns what it changed.
pub(super) async fn run(stage: &Stage<'_>, asked: &Run) -> Result<Option<HeldLayer>, Stop> {
    let (builds, output) = (&stage.work.builds, stage.output);
    let containers = &builds.containers;
    let argv = asked
        .command
        .argv(&config::shell(&stage.draft.config.config));
    let mut mounted = mounts::make(stage, asked).await?;
    let id = ids::container_id();
    let (dir, noted) = (Arc::clone(&stage.work.dir), id.clone());
    let noted = blocking(move || dir.note_step(&noted)).await;
    noted.map_err(ServiceError::failed("begin a step"))?;
    faults::point("build.step_noted");
    let made_of = builds.images.for_draft(&stage.draft).await?;
    let body = body(stage, asked, argv.clone(), &mut mounted)?;
    let body = CreateBody {
        config: ContainerConfig {
            image: made_of.0.id.clone(),
            ..body.config
        },
        ..body
    };
    let binds = std::mem::take(&mut mounted.binds);
    containers.create_step(&id, body, made_of, binds).await?;
    faults::point("build.step_created");
    output
        .chat(format!(" ---> Running in {}\n", id.short()))
        .await?;
    let code = to_its_end(stage, &id).await?;
    faults::point("build.step_ended");
    let request = &stage.work.request;
    if code != 0 {
        if !request.force_remove {
            // Whoever wants to see what became of the step finds its container.
            containers.let_step_go(&id);
            stage.work.dir.forget_step(&id);
        }
        let words = argv.join(" ");
        return Err(Stop::Exit {
            code,
            message: format!("The command '{words}' returned a non-zero code: {code}"),
        });
    }
    let write = containers.layer_writer(&id, stage.work.epoch)?;
    let layer = builds.images.layer(write).await?;
    drop(mounted);
    containers.let_step_go(&id);
    if !request.remove && !request.force_remove {
        stage.work.dir.forget_step(&id);
    } else {
        containers.remove(id.as_str(), true, true, "").await?;
        stage.work.dir.forget_step(&id);
        let said = format!(" ---> Removed intermediate container {}\n", id.short());
        output.chat(said).await?;
    }
    Ok(layer)
}

/// Starts the container and tells what it says until it has ended; returns its exit code.
async fn to_its_end(stage: &Stage<'_>, id: &ContainerId) -> Result<i32, Stop> {
    let containers = &stage.work.builds.containers;
    let streams = Streams {
        stdin: false,
        stdout: true,
        stderr: true,
    };
    let attachment = containers.attach(id.as_str(), streams, false).await?;
    let wait = containers.wait(id.as_str(), WaitCondition::NextExit)?;
    containers.start(id.as_str()).await?;
    faults::point("build.step_started");
    tell(attachment.socket, stage).await?;
    let ended = wait.end().await;
    Ok(i32::try_from(ended.status_code).unwrap_or(i32::MAX))
}

/// Tells what comes until both streams are closed.
async fn tell(mut socket: UnixStream, stage: &Stage<'_>) -> Result<(), Stop> {
    let mut decoder = Decoder::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut cut: [Vec<u8>; 2] = Default::default();
    loop {
        let read = socket.read(&mut piece).await;
        let n_read = read.map_err(ServiceError::failed("read what the step says"))?;
        if n_read == 0 {
            break;
        }
        let mut input = &piece[..n_read];
        let mut texts = Vec::new();
        while let Some((stream, payload)) = decoder
            .next(&mut input)
            .map_err(ServiceError::failed("read what the step says"))?
        {
            let cut = &mut cut[usize::from(stream == Stream::Stderr)];
            cut.extend_from_slice(payload);
            texts.push(take_text(cut));
        }
        for text in texts.into_iter().filter(|text| !text.is_empty()) {
            stage.output.say(text).await?;
        }
    }
    for rest in cut.iter().filter(|rest| !rest.is_empty()) {
        stage.output.say(String::from_utf8_lossy(rest)).await?;
    }
    Ok(())
}

/// Takes what is whole; a character that was cut waits for its rest.
fn take_text(bytes: &mut Vec<u8>) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    };
    let rest = bytes.split_off(whole);
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = rest;
    text
}

fn body(
    stage: &Stage<'_>,
    asked: &Run,
    argv: Vec<String>,
    mounted: &mut mounts::Mounted,
) -> ServiceResult<CreateBody> {
    let mut host = stage.work.request.host.clone();
    host.network_mode = network(asked.network, &host.network_mode)?;
    host.mounts.append(&mut mounted.tmpfs);
    let env = asked.environment.iter();
    Ok(CreateBody {
        config: ContainerConfig {
            attach_stdout: true,
            attach_stderr: true,
            cmd: Some(argv),
            // One empty word: none, whatever the image has.
            entrypoint: Some(vec![String::new()]),
            env: Some(env.map(|(key, value)| format!("{key}={value}")).collect()),
            healthcheck: Some(HealthConfig {
                test: Some(vec!["NONE".to_owned()]),
                ..HealthConfig::default()
            }),
            ..ContainerConfig::default()
        },
        host_config: host,
        ..CreateBody::default()
    })
}

/// A Dockerfile may give the network away; to take the host's is for whoever builds.
fn network(asked: RunNetwork, of_build: &str) -> ServiceResult<String> {
    match asked {
        RunNetwork::Default => Ok(of_build.to_owned()),
        RunNetwork::None => Ok("none".to_owned()),
        RunNetwork::Host if of_build == "host" => Ok("host".to_owned()),
        RunNetwork::Host => Err(ServiceError::BadRequest(
            "RUN --network=host is refused: build with --network=host to allow it".to_owned(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_waits_for_its_rest() {
        let mut bytes = "aé".as_bytes()[..2].to_vec();
        assert_eq!(take_text(&mut bytes), "a");
        bytes.extend_from_slice(&"é".as_bytes()[1..]);
        assert_eq!(take_text(&mut bytes), "é");
        let mut bytes = b"\xff!".to_vec();
        assert_eq!(take_text(&mut bytes), "\u{fffd}!");
        assert!(bytes.is_empty());
    }

    #[test]
    fn only_who_builds_gives_the_hosts_network() {
        assert!(network(RunNetwork::Host, "default").is_err());
        assert_eq!(network(RunNetwork::Host, "host").unwrap(), "host");
        assert_eq!(network(RunNetwork::None, "host").unwrap(), "none");
        assert_eq!(network(RunNetwork::Default, "").unwrap(), "");
    }
}
