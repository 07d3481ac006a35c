//! The image that every engine has, so that the first container needs no registry.

use std::collections::BTreeMap;
use std::io;

use crate::assemble::{self, to_json};
use crate::blobs::write_failed;
use crate::error::StoreError;
use crate::manifest::{Empty, History, ImageConfig, RootFs, RunConfig};
use crate::platform::Platform;
use crate::reference::Reference;
use crate::store::{Prepared, Store};

const NAME: &str = "gantry/hello:latest";
const PROGRAM: &str = "hello";
/// The same program is the same image, whenever and wherever it is made.
const CREATED: &str = "2026-01-01T00:00:00Z";
const CREATED_UNIX_S: u64 = 1_767_225_600;

/// Makes the image of a static program: a page on port 8080, a log line a second, a graceful end.
/// Blocks.
///
/// # Errors
/// When the disk fails or is full.
pub fn hello(store: &Store, program: &[u8]) -> Result<(Prepared, Reference), StoreError> {
    let archive = archive(program).map_err(|error| write_failed(&error))?;
    let diff_id = store.blobs().put(&archive)?;
    let mut lease = store.lease();
    lease.add_blob(diff_id);
    let layer = assemble::layer(engine_tar::Compression::None, diff_id, archive.len() as u64);
    let config = ImageConfig {
        created: Some(CREATED.to_owned()),
        author: "Gantry".to_owned(),
        platform: Platform::host(),
        config: RunConfig {
            exposed_ports: BTreeMap::from([("8080/tcp".to_owned(), Empty {})]),
            env: vec!["PATH=/".to_owned()],
            entrypoint: Some(vec![format!("/{PROGRAM}")]),
            working_dir: "/".to_owned(),
            labels: BTreeMap::from([
                ("org.opencontainers.image.title".to_owned(), NAME.to_owned()),
                (
                    "org.opencontainers.image.description".to_owned(),
                    "A page on port 8080 and a log line a second".to_owned(),
                ),
            ]),
            stop_signal: "SIGTERM".to_owned(),
            ..RunConfig::default()
        },
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: vec![diff_id],
        },
        history: vec![History {
            created: Some(CREATED.to_owned()),
            created_by: "gantry".to_owned(),
            comment: "made by the engine itself".to_owned(),
            ..History::default()
        }],
        ..ImageConfig::default()
    };
    let prepared = assemble::assemble(store, lease, &to_json(&config)?, vec![layer])?;
    let name = NAME.parse().expect("the built-in name is well-formed");
    Ok((prepared, name))
}

fn archive(program: &[u8]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, mode) in [
        ("dev/", 0o755),
        ("proc/", 0o755),
        ("sys/", 0o755),
        ("tmp/", 0o1777),
    ] {
        let mut header = header(tar::EntryType::Directory, mode, 0);
        archive.append_data(&mut header, name, io::empty())?;
    }
    let mut header = header(tar::EntryType::Regular, 0o755, program.len() as u64);
    archive.append_data(&mut header, PROGRAM, program)?;
    archive.into_inner()
}

fn header(kind: tar::EntryType, mode: u32, size_bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(CREATED_UNIX_S);
    header.set_size(size_bytes);
    header
}
