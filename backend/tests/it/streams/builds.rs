//! Builds by their form: what is refused before, what goes to the engine, what is told of the steps.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, StatusCode, header};
use backend::access::{Actor, audit as audit_permission};
use backend::domain::Role;
use backend::services::audit;
use backend::services::jobs::{BuildStepState, JobFact, JobState};
use backend::store::audit::Filter;
use tokio::sync::mpsc;

use super::stage::{Stage, owner};
use crate::house::{Answer, House};

const PATH: &str = "/images/builds";
const EDGE: &str = "edge-of-a-part";

/// The body of a form, with an archive as its last part if there is one.
fn form(fields: &[(&str, &str)], archive: Option<&str>) -> String {
    let mut body = String::new();
    for (name, value) in fields {
        body += &format!(
            "--{EDGE}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        );
    }
    let (file_name, content) = match archive {
        Some(content) => ("context.tar", content),
        None => ("", ""),
    };
    body += &format!(
        "--{EDGE}\r\ncontent-disposition: form-data; name=\"context\"; \
         filename=\"{file_name}\"\r\ncontent-type: application/x-tar\r\n\r\n{content}\r\n--{EDGE}--\r\n"
    );
    body
}

async fn send(house: &House, cookie: &str, body: Body) -> Answer {
    let request = Request::builder()
        .method(Method::POST)
        .uri(PATH)
        .header(header::HOST, "gantry.test")
        .header(header::ORIGIN, "http://gantry.test")
        .header("sec-fetch-site", "same-origin")
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, cookie)
        .header(
            header::CONTENT_TYPE,
            format!("multipart/form-data; boundary={EDGE}"),
        )
        .body(body)
        .unwrap();
    house.send(request).await
}

/// The job that an answer leads to, once it is as it should be.
async fn job(house: &House, answer: &Answer, is_so: impl Fn(&JobFact) -> bool) -> JobFact {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let path = answer.headers[header::LOCATION].to_str().unwrap();
    let id = path.trim_start_matches("/jobs/").parse().unwrap();
    let find = |app: &backend::app::App| app.services.jobs().find(&id);
    house
        .wait(|app| find(app).is_some_and(|fact| is_so(&fact)))
        .await;
    find(&house.app).unwrap()
}

async fn tell(lines: &mpsc::Sender<Bytes>, line: &str) {
    lines.send(Bytes::from(format!("{line}\n"))).await.unwrap();
}

const PLAN: &str = r#"{"gantry":{"Steps":[
    {"Number":1,"Text":"FROM busybox","Line":1,"Stage":"0"},
    {"Number":2,"Text":"RUN make","Line":4,"Stage":"0"}]}}"#;

async fn noted(house: &House, actor: &Actor) -> Vec<(String, String)> {
    let permit = house.permit::<audit_permission::View>(actor, "").await;
    let entries = audit::list(&house.app.services, &permit, Filter::default(), None).await;
    let entries = entries.unwrap().into_iter();
    entries.map(|entry| (entry.action, entry.detail)).collect()
}

