//! Renaming, restarting, listing, looking in, and being told plainly when something is not there.

use docker_free_tests::{Engine, need};
use serde_json::{Value, json};

#[test]
fn a_container_is_renamed_restarted_and_looked_into() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let id = engine.ok(&["run", "-d", "--name", "old", "busybox", "sleep", "1000"]);
    let first_pid = engine.inspect("old")["State"]["Pid"].clone();

    engine.ok(&["rename", "old", "new"]);
    engine.wire().get("/containers/old/json").expect(404);
    engine.ok(&["restart", "-t", "0", "new"]);

    let inspect = engine.inspect("new");
    assert_eq!(inspect["Id"], id);
    assert_eq!(inspect["Name"], "/new");
    assert_eq!(inspect["State"]["Running"], true);
    assert_ne!(inspect["State"]["Pid"], first_pid);
    let top = engine.ok(&["top", "new"]);
    assert!(
        top.starts_with("UID") && top.contains("sleep 1000"),
        "{top}"
    );
    let by_columns = engine.ok(&["top", "new", "-o", "pid,comm"]);
    assert!(by_columns.starts_with("PID"), "{by_columns}");
    // Any unambiguous beginning of the id is the container.
    assert_eq!(engine.inspect(&id[..6])["Id"], id);
}

#[test]
fn lists_are_filtered_as_docker_filters() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    engine.ok(&[
        "run",
        "-d",
        "--name",
        "web-1",
        "--label",
        "app=shop",
        "--label",
        "tier=front",
        "busybox",
        "sleep",
        "1000",
    ]);
    engine.ok(&[
        "run", "-d", "--name", "web-2", "--label", "app=shop", "busybox", "sleep", "1000",
    ]);
    engine
        .docker(&["run", "--name", "job", "busybox", "sh", "-c", "exit 3"])
        .expect(3);
    engine.ok(&["create", "--name", "waiting", "busybox"]);

    let names = |filters: &[&str]| {
        let mut arguments = vec!["ps", "-a", "--format", "{{.Names}}"];
        for filter in filters {
            arguments.extend(["--filter", *filter]);
        }
        let mut names: Vec<String> = engine.ok(&arguments).lines().map(str::to_owned).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names(&[]), "job waiting web-1 web-2");
    assert_eq!(names(&["name=web"]), "web-1 web-2");
    assert_eq!(names(&["name=^/?web-1$"]), "web-1");
    assert_eq!(names(&["label=app=shop"]), "web-1 web-2");
    assert_eq!(names(&["label=app=shop", "label=tier"]), "web-1");
    assert_eq!(
        names(&["status=running", "status=created"]),
        "waiting web-1 web-2"
    );
    assert_eq!(names(&["exited=3"]), "job");
    assert_eq!(names(&["ancestor=busybox", "status=exited"]), "job");
    assert_eq!(names(&["before=web-2"]), "web-1");
    assert_eq!(names(&["since=web-2"]), "job waiting");
    let unknown = engine.docker(&["ps", "--filter", "colour=red"]).expect(1);
    assert!(
        unknown.err.contains("invalid filter 'colour'"),
        "{}",
        unknown.err
    );
    // The older way of writing filters means the same.
    let older = engine
        .wire()
        .get("/containers/json?filters=%7B%22label%22%3A%7B%22tier%22%3Atrue%7D%7D");
    assert_eq!(older.expect(200).json().as_array().map(Vec::len), Some(1));
    let limited = engine
        .wire()
        .get("/containers/json?limit=1")
        .expect(200)
        .json();
    assert_eq!(limited[0]["Names"], json!(["/waiting"]));
}

#[test]
fn a_name_belongs_to_one_container() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let id = engine.create("shop", &json!({ "Image": "busybox" }));
    let before = engine.count();

    let taken = engine
        .docker(&["create", "--name", "shop", "busybox"])
        .expect(1);
    assert!(
        taken.err.contains("is already in use by container"),
        "{}",
        taken.err
    );
    assert!(taken.err.contains(&id), "{}", taken.err);
    let answer = engine.wire().post(
        "/containers/create?name=shop",
        &json!({ "Image": "busybox" }),
    );
    assert_eq!(answer.status, 409);
    let odd = engine
        .wire()
        .post(
            "/containers/create?name=a%2Fb",
            &json!({ "Image": "busybox" }),
        )
        .expect(400);
    assert!(odd.message().contains("a/b"), "{}", odd.message());
    before.holds_again(&engine);

    engine.create("other", &json!({ "Image": "busybox" }));
    engine
        .wire()
        .post("/containers/other/rename?name=shop", &Value::Null)
        .expect(409);
    engine.wire().delete("/containers/shop").expect(204);
    engine
        .wire()
        .post("/containers/other/rename?name=shop", &Value::Null)
        .expect(204);
}

