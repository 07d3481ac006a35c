//! What an idle engine, monitor and server hold, as the share of memory that is theirs (PSS).

use std::fs;

use docker_free_tests::{Engine, Server};

use crate::sample::line;

const CONTAINERS: u32 = 20;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    line(
        "engine, nothing runs (at most 20,480)",
        &format!("{} KiB", pss_kib(engine.pid())),
    );
    let mut monitors = Vec::new();
    for n in 0..CONTAINERS {
        let id = engine.run_script(&format!("c{n}"), "sleep 100000");
        let init = engine.until_state(&id, "running")["State"]["Pid"].to_string();
        monitors.push(parent_of(&init));
    }
    let server = Server::start(&engine);
    let mut owner = server.first_owner();
    owner.get("/containers").expect(200);
    docker_free_tests::wait::until_true("everything is idle", || {
        let before = ticks(engine.pid()) + ticks(server.pid());
        std::thread::sleep(std::time::Duration::from_secs(1));
        ticks(engine.pid()) + ticks(server.pid()) <= before + 1
    });
    let total: u64 = monitors.iter().map(|pid| pss_kib(*pid)).sum();
    let mean = total / u64::from(CONTAINERS);
    line("monitor, mean of 20 (at most 400)", &format!("{mean} KiB"));
    line(
        "engine with 20 containers",
        &format!("{} KiB", pss_kib(engine.pid())),
    );
    line(
        "server with one page drawn (at most 30,720)",
        &format!("{} KiB", pss_kib(server.pid())),
    );
    line(
        "peers here",
        "dockerd + containerd 123 MB, conmon 1,045 KB, shim 5,700 KB",
    );
}

pub(crate) fn pss_kib(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = text
        .lines()
        .find(|line| line.starts_with("Pss:"))
        .unwrap_or_default();
    line.split_whitespace()
        .nth(1)
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn parent_of(pid: &str) -> u32 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:\t"));
    parent.and_then(|parent| parent.parse().ok()).unwrap_or(0)
}

/// Clock ticks that a process has used.
pub(crate) fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    [11, 12]
        .iter()
        .filter_map(|at| fields.get(*at)?.parse::<u64>().ok())
        .sum()
}