#[tokio::test]
async fn what_was_typed_and_chosen_goes_to_the_engine_and_its_steps_come_back() {
    let (house, stage) = Stage::house().await;
    let (cookie, ana) = owner(&house, "ana").await;
    let kept = "name=Team&address=registry.test%3A5000&user=ann&secret=quite-secret-9";
    let added = house.ask(Method::POST, "/registries", &cookie, kept).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER);
    let lines = stage.next_stream();
    let fields = [
        ("reference", "team/app:2"),
        ("dockerfile", "FROM busybox\r\n\r\n\r\nRUN make\r\n"),
        ("args", "TOKEN=of-nobody-else"),
        ("cpus", "0.5"),
        ("no_cache", "on"),
    ];

    let answer = send(&house, &cookie, form(&fields, Some("the files")).into()).await;
    tell(&lines, &PLAN.replace('\n', "")).await;
    tell(&lines, r#"{"gantry":{"Step":1,"State":"begun"}}"#).await;
    tell(
        &lines,
        r#"{"gantry":{"Step":1,"State":"cached","TookMs":3}}"#,
    )
    .await;
    tell(&lines, r#"{"gantry":{"Step":2,"State":"begun"}}"#).await;
    let said = "{\"stream\":\"<b>\\u001b[31mred\\u001b[0m</b>\\n\",\"gantry\":{\"Step\":2}}";
    tell(&lines, said).await;

    let says = |fact: &JobFact| {
        let build = fact.progress.build.as_ref();
        build.is_some_and(|build| {
            build
                .steps
                .last()
                .is_some_and(|step| !step.lines.is_empty())
        })
    };
    let fact = job(&house, &answer, says).await;
    let page = house
        .ask(Method::GET, &format!("/jobs/{}", fact.id), &cookie, "")
        .await;
    assert!(
        page.body.contains("&#60;b&#62;red&#60;/b&#62;"),
        "{}",
        page.body
    );
    assert!(!page.body.contains('\u{1b}') && page.body.contains("From the cache"));

    tell(
        &lines,
        r#"{"gantry":{"Step":2,"State":"done","TookMs":1234}}"#,
    )
    .await;
    tell(&lines, r#"{"aux":{"ID":"sha256:0123456789abcdef"}}"#).await;
    drop(lines);
    let fact = job(&house, &answer, |fact| !fact.is_running()).await;
    assert_eq!(fact.state, JobState::Done);
    let page = house
        .ask(Method::GET, &format!("/jobs/{}", fact.id), &cookie, "")
        .await;
    assert!(
        page.body.contains("1.3 s") && page.body.contains("0123456789ab"),
        "{}",
        page.body
    );
    assert!(
        page.body.contains("/containers/new?image=team%2Fapp:2"),
        "{}",
        page.body
    );
    went(&house, &ana, &stage).await;
}

/// What the engine was asked, and what the audit says of it.
async fn went(house: &House, ana: &Actor, stage: &Stage) {
    let (query, headers, body) = stage.with(|play| play.builds.remove(0));
    assert_eq!(body, "FROM busybox\n\n\nRUN make\nthe files");
    assert_eq!(headers["x-gantry-dockerfile-bytes"], "24");
    for part in ["t=team%2Fapp%3A2", "nocache=1", "cpuquota=50000"] {
        assert!(
            query.contains(part) || query.contains(&part.replace("%3A", ":")),
            "{query}"
        );
    }
    assert!(headers.contains_key("x-registry-config"));
    let entries = noted(house, ana).await;
    let (_, detail) = entries
        .iter()
        .find(|(action, _)| action == "image.build")
        .unwrap();
    assert!(
        detail.contains("team/app:2") && detail.contains("TOKEN"),
        "{detail}"
    );
    assert!(!detail.contains("of-nobody-else"), "{detail}");
}

#[tokio::test]
async fn a_step_that_fails_is_told_with_its_line_and_its_code() {
    let (house, stage) = Stage::house().await;
    let (cookie, _) = owner(&house, "ana").await;
    let lines = stage.next_stream();
    let fields = [("dockerfile", "FROM busybox")];

    let answer = send(&house, &cookie, form(&fields, None).into()).await;
    tell(&lines, &PLAN.replace('\n', "")).await;
    tell(&lines, r#"{"gantry":{"Step":1,"State":"begun"}}"#).await;
    tell(
        &lines,
        r#"{"gantry":{"Step":2,"State":"failed","TookMs":9}}"#,
    )
    .await;
    tell(
        &lines,
        r#"{"errorDetail":{"code":7,"message":"make ended"},"error":"make ended"}"#,
    )
    .await;

    let fact = job(&house, &answer, |fact| !fact.is_running()).await;
    let build = fact.progress.build.as_ref().unwrap();
    let states: Vec<_> = build.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [BuildStepState::Stopped, BuildStepState::Failed]);
    let page = house
        .ask(Method::GET, &format!("/jobs/{}", fact.id), &cookie, "")
        .await;
    let said = "Step 2, line 4 of the Dockerfile, ended with exit code 7. make ended";
    assert!(page.body.contains(said), "{}", page.body);
}

#[tokio::test]
async fn what_cannot_be_built_comes_back_as_it_was_typed_and_marked() {
    let (house, stage) = Stage::house().await;
    let (cookie, _) = owner(&house, "ana").await;
    let typo = [
        ("reference", "my-app"),
        ("dockerfile", "FROM a\r\nRUNN b"),
        ("labels", "a=b"),
    ];
    for archive in [None, Some("files")] {
        let answer = send(&house, &cookie, form(&typo, archive).into()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        for part in [
            "data-lines=\"2\"",
            "Line 2, column 1",
            "unknown instruction: RUNN",
            "Did you mean RUN?",
            "my-app",
            "RUNN b",
            "a=b",
        ] {
            assert!(answer.body.contains(part), "{part}: {}", answer.body);
        }
    }
    for (fields, archive, id) in [
        (vec![("reference", "a")], None, "dockerfile-error"),
        (vec![("remote", "file:///etc")], None, "remote-error"),
        (
            vec![("remote", "http://h/a.tar")],
            Some("files"),
            "remote-error",
        ),
        (
            vec![("args", "novalue"), ("dockerfile", "FROM a")],
            None,
            "args-error",
        ),
    ] {
        let answer = send(&house, &cookie, form(&fields, archive).into()).await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{fields:?}"
        );
        assert!(answer.body.contains(id), "{fields:?}: {}", answer.body);
    }
    assert_eq!(stage.with(|play| play.builds.len()), 0);
    let jobs = house.ask(Method::GET, "/jobs", &cookie, "").await;
    assert!(!jobs.body.contains("job-panel"), "{}", jobs.body);
}

#[tokio::test]
async fn what_is_typed_is_looked_at_and_said_as_a_command() {
    let (house, _stage) = Stage::house().await;
    let (cookie, _) = owner(&house, "ana").await;
    let post = async |path: &str, body: &str| {
        let answer = house.ask(Method::POST, path, &cookie, body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body
    };

    let check = "/images/builds/new/check";
    let faults = post(check, "dockerfile=FROM+a%0ARUNN+b&memory=nonsense").await;
    assert!(
        faults.contains("data-line=\"2\" data-column=\"1\""),
        "{faults}"
    );
    let fine = post(check, "dockerfile=FROM+a").await;
    assert!(fine.contains("faults__fine"), "{fine}");
    let empty = post(check, "dockerfile=+%0A").await;
    assert!(!empty.contains("faults__fine"), "{empty}");

    let command = "/images/builds/new/command";
    let body = "reference=app&dockerfile=FROM+a&files=";
    let line = post(command, body).await;
    assert!(
        line.ends_with("docker build --tag app:latest --force-rm - < Dockerfile"),
        "{line}"
    );
    let call = post(&format!("{command}?as=call"), &format!("{body}on")).await;
    assert!(
        call.contains("t=app:latest") && call.contains("@context.tar"),
        "{call}"
    );
}

#[tokio::test]
async fn a_browser_that_goes_and_a_job_that_is_cancelled_end_the_build() {
    let (house, stage) = Stage::house().await;
    let (cookie, _) = owner(&house, "ana").await;
    // The first half of a form, and then nothing more.
    let whole = form(&[("dockerfile", "FROM a")], Some("half of the files"));
    let half = whole.split("of the files").next().unwrap().to_owned();
    let (pieces, body) = mpsc::channel::<std::io::Result<Bytes>>(1);
    pieces.send(Ok(half.into())).await.unwrap();
    let begun = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(body));
    let sending = send(&house, &cookie, begun);
    let goes = async {
        house.wait(|app| app.services.jobs().n_running() == 1).await;
        drop(pieces);
    };
    let (answer, ()) = tokio::join!(sending, goes);
    assert!(answer.status.is_client_error(), "{}", answer.status);
    house.wait(|app| app.services.jobs().n_running() == 0).await;
    assert_eq!(stage.with(|play| play.builds.len()), 0);

    let answer = send(
        &house,
        &cookie,
        form(&[("dockerfile", "FROM a")], None).into(),
    )
    .await;
    stage.wait_open(1).await;
    let fact = job(&house, &answer, JobFact::is_running).await;
    let path = format!("/jobs/{}/cancel", fact.id);
    let cancelled = house.ask(Method::POST, &path, &cookie, "").await;
    assert_eq!(cancelled.status, StatusCode::SEE_OTHER);
    stage.wait_open(0).await;
    let fact = job(&house, &answer, |fact| !fact.is_running()).await;
    assert!(
        matches!(fact.state, JobState::Cancelled { .. }),
        "{:?}",
        fact.state
    );
}

#[tokio::test]
async fn what_a_build_said_last_is_announced_though_nothing_follows() {
    let (house, stage) = Stage::house().await;
    let (cookie, _) = owner(&house, "ana").await;
    let lines = stage.next_stream();
    let address = super::sockets::serve(&house).await;
    let live = frontend::paths::LivePage.to_string();
    let mut socket = super::sockets::open(address, &live, &cookie).await;

    let answer = send(
        &house,
        &cookie,
        form(&[("dockerfile", "FROM a")], None).into(),
    )
    .await;
    let fact = job(&house, &answer, JobFact::is_running).await;
    super::page::look_at(
        &mut socket,
        &["jobs".to_owned(), format!("job:{}", fact.id)],
    )
    .await;
    tell(&lines, &PLAN.replace('\n', "")).await;
    for n in 0..20 {
        let said = format!("{{\"stream\":\"line {n} said\\n\",\"gantry\":{{\"Step\":2}}}}");
        tell(&lines, &said).await;
    }

    let panel = format!("job-panel-{}", fact.id);
    let has_last = |message: &frontend::live::ToPage| {
        matches!(message, frontend::live::ToPage::Replace { id, html }
            if *id == panel && html.contains("line 19 said"))
    };
    let found = super::page::until(&mut socket, has_last);
    let found = tokio::time::timeout(Duration::from_secs(10), found).await;
    assert!(found.is_ok(), "the last line was never told");
}

#[tokio::test]
async fn what_a_build_prints_is_for_who_reads_logs_and_for_the_tab_of_its_job() {
    use frontend::live::ToPage;
    let (house, stage) = Stage::house().await;
    let (cookie, _) = owner(&house, "ana").await;
    let (vics, _) = house.person("vic", Role::Viewer).await;
    let lines = stage.next_stream();
    let fields = form(&[("dockerfile", "FROM a")], None);
    let answer = send(&house, &cookie, fields.into()).await;
    tell(&lines, &PLAN.replace('\n', "")).await;
    tell(&lines, r#"{"stream":"outside of steps: word-of-ana\n"}"#).await;
    let said = r#"{"stream":"token: word-of-ana\n","gantry":{"Step":2}}"#;
    tell(&lines, said).await;
    let says = |fact: &JobFact| {
        let build = fact.progress.build.as_ref();
        build.is_some_and(|build| build.steps[1].lines.len() == 1)
    };
    let fact = job(&house, &answer, says).await;

    let path = format!("/jobs/{}", fact.id);
    let page = house.ask(Method::GET, &path, &cookie, "").await;
    assert!(page.body.contains("token: word-of-ana"), "{}", page.body);
    let page = house.ask(Method::GET, &path, &vics, "").await;
    assert!(page.body.contains("RUN make"), "{}", page.body);
    assert!(page.body.contains("does not hold container.logs"));
    assert!(!page.body.contains("word-of-ana"), "{}", page.body);

    let address = super::sockets::serve(&house).await;
    let live = frontend::paths::LivePage.to_string();
    let panel = format!("job-panel-{}", fact.id);
    let is_panel = |message: &ToPage| matches!(message, ToPage::Replace { id, .. } if *id == panel);
    let mut vic = super::sockets::open(address, &live, &vics).await;
    let topics = ["jobs".to_owned(), format!("job:{}", fact.id)];
    super::page::look_at(&mut vic, &topics).await;
    let ToPage::Replace { html, .. } = super::page::until(&mut vic, is_panel).await else {
        unreachable!()
    };
    assert!(
        html.contains("RUN make") && !html.contains("word-of-ana"),
        "{html}"
    );

    // A tab of another page is told that the build has ended, and nothing that it printed.
    let mut other = super::sockets::open(address, &live, &cookie).await;
    super::page::look_at(&mut other, &["jobs".to_owned()]).await;
    let is_tray = |message: &ToPage, words: &str| {
        assert!(!is_panel(message), "{message:?}");
        matches!(message, ToPage::Replace { id, html } if id == "jobs" && html.contains(words))
    };
    super::page::until(&mut other, |message| is_tray(message, "Running")).await;
    tell(&lines, r#"{"aux":{"ID":"sha256:0123456789abcdef"}}"#).await;
    drop(lines);
    super::page::until(&mut other, |message| is_tray(message, "Done")).await;
}
