//! Things that go wrong on purpose: a registry that lies, and a disk that is full.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;

use crate::docker;
use crate::images::{Image, digest};

/// What the lying registry does wrong with the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Nothing: the honest twin.
    None,
    /// One byte of the layer is another.
    WrongBytes,
    /// The connection closes after half of it.
    Truncated,
    /// The answer is an error page with status 500.
    ServerError,
    /// The layer is not there.
    Missing,
    /// Half of it comes, and then nothing more, as long as somebody waits.
    Stalled,
}

/// A registry of one image that treats its last layer as told.
pub struct LyingRegistry {
    /// The image's full name.
    pub name: String,
}

impl LyingRegistry {
    /// Serves `image` as `shop/app:1` until the test ends.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn serve(image: &Image, lie: Lie) -> LyingRegistry {
        let config = image.config_file();
        let layer = image.layers.last().expect("an image has a layer");
        let rows: Vec<_> = image
            .layers
            .iter()
            .map(|layer| {
                json!({
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar",
                    "size": layer.len(), "digest": digest(layer),
                })
            })
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": config.len(), "digest": digest(&config),
            },
            "layers": rows,
        })
        .to_string()
        .into_bytes();
        let mut blobs = HashMap::from([
            (digest(&config), config),
            (digest(&manifest), manifest.clone()),
        ]);
        let layer_digest = digest(layer);
        blobs.extend(
            image
                .layers
                .iter()
                .map(|layer| (digest(layer), layer.clone())),
        );
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let shelf = Arc::new(Shelf {
            blobs,
            manifest,
            layer: layer_digest,
            lie,
        });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shelf = Arc::clone(&shelf);
                std::thread::spawn(move || shelf.answer(&stream));
            }
        });
        LyingRegistry {
            name: format!("{address}/shop/app:1"),
        }
    }
}

struct Shelf {
    blobs: HashMap<String, Vec<u8>>,
    manifest: Vec<u8>,
    layer: String,
    lie: Lie,
}

impl Shelf {
    fn answer(&self, mut stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        let mut request = String::new();
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
            if request.is_empty() {
                request.clone_from(&line);
            }
            line.clear();
        }
        let mut words = request.split(' ');
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let body = self.body(path);
        let mut status = if body.is_some() {
            "200 OK"
        } else {
            "404 Not Found"
        };
        let mut body =
            body.unwrap_or_else(|| b"{\"errors\":[{\"code\":\"BLOB_UNKNOWN\"}]}".to_vec());
        let is_layer = path.ends_with(&self.layer);
        if is_layer && self.lie == Lie::ServerError {
            status = "500 Internal Server Error";
        }
        if is_layer && self.lie == Lie::WrongBytes {
            let middle = body.len() / 2;
            body[middle] ^= 1;
        }
        let kind = if path.contains("/manifests/") {
            "application/vnd.docker.distribution.manifest.v2+json"
        } else {
            "application/octet-stream"
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Type: {kind}\r\nDocker-Content-Digest: {}\r\nConnection: close\r\n\r\n",
            body.len(),
            digest(&body)
        );
        let stalls = is_layer && self.lie == Lie::Stalled;
        let sent = if stalls || is_layer && self.lie == Lie::Truncated {
            &body[..body.len() / 2]
        } else {
            &body[..]
        };
        // A client that hangs up early has its reasons.
        let _ = stream.write_all(head.as_bytes());
        if method != "HEAD" {
            let _ = stream.write_all(sent);
        }
        if stalls {
            // Until whoever waits hangs up.
            let _ = stream.read(&mut [0]);
        }
    }

    fn body(&self, path: &str) -> Option<Vec<u8>> {
        if path == "/v2/" {
            return Some(b"{}".to_vec());
        }
        let name = path.rsplit('/').next()?;
        if path.contains("/manifests/") && name == "1" {
            return Some(self.manifest.clone());
        }
        if name == self.layer && self.lie == Lie::Missing {
            return None;
        }
        self.blobs.get(name).cloned()
    }
}

/// A small file system of its own that can be filled to the brim.
pub struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    /// Makes an ext4 of that many MiB and mounts it.
    ///
    /// # Panics
    /// When the machine has no loop devices.
    pub fn of_mib(size: u64) -> SmallDisk {
        let dir = tempfile::Builder::new()
            .prefix("disk-")
            .tempdir()
            .expect("a temporary directory");
        let (image, mount) = (dir.path().join("image"), dir.path().join("mount"));
        let file = fs::File::create(&image).expect("the directory is ours");
        file.set_len(size * 1024 * 1024)
            .expect("a sparse file has any length");
        fs::create_dir(&mount).expect("the directory is ours");
        run(
            "mkfs.ext4",
            &["-q", "-F", "-m", "0", &image.to_string_lossy()],
        );
        let disk = SmallDisk { dir };
        disk.mount();
        disk
    }

    fn mount(&self) {
        let image = self.dir.path().join("image").display().to_string();
        let mount = self.path().display().to_string();
        run("mount", &["-o", "loop", &image, &mount]);
    }

    /// Cuts its power: what was not synced is gone. Nothing works on it until [`SmallDisk::back`].
    ///
    /// # Panics
    /// When its file system cannot do that.
    pub fn cut(&self) {
        // EXT4_IOC_SHUTDOWN without flushing the journal; there is no safe call for it in Rust.
        let script = "import fcntl, os, struct, sys\n\
            fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";
        run(
            "python3",
            &["-c", script, &self.path().display().to_string()],
        );
    }

    /// Brings it back after a cut, as a machine that starts again finds it.
    ///
    /// # Panics
    /// When somebody still uses it, or it does not mount.
    pub fn back(&self) {
        let mount = self.path().display().to_string();
        crate::wait::until_true("nobody uses the disk", || {
            docker::run(Command::new("umount").arg(&mount), &[]).code == 0
        });
        // A mount namespace that is just being made may hold the dead one a moment longer, and a
        // second mount of the same device would be the same dead file system.
        let image = self.dir.path().join("image").display().to_string();
        let losetup = crate::need::program("losetup");
        crate::wait::until_true("its device is free", || {
            let used = docker::run(Command::new(&losetup).args(["-j", &image]), &[]);
            used.out.trim().is_empty()
        });
        self.mount();
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("mount")
    }

    /// Takes all room that is left.
    pub fn fill(&self) -> PathBuf {
        let ballast = self.path().join("ballast");
        let mut file = fs::File::create(&ballast).expect("there is room for a name");
        let block = vec![1_u8; 64 * 1024];
        while file.write_all(&block).is_ok() {}
        while file.write_all(&[1]).is_ok() {}
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let mount = self.path().display().to_string();
        docker::run(Command::new("umount").args(["-l", &mount]), &[]);
    }
}

fn run(program: &str, arguments: &[&str]) {
    docker::run(
        Command::new(crate::need::program(program)).args(arguments),
        &[],
    )
    .expect(0);
}

/// The size of everything below `folder`, in bytes.
pub fn size_of(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}
