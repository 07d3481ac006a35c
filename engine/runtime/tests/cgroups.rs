//! Control groups on the real kernel, whichever layout this machine has. Needs root.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    os::fd::AsFd,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use engine_runtime::{
    Resources,
    cgroups::{Access, Cgroup, CgroupError, DeviceKind, DeviceRule, Setting, unsupported},
    layout::{Controller, Hierarchy, Layout, Version},
    processes, usage,
};
use engine_sys::socket;

const SOON: Duration = Duration::from_secs(10);

/// A group of a test, under a parent of its own; nothing of either is left when it drops.
struct House {
    layout: Layout,
    parent: String,
    group: Cgroup,
}

impl House {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let layout = Layout::detect().unwrap();
        let parent = format!("gantry-test-{}-{number}", std::process::id());
        let group = Cgroup::create(&layout, &format!("{parent}/one")).unwrap();
        Self {
            layout,
            parent,
            group,
        }
    }

    /// Starts a shell that waits until it is in the group and then runs `script`.
    fn run(&self, script: &str) -> Child {
        let mut child = Command::new("/bin/sh")
            .args(["-c", &format!("read go; {script}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.group.join(child.id().cast_signed()).unwrap();
        // Closing standard input is the "go".
        drop(child.stdin.take());
        child
    }

    fn file(&self, controller: Controller, name: &str) -> String {
        let carries = |one: &&Hierarchy| one.controllers.contains(&controller);
        let mount = match self.layout.version {
            Version::V2 => self.layout.unified.as_ref().unwrap(),
            Version::V1 | Version::Hybrid => {
                &self.layout.legacy.iter().find(carries).unwrap().mount
            }
        };
        let path = mount.join(self.group.path()).join(name);
        fs::read_to_string(path).unwrap().trim().to_owned()
    }

    fn is_unified(&self) -> bool {
        self.layout.version == Version::V2
    }

    /// Lists the group's directories, one for each hierarchy.
    fn dirs(&self, path: &str) -> Vec<PathBuf> {
        let legacy = self.layout.legacy.iter().map(|one| one.mount.join(path));
        legacy
            .chain(self.layout.unified.iter().map(|root| root.join(path)))
            .collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.group.kill_all(SOON).unwrap();
        self.group.remove(SOON).unwrap();
        Cgroup::open(&self.layout, &self.parent)
            .unwrap()
            .remove(SOON)
            .unwrap();
        let left: Vec<PathBuf> = self
            .dirs(&self.parent)
            .into_iter()
            .filter(|dir| dir.exists())
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
    }
}

fn until(what: &str, mut fact: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !fact() {
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn every_limit_arrives_in_the_kernel() {
    let house = House::new();
    let limits = Resources {
        memory_bytes: Some(64 << 20),
        memory_reservation_bytes: Some(32 << 20),
        memory_swap_bytes: house.layout.has_swap().then_some(96 << 20),
        cpu_shares: Some(2048),
        cpu_period_us: Some(50_000),
        cpu_quota_us: Some(25_000),
        cpuset_cpus: Some("0".to_owned()),
        cpuset_mems: Some("0".to_owned()),
        pids_limit: Some(77),
        ..Resources::default()
    };

    house.group.apply(&limits).unwrap();

    let file = |controller, name| house.file(controller, name);
    assert_eq!(file(Controller::Pids, "pids.max"), "77");
    assert_eq!(file(Controller::Cpuset, "cpuset.cpus"), "0");
    if house.is_unified() {
        assert_eq!(file(Controller::Memory, "memory.max"), "67108864");
        assert_eq!(file(Controller::Memory, "memory.low"), "33554432");
        assert_eq!(file(Controller::Cpu, "cpu.max"), "25000 50000");
        assert_eq!(file(Controller::Cpu, "cpu.weight"), "174");
        if house.layout.has_swap() {
            assert_eq!(file(Controller::Memory, "memory.swap.max"), "33554432");
        }
    } else {
        assert_eq!(
            file(Controller::Memory, "memory.limit_in_bytes"),
            "67108864"
        );
        assert_eq!(
            file(Controller::Memory, "memory.soft_limit_in_bytes"),
            "33554432"
        );
        assert_eq!(file(Controller::Cpu, "cpu.shares"), "2048");
        assert_eq!(file(Controller::Cpu, "cpu.cfs_quota_us"), "25000");
        assert_eq!(file(Controller::Cpu, "cpu.cfs_period_us"), "50000");
    }
    let usage = usage::read(&house.group).unwrap();
    assert_eq!(usage.memory.limit_bytes, Some(64 << 20));
    assert_eq!(usage.pids.limit, Some(77));
}

#[test]
fn settings_that_not_every_machine_has_are_found_out() {
    let house = House::new();
    let ask = |setting| {
        let scratch = format!("{}/probe", house.parent);
        let missing = unsupported(&house.layout, &scratch, &[setting]).unwrap();
        assert!(!house.dirs(&scratch).iter().any(|dir| dir.exists()));
        missing.is_empty()
    };
    assert!(ask(Setting::MemoryReservation));
    assert!(ask(Setting::BlockLimit));
    assert_eq!(ask(Setting::Swap), house.layout.has_swap());
    for setting in [
        Setting::Swappiness,
        Setting::OomKillDisable,
        Setting::Realtime,
    ] {
        assert!(!(house.is_unified() && ask(setting)), "{setting:?}");
    }

    let limits = Resources {
        swappiness: ask(Setting::Swappiness).then_some(7),
        oom_kill_disable: ask(Setting::OomKillDisable),
        realtime_runtime_us: ask(Setting::Realtime).then_some(10_000),
        block_weight: ask(Setting::BlockWeight).then_some(300),
        ..Resources::default()
    };
    house.group.apply(&limits).unwrap();
    let file = |controller, name| house.file(controller, name);
    if limits.swappiness.is_some() {
        assert_eq!(file(Controller::Memory, "memory.swappiness"), "7");
    }
    if limits.oom_kill_disable {
        assert!(file(Controller::Memory, "memory.oom_control").contains("oom_kill_disable 1"));
    }
    if limits.realtime_runtime_us.is_some() {
        assert_eq!(file(Controller::Cpu, "cpu.rt_runtime_us"), "10000");
    }
    if limits.block_weight.is_some() && house.is_unified() {
        assert!(file(Controller::Blkio, "io.weight").contains("default 2930"));
    }
}

#[test]
fn memory_and_swap_grow_and_shrink_together() {
    let house = House::new();
    let swap = |bytes| house.layout.has_swap().then_some(bytes);

    for bytes in [64_i64 << 20, 16 << 20, 256 << 20, 8 << 20] {
        let limits = Resources {
            memory_bytes: Some(bytes.unsigned_abs()),
            memory_swap_bytes: swap(bytes),
            ..Resources::default()
        };
        house.group.apply(&limits).unwrap();
        let kept = usage::read(&house.group).unwrap().memory.limit_bytes;
        assert_eq!(kept, Some(bytes.unsigned_abs()));
    }

    let endless = Resources {
        memory_swap_bytes: swap(-1),
        ..Resources::default()
    };
    house.group.apply(&endless).unwrap();
}

#[test]
fn a_refused_limit_is_named() {
    let house = House::new();
    let limits = Resources {
        cpuset_cpus: Some("4000-3000".to_owned()),
        ..Resources::default()
    };

    let error = house.group.apply(&limits).unwrap_err();

    let CgroupError::Apply { setting, value, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((setting, value.as_str()), ("cpuset.cpus", "4000-3000"));
}

#[test]
fn the_pids_limit_holds() {
    let house = House::new();
    let limits = Resources {
        pids_limit: Some(4),
        ..Resources::default()
    };
    house.group.apply(&limits).unwrap();

    let script = "for i in 1 2 3 4 5 6 7 8; do sleep 60 >/dev/null & done; echo never";
    let answer = house.run(script).wait_with_output();

    assert_eq!(answer.unwrap().stdout, b"");
}

#[test]
fn a_kill_for_memory_is_noticed_and_counted() {
    let house = House::new();
    let watch = house.group.watch_oom().unwrap().unwrap();
    let limits = Resources {
        memory_bytes: Some(8 << 20),
        memory_swap_bytes: house.layout.has_swap().then_some(8 << 20),
        ..Resources::default()
    };
    house.group.apply(&limits).unwrap();
    assert_eq!(house.group.oom_kills().unwrap(), 0);

    // A variable that doubles until there is no more.
    let mut child = house.run("a=xxxxxxxxxxxxxxxx; while :; do a=$a$a; done");
    child.wait().unwrap();

    until("the kill is counted", || {
        house.group.oom_kills().unwrap() == 1
    });
    assert_eq!(usage::read(&house.group).unwrap().oom_kills, 1);
    until("the watch says so", || {
        socket::wait_readable(watch.as_fd(), Duration::ZERO).unwrap()
    });
    watch.drain();
    assert!(
        !socket::wait_readable(watch.as_fd(), Duration::ZERO).unwrap(),
        "once"
    );
}

#[test]
fn frozen_processes_stand_still_until_thawed() {
    let house = House::new();
    let mut child = house.run("while :; do :; done");
    let cpu = || usage::read(&house.group).unwrap().cpu.total_ns;

    house.group.freeze().unwrap();

    assert!(house.group.is_frozen().unwrap());
    let before = cpu();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(cpu(), before);

    house.group.thaw().unwrap();

    assert!(!house.group.is_frozen().unwrap());
    until("it runs again", || cpu() > before);
    house.group.kill_all(SOON).unwrap();
    child.wait().unwrap();
}

#[test]
fn killing_a_frozen_group_that_forks_leaves_nobody() {
    let house = House::new();
    let mut child = house.run("while :; do sleep 0.01 & sleep 0.01; done");
    until("it forks", || house.group.processes().unwrap().len() > 1);
    house.group.freeze().unwrap();

    house.group.kill_all(SOON).unwrap();

    assert_eq!(house.group.processes().unwrap(), [] as [i32; 0]);
    child.wait().unwrap();
}

#[test]
fn a_process_is_in_every_hierarchy_and_on_the_list() {
    let house = House::new();
    let mut child = house.run("exec sleep 60");
    let pid = child.id();

    let seen = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();

    let ours = format!(":/{}", house.group.path());
    let inside = seen.lines().filter(|line| line.ends_with(&ours)).count();
    assert_eq!(inside, house.dirs("").len(), "{seen}");
    until("it sleeps", || {
        let list = processes::list(&house.group).unwrap();
        list.iter()
            .any(|one| one.pid == pid.cast_signed() && one.command == "sleep 60")
    });
    assert_eq!(usage::read(&house.group).unwrap().pids.current, 1);
    house.group.kill_all(SOON).unwrap();
    child.wait().unwrap();
}

#[test]
fn use_grows_with_work() {
    let house = House::new();
    let script = "a=$(head -c 3000000 /dev/zero | tr '\\0' x); while :; do :; done";
    let mut child = house.run(script);

    until("processor time and memory", || {
        let usage = usage::read(&house.group).unwrap();
        usage.cpu.total_ns > 10_000_000 && usage.memory.usage_bytes > 0
    });

    let usage = usage::read(&house.group).unwrap();
    assert!(usage.memory.stats.len() > 10);
    assert_eq!(usage.memory.limit_bytes, None);
    house.group.kill_all(SOON).unwrap();
    child.wait().unwrap();
}

#[test]
fn groups_that_the_container_made_go_too() {
    let house = House::new();
    for dir in house.dirs(house.group.path()) {
        fs::create_dir_all(dir.join("inner/most")).unwrap();
    }

    house.group.remove(SOON).unwrap();

    assert!(!house.group.exists());
}

#[test]
fn a_half_made_group_is_removed_and_one_that_is_gone_too() {
    let house = House::new();
    let half = Cgroup::open(&house.layout, &format!("{}/half", house.parent)).unwrap();
    fs::create_dir(&house.dirs(half.path())[0]).unwrap();

    half.remove(SOON).unwrap();

    assert!(!half.exists());
    half.remove(SOON).unwrap();
    assert!(matches!(usage::read(&half), Err(CgroupError::Read { .. })));
}

#[test]
fn a_group_with_somebody_in_it_is_not_removed() {
    let house = House::new();
    let mut child = house.run("sleep 60");

    let error = house.group.remove(Duration::from_millis(20)).unwrap_err();

    assert!(matches!(error, CgroupError::TimedOut { .. }), "{error}");
    house.group.kill_all(SOON).unwrap();
    child.wait().unwrap();
}

#[test]
fn paths_that_climb_are_refused() {
    let layout = Layout::detect().unwrap();

    for path in [
        "",
        "/",
        "/gantry",
        "gantry/../..",
        "gantry//one",
        "gantry/",
        "a/b\nc",
        ".",
    ] {
        let refused = Cgroup::open(&layout, path);
        assert!(matches!(refused, Err(CgroupError::BadPath(_))), "{path:?}");
    }
}

#[test]
fn only_allowed_devices_open() {
    let house = House::new();
    let device = |minor| DeviceRule {
        kind: DeviceKind::Character,
        major: Some(1),
        minor: Some(minor),
        access: Access::ALL,
    };
    // The second list replaces the first.
    house.group.allow_devices(&[device(3)]).unwrap();
    house.group.allow_devices(&[device(5)]).unwrap();

    let script = "(: </dev/zero) && echo zero; (: </dev/urandom) && echo urandom; \
                  (: </dev/null) && echo null; true";
    let answer = house.run(script).wait_with_output().unwrap();

    assert_eq!(String::from_utf8(answer.stdout).unwrap(), "zero\n");
    if house.is_unified() {
        let dir = house.group.unified().unwrap().unwrap();
        assert_eq!(engine_sys::device_filter::attached(&dir).unwrap().len(), 1);
    }
}

#[test]
fn creating_twice_takes_what_is_there() {
    let house = House::new();

    let again = Cgroup::create(&house.layout, house.group.path()).unwrap();

    assert_eq!(again.path(), house.group.path());
}

#[test]
fn a_fresh_group_has_the_processors_of_its_parent() {
    let house = House::new();
    let Some(dir) = house
        .layout
        .legacy
        .iter()
        .find(|one| one.controllers.contains(&Controller::Cpuset))
        .map(|one| one.mount.clone())
    else {
        // A version 2 group has its parent's as long as nobody sets others.
        assert!(house.is_unified());
        return;
    };
    let second = Cgroup::create(&house.layout, &format!("{}/two", house.parent)).unwrap();
    let of = |group: &str, name: &str| fs::read_to_string(dir.join(group).join(name)).unwrap();

    for name in ["cpuset.cpus", "cpuset.mems"] {
        assert_ne!(of("", name).trim(), "");
        for group in [house.group.path(), second.path()] {
            assert_eq!(of(group, name), of("", name), "{group} {name}");
        }
    }
    second.remove(SOON).unwrap();
}
