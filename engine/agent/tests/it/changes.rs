//! What a container changed: told, exported, and kept as an image.

use engine_api::containers::{ContainerConfig, HostConfig};

use crate::copies::{Tar, members, whole};
use crate::rig::{Rig, until};

async fn told(rig: &Rig, id: &str) -> Vec<String> {
    let changes = rig.client.container_changes(id).await.unwrap();
    let letter = |kind| ["C", "A", "D"][usize::from(kind)];
    changes
        .iter()
        .map(|change| format!("{} {}", letter(change.kind), change.path))
        .collect()
}

#[tokio::test]
async fn changes_are_told_as_docker_tells_them() {
    let rig = Rig::new().await;
    let id = rig.run("diff", "sleep 1000").await;
    assert_eq!(
        told(&rig, &id).await,
        Vec::<String>::new(),
        "a start changes nothing"
    );

    let script = "echo x >> /etc/passwd; mkdir -p /srv/a; touch /srv/a/f; rm /bin/wget; \
                  chmod 700 /tmp; rm -r /etc/group; mv /bin/vi /root/vi";
    rig.inside(&id, script).await;
    let expected = [
        "C /bin",
        "D /bin/vi",
        "D /bin/wget",
        "C /etc",
        "D /etc/group",
        "C /etc/passwd",
        "C /root",
        "A /root/vi",
        "A /srv",
        "A /srv/a",
        "A /srv/a/f",
        "C /tmp",
    ];
    assert_eq!(told(&rig, &id).await, expected);

    // A directory that was made anew hides the old one: what it had is gone or changed.
    rig.inside(
        &id,
        "rm -r /etc; mkdir /etc; echo new > /etc/passwd; echo 1 > /etc/mine",
    )
    .await;
    let after = told(&rig, &id).await;
    assert!(!after.contains(&"A /etc".to_owned()), "{after:?}");
    rig.client.kill_container(&id, None).await.unwrap();
    rig.client
        .wait_container(&id, Default::default())
        .await
        .unwrap();
    assert_eq!(told(&rig, &id).await, after, "also when it rests");
    rig.end().await;
}

#[tokio::test]
async fn an_image_without_a_place_for_anything_is_as_it_was_when_it_runs() {
    let rig = Rig::bare().await;
    // One program, and neither /dev nor /etc nor /proc.
    let body = engine_api::containers::CreateBody {
        config: ContainerConfig {
            image: "gantry/hello".to_owned(),
            ..ContainerConfig::default()
        },
        ..Default::default()
    };
    let made = rig.client.create_container(Some("bare"), &body).await;
    let id = made.unwrap().id;
    rig.client.start_container(&id).await.unwrap();
    assert_eq!(told(&rig, &id).await, Vec::<String>::new());
    rig.client.stop_container(&id, Some(5)).await.unwrap();
    assert_eq!(told(&rig, &id).await, Vec::<String>::new());
    rig.end().await;
}

#[tokio::test]
async fn an_export_is_the_containers_own_files_and_nothing_mounted() {
    let rig = Rig::new().await;
    let shared = rig.path("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(shared.join("of-the-host"), "x").unwrap();
    let host = HostConfig {
        binds: Some(vec![format!("{}:/v", shared.display())]),
        ..HostConfig::default()
    };
    let script = "rm /bin/wget; echo mine > /root/f; touch /ready; sleep 1000";
    let id = rig
        .create_with("out", script, ContainerConfig::default(), host)
        .await;
    rig.client.start_container(&id).await.unwrap();
    until("the files are there", async || {
        rig.client.container_path_stat(&id, "/ready").await.is_ok()
    })
    .await;
    rig.place(&id, "/root", Tar::new().file("g", "copied"))
        .await;

    for running in [true, false] {
        if !running {
            rig.client.kill_container(&id, None).await.unwrap();
            rig.client
                .wait_container(&id, Default::default())
                .await
                .unwrap();
        }
        let all = members(&whole(rig.client.export_container(&id).await.unwrap()).await);
        let content = |name: &str| {
            let found = all.iter().find(|(path, _)| path == name);
            found.map(|(_, content)| String::from_utf8_lossy(content).into_owned())
        };
        assert_eq!(content("root/f").as_deref(), Some("mine\n"));
        assert_eq!(content("root/g").as_deref(), Some("copied"));
        assert!(content("bin/busybox").is_some() && content("bin/wget").is_none());
        assert_eq!(
            content("etc/hosts").as_deref(),
            Some(""),
            "only where it is mounted on"
        );
        let below = |name: &str| {
            all.iter()
                .filter(|(path, _)| path.starts_with(name))
                .count()
        };
        assert_eq!((below("v/"), below("proc/"), below("sys/")), (1, 1, 1));
    }
    rig.end().await;
}
