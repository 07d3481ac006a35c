//! Volumes: made, used, filled, kept from removal, and gone without a trace.

use std::collections::BTreeMap;
use std::fs;

use engine_api::containers::{ContainerConfig, CreateBody, HostConfig, WaitCondition};
use engine_api::filter::Filters;
use engine_api::volumes::VolumeCreateBody;
use engine_client::{ClientError, CommitOptions, ListOptions, LogOptions, RemoveOptions};
use serde_json::{Value, json};

use crate::rig::{Rig, until};

const ALONE: RemoveOptions = RemoveOptions {
    force: true,
    volumes: false,
};
const WITH: RemoveOptions = RemoveOptions {
    force: true,
    volumes: true,
};

pub(crate) async fn create(rig: &Rig, name: &str, script: &str, host: Value) -> String {
    let host: HostConfig = serde_json::from_value(host).unwrap();
    rig.create_with(name, script, ContainerConfig::default(), host)
        .await
}

/// Runs a script to its end; returns what it wrote. The container stays.
pub(crate) async fn run(rig: &Rig, name: &str, script: &str, host: Value) -> String {
    let id = create(rig, name, script, host).await;
    finish(rig, &id).await
}

async fn finish(rig: &Rig, id: &str) -> String {
    rig.client.start_container(id).await.unwrap();
    let wait = WaitCondition::NotRunning;
    rig.client.wait_container(id, wait).await.unwrap();
    rig.logs(id, LogOptions::default()).await
}

pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> (u16, String) {
    match result {
        Err(ClientError::Refused {
            status, message, ..
        }) => (status, message),
        other => panic!("it was not refused: {other:?}"),
    }
}

async fn refusal(rig: &Rig, host: Value) -> (u16, String) {
    let body = CreateBody {
        config: ContainerConfig {
            image: "busybox".to_owned(),
            cmd: Some(vec!["true".to_owned()]),
            ..ContainerConfig::default()
        },
        host_config: serde_json::from_value(host).unwrap(),
        ..CreateBody::default()
    };
    refused(rig.client.create_container(None, &body).await)
}

pub(crate) async fn names(rig: &Rig, filters: Filters) -> Vec<String> {
    let list = rig.client.volumes(&filters).await.unwrap();
    list.volumes.into_iter().map(|one| one.name).collect()
}

pub(crate) fn asked(name: &str) -> VolumeCreateBody {
    VolumeCreateBody {
        name: name.to_owned(),
        ..VolumeCreateBody::default()
    }
}

/// Makes an image whose `/data` holds files of several owners, bits and kinds.
pub(crate) async fn image_with_data(rig: &Rig) {
    let script = "mkdir -p /data/sub && echo one >/data/a && ln /data/a /data/hard && \
                  ln -s a /data/link && echo two >/data/sub/b && chown 1000:1000 /data /data/sub && \
                  chmod 750 /data && chmod 4711 /data/a && mkfifo /data/pipe";
    run(rig, "maker", script, json!({})).await;
    let options = CommitOptions {
        repository: Some("withdata".to_owned()),
        changes: vec!["VOLUME /data".to_owned()],
        ..CommitOptions::default()
    };
    rig.client
        .commit_container("maker", &options)
        .await
        .unwrap();
    rig.client.remove_container("maker", WITH).await.unwrap();
}

pub(crate) const LOOK: &str = "cd /data && stat -c '%n %a %u:%g %h %F' . a sub sub/b pipe | sort && \
                               readlink link && cat a sub/b";

pub(crate) const SEEN: &str = ". 750 1000:1000 3 directory\na 4711 0:0 2 regular file\npipe 644 0:0 1 fifo\n\
                               sub 755 1000:1000 2 directory\nsub/b 644 0:0 1 regular file\na\none\ntwo\n";

pub(crate) async fn create_of_data(rig: &Rig, name: &str, script: &str, host: Value) -> String {
    let body = CreateBody {
        config: ContainerConfig {
            image: "withdata".to_owned(),
            cmd: Some(["sh", "-c", script].map(str::to_owned).to_vec()),
            ..ContainerConfig::default()
        },
        host_config: serde_json::from_value(host).unwrap(),
        ..CreateBody::default()
    };
    let created = rig.client.create_container(Some(name), &body).await;
    created.unwrap().id
}

