//! Images: pulled, pulled again and loaded, beside skopeo with umoci and beside dockerd; and what the
//! engine holds in memory meanwhile.

use std::fs::{self, File};
use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use docker_free_tests::images::{Image, Layer};
use docker_free_tests::registry::Registry;
use docker_free_tests::wire::Wire;
use docker_free_tests::{Engine, docker, need};

use crate::docker::Dockerd;
use crate::memory::pss_kib;
use crate::sample::{Samples, line, times};

const ROUNDS: usize = 4;
/// The fifth layer of the image: files that no compression makes smaller, beside Debian's own.
const DATA_FILES: usize = 40;
const BIG_FILES: usize = 1024;
const FILE_BYTES: usize = 1 << 20;
const NAME: &str = "bench/debian";
/// What ends an archive.
const END_BYTES: usize = 1024;

pub(crate) fn measure() {
    let Some(debian) = need::made("out/debian.tar.gz") else {
        return;
    };
    let layers = debian_layers(&debian);
    let engine = Engine::start();
    let registry = Registry::open();
    let peer = Dockerd::start_in_this_network(&engine.scratch().join("dockerd"));
    if peer.is_none() {
        line("dockerd", "not installed: docker.io by apt");
    }
    pulls(&engine, peer.as_ref(), &registry, &layers);
    loads(&engine, peer.as_ref(), &layers);
    drop((layers, peer));
    memory(&registry);
}

/// The image of one round, of layers that no other round has: what a round removes would make the
/// next one slower, as long as a file system without a journal shuns the numbers of removed files.
fn image(layers: &[Vec<u8>], tag: &str) -> Vec<u8> {
    let marked = layers.iter().enumerate().map(|(n, layer)| {
        let mark = format!("mark-{n}-{tag}");
        let mark = Layer::new().file(&mark, 0o644, mark.as_bytes()).tar();
        [&layer[..layer.len() - END_BYTES], &mark].concat()
    });
    Image::new(&format!("{NAME}:{tag}"), marked.collect()).archive()
}

fn pulls(engine: &Engine, peer: Option<&Dockerd>, registry: &Registry, layers: &[Vec<u8>]) {
    let wire = engine.wire();
    let mut samples: [Samples; 5] = Default::default();
    for round in 0..=ROUNDS {
        let mut cold: [Samples; 5] = Default::default();
        let [ours, again, theirs, their_again, tools] =
            if round == 0 { &mut cold } else { &mut samples };
        let tag = format!("pull{round}");
        let name = registry.push(&image(layers, &tag), &format!("{NAME}:{tag}"));
        ours.time(|| pull(&wire, &name));
        again.time(|| pull(&wire, &name));
        if let Some(peer) = peer {
            let wire = peer.wire();
            theirs.time(|| pull(&wire, &name));
            their_again.time(|| pull(&wire, &name));
        }
        tools.time(|| skopeo_and_umoci(&engine.scratch().join(&tag), &name));
    }
    let [ours, again, theirs, their_again, tools] = &samples;
    times("pull and unpack, this engine", ours);
    times("skopeo copy and umoci unpack", tools);
    ratio("skopeo and umoci / ours (at least 2)", tools, ours);
    times("everything is here, this engine (at most 50)", again);
    if peer.is_some() {
        times("pull and unpack, dockerd", theirs);
        ratio("dockerd / ours (at least 2)", theirs, ours);
        times("everything is here, dockerd", their_again);
    }
}

fn ratio(what: &str, theirs: &Samples, ours: &Samples) {
    let ratio = theirs.percentile_ms(50) / ours.percentile_ms(50);
    line(what, &format!("{ratio:.1}"));
}

/// Pulls by the API; the end of the stream says whether it went well.
fn pull(wire: &Wire, name: &str) {
    let answer = wire.send(
        "POST",
        &format!("/images/create?fromImage={name}"),
        &[],
        &[],
    );
    let text = answer.expect("an answer").expect(200).text();
    assert!(!text.contains("errorDetail"), "{text}");
}

/// Brings the image into a layout below `dir` and unpacks it, as one does without an engine.
fn skopeo_and_umoci(dir: &Path, name: &str) {
    fs::create_dir(dir).expect("the directory is ours");
    let layout = format!("{}:latest", dir.join("layout").display());
    let mut copy = Command::new(need::program("skopeo"));
    copy.args([
        "--insecure-policy",
        "copy",
        "--quiet",
        "--src-tls-verify=false",
    ]);
    copy.arg(format!("docker://{name}"))
        .arg(format!("oci:{layout}"));
    docker::run(&mut copy, &[]).expect(0);
    let mut unpack = Command::new(need::program("umoci"));
    unpack
        .args(["unpack", "--image", &layout])
        .arg(dir.join("bundle"));
    docker::run(&mut unpack, &[]).expect(0);
}

