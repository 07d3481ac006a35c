//! Killed at any moment, the store lists whole images and keeps no leftovers.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use engine_images::{Store, load};
use tempfile::TempDir;

use crate::world::image;

const STORE: &str = "GANTRY_TEST_KILLED_STORE";

/// An archive of an image with a name of its own.
fn archive(n: u64) -> Vec<u8> {
    let made = image("amd64", &[&n.to_le_bytes(), &vec![1; 100_000]]);
    let mut archive = tar::Builder::new(Vec::new());
    let names: Vec<_> = made
        .layers
        .iter()
        .map(|digest| format!("{}.tar", digest.hex()))
        .collect();
    let manifest =
        serde_json::json!([{"Config": "c", "RepoTags": [format!("n:{n}")], "Layers": names}]);
    let mut add = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content).unwrap();
    };
    add("c", &made.blobs[&made.config]);
    for (name, digest) in names.iter().zip(&made.layers) {
        add(name, &made.blobs[digest]);
    }
    add("manifest.json", manifest.to_string().as_bytes());
    archive.into_inner().unwrap()
}

/// Not a test of its own: what the killed process does.
#[test]
fn the_process_that_is_killed() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how the test tells its child what to do"
    )]
    let Ok(dir) = env::var(STORE) else {
        return;
    };
    let store = Store::open(dir.as_ref()).unwrap();
    println!("open");
    for n in 0.. {
        let loaded = load(&store, &archive(n)[..], None).unwrap();
        let loaded = loaded
            .into_iter()
            .map(|loaded| (loaded.prepared, loaded.names))
            .collect();
        store.add(loaded, 1).unwrap();
        println!("+");
        if let Ok(image) = store.find(&format!("n:{}", n.wrapping_sub(2))) {
            store.remove(image.id).unwrap();
        }
    }
}

#[test]
fn a_store_that_is_killed_has_whole_images_and_no_leftovers() {
    let dir = TempDir::new().unwrap();
    let mut n_images = 0;
    for round in 0..12 {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "killed::the_process_that_is_killed",
                "--nocapture",
            ])
            .env(STORE, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = child.stdout.take().unwrap();
        // At least so much is done; what comes next is broken off somewhere.
        let n_done = usize::try_from(round % 4).unwrap();
        let mut seen = String::new();
        while !seen.contains("open") || seen.matches('+').count() < n_done {
            let mut byte = [0];
            output.read_exact(&mut byte).unwrap();
            seen.push(char::from(byte[0]));
        }
        thread::sleep(Duration::from_micros(round * 7919 % 60_000));
        child.kill().unwrap();
        child.wait().unwrap();

        let store = Store::open(dir.path()).unwrap();
        let images = store.list();
        n_images += images.len();
        let mut needed = std::collections::BTreeSet::new();
        for image in &images {
            assert_eq!(
                store.names_of(image.id).tags.len(),
                1,
                "an image has its name"
            );
            needed.extend([image.id, image.manifest]);
            for layer in &image.layers {
                let content = store.blobs().read(layer.blob.digest, 1 << 20).unwrap();
                assert_eq!(content.len() as u64, layer.blob.size_bytes);
                needed.insert(layer.blob.digest);
            }
        }
        assert_eq!(
            store.blobs().list().len(),
            needed.len(),
            "every blob is some image's"
        );
        assert_eq!(
            fs::read_dir(dir.path().join("blobs/tmp")).unwrap().count(),
            0
        );
        let files = fs::read_dir(dir.path()).unwrap().count();
        assert!(files <= 3, "the list, its reserve, and the blobs");
    }
    assert!(n_images > 0, "no round got as far as one image");
}
