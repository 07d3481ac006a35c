//! Builds: a context and a Dockerfile in, an image out, and what is seen inside its containers.

mod cache;
mod checks;
mod faults;
mod fetches;
mod files;
mod git;
mod hostile;
mod marks;
mod squash;
mod stages;
mod steps;

use std::io::Write;

use bytes::Bytes;
use engine_api::containers::{ContainerConfig, WaitCondition};
use engine_client::{LogOptions, RemoveOptions};

use crate::rig::Rig;

/// A context in the making.
pub(crate) struct Context(tar::Builder<Vec<u8>>);

/// What a build said.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) error: Option<String>,
    pub(crate) code: Option<i32>,
    pub(crate) ids: Vec<String>,
}

impl Told {
    /// The id of the image; panics with everything that was said when there is none.
    pub(crate) fn id(&self) -> &str {
        assert_eq!(self.error, None, "{}", self.text);
        self.ids.last().unwrap()
    }

    /// How many steps were taken from the cache.
    pub(crate) fn n_cached(&self) -> usize {
        self.text.matches(" ---> Using cache").count()
    }
}

impl Context {
    pub(crate) fn new(dockerfile: &str) -> Self {
        Self(tar::Builder::new(Vec::new())).file("Dockerfile", dockerfile)
    }

    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.file_with(name, content, 0o644, 1)
    }

    pub(crate) fn file_with(mut self, name: &str, content: &str, mode: u32, mtime: u64) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(mode);
        header.set_mtime(mtime);
        self.0
            .append_data(&mut header, name, content.as_bytes())
            .unwrap();
        self
    }

    pub(crate) fn bytes(mut self, name: &str, content: &[u8]) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        self.0.append_data(&mut header, name, content).unwrap();
        self
    }

    /// A member whose name nobody checks.
    pub(crate) fn raw(mut self, name: &str, kind: tar::EntryType, link: &str) -> Self {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o644);
        let bytes = header.as_mut_bytes();
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.0.append(&header, &[][..]).unwrap();
        self
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.raw(name, tar::EntryType::Symlink, target)
    }

    pub(crate) fn archive(self) -> Bytes {
        self.0.into_inner().unwrap().into()
    }
}

/// Builds; an answer that comes before the first line is an error too.
pub(crate) async fn build(rig: &Rig, query: &[(&str, &str)], context: Bytes) -> Told {
    let source = futures_util::stream::once(async { Ok(context) });
    let mut told = Told::default();
    let mut lines = match rig.client.build_image(query, source).await {
        Ok(lines) => lines,
        Err(error) => {
            told.error = Some(error.to_string());
            return told;
        }
    };
    while let Ok(Some(line)) = lines.next().await {
        told.text.push_str(&line.stream.unwrap_or_default());
        told.ids.extend(line.aux.map(|image| image.id));
        if let Some(error) = line.error {
            told.code = line.error_detail.and_then(|detail| detail.code);
            told.error = Some(error);
        }
    }
    told
}

/// Builds and gives the image a name.
pub(crate) async fn built(rig: &Rig, name: &str, context: Context) -> Told {
    let told = build(rig, &[("t", name)], context.archive()).await;
    told.id();
    told
}

/// Runs an image and returns what it says; a script instead of its command, if there is one.
pub(crate) async fn run(rig: &Rig, image: &str, script: Option<&str>) -> String {
    let words = ContainerConfig::default();
    let id = rig.create_image("ran", image, script, words).await;
    rig.client.start_container(&id).await.unwrap();
    let ended = rig.client.wait_container(&id, WaitCondition::NotRunning);
    ended.await.unwrap();
    let said = rig.logs(&id, LogOptions::default()).await;
    let force = RemoveOptions {
        force: true,
        volumes: true,
    };
    rig.client.remove_container(&id, force).await.unwrap();
    said
}

/// Packs one file as a compressed archive.
pub(crate) fn packed(name: &str, content: &str) -> Vec<u8> {
    let archive = Context(tar::Builder::new(Vec::new())).file(name, content);
    let mut gzip = std::process::Command::new("gzip")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = gzip.stdin.take().unwrap();
    input.write_all(&archive.archive()).unwrap();
    drop(input);
    gzip.wait_with_output().unwrap().stdout
}
