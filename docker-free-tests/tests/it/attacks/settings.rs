//! Settings and images that would steer the host.

use docker_free_tests::images::{Image, busybox_layer};
use docker_free_tests::{Engine, need};
use serde_json::json;

#[test]
fn a009_an_image_cannot_declare_its_own_proc() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::start();
    let volumes = json!({ "/proc": {}, "/proc/self": {}, "/sys": {}, "/dev": {}, "/data": {} });
    let image = Image::new("declares", vec![busybox_layer()]).setting("Volumes", volumes);
    engine.load(&image.archive());

    let script = "cat /proc/self/comm; ls -d /sys/kernel; test -c /dev/null && echo null; \
                  echo x > /proc/sys/kernel/core_pattern";
    let outcome = engine.docker(&["run", "--rm", "declares", "sh", "-c", script]);
    if outcome.code != 125 {
        assert_eq!(outcome.out, "cat\n/sys/kernel\nnull\n", "{}", outcome.err);
        assert!(outcome.err.contains("Read-only"), "{}", outcome.err);
    }
}

#[test]
fn a039_a_profile_that_is_not_there_is_refused() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();

    for profile in [
        "apparmor=ghost",
        "apparmor:ghost",
        "label=type:ghost_t",
        "seccomp=ghost.json",
        "ghost",
    ] {
        let body = json!({ "Image": "busybox", "HostConfig": { "SecurityOpt": [profile] } });
        let refused = engine.wire().post("/containers/create", &body);
        assert!(
            refused.status == 400 && refused.message().contains("SecurityOpt"),
            "{profile}: {}",
            refused.text()
        );
    }
    let body =
        json!({ "Image": "busybox", "HostConfig": { "SecurityOpt": ["no-new-privileges"] } });
    engine.create("fine", &body);
}

#[test]
fn a043_labels_of_an_image_steer_nothing() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::start();
    let labels = json!({
        "gantry": "privileged", "gantry.restart": "always", "io.gantry.log": "file:///etc/shadow",
        "containerd.io/restart.loguri": "binary:///bin/sh", "containerd.io/restart.status": "running",
        "com.docker.compose.oneoff": "True", "io.kubernetes.cri.sandbox": "x",
        "com.centurylinklabs.watchtower.lifecycle.pre-check": "/bin/sh",
    });
    let image = Image::new("labelled", vec![busybox_layer()]).setting("Labels", labels.clone());
    engine.load(&image.archive());
    engine.load(&docker_free_tests::images::busybox());
    let plain = engine.create("plain", &json!({ "Image": "busybox" }));
    let labelled = engine.create("labelled", &json!({ "Image": "labelled" }));

    let (plain, labelled) = (engine.inspect(&plain), engine.inspect(&labelled));

    assert_eq!(labelled["HostConfig"], plain["HostConfig"]);
    assert_eq!(labelled["Mounts"], plain["Mounts"]);
    assert_eq!(labelled["Config"]["Labels"], labels);
}
