//! Limits are set in the kernel, counted, and shown.

use docker_free_tests::{Engine, need};

#[test]
fn limits_are_what_the_kernel_holds() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&[
        "run",
        "-d",
        "--name",
        "small",
        "--memory",
        "64m",
        "--cpus",
        "0.5",
        "--pids-limit",
        "20",
        "busybox",
        "sleep",
        "1000",
    ]);

    let inspect = engine.inspect("small");
    assert_eq!(inspect["HostConfig"]["Memory"], 64 * 1024 * 1024);
    assert_eq!(inspect["HostConfig"]["NanoCpus"], 500_000_000);
    assert_eq!(inspect["HostConfig"]["PidsLimit"], 20);
    let stats = engine
        .wire()
        .get("/containers/small/stats?stream=false&one-shot=true")
        .expect(200)
        .json();
    assert_eq!(stats["memory_stats"]["limit"], 64 * 1024 * 1024);
    assert_eq!(stats["pids_stats"]["limit"], 20);

    let forks = "for i in $(seq 40); do sleep 5 & done; wait";
    let bomb = engine.docker(&[
        "run",
        "--rm",
        "--pids-limit",
        "20",
        "busybox",
        "sh",
        "-c",
        forks,
    ]);
    assert!(bomb.err.contains("fork"), "{}", bomb.err);
}

#[test]
fn two_samples_make_a_percentage() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("busy", "while true; do :; done");

    let stats = engine
        .wire()
        .get("/containers/busy/stats?stream=false")
        .expect(200)
        .json();

    let number = |stats: &serde_json::Value, path: &str| {
        stats.pointer(path).and_then(serde_json::Value::as_u64)
    };
    let now = number(&stats, "/cpu_stats/cpu_usage/total_usage").expect("a total");
    let then = number(&stats, "/precpu_stats/cpu_usage/total_usage").expect("an earlier total");
    assert!(now > then && then > 0, "{stats}");
    assert!(
        number(&stats, "/cpu_stats/system_cpu_usage")
            > number(&stats, "/precpu_stats/system_cpu_usage")
    );
    assert!(number(&stats, "/cpu_stats/online_cpus") > Some(0));
    assert!(number(&stats, "/memory_stats/usage") > Some(0));
}
