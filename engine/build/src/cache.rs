//! The name under which a step's result is kept: what it stands on, what it does, and the content of
//! what it reads. No time is in it, so a fresh clone of the same files finds the same layers.
//!
//! **Invariant:** every part is written with its length in front. Two different lists of parts never
//! give the same bytes.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::action::{Action, Mount, Origin, Run, Transfer};
use crate::dockerfile::Command;

/// A cache key; shown as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The key of where a stage begins: the id of its base image (or `scratch`) and the platform.
///
/// `scope` keeps apart those who may not share: what one of them built is never found by another.
pub fn base(scope: &str, image_id: &str, platform: &str) -> Key {
    let mut hash = Parts::new("base");
    hash.text(scope);
    hash.text(image_id);
    hash.text(platform);
    hash.finish()
}

/// The key of one layer that is made of what an image has above another, both by their id.
pub fn squash(image_id: &str, below_id: &str) -> Key {
    let mut hash = Parts::new("squash");
    hash.text(image_id);
    hash.text(below_id);
    hash.finish()
}

/// The key of a step that stands on `parent`, does `action` and reads `inputs`.
///
/// `inputs` are the files of an `ADD` or a `COPY` and of the binds of a `RUN`; for everything else
/// they are empty.
pub fn key(parent: &Key, action: &Action, inputs: &Inputs) -> Key {
    let mut hash = Parts::new("step");
    hash.bytes(&parent.0);
    said(&mut hash, action);
    let mut entries: Vec<[u8; 32]> = inputs.entries.clone();
    entries.sort_unstable();
    hash.number(entries.len() as u64);
    for entry in entries {
        hash.bytes(&entry);
    }
    hash.finish()
}

/// The files that a step reads, in any order.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    entries: Vec<[u8; 32]>,
}

/// One file, directory or other thing that a step reads.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Which source it belongs to, by its place in the instruction: what `a/x` and `b/x` become is
    /// not the same when they change places.
    pub source: usize,
    /// Its path below the source.
    pub path: &'a [u8],
    pub kind: Kind<'a>,
    /// The permission bits.
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    /// Extended attributes, in any order.
    pub xattrs: &'a [(&'a [u8], &'a [u8])],
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// A file with the digest of its content, in whatever form the caller always uses.
    File {
        digest: &'a [u8],
    },
    Directory,
    Symlink {
        target: &'a [u8],
    },
    /// A device, by its numbers.
    Device {
        block: bool,
        major: u32,
        minor: u32,
    },
    Fifo,
}

impl Inputs {
    pub fn add(&mut self, entry: &Entry<'_>) {
        let mut hash = Parts::new("entry");
        hash.number(entry.source as u64);
        hash.bytes(entry.path);
        match entry.kind {
            Kind::File { digest } => {
                hash.text("file");
                hash.bytes(digest);
            }
            Kind::Directory => hash.text("directory"),
            Kind::Symlink { target } => {
                hash.text("symlink");
                hash.bytes(target);
            }
            Kind::Device {
                block,
                major,
                minor,
            } => {
                hash.text(if block { "block" } else { "character" });
                hash.number(major.into());
                hash.number(minor.into());
            }
            Kind::Fifo => hash.text("fifo"),
        }
        // The bits of a link are the kernel's, not the author's.
        let is_link = matches!(entry.kind, Kind::Symlink { .. });
        hash.number(if is_link { 0 } else { entry.mode.into() });
        hash.number(entry.uid.into());
        hash.number(entry.gid.into());
        let mut xattrs = entry.xattrs.to_vec();
        xattrs.sort_unstable();
        hash.number(xattrs.len() as u64);
        for (name, value) in xattrs {
            hash.bytes(name);
            hash.bytes(value);
        }
        self.entries.push(hash.finish().0);
    }

    /// Adds something else that the result depends on: a fetched file's digest, an image's id.
    pub fn add_text(&mut self, what: &str, value: &str) {
        let mut hash = Parts::new("text");
        hash.text(what);
        hash.text(value);
        self.entries.push(hash.finish().0);
    }
}

/// A digest over parts that cannot run into each other.
struct Parts(Sha256);

impl Parts {
    fn new(what: &str) -> Parts {
        let mut parts = Parts(Sha256::new());
        parts.text("gantry build 1");
        parts.text(what);
        parts
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_le_bytes());
    }

    fn texts<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a str>) {
        self.number(texts.len() as u64);
        texts.for_each(|text| self.text(text));
    }

    fn finish(self) -> Key {
        Key(self.0.finalize().into())
    }
}

/// Writes what an action says. The derived form has every field with its name, quoted: nothing in a
/// text can pass for the end of it. Only what depends on the caller's numbering is taken out.
fn said(hash: &mut Parts, action: &Action) {
    match action {
        Action::Run(run) => said_run(hash, run),
        Action::Add(transfer) => said_transfer(hash, "add", transfer),
        Action::Copy(transfer) => said_transfer(hash, "copy", transfer),
        other => hash.text(&format!("{other:?}")),
    }
}

/// The whole environment is no part: `ENV` steps and the base are in the parent's key already, and
/// what remains are the proxies, which must not be.
fn said_run(hash: &mut Parts, run: &Run) {
    hash.text("run");
    said_command(hash, &run.command);
    match &run.script {
        Some(script) => hash.texts([script.name.as_str(), &script.content].into_iter()),
        None => hash.number(0),
    }
    hash.text(&format!("{:?}", run.network));
    hash.number(run.mounts.len() as u64);
    for mount in &run.mounts {
        let mut mount = mount.clone();
        if let Mount::Bind { from, .. }
        | Mount::Cache {
            from: Some(from), ..
        } = &mut mount
        {
            unnumber(from);
        }
        hash.text(&format!("{mount:?}"));
    }
    hash.number(run.arguments.len() as u64);
    for (name, value) in &run.arguments {
        hash.text(name);
        hash.text(value);
    }
}

fn said_command(hash: &mut Parts, command: &Command) {
    match command {
        Command::Shell(text) => {
            hash.text("shell");
            hash.text(text);
        }
        Command::Exec(words) => {
            hash.text("exec");
            hash.texts(words.iter().map(String::as_str));
        }
    }
}

fn said_transfer(hash: &mut Parts, verb: &str, transfer: &Transfer) {
    hash.text(verb);
    let mut transfer = transfer.clone();
    unnumber(&mut transfer.from);
    hash.text(&format!("{transfer:?}"));
}

/// A stage goes by its content, which is among the inputs, and not by its place in the plan.
fn unnumber(origin: &mut Origin) {
    if let Origin::Stage(place) = origin {
        *place = 0;
    }
}