#[tokio::test]
async fn a_volume_is_made_once_found_by_filters_and_removed() {
    let rig = Rig::new().await;
    let labels: BTreeMap<_, _> = [("tier".to_owned(), "db".to_owned())].into();
    let body = VolumeCreateBody {
        labels: Some(labels.clone()),
        ..asked("data")
    };
    let made = rig.client.create_volume(&body).await.unwrap();
    assert_eq!(
        (made.name.as_str(), made.driver.as_str()),
        ("data", "local")
    );
    assert!(made.mountpoint.ends_with("/volumes/data/_data"));
    assert_eq!(made.labels, labels);
    assert!(!made.created_at.contains('.'), "{}", made.created_at);
    let again = rig.client.create_volume(&asked("data")).await.unwrap();
    assert_eq!(again, made, "the same name is the same volume");
    let nameless = rig.client.create_volume(&asked("")).await.unwrap();
    assert_eq!(nameless.name.len(), 64);
    assert!(nameless.labels.contains_key("com.docker.volume.anonymous"));
    rig.run("user", "sleep 600").await;
    create(&rig, "holder", "true", json!({"Binds": ["data:/d"]})).await;

    assert_eq!(rig.client.volume("data").await.unwrap(), made);
    let with = |key: &str, value: &str| Filters::default().with(key, value);
    assert_eq!(names(&rig, with("name", "dat")).await, ["data"]);
    assert_eq!(names(&rig, with("label", "tier=db")).await, ["data"]);
    assert_eq!(names(&rig, with("dangling", "false")).await, ["data"]);
    let dangling = names(&rig, with("dangling", "true")).await;
    assert_eq!(dangling, std::slice::from_ref(&nameless.name));
    assert!(names(&rig, with("driver", "other")).await.is_empty());
    let (status, _) = refused(rig.client.volumes(&with("dangling", "often")).await);
    assert_eq!(status, 400);

    let (status, words) = refused(rig.client.remove_volume("data", true).await);
    let holder = rig.client.container("holder").await.unwrap().id;
    assert_eq!(status, 409);
    assert_eq!(words, format!("remove data: volume is in use - [{holder}]"));
    rig.client.remove_container("holder", WITH).await.unwrap();
    assert!(rig.client.volume("data").await.is_ok(), "it was named");
    rig.client.remove_volume("data", false).await.unwrap();
    let (status, words) = refused(rig.client.remove_volume("data", false).await);
    assert_eq!((status, words.as_str()), (404, "get data: no such volume"));
    rig.client.remove_volume("data", true).await.unwrap();
    rig.end().await;
}

#[tokio::test]
async fn names_drivers_and_options_that_cannot_be_are_refused_in_dockers_words() {
    let rig = Rig::bare().await;
    for (name, says) in [
        (
            "../x",
            "includes invalid characters for a local volume name",
        ),
        (
            "a/b",
            "If you intended to pass a host directory, use absolute path",
        ),
        (".x", "includes invalid characters"),
        ("x", "volume name is too short"),
    ] {
        let (status, words) = refused(rig.client.create_volume(&asked(name)).await);
        assert!(status == 400 && words.contains(says), "{words}");
    }
    let body = VolumeCreateBody {
        driver: "rexray".to_owned(),
        ..asked("data")
    };
    let (status, words) = refused(rig.client.create_volume(&body).await);
    assert!(
        status == 404 && words.contains("plugin \"rexray\" not found"),
        "{words}"
    );
    for (options, says) in [
        (json!({"colour": "red"}), "invalid option: \"colour\""),
        (
            json!({"type": "tmpfs"}),
            "missing required option: \"device\"",
        ),
        (
            json!({"type": "overlay", "device": "x", "o": "lowerdir=/"}),
            "is not supported here",
        ),
        (json!({"size": "1g"}), "no quota support"),
    ] {
        let body = VolumeCreateBody {
            driver_opts: serde_json::from_value(options).unwrap(),
            ..asked("data")
        };
        let (status, words) = refused(rig.client.create_volume(&body).await);
        assert!(status == 400 && words.contains(says), "{words}");
    }
    assert!(names(&rig, Filters::default()).await.is_empty());
    rig.end().await;
}