#[test]
fn what_is_not_there_is_named_in_the_answer() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let wire = engine.wire();

    for path in [
        "/containers/ghost/json",
        "/containers/ghost/logs?stdout=1",
        "/containers/ghost/top",
        "/containers/ghost/stats",
    ] {
        assert_eq!(
            wire.get(path).expect(404).message(),
            "No such container: ghost",
            "{path}"
        );
    }
    for verb in [
        "start",
        "stop",
        "kill",
        "restart",
        "wait",
        "rename?name=x",
        "attach?stdout=1&stream=1",
        "resize?h=1&w=1",
    ] {
        let answer = wire
            .post(&format!("/containers/ghost/{verb}"), &Value::Null)
            .expect(404);
        assert_eq!(answer.message(), "No such container: ghost", "{verb}");
    }
    wire.delete("/containers/ghost").expect(404);
    let image = wire
        .post("/containers/create", &json!({ "Image": "ghost" }))
        .expect(404);
    assert_eq!(image.message(), "No such image: ghost:latest");
    assert!(
        wire.get("/images/ghost/json")
            .expect(404)
            .message()
            .starts_with("No such image: ghost")
    );
    assert!(
        wire.get("/exec/ghost/json")
            .expect(404)
            .message()
            .contains("ghost")
    );
    assert_eq!(
        wire.get("/no/such/page").expect(404).message(),
        "page not found"
    );
}

#[test]
fn a_running_container_is_removed_by_force_only() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let before = engine.count();
    engine.ok(&["run", "-d", "--name", "shop", "busybox", "sleep", "1000"]);

    let refused = engine.wire().delete("/containers/shop").expect(409);
    assert!(
        refused.message().contains("running"),
        "{}",
        refused.message()
    );
    assert_eq!(engine.inspect("shop")["State"]["Running"], true);
    engine.ok(&["rm", "-f", "shop"]);

    before.holds_again(&engine);
}

#[test]
fn settings_reach_the_process() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let run = |arguments: &[&str]| {
        let mut all = vec!["run", "--rm"];
        all.extend(arguments);
        engine.ok(&all)
    };

    assert_eq!(
        run(&["-e", "A=b c", "busybox", "sh", "-c", "echo \"$A\""]),
        "b c"
    );
    assert_eq!(run(&["-w", "/tmp", "busybox", "pwd"]), "/tmp");
    assert_eq!(
        run(&["-w", "/made/for/it", "busybox", "pwd"]),
        "/made/for/it"
    );
    assert_eq!(
        run(&["-u", "ann", "busybox", "id"]),
        "uid=1000(ann) gid=1000(ann) groups=1000(ann),2000(books)"
    );
    assert_eq!(
        run(&["-u", "1234:99", "busybox", "id"]),
        "uid=1234 gid=99 groups=99"
    );
    assert_eq!(run(&["-h", "shop", "busybox", "hostname"]), "shop");
    assert_eq!(run(&["--entrypoint", "echo", "busybox", "a", "b"]), "a b");
    assert_eq!(
        run(&["busybox", "sh", "-c", "echo $HOME $HOSTNAME $PATH"])
            .split(' ')
            .next(),
        Some("/root")
    );
    let read_only = engine
        .docker(&["run", "--rm", "--read-only", "busybox", "touch", "/x"])
        .expect(1);
    assert!(
        read_only.err.contains("Read-only file system"),
        "{}",
        read_only.err
    );
    assert_eq!(run(&["busybox", "sh", "-c", "touch /x && ls /x"]), "/x");
    let cid = engine.scratch().join("cid");
    run(&["--cidfile", &cid.to_string_lossy(), "busybox", "true"]);
    assert_eq!(
        std::fs::read_to_string(cid).map(|id| id.len()).ok(),
        Some(64)
    );
}
