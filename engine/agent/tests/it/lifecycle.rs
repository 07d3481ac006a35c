//! From create to remove, and what is told of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;

use engine_api::containers::{ContainerConfig, HostConfig, WaitAnswer, WaitCondition};
use engine_api::filter::Filters;
use engine_client::{EventOptions, ListOptions, RemoveOptions};

use crate::rig::{Rig, until};

#[tokio::test]
async fn a_container_lives_from_create_to_remove_and_every_step_is_told() {
    let rig = Rig::new().await;
    let id = rig.create("web", "exit 7").await;
    assert_eq!(
        rig.client.container("web").await.unwrap().state.status,
        "created"
    );

    let wait = begin_to_wait(&rig, &id, "next-exit");
    rig.client.start_container(&id[..12]).await.unwrap();
    assert_eq!(status_code(wait), 7);
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!((state.status.as_str(), state.exit_code), ("exited", 7));
    rig.client
        .remove_container("web", RemoveOptions::default())
        .await
        .unwrap();

    let options = EventOptions {
        since: Some("1".to_owned()),
        until: Some(format!("{}", i64::from(u32::MAX))),
        filters: Filters::default().with("type", "container"),
    };
    let mut events = rig.client.events(&options).await.unwrap();
    let mut actions = Vec::new();
    for _ in 0..4 {
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.actor.id, id);
        actions.push(event.action);
    }
    assert_eq!(actions, ["create", "start", "die", "destroy"]);
    drop(events);
    rig.end().await;
}

#[tokio::test]
async fn stopping_asks_first_and_kills_after_the_time_and_twice_is_as_good_as_once() {
    let rig = Rig::new().await;
    let polite = rig
        .run(
            "polite",
            "trap 'exit 3' TERM; while true; do sleep 0.05; done",
        )
        .await;
    let stubborn = rig
        .run("stubborn", "trap '' TERM; while true; do sleep 0.05; done")
        .await;

    rig.client.stop_container(&polite, Some(10)).await.unwrap();
    rig.client.stop_container(&stubborn, Some(0)).await.unwrap();
    rig.client.stop_container(&polite, Some(10)).await.unwrap();

    assert_eq!(
        rig.client.container(&polite).await.unwrap().state.exit_code,
        3
    );
    assert_eq!(
        rig.client
            .container(&stubborn)
            .await
            .unwrap()
            .state
            .exit_code,
        137
    );
    let error = rig.client.kill_container(&polite, None).await.unwrap_err();
    assert!(error.to_string().contains("is not running"), "{error}");
    rig.end().await;
}

#[tokio::test]
async fn a_container_that_goes_by_itself_answers_who_waits_for_that() {
    let rig = Rig::new().await;
    let host = HostConfig {
        auto_remove: true,
        ..HostConfig::default()
    };
    let id = rig
        .create_with("brief", "exit 4", ContainerConfig::default(), host)
        .await;
    let wait = begin_to_wait(&rig, &id, "removed");
    rig.client.start_container(&id).await.unwrap();
    assert_eq!(status_code(wait), 4);
    assert!(rig.client.container(&id).await.is_err());
    rig.end().await;
}

#[tokio::test]
async fn names_belong_to_one_container_and_move_with_a_rename() {
    let rig = Rig::new().await;
    let first = rig.create("web", "true").await;
    let body = engine_api::containers::CreateBody {
        config: ContainerConfig {
            image: "busybox".to_owned(),
            cmd: Some(vec!["true".to_owned()]),
            ..Default::default()
        },
        ..Default::default()
    };
    let error = rig
        .client
        .create_container(Some("web"), &body)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("is already in use by container"),
        "{error}"
    );

    rig.client.rename_container("web", "old").await.unwrap();
    let second = rig
        .client
        .create_container(Some("web"), &body)
        .await
        .unwrap()
        .id;
    assert_eq!(rig.client.container("/old").await.unwrap().id, first);
    assert_eq!(rig.client.container("web").await.unwrap().id, second);
    let error = rig.client.rename_container("old", "web").await.unwrap_err();
    assert!(error.to_string().contains("is already in use"), "{error}");
    rig.end().await;
}

