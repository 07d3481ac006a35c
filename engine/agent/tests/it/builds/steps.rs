//! Every instruction that changes how an image runs, and commands.

use engine_client::{ListOptions, RemoveOptions};

use super::{Context, build, built, run};
use crate::rig::Rig;

#[tokio::test]
async fn an_image_runs_as_its_dockerfile_says() {
    let rig = Rig::new().await;
    let dockerfile = r#"
FROM busybox
ARG WHO=nobody
ENV A=1 B="two words"
ENV A=3
WORKDIR /srv
WORKDIR app
LABEL tier=front
EXPOSE 80 53/udp
VOLUME /data
STOPSIGNAL SIGINT
HEALTHCHECK --interval=1m --retries=2 CMD true
SHELL ["/bin/sh", "-e", "-c"]
RUN echo "$WHO $A $B" > said; id -un >> said; pwd >> said
USER web
ENTRYPOINT ["sh", "-c"]
CMD ["cat said; id -un; echo $A-$B"]
"#;
    let query = [
        ("t", "it:one"),
        ("t", "it:two"),
        ("buildargs", r#"{"WHO":"me"}"#),
        ("labels", r#"{"from":"asked"}"#),
    ];
    let told = build(&rig, &query, Context::new(dockerfile).archive()).await;
    let id = told.id();
    assert!(
        told.text.contains("Step 1/17 : FROM busybox\n ---> "),
        "{}",
        told.text
    );
    assert!(
        told.text.contains("Step 17/17 : LABEL from=asked\n"),
        "{}",
        told.text
    );
    assert!(told.text.contains(" ---> Running in "), "{}", told.text);
    let short = &id["sha256:".len()..][..12];
    let end = format!(
        "Successfully built {short}\nSuccessfully tagged it:one\nSuccessfully tagged it:two\n"
    );
    assert!(told.text.ends_with(&end), "{}", told.text);

    assert_eq!(
        run(&rig, "it:two", None).await,
        "me 3 two words\nroot\n/srv/app\nweb\n3-two words\n"
    );
    let image = rig.client.image("it:one").await.unwrap();
    assert_eq!(image.id, id);
    let config = image.config;
    assert_eq!(config.stop_signal, "SIGINT");
    let labels = config.labels.unwrap();
    assert_eq!(
        (labels["tier"].as_str(), labels["from"].as_str()),
        ("front", "asked")
    );
    let ports: Vec<_> = config.exposed_ports.keys().map(String::as_str).collect();
    assert_eq!(ports, ["53/udp", "80/tcp"]);
    let check = config.healthcheck.unwrap();
    assert_eq!((check.interval, check.retries), (60_000_000_000, 2));
    assert_eq!(check.test.unwrap(), ["CMD-SHELL", "true"]);
    let history = rig.client.image_history("it:one").await.unwrap();
    assert!(history[0].created_by.contains("LABEL from=asked"));
    rig.end().await;
}

#[tokio::test]
async fn a_command_that_fails_is_told_with_its_code_and_its_container_stays() {
    let rig = Rig::new().await;
    let context = Context::new("FROM busybox\nRUN echo before; exit 3\n").archive();
    for (force, n_left) in [("1", 0), ("0", 1)] {
        let query = [("rm", "1"), ("forcerm", force), ("t", "it")];
        let told = build(&rig, &query, context.clone()).await;
        assert!(told.text.contains("before\n"), "{}", told.text);
        assert_eq!(
            (told.error.as_deref(), told.code),
            (
                Some("The command '/bin/sh -c echo before; exit 3' returned a non-zero code: 3"),
                Some(3)
            )
        );
        let all = ListOptions {
            all: true,
            ..ListOptions::default()
        };
        let left = rig.client.containers(&all).await.unwrap();
        assert_eq!(left.len(), n_left, "forcerm={force}");
    }
    assert!(rig.client.image("it").await.is_err());
    rig.end().await;
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let rig = Rig::new().await;
    let context = Context::new("FROM busybox\nRUN [\"/no/such\"]\n");
    let told = build(&rig, &[("forcerm", "1")], context.archive()).await;
    assert!(told.error.unwrap().contains("/no/such"));
    rig.end().await;
}

#[tokio::test]
async fn containers_of_steps_stay_when_asked_to() {
    let rig = Rig::new().await;
    let context = Context::new("FROM busybox\nRUN true\n").archive();
    let told = build(&rig, &[("rm", "0")], context).await;
    assert!(!told.text.contains("Removed"), "{}", told.text);
    let all = ListOptions {
        all: true,
        ..ListOptions::default()
    };
    let left = rig.client.containers(&all).await.unwrap();
    assert_eq!(left.len(), 1);
    let force = RemoveOptions {
        force: true,
        volumes: true,
    };
    rig.client
        .remove_container(&left[0].id, force)
        .await
        .unwrap();
    rig.end().await;
}

#[tokio::test]
async fn a_quiet_build_says_its_id_and_nothing_else() {
    let rig = Rig::new().await;
    let context = Context::new("FROM busybox\nRUN echo loud\nCMD [\"true\"]\n").archive();
    let told = build(&rig, &[("q", "1"), ("t", "it")], context).await;
    let image = rig.client.image("it").await.unwrap();
    assert_eq!(told.text, format!("{}\n", image.id));
    rig.end().await;
}

#[tokio::test]
async fn triggers_of_the_base_are_done_once_and_not_passed_on() {
    let rig = Rig::new().await;
    let base = "FROM busybox\nONBUILD RUN echo triggered > /t\nONBUILD COPY f /f\n";
    built(&rig, "base", Context::new(base)).await;
    let image = rig.client.image("base").await.unwrap();
    assert_eq!(image.config.on_build.unwrap().len(), 2);
    let context = Context::new("FROM base\nRUN echo own > /o\n").file("f", "sent\n");
    let told = built(&rig, "it", context).await;
    assert!(
        told.text.contains("# Executing 2 build triggers"),
        "{}",
        told.text
    );
    assert_eq!(
        run(&rig, "it", Some("cat /t /f /o")).await,
        "triggered\nsent\nown\n"
    );
    let image = rig.client.image("it").await.unwrap();
    assert_eq!(
        image.config.on_build.unwrap_or_default(),
        Vec::<String>::new()
    );
    rig.end().await;
}

#[tokio::test]
async fn limits_hold_in_every_step() {
    let rig = Rig::new().await;
    let read = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max \
                2>/dev/null | head -n 1; ulimit -n";
    let context = Context::new(&format!("FROM busybox\nRUN {read}\n")).archive();
    let query = [
        ("memory", "67108864"),
        ("ulimits", r#"[{"Name":"nofile","Soft":77,"Hard":77}]"#),
    ];
    let told = build(&rig, &query, context).await;
    told.id();
    assert!(told.text.contains("67108864\n77\n"), "{}", told.text);
    rig.end().await;
}

#[tokio::test]
async fn what_has_no_effect_is_refused_by_name_and_what_is_wrong_is_told_with_its_line() {
    let rig = Rig::new().await;
    let fine = "FROM busybox\n";
    for (dockerfile, query, told) in [
        (fine, ("version", "2"), "DOCKER_BUILDKIT=0"),
        (fine, ("isolation", "hyperv"), "isolation"),
        (fine, ("outputs", r#"[{"Type":"tar"}]"#), "outputs"),
        (fine, ("t", "UPPER"), "reference"),
        (fine, ("networkmode", "mine"), "mine"),
        (fine, ("target", "none"), "none"),
        (
            fine,
            ("dockerfile", "other"),
            "Cannot locate specified Dockerfile: other",
        ),
        (fine, ("platform", "what"), "platform"),
        (
            "FROM busybox\nRUNN true\n",
            ("q", "0"),
            "line 2: unknown instruction: RUNN",
        ),
        ("", ("q", "0"), "no instructions"),
        (
            "FROM busybox\nRUN --network=host true\n",
            ("q", "0"),
            "--network=host",
        ),
    ] {
        let dockerfile = dockerfile.to_owned()
            + if query.0 == "networkmode" {
                "RUN true\n"
            } else {
                ""
            };
        let context = Context::new(&dockerfile).archive();
        let error = build(&rig, &[query, ("forcerm", "1")], context).await.error;
        let error = error.unwrap_or_else(|| panic!("{query:?} was taken"));
        assert!(error.contains(told), "{query:?}: {error}");
    }
    rig.end().await;
}

#[tokio::test]
async fn the_clients_ignore_file_dockerfile_and_name_are_found() {
    let rig = Rig::new().await;
    let context = Context::new("FROM none\n")
        .file(
            "sub/other",
            "FROM busybox\nCOPY . /all\nRUN cd /all && find . -type f | sort\n",
        )
        .file(".dockerignore", "*.tmp\n!keep.tmp\nDockerfile\nout\n")
        .file("a", "")
        .file("b.tmp", "")
        .file("keep.tmp", "")
        .file("out/c", "");
    let told = build(&rig, &[("dockerfile", "sub/other")], context.archive()).await;
    told.id();
    let listed = "./.dockerignore\n./a\n./keep.tmp\n./sub/other\n";
    assert!(told.text.contains(listed), "{}", told.text);
    rig.end().await;
}

#[tokio::test]
async fn a_dockerfile_alone_is_a_context() {
    let rig = Rig::new().await;
    let text = "FROM busybox\nRUN echo alone\n";
    let told = build(&rig, &[], text.into()).await;
    told.id();
    assert!(told.text.contains("alone\n"), "{}", told.text);
    rig.end().await;
}
