//! Images of containers, images as archives, and room made again.

use std::fs;

use bytes::Bytes;
use engine_api::containers::{ContainerConfig, HostConfig, LogConfig, WaitCondition};
use engine_api::filter::Filters;
use engine_client::{ClientError, CommitOptions, EventOptions, ListOptions, LogOptions};
use nix::sys::signal::Signal;

use crate::copies::whole;
use crate::rig::{Rig, until};

fn named(name: &str) -> CommitOptions {
    CommitOptions {
        repository: Some(name.to_owned()),
        ..CommitOptions::default()
    }
}

#[tokio::test]
async fn a_committed_container_runs_again_as_an_image() {
    let rig = Rig::new().await;
    let id = rig.run("first", "sleep 1000").await;
    let script = "echo mine > /root/f; rm /bin/wget; rm -r /etc; mkdir /etc; echo web:x:7:7::/: > /etc/passwd; \
                  ln /root/f /root/hard; ln -s f /root/soft; chown 5:6 /tmp; mkdir -p /deep/er/s; chmod 2711 /deep/er";
    rig.inside(&id, script).await;

    let options = CommitOptions {
        tag: Some("2".to_owned()),
        author: Some("me".to_owned()),
        comment: Some("a word".to_owned()),
        changes: vec![
            "CMD [\"cat\", \"/root/f\"]".to_owned(),
            "ENV X=1".to_owned(),
            "LABEL l=v".to_owned(),
        ],
        ..named("second")
    };
    let image = rig.client.commit_container(&id, &options).await.unwrap();

    assert_eq!(
        rig.client.container(&id).await.unwrap().state.status,
        "running",
        "it goes on"
    );
    let shown = rig.client.image("second:2").await.unwrap();
    assert_eq!(
        (
            shown.id.as_str(),
            shown.author.as_str(),
            shown.comment.as_str()
        ),
        (image.as_str(), "me", "a word")
    );
    let base = rig.client.image("busybox").await.unwrap().root_fs.layers;
    assert_eq!(
        shown.root_fs.layers[..base.len()],
        base,
        "layers are shared"
    );
    assert_eq!(shown.root_fs.layers.len(), base.len() + 1);
    let history = rig.client.image_history("second:2").await.unwrap();
    assert!(history[0].created_by.contains("sleep 1000") && history[0].size > 0);

    let config = ContainerConfig {
        image: "second:2".to_owned(),
        ..ContainerConfig::default()
    };
    let script = "cat /root/hard /etc/passwd; readlink /root/soft; ls -d /bin/wget /etc/group 2>&1 | wc -l; \
                  stat -c %u:%g /tmp; stat -c %a /deep/er; echo $X; test /root/f -ef /root/hard && echo same";
    let again = rig
        .create_image("again", "second:2", Some(script), config)
        .await;
    rig.client.start_container(&again).await.unwrap();
    rig.client
        .wait_container(&again, WaitCondition::NotRunning)
        .await
        .unwrap();
    assert_eq!(
        rig.logs(&again, LogOptions::default()).await,
        "mine\nweb:x:7:7::/:\nf\n2\n5:6\n2711\n1\nsame\n"
    );
    let plain = rig
        .create_image("plain", "second:2", None, ContainerConfig::default())
        .await;
    rig.client.start_container(&plain).await.unwrap();
    rig.client
        .wait_container(&plain, WaitCondition::NotRunning)
        .await
        .unwrap();
    assert_eq!(rig.logs(&plain, LogOptions::default()).await, "mine\n");
    assert_eq!(rig.client.container_changes(&plain).await.unwrap(), []);
    rig.end().await;
}