#[tokio::test]
async fn what_one_container_writes_the_next_one_reads() {
    let rig = Rig::new().await;
    run(
        &rig,
        "writer",
        "echo kept >/d/f",
        json!({"Binds": ["data:/d"]}),
    )
    .await;
    let request =
        json!({"Mounts": [{"Type": "volume", "Source": "data", "Target": "/e", "ReadOnly": true}]});
    let read = run(
        &rig,
        "reader",
        "cat /e/f; touch /e/x; grep ' /e ' /proc/mounts",
        request,
    )
    .await;
    assert!(
        read.starts_with("kept\n") && read.contains("Read-only file system"),
        "{read}"
    );
    let shown = rig.client.container("reader").await.unwrap();
    let mount = &shown.mounts[0];
    assert_eq!(
        (mount.kind.as_str(), mount.name.as_str()),
        ("volume", "data")
    );
    assert_eq!((mount.driver.as_str(), mount.rw), ("local", false));
    assert_eq!(mount.destination, "/e");
    assert!(mount.source.ends_with("/data/_data"), "{}", mount.source);
    let all = ListOptions {
        all: true,
        filters: Filters::default().with("volume", "data"),
        ..ListOptions::default()
    };
    let listed = rig.client.containers(&all).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[0].mounts[0].name, "data");
    let short = run(
        &rig,
        "short",
        "touch /d/x",
        json!({"Binds": ["data:/d:ro"]}),
    )
    .await;
    assert!(short.contains("Read-only file system"), "{short}");
    rig.end().await;
}

#[tokio::test]
async fn volumes_of_the_image_are_filled_once_with_owners_bits_and_links() {
    let rig = Rig::new().await;
    image_with_data(&rig).await;
    let id = create_of_data(&rig, "first", LOOK, json!({})).await;
    assert_eq!(finish(&rig, &id).await, SEEN, "an anonymous one");
    let id = create_of_data(&rig, "second", LOOK, json!({"Binds": ["named:/data"]})).await;
    assert_eq!(finish(&rig, &id).await, SEEN);
    let nocopy = json!({"Mounts": [{"Type": "volume", "Source": "bare", "Target": "/data",
        "VolumeOptions": {"NoCopy": true, "Labels": {"made": "so"}}}]});
    let id = create_of_data(&rig, "third", "ls -A /data | wc -l", nocopy).await;
    assert_eq!(finish(&rig, &id).await.trim(), "0");
    assert_eq!(
        rig.client.volume("bare").await.unwrap().labels["made"],
        "so"
    );
    // What somebody has put there stays, and what was used and emptied is not filled again.
    run(
        &rig,
        "own",
        "echo mine >/d/a",
        json!({"Binds": ["mine:/d"]}),
    )
    .await;
    let id = create_of_data(
        &rig,
        "fourth",
        "ls /data; cat /data/a",
        json!({"Binds": ["mine:/data"]}),
    )
    .await;
    assert_eq!(finish(&rig, &id).await, "a\nmine\n");
    run(&rig, "empties", "rm -r /d/*", json!({"Binds": ["mine:/d"]})).await;
    let id = create_of_data(
        &rig,
        "fifth",
        "ls -A /data | wc -l",
        json!({"Binds": ["mine:/data"]}),
    )
    .await;
    assert_eq!(finish(&rig, &id).await.trim(), "0");
    rig.end().await;
}

#[tokio::test]
async fn two_containers_made_at_once_fill_a_volume_once() {
    let rig = Rig::new().await;
    image_with_data(&rig).await;
    for round in 0..5 {
        let host = json!({"Binds": [format!("both{round}:/data")]});
        let (one, other) = (format!("one{round}"), format!("other{round}"));
        let (one, other) = tokio::join!(
            create_of_data(&rig, &one, LOOK, host.clone()),
            create_of_data(&rig, &other, LOOK, host.clone()),
        );
        assert_eq!(finish(&rig, &one).await, SEEN);
        assert_eq!(finish(&rig, &other).await, SEEN);
    }
    rig.end().await;
}

