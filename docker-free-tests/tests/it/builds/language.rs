//! The language from end to end: what a Dockerfile says is how its containers are.

use docker_free_tests::{Engine, need};

use super::{Project, config, said};

/// A small shop: made in one stage, tested in another, put together in a third.
const SHOP: &str = r#"# syntax=docker/dockerfile:1
ARG BASE=busybox
FROM ${BASE} AS make
ARG VERSION=1
WORKDIR /make
COPY src/ .
# What is made says which version it is.
RUN mkdir out \
    # and nobody sees this
    && cat greeting > out/shop \

    && echo "echo version ${VERSION}" >> out/shop

FROM make AS test
RUN sh out/shop | grep -q "^version" && echo passed > /result

FROM ${BASE} AS unused
RUN exit 42

FROM ${BASE}
ENV SHOP=/opt/shop \
    GREETING="good day"
LABEL org.example.shop="the \"${SHOP}\" shop"
COPY --from=make --chown=1000:50 --chmod=0750 /make/out/shop ${SHOP}/bin/
COPY --from=1 /result ${SHOP}/
COPY <<-EOF <<'RAW' ${SHOP}/etc/
	greets ${GREETING}, ${NOBODY:-nobody}
EOF
keeps ${GREETING}
RAW
ADD packed.tar.gz /srv/
VOLUME ${SHOP}/data
EXPOSE 8080-8081 53/udp
USER 1000:50
WORKDIR ${SHOP}/bin
STOPSIGNAL INT
HEALTHCHECK --interval=7s --timeout=2s --retries=4 CMD ["true"]
ENTRYPOINT ["/bin/sh"]
CMD ["shop"]
"#;

fn shop() -> Project {
    let project = Project::new(SHOP);
    project.file("src/greeting", "echo \"$GREETING\"\n");
    project.file("packed/inside", "unpacked\n");
    let tar = std::process::Command::new("tar")
        .args(["-czf", "packed.tar.gz", "packed"])
        .current_dir(project.dir())
        .status();
    assert!(tar.expect("tar runs").success());
    project
}

#[test]
fn an_application_is_built_in_stages_and_runs_as_its_dockerfile_says() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = shop();

    let told = project.built(&engine, &["-t", "shop", "--build-arg", "VERSION=7"]);

    assert!(told.contains("Step 1/23 : ARG BASE=busybox"), "{told}");
    assert!(told.contains("Successfully tagged shop:latest"), "{told}");
    assert!(!told.contains("exit 42"), "nobody needs that stage: {told}");
    assert_eq!(engine.ok(&["run", "--rm", "shop"]), "good day\nversion 7");
    let script = "stat -c '%u:%g %a' shop; cat ../result; id -u; pwd; cat ../etc/EOF ../etc/RAW; \
                  cat /srv/packed/inside; test -e /make || echo clean";
    assert_eq!(
        said(&engine, "shop", script),
        "1000:50 750\npassed\n1000\n/opt/shop/bin\ngreets good day, nobody\nkeeps ${GREETING}\n\
         unpacked\nclean"
    );
    let inspected = config(
        &engine,
        "shop",
        "{{.Config.User}} {{.Config.StopSignal}} {{json .Config.ExposedPorts}} \
         {{json .Config.Volumes}} {{index .Config.Labels \"org.example.shop\"}} \
         {{json .Config.Healthcheck.Test}} {{.Config.Healthcheck.Retries}}",
    );
    assert_eq!(
        inspected,
        "1000:50 INT {\"53/udp\":{},\"8080/tcp\":{},\"8081/tcp\":{}} {\"/opt/shop/data\":{}} \
         the \"/opt/shop\" shop [\"CMD\",\"true\"] 4"
    );
}

#[test]
fn a_target_ends_the_build_where_it_says() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = shop();

    let told = project.built(&engine, &["--target", "make", "-t", "made"]);

    assert!(!told.contains("grep -q"), "{told}");
    let script = "sh /make/out/shop | tail -1";
    assert_eq!(said(&engine, "made", script), "version 1");
    let wrong = project.build(&engine, &["--target", "maek"]).expect(1);
    let words = "\"maek\" could not be found (did you mean make?)";
    assert!(wrong.err.contains(words), "{}", wrong.err);
}

