//! With `--confined` a mount shows what was judged, whoever changes the path on the host meanwhile.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_api::containers::{ContainerConfig, HostConfig, WaitCondition};
use engine_client::{ClientError, LogOptions, RemoveOptions};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::rig::Rig;

const FORCE: RemoveOptions = RemoveOptions {
    force: true,
    volumes: true,
};

/// Two links of the host: where `way` leads is harmless, where `other` leads is the engine's.
struct Links {
    way: PathBuf,
    other: PathBuf,
}

impl Links {
    fn of(rig: &Rig) -> Self {
        let links = Self {
            way: rig.path("way"),
            other: rig.path("other"),
        };
        fs::create_dir(rig.path("harmless")).unwrap();
        fs::write(rig.path("harmless/bird"), "alive").unwrap();
        symlink(rig.path("harmless"), &links.way).unwrap();
        symlink(rig.path("d"), &links.other).unwrap();
        links
    }

    fn exchange(&self) {
        renameat_with(CWD, &self.way, CWD, &self.other, RenameFlags::EXCHANGE).unwrap();
    }

    fn host(&self) -> HostConfig {
        HostConfig {
            binds: Some(vec![format!("{}:/m:ro", self.way.display())]),
            ..HostConfig::default()
        }
    }

    fn are_back(&self) -> bool {
        self.way.join("bird").exists()
    }
}

/// How often the race is run.
fn tries() -> usize {
    let asked = std::env::var_os("GANTRY_RACE_TRIES");
    let asked = asked.and_then(|text| text.to_str()?.parse().ok());
    asked.unwrap_or(30)
}

/// Starts a container that lists its mount; what it saw, or why it did not start.
async fn seen(rig: &Rig, id: &str) -> Result<String, ClientError> {
    rig.client.start_container(id).await?;
    let wait = WaitCondition::NotRunning;
    rig.client.wait_container(id, wait).await.unwrap();
    Ok(rig.logs(id, LogOptions::default()).await)
}

#[tokio::test]
async fn a_link_that_changes_between_judging_and_mounting_shows_nothing_of_the_engine() {
    let rig = Rig::with(&["--confined"]).await;
    let links = Arc::new(Links::of(&rig));
    let script = "ls -a /m";
    let id = rig
        .create_with("it", script, ContainerConfig::default(), links.host())
        .await;
    let stop = Arc::new(AtomicBool::new(false));
    let racer = std::thread::spawn({
        let (links, stop) = (Arc::clone(&links), Arc::clone(&stop));
        move || {
            while !stop.load(Ordering::Relaxed) {
                links.exchange();
            }
            if !links.are_back() {
                links.exchange();
            }
        }
    });
    let (mut leaks, mut strange, mut n_judged) = (Vec::new(), Vec::new(), 0);
    for _ in 0..tries() {
        match seen(&rig, &id).await {
            Ok(text) if text.contains("containers") => leaks.push(text),
            Ok(text) if text.contains("bird") => n_judged += 1,
            Err(error) if error.to_string().contains("belongs to the engine") => n_judged += 1,
            // Met while it changes.
            other => strange.push(format!("{other:?}")),
        }
    }
    stop.store(true, Ordering::Relaxed);
    racer.join().unwrap();
    assert_eq!(leaks, Vec::<String>::new());
    assert!(n_judged > 0, "it never came so far: {strange:#?}");

    // Its twin, when nobody changes anything.
    rig.client.remove_container(&id, FORCE).await.unwrap();
    let id = rig
        .create_with("it", script, ContainerConfig::default(), links.host())
        .await;
    let text = seen(&rig, &id).await.unwrap();
    assert!(text.contains("bird"), "{text}");
    rig.end().await;
}

#[tokio::test]
async fn files_behind_a_link_that_leads_to_the_engine_by_now_are_not_read() {
    let rig = Rig::with(&["--confined"]).await;
    let links = Links::of(&rig);
    let id = rig
        .create_with("it", "true", ContainerConfig::default(), links.host())
        .await;
    let text = seen(&rig, &id).await.unwrap();
    assert_eq!(text, "");
    let read = async || rig.client.container_archive(&id, "/m").await;
    assert!(read().await.is_ok(), "harmless");

    links.exchange();
    let Err(error) = read().await else {
        panic!("the engine's own files are read");
    };
    let error = error.to_string();
    assert!(
        error.contains("the profile of this host does not allow"),
        "{error}"
    );
    let refused = seen(&rig, &id).await.unwrap_err().to_string();
    assert!(refused.contains("which belongs to the engine"), "{refused}");

    links.exchange();
    assert!(read().await.is_ok(), "harmless again");
    rig.end().await;
}
