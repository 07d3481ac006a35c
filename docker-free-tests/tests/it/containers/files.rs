//! The Files tab before a real engine: files that are larger than memory, that change while they are
//! read, links in a circle, and what is the kernel's.

use std::io::Read;

use docker_free_tests::count::own_kib;
use docker_free_tests::people::Person;
use docker_free_tests::wire::{Answer, Open};
use docker_free_tests::{Engine, Server, need, wait};

/// Memory that a download may take of either process, in KiB.
const MOST_KIB: u64 = 16 * 1024;
const MIB: usize = 1 << 20;

/// A server with an owner, and a container that runs, in which a script has made files.
struct Scene {
    engine: Engine,
    server: Server,
    owner: Person,
    id: String,
}

fn scene(script: &str) -> Scene {
    let engine = Engine::with_busybox();
    let id = engine.run_script("box", &format!("{script}; echo ready; sleep 1000"));
    wait::until_true("the files are there", || {
        engine.logs("box").contains("ready")
    });
    let server = Server::start(&engine);
    let mut owner = server.first_owner();
    wait::until_true("the index knows the container", || {
        owner.get("/containers").text().contains(&id)
    });
    Scene {
        engine,
        server,
        owner,
        id,
    }
}

impl Scene {
    fn page(&mut self, path: &str) -> Answer {
        let address = format!("/containers/{}/files?path={path}", self.id);
        self.owner.get(&address)
    }

    /// Begins a download: its head is there, and nothing of its body was read.
    fn download(&self, path: &str) -> Open {
        let address = format!("/containers/{}/files/download?path={path}", self.id);
        let headers = [
            ("Host", self.server.address.as_str()),
            ("Cookie", &self.owner.cookie()),
        ];
        let open = self.server.wire().open("GET", &address, &headers, &[]);
        open.expect("an answer")
    }

    /// Runs a script in the container, and waits for its end.
    fn inside(&self, script: &str) {
        self.engine.ok(&["exec", "box", "sh", "-c", script]);
    }
}

fn length(open: &Open) -> usize {
    let length = open.header("content-length").expect("a length");
    length.parse().expect("a number")
}

#[test]
fn a_file_of_two_gigabytes_is_shown_and_downloaded_in_little_memory() {
    if !need::all(&["busybox", "docker"]) {
        return;
    }
    let mut scene = scene("truncate -s 2G /big");
    let pids = [scene.server.pid(), scene.engine.pid()];

    let page = scene.page("/big");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("longer than"), "{}", page.text());
    assert!(page.body.len() < MIB, "{}", page.body.len());

    let before = pids.map(own_kib);
    let mut open = scene.download("/big");
    assert_eq!(open.status, 200);
    assert_eq!(length(&open), 2 << 30);
    // Nobody reads for the first looks: what is between the two ends must not be gathered anywhere.
    let mut piece = vec![0; 16 * MIB];
    for _ in 0..16 {
        for (pid, before) in pids.iter().zip(before) {
            let now = own_kib(*pid);
            assert!(now < before + MOST_KIB, "{before} became {now} KiB");
        }
        open.stream
            .read_exact(&mut piece)
            .expect("more of the file");
        assert!(piece.iter().all(|byte| *byte == 0));
    }
    // Whoever goes in the middle leaves nothing running that reads on.
    drop(open);
    scene.inside("rm /big");
    assert_eq!(scene.page("/big").status, 404);
    for (pid, before) in pids.iter().zip(before) {
        let now = own_kib(*pid);
        assert!(now < before + MOST_KIB, "{before} became {now} KiB");
    }
}

#[test]
fn a_file_that_grows_while_it_is_read_ends_where_it_was_when_it_was_opened() {
    if !need::all(&["busybox", "docker"]) {
        return;
    }
    let scene = scene("head -c 67108864 /dev/zero > /log");

    let mut open = scene.download("/log");
    assert_eq!(length(&open), 64 * MIB);
    scene.inside("head -c 10485760 /dev/urandom >> /log");
    let mut body = Vec::new();
    open.stream.read_to_end(&mut body).expect("the file");

    assert_eq!(body.len(), 64 * MIB);
    assert!(body.iter().all(|byte| *byte == 0));
    assert_eq!(length(&scene.download("/log")), 74 * MIB);
}

