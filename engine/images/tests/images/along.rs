//! Layers that somebody reads while they arrive.

use std::io::Read;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use engine_images::{Digest, Reader};

use crate::fake::{Conduct, Fake};
use crate::world::{Made, World, image, world};

const PATIENCE: Duration = Duration::from_secs(20);

fn one_layer() -> Made {
    image("amd64", &[&[7; 200_000]])
}

/// What a reader got to see of each blob, and how it ended.
type Seen = Arc<Mutex<Vec<(Vec<u8>, Result<(), String>)>>>;

fn world_that_reads() -> (World, Seen) {
    let seen = Seen::default();
    let into = Arc::clone(&seen);
    let reader = move |source: &mut (dyn Read + Send)| {
        let mut bytes = Vec::new();
        let end = source.read_to_end(&mut bytes);
        let end = end.map(drop).map_err(|error| error.to_string());
        into.lock().unwrap().push((bytes, end));
    };
    let mut world = world();
    world.reader = Some(Arc::new(reader) as Arc<Reader>);
    (world, seen)
}

#[tokio::test]
async fn what_has_come_is_read_before_the_rest_is_here() {
    let fake = Fake::start().await;
    let made = one_layer();
    fake.offer("a", "1", &made);
    fake.behave(made.layers[0], &[Conduct::StallAfter(50_000)]);
    let (told, mut heard) = tokio::sync::mpsc::channel(1);
    let (ended, hear_end) = mpsc::channel();
    let reader = move |source: &mut (dyn Read + Send)| {
        let mut bytes = vec![0; 50_000];
        let read = source.read_exact(&mut bytes).map(|()| bytes);
        told.blocking_send(read).unwrap();
        ended.send(source.read(&mut [0])).unwrap();
    };
    let mut world = world();
    world.reader = Some(Arc::new(reader) as Arc<Reader>);
    let name = format!("{}/a:1", fake.address);

    let read = tokio::select! {
        pulled = world.pull(&name) => panic!("the registry stalls: {:?}", pulled.err()),
        read = tokio::time::timeout(PATIENCE, heard.recv()) => read,
    };
    let read = read.unwrap().unwrap().unwrap();
    assert!(made.blobs[&made.layers[0]].starts_with(&read));

    // The pull was dropped: whoever reads along hears it.
    assert!(hear_end.recv_timeout(PATIENCE).unwrap().is_err());
}

#[tokio::test]
async fn a_resumed_layer_is_read_in_one_row() {
    let fake = Fake::start().await;
    let made = one_layer();
    fake.offer("a", "1", &made);
    let cuts = [Conduct::CutAfter(70_000), Conduct::Slow(Duration::ZERO)];
    fake.behave(made.layers[0], &cuts);
    let (world, seen) = world_that_reads();

    world.pull(&format!("{}/a:1", fake.address)).await.unwrap();

    let read = |(bytes, end): &(Vec<u8>, _)| (Digest::of(bytes), Result::is_ok(end));
    let all: Vec<_> = seen.lock().unwrap().iter().map(read).collect();
    assert_eq!(all, [(made.layers[0], true)]);
    world.pull(&format!("{}/a:1", fake.address)).await.unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1, "nothing arrives any more");
}

#[tokio::test]
async fn a_layer_that_begins_again_is_whole_though_its_reader_gave_up() {
    let fake = Fake::start().await;
    let made = one_layer();
    fake.offer("a", "1", &made);
    let whole = Conduct::CutAfterWithoutRanges(usize::MAX);
    let cut = Conduct::CutAfterWithoutRanges(70_000);
    fake.behave(made.layers[0], &[cut, whole]);
    let (world, seen) = world_that_reads();

    let image = world.pull(&format!("{}/a:1", fake.address)).await.unwrap();

    let seen = seen.lock().unwrap();
    let [(bytes, end)] = seen.as_slice() else {
        panic!("it is read once: {}", seen.len());
    };
    assert_eq!(bytes.len(), 70_000);
    assert_eq!(end.as_ref().unwrap_err(), "the registry begins again");
    world
        .store
        .blobs()
        .verify(image.layers[0].blob.digest)
        .unwrap();
}

#[tokio::test]
async fn who_reads_only_the_beginning_does_not_cut_the_layer() {
    let fake = Fake::start().await;
    let made = one_layer();
    fake.offer("a", "1", &made);
    let mut world = world();
    let reader = |source: &mut (dyn Read + Send)| source.read_exact(&mut [0; 10]).unwrap();
    world.reader = Some(Arc::new(reader) as Arc<Reader>);

    let image = world.pull(&format!("{}/a:1", fake.address)).await.unwrap();

    world
        .store
        .blobs()
        .verify(image.layers[0].blob.digest)
        .unwrap();
}
