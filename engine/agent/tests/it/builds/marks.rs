//! What our own server is told of a build: which step each line belongs to, how each stands.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use bytes::Bytes;
use engine_api::builds::{BuildLine, StepState};
use engine_client::BuildOptions;
use futures_util::stream;

use super::{Context, run};
use crate::rig::Rig;

/// Builds a Dockerfile that is given beside the context; returns every line.
async fn build(rig: &Rig, dockerfile: &str, context: Option<Bytes>) -> Vec<BuildLine> {
    let options = BuildOptions {
        query: vec![("t", "marked".to_owned())],
        dockerfile: Some(dockerfile.to_owned()),
        auths: None,
    };
    let context = stream::iter(context.map(Ok));
    let mut lines = rig.client.build_in_steps(options, context).await.unwrap();
    let mut all = Vec::new();
    while let Some(line) = lines.next().await.unwrap() {
        all.push(line);
    }
    all
}

/// How each step ended, in the order of their numbers.
fn ends(lines: &[BuildLine]) -> Vec<(usize, StepState)> {
    let marks = lines.iter().filter_map(|line| line.gantry.as_ref());
    let ends = marks.filter(|mark| mark.took_ms.is_some());
    let mut ends: Vec<_> = ends
        .filter_map(|mark| Some((mark.step?, mark.state?)))
        .collect();
    ends.sort_by_key(|(step, _)| *step);
    ends
}

/// What is said in a step.
fn said(lines: &[BuildLine], step: usize) -> String {
    let of_step = lines.iter().filter(|line| {
        line.gantry
            .as_ref()
            .is_some_and(|mark| mark.step == Some(step))
    });
    of_step.filter_map(|line| line.stream.as_deref()).collect()
}

#[tokio::test]
async fn steps_are_named_first_and_each_says_its_own_and_how_it_ended() {
    use StepState::{Cached, Done};
    let rig = Rig::new().await;
    let dockerfile = "FROM busybox\n\nRUN echo one; echo uno >&2\nCMD [\"true\"]\n";

    let first = build(&rig, dockerfile, None).await;
    let again = build(&rig, dockerfile, None).await;

    let steps = &first[0].gantry.as_ref().unwrap().steps;
    let steps: Vec<_> = steps
        .iter()
        .map(|step| (step.number, step.line, step.stage.as_str()))
        .collect();
    assert_eq!(steps, [(1, 1, "0"), (2, 3, "0"), (3, 4, "0")]);
    let text = said(&first, 2);
    assert!(text.contains("one\n") && text.contains("uno\n"), "{text:?}");
    assert_eq!(text.len(), 8, "{text:?}");
    assert_eq!(ends(&first), [(1, Done), (2, Done), (3, Done)]);
    assert_eq!(ends(&again), [(1, Done), (2, Cached), (3, Cached)]);
    assert_eq!(said(&again, 2), "");
    assert!(again.iter().any(|line| line.aux.is_some()));
    rig.end().await;
}

#[tokio::test]
async fn a_step_that_fails_is_the_one_that_is_marked() {
    let rig = Rig::new().await;

    let lines = build(
        &rig,
        "FROM busybox\nRUN true\nRUN exit 7\nRUN false\n",
        None,
    )
    .await;

    let ends = ends(&lines);
    assert_eq!(ends.last(), Some(&(3, StepState::Failed)), "{ends:?}");
    let last = lines.last().unwrap().error_detail.clone().unwrap();
    assert_eq!(last.code, Some(7));
    rig.end().await;
}

#[tokio::test]
async fn stages_side_by_side_are_told_as_they_speak() {
    let rig = Rig::new().await;
    // Each waits until the other has spoken, in a cache that both see.
    let mount = "--mount=type=cache,target=/c,id=side-by-side";
    let side = |own: &str, other: &str| {
        format!(
            "RUN {mount} echo {own}; : > /c/{own}; n=0; \\\n \
             while [ ! -e /c/{other} ] && [ $n -lt 600 ]; do sleep 0.1; n=$((n+1)); done; \\\n \
             [ -e /c/{other} ]\n"
        )
    };
    let dockerfile = format!(
        "FROM busybox AS left\n{}FROM busybox AS right\n{}FROM busybox\n\
         COPY --from=left /etc/group /l\nCOPY --from=right /etc/passwd /r\n",
        side("a", "b"),
        side("b", "a"),
    );

    let lines = build(&rig, &dockerfile, None).await;

    assert!(lines.iter().any(|line| line.aux.is_some()), "{lines:?}");
    assert_eq!(said(&lines, 2), "a\n");
    assert_eq!(said(&lines, 4), "b\n");
    rig.end().await;
}

#[tokio::test]
async fn a_dockerfile_beside_the_context_is_no_file_of_it() {
    let rig = Rig::new().await;
    let own = "FROM scratch\n";
    let context = Context::new(own).file("a", "from the context");
    let dockerfile = "FROM busybox\nCOPY . /all\nCMD cat /all/a; ls /all; cat /all/Dockerfile\n";

    let lines = build(&rig, dockerfile, Some(context.archive())).await;

    assert!(lines.iter().any(|line| line.aux.is_some()), "{lines:?}");
    let said = run(&rig, "marked", None).await;
    assert_eq!(said, format!("from the contextDockerfile\na\n{own}"));
    rig.end().await;
}

/// Sends a body with a header that nobody checks; returns the answer.
fn raw(rig: &Rig, dockerfile_bytes: &str, body: &str) -> String {
    let mut stream = UnixStream::connect(rig.path("s")).unwrap();
    let n_bytes = body.len();
    write!(
        stream,
        "POST /build HTTP/1.1\r\nHost: e\r\nConnection: close\r\nContent-Length: {n_bytes}\r\n\
         X-Gantry-Dockerfile-Bytes: {dockerfile_bytes}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test]
async fn a_dockerfile_that_breaks_off_or_has_no_end_is_refused() {
    let rig = Rig::new().await;
    let answers = [
        ("10", "broke off"),
        ("9999999999", "longer"),
        ("ten", "no number"),
    ];
    for (bytes, wanted) in answers {
        let said = raw(&rig, bytes, "FROM a\n");
        assert!(
            said.starts_with("HTTP/1.1 400") && said.contains(wanted),
            "{said}"
        );
    }
    rig.end().await;
}