#[test]
fn a_file_that_shrinks_while_it_is_read_keeps_its_promised_length_in_zeros() {
    if !need::all(&["busybox", "docker"]) {
        return;
    }
    let mut scene = scene("yes | head -c 67108864 > /log; echo after > /other");

    let mut open = scene.download("/log");
    assert_eq!(length(&open), 64 * MIB);
    scene.inside("truncate -s 10 /log");
    let mut body = Vec::new();
    open.stream.read_to_end(&mut body).expect("the file");

    // As in GNU's archives: what is gone is zeros, and what comes behind is not moved.
    assert_eq!(body.len(), 64 * MIB);
    let kept = body.iter().position(|byte| *byte == 0).expect("zeros");
    assert!(body[..kept].chunks(2).all(|pair| b"y\n".starts_with(pair)));
    assert!(body[kept..].iter().all(|byte| *byte == 0));
    assert!(scene.page("/other").text().contains("after"));
}

#[test]
fn links_in_a_circle_are_a_sentence_and_a_folder_in_itself_is_a_folder() {
    if !need::all(&["busybox", "docker"]) {
        return;
    }
    let script =
        "ln -s /b /a; ln -s /a /b; mkdir /d; ln -s . /d/self; ln -s /d/self /d/far; echo x > /d/x";
    let mut scene = scene(script);

    for path in ["/a", "/b", "/a/x"] {
        let page = scene.page(path);
        assert!(matches!(page.status, 200 | 404), "{path}: {}", page.status);
        let download = scene.download(path);
        let status = download.status;
        assert!((400..500).contains(&status), "{path}: {status}");
        let said = download.whole("GET").expect("a page").text();
        assert!(said.contains("<h1"), "{path}: {said}");
    }
    let folder = scene.page("/d/self/self/self/self");
    assert!(matches!(folder.status, 200 | 303), "{}", folder.status);
    let deep = format!("/d{}/x", "/self".repeat(30));
    let file = scene.page(&deep);
    assert_eq!(file.status, 200);
    assert!(file.text().contains("name=\"digest\"") || file.text().contains("x\n"));
    // A link is followed by the browser: once, and then it is there.
    let answer = scene.page("/d/far");
    assert!(matches!(answer.status, 302 | 303), "{}", answer.status);
    let to = answer.header("location").expect("where to").to_owned();
    assert_eq!(scene.owner.get(&to).status, 200, "{to}");
}

#[test]
fn what_is_the_kernels_is_a_sentence_and_no_download() {
    if !need::all(&["busybox", "docker"]) {
        return;
    }
    let mut scene = scene("mkfifo /pipe");
    let refused = "It belongs to the kernel, not to the container.";
    let none = "neither a file nor a folder";

    for (path, sentence) in [
        ("/proc/1/mem", refused),
        ("/proc/1/environ", refused),
        ("/proc/version", refused),
        ("/sys/kernel/uevent_seqnum", refused),
        ("/pipe", none),
        ("/dev/zero", none),
    ] {
        let page = scene.page(path);
        assert_eq!(page.status, 200, "{path}");
        let download = scene.download(path);
        let status = download.status;
        assert!((400..500).contains(&status), "{path}: {status}");
        let said = download.whole("GET").expect("a page").text();
        assert!(said.contains(sentence), "{path}: {said}");
    }
    // The archive of a folder that holds such things ends; the engine and the container go on.
    for path in ["/proc", "/dev"] {
        let download = scene.download(path);
        let status = download.status;
        let mut body = Vec::new();
        let mut stream = download.stream;
        let _end = stream.read_to_end(&mut body);
        assert!(
            (200..500).contains(&status) && body.len() < 64 * MIB,
            "{path}: {status}"
        );
    }
    assert!(scene.engine.inspect("box")["State"]["Running"] == true);
}