fn loads(engine: &Engine, peer: Option<&Dockerd>, layers: &[Vec<u8>]) {
    let mut samples: [Samples; 3] = Default::default();
    let mut n_bytes = 0;
    for round in 0..=ROUNDS {
        let mut cold: [Samples; 3] = Default::default();
        let [ours, theirs, disk] = if round == 0 { &mut cold } else { &mut samples };
        let archive = image(layers, &format!("load{round}"));
        n_bytes = archive.len();
        disk.time(|| written_twice(&engine.scratch().join(format!("disk{round}")), &archive));
        ours.time(|| engine.load(&archive));
        if let Some(peer) = peer {
            theirs.time(|| peer.load(&archive));
        }
    }
    let [ours, theirs, disk] = &samples;
    let rate = |samples: &Samples| {
        let seconds = samples.percentile_ms(50) / 1e3;
        format!("{:.0} MB/s", n_bytes as f64 / 1e6 / seconds)
    };
    line(
        "load, bytes of the archive",
        &format!("{:.0} MB", n_bytes as f64 / 1e6),
    );
    line("load, this engine (at least 300 MB/s)", &rate(ours));
    line("load, dockerd", &rate(theirs));
    line("this disk: the bytes written twice, synced", &rate(disk));
}

/// What a load costs the disk at least, file by file: the blob that is kept and the files that come out of it.
fn written_twice(path: &Path, bytes: &[u8]) {
    for _ in 0..2 {
        let mut file = File::create(path).expect("the directory is ours");
        file.write_all(bytes).expect("there is room");
        file.sync_all().expect("the disk works");
    }
}

/// Pulls 1 GB in one layer and looks at the engine every 20 ms.
fn memory(registry: &Registry) {
    let engine = Engine::start();
    let mut image = Image::new("bench/big:1", vec![data_layer(BIG_FILES)]);
    image.layers.push(data_layer(1));
    let name = registry.push(&image.archive(), "bench/big:1");
    drop(image);
    let before = pss_kib(engine.pid());
    let going = Arc::new(AtomicBool::new(true));
    let watched = (engine.pid(), Arc::clone(&going));
    let watcher = thread::spawn(move || {
        let (pid, going) = watched;
        let mut most = 0;
        while going.load(Ordering::Relaxed) {
            most = most.max(pss_kib(pid));
            thread::sleep(Duration::from_millis(20));
        }
        most
    });
    let mut samples = Samples::default();
    samples.time(|| pull(&engine.wire(), &name));
    going.store(false, Ordering::Relaxed);
    let most = watcher.join().expect("it only reads");
    times("pull of 1 GB in one layer", &samples);
    let figure = format!("{before} KiB before, at most {most} KiB");
    line("engine meanwhile (at most 61,440)", &figure);
}

/// Debian's files in four layers, by the directory that they are in, and a layer of data.
fn debian_layers(archive: &Path) -> Vec<Vec<u8>> {
    let mut unpack = Command::new("gzip")
        .args(["-dc"])
        .arg(archive)
        .stdout(Stdio::piped())
        .spawn()
        .expect("gzip is part of the system");
    let output = unpack.stdout.take().expect("it was asked for");
    let mut from = tar::Archive::new(BufReader::with_capacity(1 << 20, output));
    let mut into: [tar::Builder<Vec<u8>>; 4] =
        std::array::from_fn(|_| tar::Builder::new(Vec::new()));
    for entry in from.entries().expect("it is an archive") {
        let mut entry = entry.expect("it is an archive");
        let path = entry.path().expect("it has a path").into_owned();
        let mut header = entry.header().clone();
        let layer = &mut into[layer_of(&path)];
        let appended = match entry.link_name().expect("it is an archive") {
            Some(target) => layer.append_link(&mut header, &path, target),
            None => layer.append_data(&mut header, &path, &mut entry),
        };
        appended.expect("a vector takes every byte");
    }
    unpack.wait().expect("it ends by itself");
    let mut layers: Vec<Vec<u8>> = into
        .into_iter()
        .map(|layer| layer.into_inner().expect("a vector takes every byte"))
        .collect();
    layers.push(data_layer(DATA_FILES));
    layers
}

fn layer_of(path: &Path) -> usize {
    let path = path.strip_prefix("./").unwrap_or(path);
    ["usr/bin", "usr/lib", "usr/share"]
        .iter()
        .position(|dir| path.starts_with(dir))
        .map_or(0, |at| at + 1)
}

/// A layer of files of 1 MiB each, with bytes as if drawn by lot: always the same.
fn data_layer(n_files: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15 ^ n_files as u64;
    let mut layer = Layer::new().folder("data/", 0o755);
    for n in 0..n_files {
        let mut bytes = Vec::with_capacity(FILE_BYTES);
        while bytes.len() < FILE_BYTES {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes());
        }
        layer = layer.file(&format!("data/{n_files}-{n}"), 0o644, &bytes);
    }
    layer.tar()
}