#[tokio::test]
async fn a_commit_is_told_and_one_of_nothing_has_no_layer() {
    let rig = Rig::new().await;
    let id = rig.run("still", "sleep 1000").await;
    let image = rig
        .client
        .commit_container(&id, &named("same"))
        .await
        .unwrap();
    let base = rig.client.image("busybox").await.unwrap().root_fs.layers;
    assert_eq!(rig.client.image(&image).await.unwrap().root_fs.layers, base);

    let options = EventOptions {
        since: Some("1".to_owned()),
        until: Some(format!("{}", i64::from(u32::MAX))),
        filters: Filters::default().with("container", &id),
    };
    let mut events = rig.client.events(&options).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..5 {
        let event = events.next().await.unwrap().unwrap();
        if event.action == "commit" {
            assert_eq!(event.actor.attributes["imageID"], image);
        }
        told.push(event.action);
    }
    assert_eq!(told, ["create", "start", "pause", "unpause", "commit"]);
    drop(events);
    for bad in ["CMD", "NOPE x"] {
        let options = CommitOptions {
            changes: vec![bad.to_owned()],
            ..named("bad")
        };
        let refused = rig.client.commit_container(&id, &options).await;
        assert!(
            matches!(refused, Err(ClientError::Refused { status: 400, .. })),
            "{refused:?}"
        );
    }
    assert_eq!(
        rig.client.container(&id).await.unwrap().state.status,
        "running"
    );
    rig.end().await;
}

