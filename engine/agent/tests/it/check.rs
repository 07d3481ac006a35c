//! `gantry-engine check`: what it finds, what it makes good, and how it ends.

use std::fs;

use nix::sys::signal::Signal;

use crate::rig::Rig;

fn check(rig: &Rig) -> (Option<i32>, String) {
    let output = rig.check_command().output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), text + &error)
}

#[tokio::test]
async fn sound_data_is_called_sound_and_data_in_use_is_left_alone() {
    let mut rig = Rig::new().await;
    rig.create("web", "true").await;
    let (code, said) = check(&rig);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("another engine runs on the data"), "{said}");
    rig.signal_engine(Signal::SIGTERM);
    let (code, said) = check(&rig);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 containers, 2 images"), "{said}");
    assert!(said.contains("0 repaired, 0 damaged"), "{said}");
    rig.start().await;
    rig.end().await;
}

#[tokio::test]
async fn leftovers_are_removed_and_damage_is_named() {
    let mut rig = Rig::new().await;
    let id = rig.create("web", "true").await;
    rig.signal_engine(Signal::SIGTERM);
    let containers = rig.path("d/containers");
    fs::create_dir(containers.join("a".repeat(64))).unwrap();
    fs::write(containers.join(&id).join("life.json"), "{").unwrap();
    fs::write(rig.path("d/layers/tmp/7"), "half").unwrap();
    let (code, said) = check(&rig);
    assert_eq!(code, Some(0), "{said}");
    for word in [
        "repaired: 1 half-made or half-removed containers",
        "what it lived through could not be read",
        "half-written blobs and layers",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(check(&rig).0, Some(0));

    // A bit of a layer's archive falls over, and the unpacked layer is gone: both can be told.
    let blobs = rig.path("d/images/blobs/sha256");
    let largest = fs::read_dir(&blobs)
        .unwrap()
        .flatten()
        .max_by_key(|entry| entry.metadata().unwrap().len())
        .unwrap();
    let mut bytes = fs::read(largest.path()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(largest.path(), bytes).unwrap();
    let (code, said) = check(&rig);
    assert_eq!(code, Some(8), "{said}");
    assert!(said.contains("damaged: "), "{said}");
    assert!(said.contains("pull or load it again"), "{said}");
    fs::write(containers.join(&id).join("record.json"), "{").unwrap();
    let (code, said) = check(&rig);
    assert_eq!(code, Some(8), "{said}");
    assert!(said.contains(&id), "{said}");
    fs::remove_dir_all(containers.join(&id)).unwrap();
    rig.start().await;
    rig.end().await;
}

#[tokio::test]
async fn a_lost_layer_is_unpacked_again() {
    let mut rig = Rig::new().await;
    let id = rig.create("web", "exit 4").await;
    rig.signal_engine(Signal::SIGTERM);
    let record = fs::read_to_string(rig.path(&format!("d/containers/{id}/record.json"))).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let layer = record["layers"][0].as_str().unwrap();
    fs::remove_dir_all(std::path::Path::new(layer).parent().unwrap()).unwrap();
    let (code, said) = check(&rig);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("its layers were unpacked again"), "{said}");
    rig.start().await;
    rig.client.start_container(&id).await.unwrap();
    let wait = rig
        .client
        .wait_container(&id, engine_api::containers::WaitCondition::NotRunning);
    assert_eq!(wait.await.unwrap().status_code, 4);
    rig.end().await;
}
