//! An engine that dies while it makes, fills or removes volumes: the next one has whole ones only, and
//! none that nobody asked for.

use std::fs;

use engine_api::containers::{ContainerConfig, CreateBody, WaitCondition};
use engine_api::filter::Filters;
use engine_client::{LogOptions, RemoveOptions};
use nix::sys::signal::Signal;

use crate::rig::{Rig, until};
use crate::volumes::{LOOK, SEEN, create_of_data, image_with_data, names};

const WITH: RemoveOptions = RemoveOptions {
    force: true,
    volumes: true,
};

async fn look(rig: &Rig, binds: serde_json::Value) -> String {
    let id = create_of_data(rig, "looks", LOOK, binds).await;
    rig.client.start_container(&id).await.unwrap();
    let wait = WaitCondition::NotRunning;
    rig.client.wait_container(&id, wait).await.unwrap();
    let seen = rig.logs(&id, LogOptions::default()).await;
    rig.client.remove_container(&id, WITH).await.unwrap();
    seen
}

async fn create_and_die(rig: &mut Rig, place: &str, bind: Option<&str>) {
    rig.signal_engine(Signal::SIGTERM);
    rig.start_to_die_at(place).await;
    let mut body = CreateBody {
        config: ContainerConfig {
            image: "withdata".to_owned(),
            cmd: Some(vec!["true".to_owned()]),
            ..ContainerConfig::default()
        },
        ..CreateBody::default()
    };
    body.host_config.binds = bind.map(|bind| vec![bind.to_owned()]);
    let made = rig.client.create_container(Some("it"), &body).await;
    assert!(made.is_err(), "{place}");
    rig.died().await;
    rig.start().await;
}

const PLACES: [&str; 7] = [
    "volume.made",
    "create.volume",
    "copy_up.begun",
    "copy_up.copied",
    "copy_up.placed",
    "copy_up.noted",
    "create.volumes",
];

#[tokio::test]
async fn a_named_volume_is_filled_whole_whenever_the_engine_died() {
    let mut rig = Rig::new().await;
    image_with_data(&rig).await;
    for place in PLACES {
        create_and_die(&mut rig, place, Some("data:/data")).await;
        let host = serde_json::json!({"Binds": ["data:/data"]});
        assert_eq!(look(&rig, host).await, SEEN, "{place}");
        let beside = fs::read_dir(rig.path("d/volumes/data")).unwrap().count();
        assert_eq!(beside, 2, "{place}: the record and the files");
        rig.client.remove_volume("data", false).await.unwrap();
    }
    rig.end().await;
}

#[tokio::test]
async fn an_anonymous_volume_of_a_create_that_died_is_gone() {
    let mut rig = Rig::new().await;
    image_with_data(&rig).await;
    for place in PLACES {
        create_and_die(&mut rig, place, None).await;
        assert!(names(&rig, Filters::default()).await.is_empty(), "{place}");
        // What is gone is deleted behind it.
        until(&format!("{place}: nothing is left"), async || {
            fs::read_dir(rig.path("d/volumes")).unwrap().count() == 0
        })
        .await;
    }
    rig.end().await;
}

#[tokio::test]
async fn a_removal_with_volumes_is_finished_by_the_next_engine() {
    let mut rig = Rig::new().await;
    image_with_data(&rig).await;
    for place in ["remove.retired", "volume.retired"] {
        create_of_data(&rig, "it", "true", serde_json::json!({})).await;
        rig.signal_engine(Signal::SIGTERM);
        rig.start_to_die_at(place).await;
        assert!(rig.client.remove_container("it", WITH).await.is_err());
        rig.died().await;
        rig.start().await;
        assert!(rig.client.container("it").await.is_err(), "{place}");
        assert!(names(&rig, Filters::default()).await.is_empty(), "{place}");
    }
    rig.end().await;
}