#[tokio::test]
async fn anonymous_volumes_go_with_their_container_if_asked() {
    let rig = Rig::new().await;
    image_with_data(&rig).await;
    create_of_data(&rig, "stays", "true", json!({})).await;
    create_of_data(
        &rig,
        "goes",
        "true",
        json!({"Binds": ["/more", "named:/named"]}),
    )
    .await;
    assert_eq!(names(&rig, Filters::default()).await.len(), 4);
    rig.client.remove_container("goes", WITH).await.unwrap();
    assert_eq!(
        names(&rig, Filters::default()).await.len(),
        2,
        "the named one, and that of the other"
    );
    rig.client.remove_container("stays", ALONE).await.unwrap();
    assert_eq!(
        names(&rig, Filters::default()).await.len(),
        2,
        "-v was not said"
    );
    let auto = json!({"AutoRemove": true});
    let id = create_of_data(&rig, "auto", "true", auto).await;
    assert_eq!(names(&rig, Filters::default()).await.len(), 3);
    rig.client.start_container(&id).await.unwrap();
    until("it is gone with its volume", async || {
        names(&rig, Filters::default()).await.len() == 2
    })
    .await;
    // One that another container took stays.
    let first = create_of_data(&rig, "first", "true", json!({})).await;
    create(&rig, "second", "true", json!({"VolumesFrom": ["first"]})).await;
    rig.client.remove_container(&first, WITH).await.unwrap();
    assert_eq!(names(&rig, Filters::default()).await.len(), 3);
    rig.end().await;
}

#[tokio::test]
async fn mounts_of_other_containers_come_along_and_what_is_named_counts_before() {
    let rig = Rig::new().await;
    let share = rig.path("share");
    fs::create_dir(&share).unwrap();
    fs::write(share.join("word"), "bound").unwrap();
    let bind = format!("{}:/b", share.display());
    let host = json!({"Binds": ["one:/one", "two:/two", bind], "Tmpfs": {"/t": ""}});
    run(&rig, "source", "echo 1 >/one/f; echo 2 >/two/f", host).await;
    let host = json!({"VolumesFrom": ["source:ro"], "Binds": ["own:/two"]});
    let script =
        "cat /one/f /b/word; ls /two; ls -d /t; touch /one/x /b/x; touch /two/x && echo written";
    let found = run(&rig, "taker", script, host).await;
    assert!(
        found.starts_with("1\n") && found.contains("bound"),
        "{found}"
    );
    assert_eq!(found.matches("Read-only file system").count(), 2, "{found}");
    assert!(
        found.contains("/t: No such file") && found.contains("written"),
        "{found}"
    );
    let (status, words) = refusal(&rig, json!({"VolumesFrom": ["nobody"]})).await;
    assert_eq!((status, words.as_str()), (404, "No such container: nobody"));
    let (status, words) = refusal(&rig, json!({"VolumesFrom": ["source:deep"]})).await;
    assert_eq!((status, words.as_str()), (400, "invalid mode: deep"));
    rig.end().await;
}

#[tokio::test]
async fn a_part_of_a_volume_is_mounted_and_no_link_leads_out_of_it() {
    let rig = Rig::new().await;
    let script = "mkdir -p /d/in/deep; echo deep >/d/in/deep/f; ln -s /etc /d/out; ln -s /in /d/to; ln -s ../../.. /d/up";
    run(&rig, "maker", script, json!({"Binds": ["data:/d"]})).await;
    let part = |subpath: &str| {
        json!({"Mounts": [{"Type": "volume", "Source": "data", "Target": "/m",
            "VolumeOptions": {"Subpath": subpath}}]})
    };
    assert_eq!(
        run(&rig, "part", "cat /m/deep/f", part("in")).await,
        "deep\n"
    );
    assert_eq!(
        run(&rig, "file", "cat /m", part("in/deep/f")).await,
        "deep\n"
    );
    let to = run(&rig, "to", "cat /m/deep/f", part("to")).await;
    assert_eq!(to, "deep\n", "a link is followed inside the volume");
    let up = run(&rig, "up", "ls /m", part("up")).await;
    assert!(up.contains("in\n") && !up.contains("etc"), "{up}");
    let id = create(&rig, "out", "ls /m", part("out")).await;
    let (_, words) = refused(rig.client.start_container(&id).await);
    assert!(words.contains("cannot find the subpath"), "{words}");
    for bad in ["../x", "/etc", "a/../.."] {
        let (status, words) = refusal(&rig, part(bad)).await;
        assert!(
            status == 400 && words.contains("subpath must be a relative path"),
            "{words}"
        );
    }
    let nameless =
        json!({"Mounts": [{"Type": "volume", "Target": "/m", "VolumeOptions": {"Subpath": "x"}}]});
    let (status, words) = refusal(&rig, nameless).await;
    assert!(status == 400 && words.contains("anonymous"), "{words}");
    rig.end().await;
}