#[test]
fn arguments_count_where_they_are_declared_and_are_not_left_behind() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = Project::new(
        "ARG OUTER=outer\nFROM busybox\nRUN echo \"[$OUTER][$GIVEN][$TARGETOS]\" > /before\n\
         ARG OUTER GIVEN=own TARGETOS\nRUN echo \"[$OUTER][$GIVEN][$TARGETOS]\" > /after\n\
         ENV GIVEN=env\nRUN echo \"$GIVEN\" >> /after; echo \"$HTTP_PROXY\" > /proxy\n",
    );

    let given = ["--build-arg", "GIVEN=given", "--build-arg", "NOBODY=x"];
    let proxy = ["--build-arg", "HTTP_PROXY=http://not-in-the-history:1"];
    let told = project.built(&engine, &[&["-t", "args"], &given[..], &proxy].concat());

    let warning = "One or more build-args [NOBODY] were not consumed";
    assert!(told.contains(warning), "{told}");
    let script = "cat /before /after /proxy; env | grep -c -e OUTER -e PROXY";
    let lines = "[][][]\n[outer][given][linux]\nenv\nhttp://not-in-the-history:1\n0";
    assert_eq!(said(&engine, "args", &format!("{script} || true")), lines);
    let history = [
        "history",
        "--no-trunc",
        "--format",
        "{{.CreatedBy}}",
        "args",
    ];
    let history = engine.ok(&history);
    assert!(history.contains("GIVEN=given"), "{history}");
    assert!(!history.contains("not-in-the-history"), "{history}");
}

#[test]
fn commands_have_mounts_that_leave_nothing_in_the_image() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = Project::new(
        "FROM busybox AS tools\nRUN echo tool > /tool\nFROM busybox\n\
         RUN --mount=type=bind,target=/ctx --mount=type=bind,from=tools,source=/tool,target=/t \
         cat /ctx/sent /t > /seen\n\
         RUN --mount=type=tmpfs,target=/scratch echo gone > /scratch/file; \
         grep -c ' /scratch tmpfs ' /proc/mounts > /kind\n\
         RUN --mount=type=cache,target=/keep,id=counter \
         echo line >> /keep/log; wc -l < /keep/log > /count\n\
         RUN --network=none ls /sys/class/net > /nets\n",
    );
    project.file("sent", "sent\n");

    project.built(&engine, &["-t", "mounts"]);
    let script = "cat /seen /kind /count /nets; \
                  ls -d /ctx /t /scratch /keep 2>/dev/null || echo clean";
    assert_eq!(
        said(&engine, "mounts", script),
        "sent\ntool\n1\n1\nlo\nclean"
    );

    project.built(&engine, &["-t", "mounts", "--no-cache"]);
    assert_eq!(said(&engine, "mounts", "cat /count"), "2", "kept");
}

#[test]
fn triggers_wait_for_the_image_that_stands_on_theirs() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let parent = Project::new(
        "FROM busybox\nONBUILD ARG WHO=nobody\nONBUILD COPY own /own\n\
         ONBUILD RUN <<EOF\necho \"$WHO\" > /who\nEOF\n",
    );
    parent.built(&engine, &["-t", "parent"]);
    let child = Project::new("FROM parent\nRUN cat /own /who > /both\n");
    child.file("own", "mine\n");

    let told = child.built(&engine, &["-t", "child", "--build-arg", "WHO=me"]);

    assert!(told.contains("# Executing 3 build triggers"), "{told}");
    assert_eq!(said(&engine, "child", "cat /both"), "mine\nme");
    let triggers = config(&engine, "child", "{{len .Config.OnBuild}}");
    assert_eq!(triggers, "0");
}

#[test]
fn a_build_has_the_names_the_labels_and_the_file_of_its_id_that_were_asked_for() {
    if !need::all(&["docker", "busybox"]) {
        return;
    }
    let engine = Engine::with_busybox();
    let project = Project::new("FROM busybox\nLABEL a=file b=file\n");
    let iid = engine.scratch().join("iid").display().to_string();

    let names = ["-t", "one:1", "-t", "two:2", "--label", "b=asked"];
    let file = ["-q", "--iidfile", &iid];
    let told = project.built(&engine, &[&names[..], &file].concat());

    let id = engine.inspect_image("one:1");
    assert_eq!(told.trim(), id);
    let written = std::fs::read_to_string(&iid).expect("it was written");
    assert_eq!(written.trim(), id);
    assert_eq!(engine.inspect_image("two:2"), id);
    let labels = config(&engine, "one:1", "{{json .Config.Labels}}");
    assert_eq!(labels, "{\"a\":\"file\",\"b\":\"asked\"}");
}
