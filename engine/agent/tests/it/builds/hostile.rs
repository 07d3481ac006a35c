//! Contexts that were made to do harm: nothing is written outside, and nothing stays.

use std::fs;
use std::path::Path;

use super::{Context, build};
use crate::rig::{Rig, until};

fn files_of(rig: &Rig) -> Vec<String> {
    let work = fs::read_dir(rig.path("d/builds/work")).unwrap();
    work.flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[tokio::test]
async fn no_member_of_a_context_leads_out_or_is_a_device() {
    let rig = Rig::new().await;
    let canary = tempfile::tempdir().unwrap();
    let victim = canary.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    let victim = victim.to_str().unwrap();
    let up = format!("{}{}", "../".repeat(12), &victim[1..]);
    let begin = || Context::new("FROM busybox\nCOPY . /all\n");
    let device = tar::EntryType::Char;
    let hard = tar::EntryType::Link;
    for (what, context, told) in [
        (
            "a name that leads up",
            begin().raw(&up, tar::EntryType::Regular, ""),
            "leads upwards",
        ),
        ("a device", begin().raw("null", device, ""), "device"),
        (
            "a block device",
            begin().raw("disk", tar::EntryType::Block, ""),
            "device",
        ),
        (
            "a hard link to the host",
            begin().raw("h", hard, victim),
            "hard link",
        ),
        ("a hard link up", begin().raw("h", hard, &up), "hard link"),
        (
            "a hard link over a link",
            begin()
                .link("l", canary.path().to_str().unwrap())
                .raw("h", hard, "l/victim"),
            "hard link",
        ),
    ] {
        let error = build(&rig, &[("t", "it")], context.archive()).await.error;
        let error = error.unwrap_or_else(|| panic!("{what} was taken"));
        assert!(error.contains(told), "{what}: {error}");
        assert_eq!(fs::read_to_string(victim).unwrap(), "mine", "{what}");
        until("nothing of it is left", async || files_of(&rig).is_empty()).await;
        assert!(rig.client.image("it").await.is_err());
    }
    rig.end().await;
}

#[tokio::test]
async fn a_link_that_leads_out_leads_nowhere() {
    let rig = Rig::new().await;
    let canary = tempfile::tempdir().unwrap();
    fs::write(canary.path().join("victim"), "secret of the host").unwrap();
    let out = canary.path().to_str().unwrap();
    let rel = format!("{}{}", "../".repeat(12), &out[1..]);
    for (link, step) in [
        (out, "COPY l/victim /got"),
        (&rel, "COPY l/victim /got"),
        (out, "COPY l /got"),
        (out, "RUN --mount=type=bind,source=l,target=/got true"),
        (
            out,
            "RUN --mount=type=bind,source=l/victim,target=/got true",
        ),
    ] {
        let context = Context::new(&format!("FROM busybox\n{step}\n")).link("l", link);
        let told = build(&rig, &[("forcerm", "1")], context.archive()).await;
        let error = told
            .error
            .unwrap_or_else(|| panic!("{step} over {link} was done"));
        assert!(error.contains("file does not exist"), "{step}: {error}");
    }
    // Written through a link, it stays inside.
    let context = Context::new("FROM busybox\nCOPY f /f\n")
        .link("l", out)
        .file("l/new", "written")
        .file("f", "");
    drop(build(&rig, &[], context.archive()).await);
    let n_files = fs::read_dir(canary.path()).unwrap().count();
    assert_eq!(n_files, 1);
    // The Dockerfile itself is no way out either.
    let context = Context::new("FROM busybox\n").link("other", "/etc/passwd");
    let told = build(&rig, &[("dockerfile", "other")], context.archive()).await;
    assert!(told.error.unwrap().contains("Cannot locate"));
    rig.end().await;
}

#[tokio::test]
async fn a_stage_cannot_lead_a_copy_out_of_its_image() {
    let rig = Rig::new().await;
    let canary = tempfile::tempdir().unwrap();
    fs::write(canary.path().join("victim"), "secret of the host").unwrap();
    let out = canary.path().display();
    let dockerfile = format!(
        "FROM busybox AS evil\nRUN ln -s {out} /out && ln -s {out} /into\n\
         FROM busybox\nCOPY --from=evil /out/victim /got\n"
    );
    let told = build(&rig, &[], Context::new(&dockerfile).archive()).await;
    assert!(told.error.unwrap().contains("file does not exist"));
    let dockerfile = format!(
        "FROM busybox\nRUN mkdir -p {out}; ln -s {out} /into\nCOPY f /into/f\n\
         RUN cat {out}/f\n"
    );
    let context = Context::new(&dockerfile).file("f", "inside\n");
    let told = build(&rig, &[], context.archive()).await;
    told.id();
    assert!(told.text.contains("inside\n"), "{}", told.text);
    assert!(!Path::new(&format!("{out}/f")).exists());
    rig.end().await;
}

#[tokio::test]
async fn a_cut_or_lying_context_leaves_nothing() {
    let rig = Rig::new().await;
    let whole = Context::new("FROM busybox\n")
        .file("f", &"x".repeat(5000))
        .archive();
    let mut lying = whole.to_vec();
    // The first header's size field says a terabyte.
    lying[124..136].copy_from_slice(b"77777777777\0");
    for (what, bytes) in [
        ("half of it", whole.slice(..whole.len() / 2)),
        ("a header that lies", lying.into()),
        ("noise", bytes::Bytes::from_static(&[0xa5; 2048])),
        ("nothing", bytes::Bytes::new()),
    ] {
        let told = build(&rig, &[], bytes).await;
        assert!(told.error.is_some(), "{what}");
        until("nothing of it is left", async || files_of(&rig).is_empty()).await;
    }
    rig.end().await;
}