#[tokio::test]
async fn lists_are_filtered() {
    let rig = Rig::new().await;
    let labelled = ContainerConfig {
        labels: [("tier".to_owned(), "front".to_owned())].into(),
        ..ContainerConfig::default()
    };
    rig.create_with("web", "true", labelled, HostConfig::default())
        .await;
    let running = rig.run("db", "sleep 100").await;
    let list = async |all: bool, filters: Filters| {
        let options = ListOptions {
            all,
            limit: None,
            filters,
        };
        let list = rig.client.containers(&options).await.unwrap();
        list.into_iter()
            .map(|one| one.names[0].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(list(false, Filters::default()).await, ["/db"]);
    assert_eq!(list(true, Filters::default()).await, ["/db", "/web"]);
    assert_eq!(
        list(true, Filters::default().with("label", "tier=front")).await,
        ["/web"]
    );
    assert_eq!(
        list(false, Filters::default().with("status", "created")).await,
        ["/web"]
    );
    assert_eq!(
        list(true, Filters::default().with("name", "^/web$")).await,
        ["/web"]
    );
    assert_eq!(
        list(true, Filters::default().with("id", &running[..8])).await,
        ["/db"]
    );
    assert_eq!(
        list(true, Filters::default().with("ancestor", "busybox"))
            .await
            .len(),
        2
    );
    assert_eq!(
        list(true, Filters::default().with("since", "web")).await,
        ["/db"]
    );
    rig.end().await;
}

#[tokio::test]
async fn limits_are_felt_inside() {
    let rig = Rig::new().await;
    let host = HostConfig {
        readonly_rootfs: true,
        cap_drop: Some(vec!["ALL".to_owned()]),
        shm_size: 1 << 20,
        tmpfs: [("/t".to_owned(), "size=1m".to_owned())].into(),
        ..HostConfig::default()
    };
    let script = "touch /x 2>/dev/null && echo writable; touch /t/x && echo tmpfs; \
                  df /dev/shm | tail -1 | awk '{print $2}'; grep CapEff /proc/self/status; hostname";
    let config = ContainerConfig {
        hostname: "here".to_owned(),
        ..ContainerConfig::default()
    };
    let id = rig.create_with("tight", script, config, host).await;
    rig.client.start_container(&id).await.unwrap();
    rig.client
        .wait_container(&id, WaitCondition::NotRunning)
        .await
        .unwrap();
    let text = rig.logs(&id, engine_client::LogOptions::default()).await;
    assert_eq!(text, "tmpfs\n1024\nCapEff:\t0000000000000000\nhere\n");
    rig.end().await;
}

#[tokio::test]
async fn memory_above_the_limit_ends_the_container_and_says_so() {
    let rig = Rig::new().await;
    let host = HostConfig {
        memory: 8 << 20,
        ..HostConfig::default()
    };
    let script = "x=a; while true; do x=$x$x; done";
    let id = rig
        .create_with("greedy", script, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    let answer = rig
        .client
        .wait_container(&id, WaitCondition::NotRunning)
        .await
        .unwrap();
    let state = rig.client.container(&id).await.unwrap().state;
    assert_eq!((answer.status_code, state.oom_killed), (137, true));
    rig.end().await;
}

#[tokio::test]
async fn all_who_watch_see_the_same_looks_also_in_its_next_life() {
    let rig = Rig::new().await;
    let id = rig.run("watched", "while true; do :; done").await;
    let mut one = rig.client.container_stats(&id).await.unwrap();
    let mut other = rig.client.container_stats(&id).await.unwrap();
    // Each has a look of its own first.
    one.next().await.unwrap().unwrap();
    other.next().await.unwrap().unwrap();
    let mut looks = [one.next().await, other.next().await].map(|look| look.unwrap().unwrap());
    // A round may lie between the two beginnings.
    while looks[0].read != looks[1].read {
        if looks[0].read < looks[1].read {
            looks[0] = one.next().await.unwrap().unwrap();
        } else {
            looks[1] = other.next().await.unwrap().unwrap();
        }
    }
    assert_eq!(looks[0].cpu_stats, looks[1].cpu_stats);
    drop(other);

    rig.client.stop_container(&id, Some(0)).await.unwrap();
    let rests = loop {
        let look = one.next().await.unwrap().unwrap();
        if look.pids_stats.current.is_none() {
            break look;
        }
    };
    assert_eq!(rests.cpu_stats.cpu_usage.total_usage, 0);
    rig.client.start_container(&id).await.unwrap();
    let runs = loop {
        let look = one.next().await.unwrap().unwrap();
        if look.pids_stats.current == Some(1) {
            break look;
        }
    };
    assert!(runs.memory_stats.usage.unwrap_or(0) > 0);

    let forced = RemoveOptions {
        force: true,
        ..RemoveOptions::default()
    };
    rig.client.remove_container(&id, forced).await.unwrap();
    while let Ok(Some(_)) = one.next().await {}
    rig.end().await;
}

#[tokio::test]
async fn stats_and_top_show_what_runs() {
    let rig = Rig::new().await;
    let id = rig.run("busy", "while true; do :; done").await;
    let mut stats = rig.client.container_stats(&id).await.unwrap();
    let first = stats.next().await.unwrap().unwrap();
    let second = stats.next().await.unwrap().unwrap();
    let used = |stats: &engine_api::stats::CpuStats| stats.cpu_usage.total_usage;
    assert_eq!(used(&second.precpu_stats), used(&first.cpu_stats));
    assert!(used(&second.cpu_stats) > used(&second.precpu_stats));
    assert!(second.cpu_stats.system_cpu_usage > first.cpu_stats.system_cpu_usage);
    assert!(second.memory_stats.usage.unwrap_or(0) > 0);
    assert_eq!(second.pids_stats.current, Some(1));

    let top = rig
        .client
        .container_top(&id, Some("-eo pid,args"))
        .await
        .unwrap();
    assert_eq!(top.titles, ["PID", "COMMAND"]);
    assert!(top.processes[0][1].contains("while true"), "{top:?}");
    rig.end().await;
}

#[tokio::test]
async fn a_program_that_is_held_back_is_seen_waiting() {
    let rig = Rig::new().await;
    let host = HostConfig {
        nano_cpus: 100_000_000,
        ..HostConfig::default()
    };
    let script = "while true; do :; done";
    let id = rig
        .create_with("held", script, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    let mut stats = rig.client.container_stats(&id).await.unwrap();
    let tells_pressure = std::path::Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
        && std::path::Path::new("/proc/pressure/cpu").exists();
    until("it was throttled, and waited", async || {
        let sample = stats.next().await.unwrap().unwrap();
        let throttled = sample.cpu_stats.throttling_data.throttled_periods > 0;
        let ours = sample.ours.unwrap();
        assert_eq!(ours.oom_kills, 0);
        let waited = ours.cpu_pressure.is_some_and(|cpu| cpu.some.total > 0);
        throttled && waited == tells_pressure
    })
    .await;
    drop(stats);
    rig.end().await;
}

#[tokio::test]
async fn the_hello_image_is_there_and_serves() {
    let rig = Rig::bare().await;
    let body = engine_api::containers::CreateBody {
        config: ContainerConfig {
            image: "gantry/hello".to_owned(),
            ..Default::default()
        },
        ..Default::default()
    };
    let id = rig
        .client
        .create_container(Some("hello"), &body)
        .await
        .unwrap()
        .id;
    rig.client.start_container(&id).await.unwrap();
    until("hello says something", async || {
        rig.logs(&id, engine_client::LogOptions::default())
            .await
            .contains("hello from")
    })
    .await;
    rig.client.stop_container(&id, Some(5)).await.unwrap();
    assert_eq!(rig.client.container(&id).await.unwrap().state.exit_code, 0);
    rig.end().await;
}

/// Waits for a container, as from now on: the head of the answer says that the engine has begun to.
fn begin_to_wait(rig: &Rig, id: &str, condition: &str) -> BufReader<UnixStream> {
    let mut stream = UnixStream::connect(rig.path("s")).unwrap();
    let ask = format!("POST /containers/{id}/wait?condition={condition} HTTP/1.1");
    write!(stream, "{ask}\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert!(
            answer.read_line(&mut line).unwrap() > 0,
            "the answer has no end"
        );
    }
    answer
}

/// Reads the exit code that a wait is answered with.
fn status_code(mut answer: BufReader<UnixStream>) -> i64 {
    let mut text = String::new();
    answer.read_to_string(&mut text).unwrap();
    let json = text.lines().find(|line| line.starts_with('{')).unwrap();
    serde_json::from_str::<WaitAnswer>(json)
        .unwrap()
        .status_code
}
