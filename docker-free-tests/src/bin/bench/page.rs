//! The Containers page with a thousand containers in the index: how long the server takes.

use docker_free_tests::{Engine, Server, wait};
use serde_json::json;

use crate::sample::{Samples, line, times};

const CONTAINERS: usize = 1000;
const ROUNDS: usize = 100;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    for n in 0..CONTAINERS {
        let body = json!({ "Image": "busybox", "Labels": { "app": format!("shop-{}", n % 7) } });
        engine.create(&format!("web-{n:04}"), &body);
    }
    let server = Server::start(&engine);
    let mut owner = server.first_owner();
    wait::until_true("the index is full", || {
        ["1,000", "1000"]
            .iter()
            .any(|count| owner.get("/containers").text().contains(count))
    });
    let (mut page, mut filtered) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        page.time(|| owner.get("/containers").expect(200));
        filtered.time(|| owner.get("/containers?q=web-05").expect(200));
    }
    let size = owner.get("/containers").body.len() / 1024;
    times("the page, 50 rows of 1,000 (at most 10)", &page);
    times("the page, filtered", &filtered);
    line("its size, not compressed", &format!("{size} KiB"));
}
