//! Archives as `skopeo` and `umoci` write them, ours as they read them, and hostile ones.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use engine_images::{Image, ImportOptions, LoadError, Platform, Reference, Store, load, save};
use tempfile::TempDir;

use crate::real::layout_of;
use crate::world::{Made, World, image, words, world};

fn run(program: &str, arguments: &[&str], dir: &Path) {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("skopeo and umoci are installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
}

fn load_all(world: &World, archive: &[u8]) -> Result<Vec<Arc<Image>>, LoadError> {
    let loaded = load(&world.store, archive, None)?;
    let loaded = loaded
        .into_iter()
        .map(|loaded| (loaded.prepared, loaded.names))
        .collect();
    Ok(world.store.add(loaded, 1)?)
}

fn tags(store: &Store, image: &Image) -> Vec<String> {
    store
        .names_of(image.id)
        .tags
        .iter()
        .map(Reference::familiar)
        .collect()
}

fn made() -> Made {
    image("amd64", &[b"first", b"second"])
}

/// An archive of these files.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn what_skopeo_and_umoci_write_is_loaded() {
    let dir = TempDir::new().unwrap();
    let made = made();
    layout_of(&dir.path().join("layout"), &made);
    run("umoci", &["tag", "--image", "layout:x", "y"], dir.path());
    for (target, name) in [
        ("docker-archive:docker.tar:some/name:1", Some("some/name:1")),
        ("oci-archive:oci.tar:some/name:1", Some("some/name:1")),
        ("docker-archive:bare.tar", None),
    ] {
        run(
            "skopeo",
            &["copy", "-q", "oci:layout:y", target],
            dir.path(),
        );
        let file = target.split(':').nth(1).unwrap();
        let bytes = fs::read(dir.path().join(file)).unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&bytes).unwrap();
        let packed = [
            bytes.clone(),
            gzip.finish().unwrap(),
            zstd::encode_all(&*bytes, 1).unwrap(),
        ];
        for bytes in packed {
            let world = world();
            let images = load_all(&world, &bytes).unwrap();
            assert_eq!(images.len(), 1, "{target}");
            assert_eq!(images[0].diff_ids(), made.layers, "{target}");
            assert_eq!(images[0].id, made.config, "{target}");
            assert_eq!(
                tags(&world.store, &images[0]),
                name.into_iter().collect::<Vec<_>>()
            );
        }
    }
    // An OCI layout as umoci leaves it, packed by tar: its names are only tags.
    run(
        "tar",
        &["-C", "layout", "-cf", "layout.tar", "."],
        dir.path(),
    );
    let world = world();
    let images = load_all(&world, &fs::read(dir.path().join("layout.tar")).unwrap()).unwrap();
    assert_eq!(images[0].manifest, made.manifest);
    assert!(tags(&world.store, &images[0]).is_empty());
}

#[test]
fn what_we_save_others_read_and_so_do_we() {
    let dir = TempDir::new().unwrap();
    let made = made();
    layout_of(&dir.path().join("layout"), &made);
    run(
        "skopeo",
        &["copy", "-q", "oci:layout:x", "docker-archive:in.tar:a/b:1"],
        dir.path(),
    );
    let world = world();
    let images = load_all(&world, &fs::read(dir.path().join("in.tar")).unwrap()).unwrap();
    let saved = images
        .iter()
        .map(|image| (Arc::clone(image), world.store.names_of(image.id).tags));

    let mut out = Vec::new();
    save(&world.store, &saved.collect::<Vec<_>>(), &mut out).unwrap();

    fs::write(dir.path().join("out.tar"), &out).unwrap();
    run(
        "skopeo",
        &["copy", "-q", "docker-archive:out.tar:a/b:1", "oci:again:x"],
        dir.path(),
    );
    run(
        "umoci",
        &["unpack", "--image", "again:x", "bundle"],
        dir.path(),
    );
    assert_eq!(
        fs::read(dir.path().join("bundle/rootfs/file")).unwrap(),
        b"second"
    );
    let other = crate::world::world();
    let again = load_all(&other, &out).unwrap();
    assert_eq!(
        (again[0].id, again[0].manifest),
        (images[0].id, images[0].manifest)
    );
    assert_eq!(tags(&other.store, &again[0]), ["a/b:1"]);
}

