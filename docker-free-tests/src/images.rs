//! Images that a test makes itself: layers from lists of files, archives as `docker save` writes
//! them, a busybox from Debian's static binary. No public registry is asked for anything.

use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A layer that is being put together.
#[derive(Default)]
pub struct Layer {
    builder: Option<tar::Builder<Vec<u8>>>,
}

/// An image: its tag, its settings, its layers from the lowest up.
pub struct Image {
    pub tag: String,
    pub config: Value,
    pub layers: Vec<Vec<u8>>,
}

impl Layer {
    pub fn new() -> Layer {
        Layer {
            builder: Some(tar::Builder::new(Vec::new())),
        }
    }

    fn entry(
        mut self,
        path: &str,
        kind: tar::EntryType,
        mode: u32,
        link: &str,
        bytes: &[u8],
    ) -> Layer {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(bytes.len() as u64);
        // Set as bytes: a hostile name must reach the engine as it is.
        let name = path.as_bytes();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name);
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        if let Some(builder) = &mut self.builder {
            builder
                .append(&header, bytes)
                .expect("a vector takes every byte");
        }
        self
    }

    pub fn file(self, path: &str, mode: u32, bytes: &[u8]) -> Layer {
        self.entry(path, tar::EntryType::Regular, mode, "", bytes)
    }

    pub fn folder(self, path: &str, mode: u32) -> Layer {
        self.entry(path, tar::EntryType::Directory, mode, "", &[])
    }

    pub fn link(self, path: &str, target: &str) -> Layer {
        self.entry(path, tar::EntryType::Symlink, 0o777, target, &[])
    }

    pub fn hard_link(self, path: &str, target: &str) -> Layer {
        self.entry(path, tar::EntryType::Link, 0o644, target, &[])
    }

    /// The layer as an uncompressed tar.
    ///
    /// # Panics
    /// Never: a vector takes every byte.
    pub fn tar(self) -> Vec<u8> {
        let builder = self
            .builder
            .unwrap_or_else(|| tar::Builder::new(Vec::new()));
        builder.into_inner().expect("a vector takes every byte")
    }
}

impl Image {
    pub fn new(tag: &str, layers: Vec<Vec<u8>>) -> Image {
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let config = json!({ "Env": [path], "Cmd": ["sh"] });
        Image {
            tag: tag.to_owned(),
            config,
            layers,
        }
    }

    /// The same image with one more setting of its config.
    pub fn setting(mut self, name: &str, value: Value) -> Image {
        self.config[name] = value;
        self
    }

    /// The image's config file.
    pub fn config_file(&self) -> Vec<u8> {
        let diff_ids: Vec<String> = self.layers.iter().map(|layer| digest(layer)).collect();
        json!({
            "architecture": "amd64",
            "os": "linux",
            "created": "2026-01-02T03:04:05Z",
            "config": self.config,
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": self.layers.iter().map(|_| json!({
                "created": "2026-01-02T03:04:05Z", "created_by": "docker-free-tests",
            })).collect::<Vec<_>>(),
        })
        .to_string()
        .into_bytes()
    }

    /// The image as `docker save` writes it.
    pub fn archive(&self) -> Vec<u8> {
        let config = self.config_file();
        let config_name = format!("{}.json", &digest(&config)["sha256:".len()..]);
        let mut archive = Layer::new();
        let mut names = Vec::new();
        for layer in &self.layers {
            let name = format!("{}/layer.tar", &digest(layer)["sha256:".len()..]);
            if !names.contains(&name) {
                archive = archive.file(&name, 0o644, layer);
            }
            names.push(name);
        }
        let manifest = json!([{ "Config": config_name, "RepoTags": [self.tag], "Layers": names }]);
        archive
            .file(&config_name, 0o644, &config)
            .file("manifest.json", 0o644, manifest.to_string().as_bytes())
            .tar()
    }
}

/// `sha256:…` of some bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{hex}")
}

/// The layer of a small system: busybox with its applets as links, root and one user.
///
/// # Panics
/// When Debian's busybox-static is not installed.
pub fn busybox_layer() -> Vec<u8> {
    let program = crate::need::program("busybox");
    let bytes = std::fs::read(&program).expect("busybox can be read");
    let applets = Command::new(&program)
        .arg("--list")
        .output()
        .expect("busybox runs");
    let applets = String::from_utf8_lossy(&applets.stdout).into_owned();
    let mut layer = Layer::new();
    for folder in [
        "bin/", "etc/", "home/", "proc/", "root/", "sys/", "dev/", "usr/", "usr/bin/", "var/",
    ] {
        layer = layer.folder(folder, 0o755);
    }
    layer = layer.folder("tmp/", 0o1777).folder("home/ann/", 0o755);
    layer = layer.file("bin/busybox", 0o755, &bytes);
    for applet in applets.lines().filter(|applet| *applet != "busybox") {
        layer = layer.link(&format!("bin/{applet}"), "busybox");
    }
    layer
        .file(
            "etc/passwd",
            0o644,
            b"root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n",
        )
        .file(
            "etc/group",
            0o644,
            b"root:x:0:\nann:x:1000:\nbooks:x:2000:ann\n",
        )
        .tar()
}

/// A tiny real image, `busybox:latest`.
pub fn busybox() -> Vec<u8> {
    Image::new("busybox:latest", vec![busybox_layer()]).archive()
}
