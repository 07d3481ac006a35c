//! Several stages: only those that are needed, side by side, and copies between them.

use super::{Context, build, built, run};
use crate::rig::Rig;

#[tokio::test]
async fn only_needed_stages_are_built_and_their_files_are_taken() {
    let rig = Rig::new().await;
    let dockerfile = "
ARG BASE=busybox
FROM $BASE AS one
RUN mkdir -p /a/b && echo one > /a/b/f && chown 1000 /a/b/f && ln -s b /a/l
FROM one AS unneeded
RUN exit 9
FROM busybox AS two
COPY --from=one /a/l/f /taken
COPY --from=0 /a /whole
COPY --from=busybox /etc/passwd /users
FROM two AS last
RUN stat -c '%n %u' /taken /whole/b/f; readlink /whole/l; head -n 1 /users
FROM scratch AS bare
COPY --from=one /a/b /only
";
    let told = built(&rig, "it", Context::new(dockerfile)).await;
    assert!(!told.text.contains("exit 9"), "{}", told.text);
    let told = build(
        &rig,
        &[("target", "last")],
        Context::new(dockerfile).archive(),
    )
    .await;
    told.id();
    let said = "/taken 1000\n/whole/b/f 1000\nb\nroot:x:0:0:root:/root:/bin/sh\n";
    assert!(told.text.contains(said), "{}", told.text);

    let user = "FROM busybox\nCOPY --from=it / /got\nCMD find /got | sort\n";
    built(&rig, "user", Context::new(user)).await;
    let listed = run(&rig, "user", None).await;
    assert_eq!(listed, "/got\n/got/only\n/got/only/f\n");
    rig.end().await;
}

#[tokio::test]
async fn independent_stages_run_at_once_and_are_told_in_their_order() {
    let rig = Rig::new().await;
    // Each waits for the other by a cache that both mount: one after the other would never end.
    let wait = "RUN --mount=type=cache,target=/c,id=meet touch /c/ME; \
                n=0; while ! test -e /c/OTHER; do n=$((n+1)); test $n -lt 3000 || exit 7; \
                sleep 0.01; done; echo ME met";
    let one = wait.replace("ME", "one").replace("OTHER", "two");
    let two = wait.replace("ME", "two").replace("OTHER", "one");
    let dockerfile = format!(
        "FROM busybox AS a\n{one}\nFROM busybox AS b\n{two}\nFROM scratch\n\
         COPY --from=a /etc/group /\nCOPY --from=b /etc/passwd /\n"
    );
    let told = built(&rig, "it", Context::new(&dockerfile)).await;
    let at = |text: &str| {
        told.text
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {}", told.text))
    };
    assert!(at("one met") < at("two met"));
    assert!(at("Step 2/7") < at("Step 3/7") && at("Step 3/7") < at("Step 4/7"));
    rig.end().await;
}

#[tokio::test]
async fn an_image_that_is_not_here_is_told() {
    let rig = Rig::new().await;
    for dockerfile in [
        "FROM 127.0.0.1:1/none\n",
        "FROM busybox\nCOPY --from=127.0.0.1:1/none /a /b\n",
    ] {
        let told = build(&rig, &[], Context::new(dockerfile).archive()).await;
        assert!(told.error.unwrap().contains("127.0.0.1:1"));
    }
    rig.end().await;
}
