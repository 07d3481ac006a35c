//! Memory, processors, block devices, processes and limits of each process.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{can_raise_limits, inspected, is_unified, output, refusal};
use crate::rig::Rig;

const MIB: i64 = 1 << 20;

/// Reads control files from inside: those of version 2 or those of version 1.
fn files(unified: &[&str], legacy: &[&str]) -> String {
    let names = if is_unified() { unified } else { legacy };
    let paths: Vec<String> = names
        .iter()
        .map(|name| format!("/sys/fs/cgroup/{name}"))
        .collect();
    format!("cat {}", paths.join(" "))
}

#[tokio::test]
async fn memory_reservation_and_swap_are_limits_of_the_kernel() {
    let rig = Rig::new().await;
    let script = files(
        &["memory.max", "memory.low", "memory.swap.max"],
        &[
            "memory/memory.limit_in_bytes",
            "memory/memory.soft_limit_in_bytes",
            "memory/memory.memsw.limit_in_bytes",
        ],
    );
    let with =
        |swap: i64| json!({"Memory": 64 * MIB, "MemoryReservation": 32 * MIB, "MemorySwap": swap});
    for (swap, unified, legacy) in [
        (96 * MIB, "33554432", "100663296"),
        // Nothing asked: as much swap as memory.
        (0, "67108864", "134217728"),
        (64 * MIB, "0", "67108864"),
        (-1, "max", "9223372036854771712"),
    ] {
        let found = output(&rig, with(swap), &script).await;
        let third = if is_unified() { unified } else { legacy };
        assert_eq!(found, format!("67108864\n33554432\n{third}"), "{swap}");
    }
    let shown = inspected(&rig, json!({"Memory": 64 * MIB})).await;
    assert_eq!(shown.host_config().memory_swap, 128 * MIB);
    for (host, words) in [
        (
            json!({"MemorySwap": 64 * MIB}),
            "always set the Memory limit",
        ),
        (
            json!({"Memory": 64 * MIB, "MemorySwap": 32 * MIB}),
            "Minimum memoryswap limit",
        ),
        (
            json!({"Memory": MIB}),
            "Minimum memory limit allowed is 6MB",
        ),
        (
            json!({"MemoryReservation": MIB}),
            "Minimum memory reservation",
        ),
    ] {
        let (status, message) = refusal(&rig, host).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    rig.end().await;
}

#[tokio::test]
async fn what_only_version_1_keeps_is_kept_there_and_refused_on_version_2() {
    let rig = Rig::new().await;
    for (host, file, holds, words) in [
        (
            json!({"MemorySwappiness": 10}),
            "memory/memory.swappiness",
            "10",
            "HostConfig.MemorySwappiness: your kernel does not support memory swappiness",
        ),
        (
            json!({"Memory": 64 * MIB, "OomKillDisable": true}),
            "memory/memory.oom_control",
            "oom_kill_disable 1",
            "HostConfig.OomKillDisable: your kernel does not support OomKillDisable",
        ),
        (
            json!({"CpuRealtimeRuntime": 10_000, "CpuRealtimePeriod": 1_000_000}),
            "cpu/cpu.rt_runtime_us",
            "10000",
            "HostConfig.CpuRealtimeRuntime: your kernel does not support",
        ),
    ] {
        let has_file = Path::new("/sys/fs/cgroup").join(file).exists();
        if has_file {
            let found = output(&rig, host, &format!("cat /sys/fs/cgroup/{file}")).await;
            assert!(found.contains(holds), "{file}: {found}");
        } else {
            let (status, message) = refusal(&rig, host).await;
            assert!(status == 400 && message.contains(words), "{message}");
        }
    }
    rig.end().await;
}

#[tokio::test]
async fn processors_are_shared_bounded_and_chosen() {
    let rig = Rig::new().await;
    let script = format!(
        "{}; grep Cpus_allowed_list /proc/self/status",
        files(
            &["cpu.weight", "cpu.max"],
            &[
                "cpu/cpu.shares",
                "cpu/cpu.cfs_quota_us",
                "cpu/cpu.cfs_period_us"
            ]
        )
    );
    let host = json!({
        "CpuShares": 2048, "CpuQuota": 25_000, "CpuPeriod": 50_000, "CpusetCpus": "0",
        "CpusetMems": "0"
    });
    let found = output(&rig, host, &script).await;
    let expected = if is_unified() {
        "174\n25000 50000\nCpus_allowed_list:\t0"
    } else {
        "2048\n25000\n50000\nCpus_allowed_list:\t0"
    };
    assert_eq!(found, expected);
    let found = output(&rig, json!({"NanoCpus": 500_000_000}), &script).await;
    assert!(
        found.contains("50000") && found.contains("100000"),
        "{found}"
    );
    for (host, words) in [
        (
            json!({"CpusetCpus": "8000"}),
            "Requested CPUs are not available - requested 8000, available:",
        ),
        (
            json!({"CpusetCpus": "0-"}),
            "Invalid value 0- for cpuset cpus",
        ),
        (
            json!({"CpusetMems": "7000"}),
            "Requested memory nodes are not available",
        ),
        (
            json!({"NanoCpus": 500_000_000, "CpuQuota": 5_000}),
            "Conflicting options: Nano CPUs and CPU Quota",
        ),
        (
            json!({"CpuShares": 262_145}),
            "maximum allowed cpu-shares is 262144",
        ),
        (
            json!({"CpuShares": -1}),
            "HostConfig.CpuShares must not be negative",
        ),
    ] {
        let (status, message) = refusal(&rig, host).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    rig.end().await;
}

#[tokio::test]
async fn block_devices_are_weighed_and_throttled() {
    let rig = Rig::new().await;
    let weight = files(&["io.weight"], &["blkio/blkio.bfq.weight"]);
    let expected = if is_unified() { "default 2930" } else { "300" };
    if is_unified() || Path::new("/sys/fs/cgroup/blkio/blkio.bfq.io_serviced").exists() {
        let found = output(&rig, json!({"BlkioWeight": 300}), &weight).await;
        assert!(found.contains(expected), "{found}");
    }
    for (host, words) in [
        (
            json!({"BlkioWeight": 9}),
            "Range of blkio weight is from 10 to 1000",
        ),
        (
            json!({"BlkioWeightDevice": [{"Path": "/dev/nothing", "Weight": 100}]}),
            "/dev/nothing",
        ),
        (
            json!({"BlkioDeviceReadIOps": [{"Path": "/dev/null", "Rate": 1}]}),
            "HostConfig.BlkioDeviceReadIOps: /dev/null: not a block device",
        ),
    ] {
        let (status, message) = refusal(&rig, host).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    let file = rig.path("disk");
    std::fs::write(&file, vec![0; 4 << 20]).unwrap();
    let attached = Command::new("losetup")
        .args(["-f", "--show"])
        .arg(&file)
        .output();
    let Some(disk) = attached.ok().filter(|found| found.status.success()) else {
        eprintln!("this machine has no loop device to throttle");
        rig.end().await;
        return;
    };
    let disk = String::from_utf8(disk.stdout).unwrap();
    let disk = disk.trim();
    let host = json!({
        "Devices": [{"PathOnHost": disk, "PathInContainer": "/dev/disk", "CgroupPermissions": "r"}],
        "BlkioDeviceReadBps": [{"Path": disk, "Rate": 512 << 10}],
        "BlkioDeviceWriteBps": [{"Path": disk, "Rate": 1 << 20}],
        "BlkioDeviceReadIOps": [{"Path": disk, "Rate": 1000}],
        "BlkioDeviceWriteIOps": [{"Path": disk, "Rate": 1001}],
    });
    let limits = files(
        &["io.max"],
        &[
            "blkio/blkio.throttle.read_bps_device",
            "blkio/blkio.throttle.write_bps_device",
            "blkio/blkio.throttle.read_iops_device",
            "blkio/blkio.throttle.write_iops_device",
        ],
    );
    let before = Instant::now();
    let script =
        format!("{limits}; dd if=/dev/disk of=/dev/null bs=64k count=12 iflag=direct 2>&1");
    let found = output(&rig, host, &script).await;
    for rate in ["524288", "1048576", "1000", "1001"] {
        assert!(found.contains(rate), "{rate}: {found}");
    }
    // 768 KiB at 512 KiB a second.
    assert!(before.elapsed() > Duration::from_millis(900), "{found}");
    Command::new("losetup").args(["-d", disk]).status().unwrap();
    rig.end().await;
}

#[tokio::test]
async fn processes_and_their_own_limits_are_bounded() {
    let rig = Rig::new().await;
    let host = json!({"PidsLimit": 4, "Ulimits": [
        {"Name": "nofile", "Soft": 10, "Hard": 20}, {"Name": "nproc", "Soft": 50, "Hard": -1}
    ]});
    let hard_processes = rlimit("Max processes");
    let asked = if hard_processes == "unlimited" {
        -1
    } else {
        60
    };
    let mut host = host;
    host["Ulimits"][1]["Hard"] = asked.into();
    let script = "ulimit -Sn; ulimit -Hn; ulimit -Su; \
                  (sleep 5 & sleep 5 & sleep 5 & sleep 5 & sleep 5 &) 2>&1; true";
    let found = output(&rig, host, script).await;
    assert!(found.starts_with("10\n20\n50\n"), "{found}");
    assert!(found.contains("fork"), "the fifth cannot be: {found}");

    for (host, words) in [
        (
            json!({"Ulimits": [{"Name": "files", "Soft": 1, "Hard": 1}]}),
            "unknown limit \"files\"",
        ),
        (
            json!({"Ulimits": [{"Name": "nofile", "Soft": 2, "Hard": 1}]}),
            "above its hard limit",
        ),
        (json!({"PidsLimit": -2}), "HostConfig.PidsLimit"),
        (
            json!({"OomScoreAdj": 1001}),
            "Invalid value 1001, range for oom score adj is [-1000, 1000]",
        ),
    ] {
        let (status, message) = refusal(&rig, host).await;
        assert!(status == 400 && message.contains(words), "{message}");
    }
    if !can_raise_limits() {
        for (host, words) in [
            (
                json!({"Ulimits": [{"Name": "nofile", "Soft": 1, "Hard": -1}]}),
                "HostConfig.Ulimits: this machine cannot give nofile a hard limit of -1",
            ),
            (
                json!({"OomScoreAdj": -500}),
                "HostConfig.OomScoreAdj: this machine cannot give -500",
            ),
        ] {
            let (status, message) = refusal(&rig, host).await;
            assert!(status == 400 && message.contains(words), "{message}");
        }
    }
    let script = "cat /proc/self/oom_score_adj";
    assert_eq!(
        output(&rig, json!({"OomScoreAdj": 500}), script).await,
        "500"
    );
    rig.end().await;
}

fn rlimit(name: &str) -> String {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth_back(1).unwrap().to_owned()
}

#[tokio::test]
async fn shared_memory_and_settings_of_the_kernel_are_the_containers_own() {
    let rig = Rig::new().await;
    let before = std::fs::read_to_string("/proc/sys/kernel/shmmax").unwrap();
    let host = json!({"ShmSize": 8 * MIB, "Sysctls": {
        "kernel.shmmax": "1234567", "fs.mqueue.msg_max": "20", "net.ipv4.ip_forward": "1",
        "net/ipv4/ip_default_ttl": "77"
    }});
    let script = "grep /dev/shm /proc/mounts; cd /proc/sys; cat kernel/shmmax \
                  fs/mqueue/msg_max net/ipv4/ip_forward net/ipv4/ip_default_ttl";
    let found = output(&rig, host, script).await;
    assert!(found.contains("size=8192k"), "{found}");
    assert!(found.ends_with("1234567\n20\n1\n77"), "{found}");
    assert_eq!(
        std::fs::read_to_string("/proc/sys/kernel/shmmax").unwrap(),
        before
    );
    for host in [
        json!({"Sysctls": {"kernel.panic": "1"}}),
        json!({"Sysctls": {"net.ipv4.ip_forward": "1"}, "NetworkMode": "host"}),
        json!({"Sysctls": {"kernel.shmmax": "1"}, "IpcMode": "host"}),
        json!({"Sysctls": {"net/../../kernel/panic": "1"}}),
    ] {
        let (status, message) = refusal(&rig, host).await;
        assert!(
            status == 400 && message.contains("is not allowed"),
            "{message}"
        );
    }
    rig.end().await;
}