#[tokio::test]
async fn a_client_that_goes_away_in_a_commit_leaves_nothing_standing_still() {
    let rig = Rig::new().await;
    let script =
        "dd if=/dev/zero of=/root/big bs=1M count=50 2>/dev/null; touch /ready; sleep 1000";
    let id = rig.run("big", script).await;
    until("the file is there", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;

    let mark = rig.path("r/commits").join(&id);
    let options = named("lonely");
    tokio::select! {
        // As good: there was nobody left to go away.
        done = rig.client.commit_container(&id, &options) => drop(done.unwrap()),
        () = until("it has begun", async || mark.exists()) => {}
    }

    until("it is made to its end", async || {
        rig.client.image("lonely").await.is_ok()
    })
    .await;
    until("it goes on", async || {
        rig.client.container(&id).await.unwrap().state.status == "running" && !mark.exists()
    })
    .await;
    rig.end().await;
}

#[tokio::test]
async fn two_commits_at_once_both_see_files_of_one_moment() {
    let rig = Rig::new().await;
    let script = "dd if=/dev/zero of=/root/m bs=1M count=50 2>/dev/null
        while true; do echo >> /root/a; echo >> /root/z; done";
    let id = rig.run("busy", script).await;
    until("it writes", async || {
        rig.client.container_path_stat(&id, "/root/z").await.is_ok()
    })
    .await;

    let mark = rig.path("r/commits").join(&id);
    let (first, second) = (named("first"), named("second"));
    let (one, two) = tokio::join!(rig.client.commit_container(&id, &first), async {
        until("it stands still", async || {
            mark.exists() || rig.client.image("first").await.is_ok()
        })
        .await;
        rig.client.commit_container(&id, &second).await
    });
    one.unwrap();
    two.unwrap();
    for image in ["first", "second"] {
        let look = Some("wc -l < /root/a; wc -l < /root/z");
        let looker = rig
            .create_image(image, image, look, ContainerConfig::default())
            .await;
        rig.client.start_container(&looker).await.unwrap();
        rig.client
            .wait_container(&looker, WaitCondition::NotRunning)
            .await
            .unwrap();
        let said = rig.logs(&looker, LogOptions::default()).await;
        let counts: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
        assert_eq!(counts.len(), 2, "{said}");
        assert!(counts[0] - counts[1] <= 1, "{said}");
    }
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!(state.status, "running");
    rig.end().await;
}

#[tokio::test]
async fn an_engine_that_ends_in_a_commit_lets_the_container_go_on_before() {
    let mut rig = Rig::new().await;
    let script = "dd if=/dev/zero of=/root/big bs=1M count=50 2>/dev/null
        while true; do echo on; sleep 0.05; done";
    let id = rig.run("big", script).await;
    until("the file is there", async || {
        !rig.logs(&id, LogOptions::default()).await.is_empty()
    })
    .await;
    let mark = rig.path("r/commits").join(&id);
    let options = named("lonely");
    tokio::select! {
        // As good: nothing stands still any more.
        done = rig.client.commit_container(&id, &options) => drop(done.unwrap()),
        () = until("it stands still", async || {
            rig.client.container(&id).await.unwrap().state.paused
        }) => {}
    }

    rig.signal_engine(Signal::SIGTERM);

    assert!(!mark.exists(), "nobody has to let it go on later");
    let log = rig.path("d/containers").join(&id).join("log");
    let counted = || {
        let files = fs::read_dir(&log).unwrap().flatten();
        files
            .map(|file| file.metadata().unwrap().len())
            .sum::<u64>()
    };
    let before = counted();
    until("it counts on", async || counted() > before + 100).await;
    rig.start().await;
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!(state.status, "running");
    rig.end().await;
}

#[tokio::test]
async fn a_saved_image_is_loaded_again_with_its_names_and_its_id() {
    let rig = Rig::new().await;
    let id = rig.run("first", "sleep 1000").await;
    rig.inside(&id, "echo layered > /root/f").await;
    let image = rig
        .client
        .commit_container(&id, &named("layered"))
        .await
        .unwrap();
    rig.client
        .tag_image("layered", "layered", "other")
        .await
        .unwrap();

    let archive = whole(rig.client.save_images(&["layered"]).await.unwrap()).await;
    let other = Rig::bare().await;
    let source = archive.clone();
    let stream = futures_util::stream::once(async { Ok(Bytes::from(source)) });
    let mut progress = other.client.load_images(stream).await.unwrap();
    while let Some(line) = progress.next().await.unwrap() {
        assert_eq!(line.error, None);
    }
    let loaded = other.client.image("layered:other").await.unwrap();
    assert_eq!(loaded.id, image, "the same content has the same id");
    assert_eq!(loaded.repo_tags.len(), 2);
    let words = ContainerConfig::default();
    let again = other
        .create_image("again", "layered", Some("cat /root/f"), words)
        .await;
    other.client.start_container(&again).await.unwrap();
    other
        .client
        .wait_container(&again, WaitCondition::NotRunning)
        .await
        .unwrap();
    assert_eq!(other.logs(&again, LogOptions::default()).await, "layered\n");
    let missing = rig.client.save_images(&["layered", "nobody"]).await;
    assert!(matches!(
        missing,
        Err(ClientError::Refused { status: 404, .. })
    ));
    other.end().await;
    rig.end().await;
}

#[tokio::test]
async fn prunes_take_what_nobody_needs_and_say_how_much() {
    let rig = Rig::new().await;
    let running = rig.run("up", "sleep 1000").await;
    let ended = rig
        .run(
            "down",
            "dd if=/dev/zero of=/root/f bs=1M count=3 2>/dev/null",
        )
        .await;
    rig.client
        .wait_container(&ended, WaitCondition::NotRunning)
        .await
        .unwrap();
    let config = ContainerConfig {
        labels: [("keep".to_owned(), "1".to_owned())].into(),
        ..ContainerConfig::default()
    };
    let kept = rig
        .create_with("kept", "true", config, HostConfig::default())
        .await;

    let usage = rig.client.disk_usage().await.unwrap();
    let of = |id: &str| {
        let all = usage.containers.clone().unwrap();
        all.into_iter()
            .find(|container| container.id == id)
            .unwrap()
    };
    assert_eq!(of(&ended).size_rw, Some(3 << 20));
    let image = usage
        .images
        .clone()
        .unwrap()
        .into_iter()
        .find(|image| image.containers == 3)
        .unwrap();
    assert_eq!(of(&ended).size_root_fs, Some((3 << 20) + image.size));
    assert!(usage.layers_size >= image.size && image.shared_size == 0);

    let filters = Filters::default().with("label!", "keep");
    let pruned = rig.client.prune_containers(&filters).await.unwrap();
    assert_eq!(pruned.containers_deleted, Some(Some(vec![ended])));
    assert_eq!(pruned.space_reclaimed, Some(3 << 20));
    let left = rig
        .client
        .containers(&ListOptions {
            all: true,
            ..ListOptions::default()
        })
        .await
        .unwrap();
    let mut left: Vec<_> = left.into_iter().map(|container| container.id).collect();
    left.sort();
    let mut expected = [running.clone(), kept.clone()];
    expected.sort();
    assert_eq!(left, expected);

    rig.end().await;
}

#[tokio::test]
async fn a_prune_of_images_leaves_those_that_containers_are_made_of() {
    let rig = Rig::new().await;
    let running = rig.run("up", "sleep 1000").await;
    rig.inside(
        &running,
        "dd if=/dev/zero of=/root/g bs=1M count=2 2>/dev/null",
    )
    .await;
    rig.client
        .commit_container(&running, &CommitOptions::default())
        .await
        .unwrap();
    rig.client
        .commit_container(&running, &named("named"))
        .await
        .unwrap();
    let told = rig.client.prunable_images(&Filters::default()).await;
    let told = told.unwrap();
    assert_eq!(
        (told.images.len(), told.space_reclaimed),
        (1, 0),
        "its layer is the named one's too"
    );
    let dangling = rig.client.prune_images(&Filters::default()).await.unwrap();
    assert_eq!(dangling.space_reclaimed, Some(told.space_reclaimed));
    assert_eq!(dangling.images_deleted.unwrap().unwrap().len(), 1);
    let all = Filters::default().with("dangling", "false");
    let told = rig.client.prunable_images(&all).await.unwrap();
    let names: Vec<_> = told.images.iter().flat_map(|one| &one.repo_tags).collect();
    assert_eq!(names, ["named:latest", "gantry/hello:latest"]);
    let pruned = rig.client.prune_images(&all).await.unwrap();
    assert_eq!(pruned.space_reclaimed, Some(told.space_reclaimed));
    assert_eq!(
        pruned.space_reclaimed.unwrap() >> 20,
        3,
        "two of the commit's, one of hello's"
    );
    assert!(
        rig.client.image("busybox").await.is_ok(),
        "containers are made of it"
    );
    assert!(rig.client.image("named").await.is_err());
    rig.end().await;
}

fn logging(kind: &str, options: &[(&str, &str)]) -> HostConfig {
    let options = options.iter();
    HostConfig {
        log_config: LogConfig {
            kind: kind.to_owned(),
            config: options
                .map(|(k, v)| (k.to_string(), v.to_string()))
                .collect(),
        },
        ..HostConfig::default()
    }
}

#[tokio::test]
async fn log_drivers_keep_output_or_say_that_they_do_not() {
    let rig = Rig::new().await;
    let local = rig
        .create_with(
            "local",
            "echo kept",
            ContainerConfig::default(),
            logging("local", &[("max-size", "1m")]),
        )
        .await;
    let none = rig
        .create_with(
            "none",
            "echo lost; sleep 1000",
            ContainerConfig::default(),
            logging("none", &[]),
        )
        .await;
    for id in [&local, &none] {
        rig.client.start_container(id).await.unwrap();
    }
    rig.client
        .wait_container(&local, WaitCondition::NotRunning)
        .await
        .unwrap();
    assert_eq!(rig.logs(&local, LogOptions::default()).await, "kept\n");
    let shown = rig
        .client
        .container("local")
        .await
        .unwrap()
        .host_config_json;
    assert_eq!(
        shown["LogConfig"],
        serde_json::json!({ "Type": "local", "Config": { "max-size": "1m" } })
    );

    let options = LogOptions {
        stdout: true,
        ..LogOptions::default()
    };
    let refused = rig.client.container_logs(&none, &options).await.map(drop);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "configured logging driver does not support reading"
    );
    let log = rig.path("d/containers").join(&none).join("log");
    let bytes: u64 = fs::read_dir(log)
        .unwrap()
        .flatten()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert_eq!(bytes, 0);
    rig.end().await;
}

#[tokio::test]
async fn log_drivers_that_are_not_here_are_refused_with_the_reason() {
    let rig = Rig::new().await;
    for (kind, word) in [
        ("syslog", "sends no output"),
        ("journald", "journald"),
        ("nope", "not found"),
    ] {
        let body = engine_api::containers::CreateBody {
            config: ContainerConfig {
                image: "busybox".to_owned(),
                cmd: Some(vec!["true".to_owned()]),
                ..ContainerConfig::default()
            },
            host_config: logging(kind, &[]),
            ..Default::default()
        };
        let error = rig.client.create_container(None, &body).await.unwrap_err();
        assert!(error.to_string().contains(word), "{kind}: {error}");
    }
    rig.end().await;
}