#[tokio::test]
async fn no_volume_lies_over_a_file_of_the_kernel_or_in_one_place_twice() {
    let rig = Rig::new().await;
    for target in ["/proc", "/proc/self", "/sys", "/sys/fs/cgroup"] {
        let (status, words) = refusal(&rig, json!({"Binds": [format!("data:{target}")]})).await;
        assert!(
            status == 400 && words.contains("file of the kernel"),
            "{words}"
        );
        let body = CreateBody {
            config: ContainerConfig {
                image: "busybox".to_owned(),
                cmd: Some(vec!["true".to_owned()]),
                volumes: Some([(target.to_owned(), engine_api::containers::Empty {})].into()),
                ..ContainerConfig::default()
            },
            ..CreateBody::default()
        };
        let (status, _) = refused(rig.client.create_container(None, &body).await);
        assert_eq!(status, 400, "{target}");
    }
    let twice = json!({"Binds": ["one:/d", "two:/d/"]});
    let (status, words) = refusal(&rig, twice).await;
    assert_eq!((status, words.as_str()), (400, "Duplicate mount point: /d"));
    assert!(
        names(&rig, Filters::default()).await.is_empty(),
        "nothing is left of a refusal"
    );
    rig.end().await;
}

#[tokio::test]
async fn volumes_lie_on_each_other_in_the_order_of_their_paths() {
    let rig = Rig::new().await;
    let host = json!({"Binds": ["inner:/a/b", "outer:/a"], "Tmpfs": {"/a/b/c": "size=64k"}});
    let script = "echo in >/a/b/f; echo out >/a/f; grep -c ' /a' /proc/mounts; cat /etc/hostname >/dev/null && echo named";
    let found = run(&rig, "layered", script, host).await;
    assert_eq!(found, "3\nnamed\n");
    let inner = run(&rig, "inner", "ls /i", json!({"Binds": ["inner:/i"]})).await;
    assert_eq!(inner, "c\nf\n");
    rig.end().await;
}

#[tokio::test]
async fn a_prune_takes_what_nobody_has_and_names_only_if_asked() {
    let rig = Rig::new().await;
    run(
        &rig,
        "filled",
        "head -c 5000 /dev/zero >/d/f",
        json!({"Binds": ["named:/d", "/anon"]}),
    )
    .await;
    rig.client.create_volume(&asked("spare")).await.unwrap();
    let usage = rig.client.disk_usage().await.unwrap();
    let of = |name: &str| {
        let volumes = usage.volumes.as_ref().unwrap();
        let volume = volumes.iter().find(|one| one.name == name).unwrap();
        volume.usage_data.unwrap()
    };
    assert_eq!((of("named").size, of("named").ref_count), (5000, 1));
    assert_eq!((of("spare").size, of("spare").ref_count), (0, 0));
    let pruned = rig.client.prune_volumes(&Filters::default()).await.unwrap();
    assert_eq!(
        pruned.volumes_deleted.flatten(),
        None,
        "all are needed or named"
    );
    rig.client.remove_container("filled", ALONE).await.unwrap();
    let pruned = rig.client.prune_volumes(&Filters::default()).await.unwrap();
    assert_eq!(pruned.volumes_deleted.unwrap().unwrap().len(), 1);
    let all = Filters::default().with("all", "true");
    let old = all.clone().with("until", "1h");
    let pruned = rig.client.prune_volumes(&old).await.unwrap();
    assert_eq!(
        pruned.volumes_deleted.flatten(),
        None,
        "none is an hour old"
    );
    let pruned = rig.client.prune_volumes(&all).await.unwrap();
    assert_eq!(pruned.volumes_deleted.unwrap().unwrap(), ["named", "spare"]);
    assert_eq!(pruned.space_reclaimed, Some(5000));
    rig.end().await;
}

#[tokio::test]
async fn a_missing_source_is_made_for_v_and_refused_for_mount() {
    let rig = Rig::new().await;
    let missing = rig.path("missing");
    let bind = json!({"Mounts": [{"Type": "bind", "Source": missing, "Target": "/m"}]});
    let id = create(&rig, "strict", "true", bind).await;
    assert!(rig.client.start_container(&id).await.is_err());
    assert!(!missing.exists());
    let bind = json!({"Binds": [format!("{}:/m", missing.display())]});
    run(&rig, "lenient", "true", bind).await;
    assert!(missing.is_dir());
    rig.end().await;
}
