//! Versions, headers and errors: what every client looks at first.

use std::io::{Read, Write};

use docker_free_tests::{Engine, need};

#[test]
fn a_ping_says_who_answers() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::start();

    let get = engine.wire().get("/_ping").expect(200);
    assert_eq!(get.text(), "OK");
    assert_eq!(get.header("api-version"), Some("1.51"));
    assert_eq!(get.header("ostype"), Some("linux"));
    assert_eq!(get.header("docker-experimental"), Some("true"));
    assert_eq!(
        get.header("cache-control"),
        Some("no-cache, no-store, must-revalidate")
    );
    assert!(
        get.header("server")
            .is_some_and(|server| server.ends_with("(linux)"))
    );
    let head = engine
        .wire()
        .send("HEAD", "/_ping", &[], &[])
        .expect("an answer")
        .expect(200);
    assert_eq!(
        (head.header("api-version"), head.body.len()),
        (Some("1.51"), 0)
    );
    let version = engine.wire().get("/version").expect(200).json();
    assert_eq!(
        (&version["ApiVersion"], &version["MinAPIVersion"]),
        (&"1.51".into(), &"1.24".into())
    );
    assert_eq!(
        (&version["Os"], &version["Arch"]),
        (&"linux".into(), &"amd64".into())
    );
}

#[test]
fn versions_outside_the_range_are_refused_in_dockers_words() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::start();
    let wire = engine.wire();

    for path in [
        "/v1.24/info",
        "/v1.38/containers/json",
        "/v1.51/images/json",
        "/info",
    ] {
        assert_eq!(wire.get(path).status, 200, "{path}");
    }
    let new = wire.get("/v1.99/info").expect(400).message();
    assert_eq!(
        new,
        "client version 1.99 is too new. Maximum supported API version is 1.51"
    );
    let old = wire.get("/v1.10/info").expect(400).message();
    assert!(
        old.starts_with("client version 1.10 is too old. Minimum supported API version is 1.24"),
        "{old}"
    );
    let error = wire.get("/v1.41/no/such/thing").expect(404);
    assert_eq!(error.header("api-version"), Some("1.51"));
    assert_eq!(error.header("content-type"), Some("application/json"));
    assert_eq!(
        wire.send("PUT", "/containers/json", &[], &[])
            .expect("an answer")
            .status
            / 100,
        4
    );
}

#[test]
fn info_describes_this_machine() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.run_script("cc", "sleep 1000");

    let info = engine.wire().get("/info").expect(200).json();

    assert_eq!(
        (&info["Containers"], &info["ContainersRunning"]),
        (&1.into(), &1.into())
    );
    assert!(
        info["NCPU"].as_u64() > Some(0) && info["MemTotal"].as_u64() > Some(0),
        "{info}"
    );
    assert_eq!(info["OSType"], "linux");
    assert_eq!(info["Swarm"]["LocalNodeState"], "inactive");
    assert!(
        ["1", "2"].contains(&info["CgroupVersion"].as_str().unwrap_or_default()),
        "{info}"
    );
    let warnings = info["Warnings"].to_string();
    if cfg!(target_arch = "x86_64") {
        assert!(warnings.contains("socketcall(AF_ALG)"), "{warnings}");
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let bounding = status.lines().find_map(|line| line.strip_prefix("CapBnd:"));
    let bounding = bounding.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    let lacks_resource = bounding.is_some_and(|set| set & (1 << 24) == 0);
    assert_eq!(
        warnings.contains("CAP_SYS_RESOURCE"),
        lacks_resource,
        "{warnings}"
    );
    assert!(engine.ok(&["info"]).contains("Containers: 1"));
    assert!(engine.ok(&["version"]).contains("1.51"));
}

#[test]
fn the_engine_is_a_late_victim_and_its_containers_are_not() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let read = |pid: &str| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/oom_score_adj"));
        text.expect("it lives").trim().to_owned()
    };
    let before = read("self");
    // Whoever may lower it may also set it for itself.
    let may = std::fs::write("/proc/self/oom_score_adj", "-500").is_ok();
    std::fs::write("/proc/self/oom_score_adj", &before).expect("raising it is always allowed");

    engine.run_script("cc", "cat /proc/self/oom_score_adj; sleep 1000");
    docker_free_tests::wait::until_true("it is read", || !engine.logs("cc").is_empty());

    let own = if may { "-500" } else { before.as_str() };
    assert_eq!(read(&engine.pid().to_string()), own);
    assert_eq!(engine.logs("cc"), "0\n");
}

#[test]
fn odd_requests_get_one_answer_and_the_engine_lives() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let pid = engine.pid();
    let deep = "[".repeat(100_000);
    let long = "x".repeat(100_000);
    let raw: Vec<Vec<u8>> = vec![
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc".to_vec(),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").into_bytes(),
        format!("GET /info HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", long.repeat(11)).into_bytes(),
        format!("POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{deep}", deep.len()).into_bytes(),
        b"POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}".to_vec(),
        b"POST /containers/create HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec(),
        b"GET /containers/..%2f..%2fetc/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET /containers/%00/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
        b"GET /containers/%ff%fe/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_vec(),
    ];

    for request in raw {
        let mut connection = engine.wire().connect().expect("the engine listens");
        // The engine may close before it has read all of it.
        let _ = connection.write_all(&request);
        let _ = connection.finish_writing();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{shown}: {answer}"
        );
    }
    assert_eq!(engine.pid(), pid);
    engine.wire().get("/_ping").expect(200);
}

#[test]
fn a_body_larger_than_any_setting_is_refused() {
    if !need::all(&["busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let json = [("Content-Type", "application/json")];
    let huge = format!("{{\"Image\":\"{}\"}}", "x".repeat(32 * 1024 * 1024));

    let answer = engine
        .wire()
        .send("POST", "/containers/create", &json, huge.as_bytes());

    // Refused by status, or cut off before all of it was sent.
    if let Ok(answer) = answer {
        assert!(matches!(answer.status, 400 | 413), "{}", answer.status);
    }
    engine.wire().get("/_ping").expect(200);
}