#[test]
fn archives_that_lie_or_lead_out_are_refused() {
    let made = made();
    let config = &made.blobs[&made.config];
    let layers: Vec<_> = made
        .layers
        .iter()
        .map(|digest| &made.blobs[digest][..])
        .collect();
    let manifest = |config: &str, layers: &str| {
        format!(r#"[{{"Config":"{config}","RepoTags":["a:1"],"Layers":{layers}}}]"#)
    };
    let good = manifest("c.json", r#"["1.tar","2.tar"]"#);
    let all = |manifest: &str| {
        archive(&[
            ("c.json", config),
            ("1.tar", layers[0]),
            ("2.tar", layers[1]),
            ("manifest.json", manifest.as_bytes()),
        ])
    };
    assert_eq!(load_all(&world(), &all(&good)).unwrap().len(), 1);

    let deep = format!("{}{}", "[".repeat(70), "]".repeat(70));
    let many = format!("[{}]", vec!["{\"Config\":\"c.json\"}"; 2000].join(","));
    for (manifest, word) in [
        (manifest("../../etc/passwd", "[]"), "../../etc/passwd"),
        (manifest("/etc/passwd", "[]"), "/etc/passwd"),
        (manifest("c.json", r#"["1.tar","3.tar"]"#), "3.tar"),
        (manifest("c.json", r#"["1.tar"]"#), "tells of 2 layers"),
        (manifest("1.tar", r#"["1.tar","2.tar"]"#), "malformed"),
        (good.replace("a:1", "A B"), "which is no name"),
        ("{}".to_owned(), "malformed"),
        ("[]".to_owned(), "no images"),
        (deep, "nests deeper"),
        (many, "more than 1024 images"),
    ] {
        let world = world();
        let error = load_all(&world, &all(&manifest)).unwrap_err();
        let text = words(&error);
        assert!(text.contains(word), "{text} should say {word}");
        world.assert_empty();
    }
}

#[test]
fn links_of_an_archive_stay_inside_it() {
    let made = made();
    let link = |target: &str| {
        let mut archive = tar::Builder::new(Vec::new());
        let mut file = |name: &str, content: &[u8]| {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, name, content).unwrap();
        };
        file("x/c.json", &made.blobs[&made.config]);
        file("1.tar", &made.blobs[&made.layers[0]]);
        file("2.tar", &made.blobs[&made.layers[1]]);
        file(
            "manifest.json",
            br#"[{"Config":"y/c.json","Layers":["1.tar","2.tar"]}]"#,
        );
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive
            .append_link(&mut header, "y/c.json", target)
            .unwrap();
        archive.into_inner().unwrap()
    };
    assert_eq!(
        load_all(&world(), &link("../x/c.json")).unwrap()[0].id,
        made.config
    );
    for target in ["/etc/passwd", "../../../../etc/passwd", "../y/c.json"] {
        let world = world();
        let error = load_all(&world, &link(target)).unwrap_err();
        assert!(
            matches!(error, LoadError::MissingPart { .. }),
            "{}",
            words(&error)
        );
        world.assert_empty();
    }
}

#[test]
fn a_layout_whose_parts_are_swapped_is_refused() {
    let dir = TempDir::new().unwrap();
    let made = made();
    for victim in [made.manifest, made.config, made.layers[1]] {
        let layout = dir.path().join(victim.hex());
        layout_of(&layout, &made);
        fs::write(
            layout.join("blobs/sha256").join(victim.hex()),
            "something else",
        )
        .unwrap();
        run("tar", &["-cf", "../swapped.tar", "."], &layout);
        let world = world();
        let bytes = fs::read(dir.path().join("swapped.tar")).unwrap();
        let error = load_all(&world, &bytes).unwrap_err();
        assert!(
            matches!(error, LoadError::WrongDigest { .. }),
            "{}",
            words(&error)
        );
        world.assert_empty();
    }
}

#[test]
fn a_second_image_that_is_broken_takes_the_first_along() {
    let made = made();
    let row = r#"{"Config":"c.json","RepoTags":["a:1"],"Layers":["1.tar","2.tar"]}"#;
    let manifest = format!("[{row},{}]", row.replace("2.tar", "none.tar"));
    let bytes = archive(&[
        ("c.json", &made.blobs[&made.config]),
        ("1.tar", &made.blobs[&made.layers[0]]),
        ("2.tar", &made.blobs[&made.layers[1]]),
        ("manifest.json", manifest.as_bytes()),
    ]);
    let world = world();
    assert!(load_all(&world, &bytes).is_err());
    world.assert_empty();
}

#[test]
fn what_is_no_archive_is_refused() {
    for (bytes, word) in [
        (&b""[..], "no images"),
        (b"not an archive", "failed to read"),
        (&[0; 5000], "no images"),
        (&[0x1f, 0x8b, 0, 0], "failed to read"),
    ] {
        let world = world();
        let error = load_all(&world, bytes).unwrap_err();
        assert!(words(&error).contains(word), "{}", words(&error));
        world.assert_empty();
    }
}

#[test]
fn a_tarball_becomes_an_image_with_its_changes() {
    let world = world();
    let rootfs = archive(&[("bin/sh", b"#!")]);
    let options = ImportOptions {
        changes: vec!["CMD [\"/bin/sh\"]".to_owned(), "ENV A=b".to_owned()],
        message: "by hand".to_owned(),
        platform: Platform::host(),
        created: "2026-01-02T03:04:05Z".to_owned(),
    };

    let prepared = engine_images::import(&world.store, &rootfs[..], &options).unwrap();

    let config = prepared.image.config.clone();
    assert_eq!(config.config.cmd.unwrap(), ["/bin/sh"]);
    assert_eq!(config.history[0].comment, "by hand");
    assert_eq!(
        prepared.image.diff_ids(),
        [engine_images::Digest::of(&rootfs)]
    );
    drop(prepared);
    world.assert_empty();
    let bad = ImportOptions {
        changes: vec!["RUN rm".to_owned()],
        ..options
    };
    assert!(engine_images::import(&world.store, &rootfs[..], &bad).is_err());
    assert!(engine_images::import(&world.store, &b""[..], &bad).is_err());
    world.assert_empty();
}

#[test]
fn the_built_in_image_is_always_the_same() {
    let (one, other) = (world(), world());
    let (first, name) = engine_images::hello(&one.store, b"ELF").unwrap();
    let (second, _) = engine_images::hello(&other.store, b"ELF").unwrap();
    assert_eq!(first.image.id, second.image.id);
    assert_eq!(name.familiar(), "gantry/hello:latest");
    assert!(
        first
            .image
            .config
            .config
            .exposed_ports
            .contains_key("8080/tcp")
    );
}

#[test]
fn a_removed_image_takes_what_only_it_had() {
    let dir = TempDir::new().unwrap();
    let shared: &[u8] = b"shared";
    let (one, other) = (
        image("amd64", &[shared, b"one"]),
        image("amd64", &[shared, b"other"]),
    );
    let world = world();
    for (name, made) in [("one", &one), ("other", &other)] {
        let layout = dir.path().join(name);
        layout_of(&layout, made);
        run("tar", &["-cf", "../in.tar", "."], &layout);
        load_all(&world, &fs::read(dir.path().join("in.tar")).unwrap()).unwrap();
    }

    let diff_ids = |id| world.store.get(id).unwrap().diff_ids().to_vec();
    let (of_one, of_other) = (diff_ids(one.config), diff_ids(other.config));
    let held = world.store.hold_layers(&of_one[1..]);

    world.store.remove(one.config).unwrap();

    assert_eq!(world.store.blobs().size(one.layers[1]), None);
    assert!(
        world.store.blobs().size(one.layers[0]).is_some(),
        "the other image has it too"
    );
    assert!(of_other.iter().all(|id| world.store.needs_layer(*id)));
    assert!(world.store.needs_layer(of_one[1]), "somebody holds it");
    drop(held);
    assert!(!world.store.needs_layer(of_one[1]));
    world.store.remove(other.config).unwrap();
    assert!(!of_other.iter().any(|id| world.store.needs_layer(*id)));
    world.assert_empty();
}
