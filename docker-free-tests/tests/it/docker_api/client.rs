//! bollard, a client that nobody here wrote, against the engine.

use std::collections::HashMap;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, StartExecResults};
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    ListImagesOptions, ListNetworksOptions, ListVolumesOptions, LogsOptionsBuilder,
    RemoveContainerOptions, StartContainerOptions, StatsOptionsBuilder,
    StopContainerOptionsBuilder, TopOptions, WaitContainerOptions,
};
use docker_free_tests::{Engine, need};
use futures_util::StreamExt;

async fn client(engine: &Engine) -> Docker {
    let path = engine.socket().display().to_string();
    let docker = Docker::connect_with_unix(&path, 60, bollard::API_DEFAULT_VERSION);
    let docker = docker.expect("bollard knows unix sockets");
    docker.negotiate_version().await.expect("the versions meet")
}

/// Creates and starts `shop`, which says hello and sleeps; gives its id.
async fn run_shop(docker: &Docker) -> String {
    let options = CreateContainerOptionsBuilder::new().name("shop").build();
    let body = ContainerCreateBody {
        image: Some("busybox".to_owned()),
        cmd: Some(
            ["sh", "-c", "echo hello; sleep 1000"]
                .map(str::to_owned)
                .to_vec(),
        ),
        labels: Some(HashMap::from([("app".to_owned(), "x".to_owned())])),
        host_config: Some(HostConfig {
            memory: Some(64 << 20),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let id = docker
        .create_container(Some(options), body)
        .await
        .expect("created")
        .id;
    docker
        .start_container("shop", None::<StartContainerOptions>)
        .await
        .expect("started");
    id
}

#[tokio::test]
async fn bollard_sees_a_container_in_every_way_there_is() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let docker = client(&engine).await;

    let id = run_shop(&docker).await;

    let options = LogsOptionsBuilder::new().follow(true).stdout(true).build();
    let mut logs = docker.logs("shop", Some(options));
    let first = logs.next().await.expect("a line").expect("a frame");
    assert!(matches!(&first, LogOutput::StdOut { message } if message.starts_with(b"hello")));
    let filters = HashMap::from([("label", vec!["app=x"])]);
    let options = ListContainersOptionsBuilder::new()
        .filters(&filters)
        .build();
    let listed = docker.list_containers(Some(options)).await.expect("a list");
    assert_eq!(listed[0].id.as_deref(), Some(id.as_str()));
    let inspect = docker
        .inspect_container("shop", None::<InspectContainerOptions>)
        .await;
    let host_config = inspect.expect("inspected").host_config;
    assert_eq!(host_config.and_then(|config| config.memory), Some(64 << 20));
    let options = StatsOptionsBuilder::new().stream(false).build();
    let sample = docker
        .stats("shop", Some(options))
        .next()
        .await
        .expect("a sample");
    assert!(
        sample
            .expect("a sample")
            .pids_stats
            .and_then(|pids| pids.current)
            > Some(0)
    );
    let top = docker
        .top_processes("shop", None::<TopOptions>)
        .await
        .expect("a table");
    assert_eq!(
        top.titles
            .and_then(|titles| titles.first().cloned())
            .as_deref(),
        Some("UID")
    );
}

#[tokio::test]
async fn bollard_types_into_a_container_stops_and_removes_it() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let docker = client(&engine).await;
    run_shop(&docker).await;

    let exec = CreateExecOptions {
        cmd: Some(vec!["echo", "typed"]),
        attach_stdout: Some(true),
        ..CreateExecOptions::default()
    };
    let exec = docker.create_exec("shop", exec).await.expect("an exec");
    let started = docker.start_exec(&exec.id, None).await.expect("started");
    let StartExecResults::Attached { mut output, .. } = started else {
        panic!("it was not detached")
    };
    let line = output.next().await.expect("a line").expect("a frame");
    assert_eq!(line.into_bytes().as_ref(), b"typed\n");

    let options = StopContainerOptionsBuilder::new().t(0).build();
    docker
        .stop_container("shop", Some(options))
        .await
        .expect("stopped");
    let mut wait = docker.wait_container("shop", None::<WaitContainerOptions>);
    let ended = wait.next().await.expect("an end");
    // bollard tells a code other than 0 as an error.
    assert!(format!("{ended:?}").contains("137"), "{ended:?}");
    docker
        .remove_container("shop", None::<RemoveContainerOptions>)
        .await
        .expect("removed");
    let gone = docker
        .inspect_container("shop", None::<InspectContainerOptions>)
        .await;
    let not_found = matches!(
        gone,
        Err(Error::DockerResponseServerError {
            status_code: 404,
            ..
        })
    );
    assert!(not_found);
}

#[tokio::test]
async fn bollard_reads_everything_that_describes_the_engine() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let docker = client(&engine).await;

    assert_eq!(docker.ping().await.expect("a ping"), "OK");
    let version = docker.version().await.expect("a version");
    assert_eq!(version.api_version.as_deref(), Some("1.51"));
    assert!(docker.info().await.expect("an info").mem_total > Some(0));
    let images = docker
        .list_images(None::<ListImagesOptions>)
        .await
        .expect("images");
    let busybox = "busybox:latest".to_owned();
    assert!(
        images
            .iter()
            .any(|image| image.repo_tags.contains(&busybox)),
        "{images:?}"
    );
    let image = docker.inspect_image("busybox").await.expect("an image");
    assert_eq!(image.architecture.as_deref(), Some("amd64"));
    let layers = image.root_fs.and_then(|root| root.layers);
    assert_eq!(layers.map(|layers| layers.len()), Some(1));
    assert_eq!(
        docker
            .image_history("busybox")
            .await
            .expect("a history")
            .len(),
        1
    );
    docker
        .list_networks(None::<ListNetworksOptions>)
        .await
        .expect("networks");
    docker
        .list_volumes(None::<ListVolumesOptions>)
        .await
        .expect("volumes");
}
