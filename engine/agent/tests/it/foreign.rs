//! A client that nobody here wrote: bollard, with its own types and its own idea of a path.

use bollard::Docker;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions, WaitContainerOptions,
};
use futures_util::{StreamExt, TryStreamExt};

use crate::rig::Rig;

#[tokio::test]
async fn bollard_runs_a_container() {
    let rig = Rig::new().await;
    let socket = rig.path("s").display().to_string();
    let docker = Docker::connect_with_unix(&socket, 20, bollard::API_DEFAULT_VERSION).unwrap();
    let docker = docker.negotiate_version().await.unwrap();
    assert_eq!(
        docker.version().await.unwrap().api_version.as_deref(),
        Some("1.51")
    );
    assert!(docker.info().await.unwrap().warnings.is_some());

    let options = CreateContainerOptionsBuilder::new().name("web").build();
    let words = ["sh", "-c", "echo out; echo err >&2"]
        .map(ToOwned::to_owned)
        .to_vec();
    let body = ContainerCreateBody {
        image: Some("busybox".to_owned()),
        cmd: Some(words),
        ..ContainerCreateBody::default()
    };
    docker.create_container(Some(options), body).await.unwrap();
    let options = AttachContainerOptionsBuilder::new()
        .stdout(true)
        .stderr(true)
        .stream(true);
    let attached = docker
        .attach_container("web", Some(options.build()))
        .await
        .unwrap();
    docker
        .start_container("web", None::<StartContainerOptions>)
        .await
        .unwrap();
    let output: Vec<_> = attached.output.try_collect().await.unwrap();
    let mut text: Vec<_> = output.iter().map(ToString::to_string).collect();
    text.sort();
    assert_eq!(text, ["err\n", "out\n"]);

    let mut wait = docker.wait_container("web", None::<WaitContainerOptions>);
    assert_eq!(wait.next().await.unwrap().unwrap().status_code, 0);
    let options = LogsOptionsBuilder::new().stdout(true).tail("all").build();
    let logs: Vec<_> = docker
        .logs("web", Some(options))
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        logs.iter().map(ToString::to_string).collect::<String>(),
        "out\n"
    );
    let inspected = docker.inspect_container("web", None).await.unwrap();
    assert_eq!(inspected.state.and_then(|state| state.exit_code), Some(0));
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    docker.remove_container("web", Some(options)).await.unwrap();
    rig.end().await;
}
