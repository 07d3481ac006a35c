//! Edits: in place, by making a container anew, and back; and one more like another.

use axum::http::{Method, StatusCode};
use backend::access::audit as audit_permission;
use backend::domain::{Outcome, Role};
use backend::services::jobs::{JobFact, JobState, StageState};
use backend::services::{audit, edits};
use backend::store::audit::Filter;
use backend::store::edits::{self as rows, EditRow};

use crate::engine::id;
use crate::house::{Answer, House};

/// What the engine was asked for since the last call, without the ends of made-up names.
fn asked(house: &House) -> Vec<String> {
    let asked = house.engine.with(|state| std::mem::take(&mut state.asked));
    let plain = |(asked, _): (String, String)| {
        let cut = asked.find("-edit-").map(|at| at + "-edit-".len());
        asked[..cut.unwrap_or(asked.len())].to_owned()
    };
    asked.into_iter().map(plain).collect()
}

fn value(page: &str, name: &str) -> String {
    let rest = page.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let value = rest.and_then(|rest| rest.split('"').next());
    value.unwrap_or_default().to_owned()
}

/// Looks what an edit would do, and does it.
async fn edit(house: &House, cookie: &str, form: &str) -> (Answer, Answer) {
    let path = format!("/containers/{}/edit", id(1));
    let masked = "environment=KEY%3D%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2";
    let form = format!("image=gantry/hello&network=none&{masked}&{form}");
    let plan = house.ask(Method::POST, &path, cookie, &form).await;
    let seen = value(&plan.body, "seen");
    let form = format!("{form}&step=apply&seen={seen}");
    let done = house.ask(Method::POST, &path, cookie, &form).await;
    (plan, done)
}

/// The job that an answer leads to.
fn job(house: &House, answer: &Answer) -> JobFact {
    let path = answer.headers["location"].to_str().unwrap();
    let id = path.strip_prefix("/jobs/").unwrap().parse().unwrap();
    house.app.services.jobs().find(&id).unwrap()
}

/// The same when it has ended, and its entry with it.
async fn ended(house: &House, answer: &Answer) -> JobFact {
    let id = job(house, answer).id;
    let find = |app: &backend::app::App| app.services.jobs().find(&id).unwrap();
    house.wait(|app| !find(app).is_running()).await;
    find(&house.app)
}

/// Waits until a job is in a stage.
async fn in_stage(house: &House, answer: &Answer, key: &str) {
    let id = job(house, answer).id;
    house
        .wait(|app| {
            let fact = app.services.jobs().find(&id).unwrap();
            fact.progress
                .stages
                .going()
                .is_some_and(|going| going.key == key)
        })
        .await;
}

fn failed_stage(job: &JobFact) -> Option<&'static str> {
    let mut stages = job.progress.stages.all().iter();
    let failed = stages.find(|stage| stage.state == StageState::Failed);
    failed.map(|stage| stage.key)
}

/// Only what was there before is there, as it was.
fn assert_all_is_as_before(house: &House) {
    let containers = house.engine.with(|state| state.containers.clone());
    let web = (id(1), "web".to_owned(), "running".to_owned());
    assert!(containers.contains(&web), "{containers:?}");
    assert_eq!(containers.len(), 2, "{containers:?}");
}

const OTHER: &str = "name=web&memory=64m&command=other";

/// The oldest first; none of them is open.
async fn closed_entries(
    house: &House,
    actor: &backend::access::Actor,
) -> Vec<(String, Outcome, String)> {
    let deadline = std::time::Instant::now() + crate::house::PATIENCE;
    loop {
        let permit = house.permit::<audit_permission::View>(actor, "").await;
        let entries = audit::list(&house.app.services, &permit, Filter::default(), None);
        let entries = entries.await.unwrap().into_iter();
        let mut entries: Vec<_> = entries.map(|e| (e.action, e.outcome, e.result)).collect();
        entries.reverse();
        if entries
            .iter()
            .all(|(_, outcome, _)| *outcome != Outcome::Begun)
        {
            return entries;
        }
        assert!(std::time::Instant::now() < deadline, "open: {entries:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

async fn last_entries(house: &House, actor: &backend::access::Actor) -> Vec<(String, Outcome)> {
    let entries = closed_entries(house, actor).await.into_iter();
    entries
        .map(|(action, outcome, _)| (action, outcome))
        .collect()
}

async fn open_edits(house: &House) -> usize {
    let mut read = house.app.services.store().read().await.unwrap();
    rows::all(&mut read).await.unwrap().len()
}

#[tokio::test]
async fn a_limit_is_changed_in_place_and_noted() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;

    let (plan, done) = edit(&house, &cookie, "name=web&memory=32m").await;

    assert!(plan.body.contains("changed in place"), "{}", plan.body);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(asked(&house), [format!("container.update {}", id(1))]);
    let entries = last_entries(&house, &ana).await;
    assert_eq!(entries, [("container.edit".to_owned(), Outcome::Done)]);
}

#[tokio::test]
async fn the_new_container_is_made_before_the_old_one_is_touched_and_each_step_is_noted() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;

    let (plan, done) = edit(&house, &cookie, OTHER).await;

    assert!(plan.body.contains("made anew"), "{}", plan.body);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let new = id(102);
    let job = ended(&house, &done).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert_eq!(job.container.unwrap().as_str(), new);
    let mut stages = job.progress.stages.all().iter();
    assert!(stages.all(|stage| stage.state == StageState::Done));
    assert_eq!(
        asked(&house),
        [
            "container.create".to_owned(),
            format!("container.stop {}", id(1)),
            format!("container.rename {} web-before-edit-", id(1)),
            format!("container.rename {new} web"),
            format!("container.start {new}"),
            format!("container.remove {}", id(1)),
        ]
    );
    let actions: Vec<_> = last_entries(&house, &ana)
        .await
        .into_iter()
        .map(|(action, outcome)| {
            assert_eq!(outcome, Outcome::Done);
            action
        })
        .collect();
    assert_eq!(
        actions,
        [
            "container.edit",
            "container.create",
            "container.stop",
            "container.rename",
            "container.rename",
            "container.start",
            "container.remove",
        ]
    );
    assert_eq!(open_edits(&house).await, 0);
}

#[tokio::test]
async fn what_does_not_start_leads_back_to_the_old_container() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    house
        .engine
        .with(|state| state.fails_at = Some("container.start"));

    let (_, done) = edit(&house, &cookie, "name=shop&memory=64m&command=other").await;

    let job = ended(&house, &done).await;
    let JobState::Failed { message } = &job.state else {
        panic!("{job:?}");
    };
    assert_eq!(message, "edit-went-back-running name=exec format error");
    assert_eq!(failed_stage(&job), Some("edit-step-start"));
    assert_all_is_as_before(&house);
    let entries = closed_entries(&house, &ana).await;
    let edit = (
        "container.edit".to_owned(),
        Outcome::Failed,
        message.clone(),
    );
    assert_eq!(entries[0], edit);
    assert_eq!(open_edits(&house).await, 0);
}

#[tokio::test]
async fn the_answer_does_not_wait_for_the_steps_and_a_step_that_goes_on_is_not_cut() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    house
        .engine
        .with(|state| state.holds_at = Some("container.stop"));

    let (_, done) = edit(&house, &cookie, OTHER).await;

    in_stage(&house, &done, "edit-step-stop").await;
    let path = done.headers["location"].to_str().unwrap();
    let page = house.ask(Method::GET, path, &cookie, "").await;
    assert!(page.body.contains("Change web"), "{}", page.body);
    assert!(page.body.contains("Stop the old one"), "{}", page.body);
    let cancel = format!("{path}/cancel");
    house.ask(Method::POST, &cancel, &cookie, "").await;
    assert!(job(&house, &done).is_running(), "the stop goes on");
    house.engine.with(|state| state.holds_at = None);

    let job = ended(&house, &done).await;
    let message = "edit-went-back-running name=obstacle-cancelled".to_owned();
    let cancelled = JobState::Cancelled {
        message: message.clone(),
    };
    assert_eq!(job.state, cancelled);
    assert_eq!(job.container.unwrap().as_str(), id(1));
    assert_all_is_as_before(&house);
    let asked = asked(&house);
    assert!(
        !asked.iter().any(|what| what.contains("rename")),
        "{asked:?}"
    );
    let entries = closed_entries(&house, &ana).await;
    let edit = ("container.edit".to_owned(), Outcome::Failed, message);
    assert_eq!(entries[0], edit);
    let page = house.ask(Method::GET, path, &cookie, "").await;
    assert!(
        page.body
            .contains("The old container is back and runs again")
    );
}

#[tokio::test]
async fn the_old_container_goes_only_when_the_new_one_is_healthy() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    house.engine.with(|state| state.health = Some("starting"));

    let (_, done) = edit(&house, &cookie, OTHER).await;
    in_stage(&house, &done, "edit-step-healthy").await;
    let path = format!("/containers/{}", id(1));
    let page = house.ask(Method::GET, &path, &cookie, "").await;
    let job = done.headers["location"].to_str().unwrap();
    let link = format!("<a href=\"{job}\">Change web</a>");
    assert!(page.body.contains(&link), "{}", page.body);
    let count = |state: &mut crate::engine::State| state.containers.len();
    assert_eq!(house.engine.with(count), 3, "both are there");
    house.engine.with(|state| state.health = Some("healthy"));

    let job = ended(&house, &done).await;
    assert_eq!(job.state, JobState::Done, "{job:?}");
    assert_eq!(house.engine.with(count), 2);
    assert_eq!(open_edits(&house).await, 0);
}

#[tokio::test]
async fn what_turns_unhealthy_leads_back_and_says_what_it_said_last() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    house.engine.with(|state| state.health = Some("unhealthy"));

    let (_, done) = edit(&house, &cookie, OTHER).await;

    let job = ended(&house, &done).await;
    let message = "edit-went-back-running name=obstacle-unhealthy".to_owned();
    assert_eq!(job.state, JobState::Failed { message });
    assert_eq!(failed_stage(&job), Some("edit-step-healthy"));
    assert_all_is_as_before(&house);
    let path = done.headers["location"].to_str().unwrap();
    let page = house.ask(Method::GET, path, &cookie, "").await;
    for wanted in [
        "not well",
        "it is too quiet",
        "its last line",
        "Open the container",
    ] {
        assert!(page.body.contains(wanted), "{wanted}: {}", page.body);
    }
}

#[tokio::test]
async fn who_cancels_while_the_new_one_is_looked_at_has_the_old_one_back() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    house.engine.with(|state| state.health = Some("starting"));
    let (_, done) = edit(&house, &cookie, OTHER).await;
    in_stage(&house, &done, "edit-step-healthy").await;

    let cancel = format!("{}/cancel", done.headers["location"].to_str().unwrap());
    house.ask(Method::POST, &cancel, &cookie, "").await;

    let job = ended(&house, &done).await;
    assert!(matches!(job.state, JobState::Cancelled { .. }), "{job:?}");
    assert_all_is_as_before(&house);
}

#[tokio::test]
async fn a_server_that_ends_in_the_middle_leads_back_before() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    house.engine.with(|state| state.health = Some("starting"));
    let (_, done) = edit(&house, &cookie, OTHER).await;
    in_stage(&house, &done, "edit-step-healthy").await;

    house.tasks.shutdown().cancel();

    let job = ended(&house, &done).await;
    let message = "edit-went-back-running name=obstacle-shut-down".to_owned();
    assert_eq!(job.state, JobState::Failed { message });
    assert_all_is_as_before(&house);
    assert_eq!(open_edits(&house).await, 0);
}

#[tokio::test]
async fn what_the_engine_refuses_is_said_on_the_form_and_is_no_job() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    house
        .engine
        .with(|state| state.fails_at = Some("container.create"));

    let (_, answer) = edit(&house, &cookie, OTHER).await;

    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.body.contains("exec format error"), "{}", answer.body);
    let jobs = house.ask(Method::GET, "/jobs", &cookie, "").await;
    assert!(!jobs.body.contains("Change web"), "{}", jobs.body);
    assert_all_is_as_before(&house);
    let entries = last_entries(&house, &ana).await;
    assert_eq!(entries[0], ("container.edit".to_owned(), Outcome::Failed));
    assert_eq!(open_edits(&house).await, 0);
}

#[tokio::test]
async fn a_new_container_that_cannot_be_looked_at_leads_back_before_anything_is_stopped() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    house.engine.with(|state| {
        state.health = Some("starting");
        state.fails_at = Some("container.inspect");
    });

    let (_, answer) = edit(&house, &cookie, OTHER).await;

    assert_ne!(answer.status, StatusCode::SEE_OTHER);
    assert!(
        answer.body.contains("input/output error"),
        "{}",
        answer.body
    );
    let removed = format!("container.remove {}", id(102));
    assert_eq!(asked(&house), ["container.create".to_owned(), removed]);
    assert_all_is_as_before(&house);
    let entries = last_entries(&house, &ana).await;
    assert_eq!(entries[0], ("container.edit".to_owned(), Outcome::Failed));
    assert_eq!(open_edits(&house).await, 0);
}

#[tokio::test]
async fn a_new_container_whose_answer_was_lost_is_found_and_taken_away() {
    let house = House::new().await;
    let (cookie, ana) = house.person("ana", Role::Owner).await;
    house
        .engine
        .with(|state| state.breaks_at = Some("container.create"));

    let (_, answer) = edit(&house, &cookie, OTHER).await;

    assert_ne!(answer.status, StatusCode::SEE_OTHER);
    // The server looks for it by itself now and then: whoever comes first.
    let deadline = std::time::Instant::now() + crate::house::PATIENCE;
    while open_edits(&house).await > 0 {
        assert!(std::time::Instant::now() < deadline, "nobody takes it away");
        edits::mend(&house.app.services).await.unwrap();
    }
    let removed = "container.remove web-edit-".to_owned();
    assert_eq!(asked(&house), ["container.create".to_owned(), removed]);
    assert_all_is_as_before(&house);
    let entries = last_entries(&house, &ana).await;
    assert_eq!(entries[0], ("container.edit".to_owned(), Outcome::Failed));
    assert_eq!(open_edits(&house).await, 0);
}

#[tokio::test]
async fn what_a_crash_cut_is_led_back_and_noted_whatever_the_step() {
    let steps: [(&str, &str, bool); 3] = [
        ("web", "running", false),
        ("web", "exited", true),
        ("web-before-edit-ab12", "exited", true),
    ];
    for (name, state, has_new) in steps {
        let house = House::without_engine().await;
        let (_, ana) = house.person("ana", Role::Owner).await;
        house.engine.with(|engine| {
            engine.containers[0] = (id(1), name.to_owned(), state.to_owned());
            if has_new {
                let new = (id(9), "web-edit-ab12".to_owned(), "created".to_owned());
                engine.containers.push(new);
            }
        });
        let row = EditRow {
            old: id(1),
            name: "web".to_owned(),
            new_name: "web".to_owned(),
            aside: "web-before-edit-ab12".to_owned(),
            fresh: "web-edit-ab12".to_owned(),
            ran: true,
            ..EditRow::default()
        };
        let store = house.app.services.store();
        let mut write = store.write().await.unwrap();
        rows::insert(&mut write, &row, house.clock.now())
            .await
            .unwrap();
        let row = EditRow {
            made: has_new.then(|| id(9)),
            ..row
        };
        rows::advance(&mut write, &row).await.unwrap();
        write.commit_silent("a test").await.unwrap();

        house.engine.with(|engine| engine.is_away = true);
        edits::mend(&house.app.services).await.unwrap();
        assert_eq!(open_edits(&house).await, 1, "it waits for the engine");
        house.engine.with(|engine| engine.is_away = false);
        edits::mend(&house.app.services).await.unwrap();

        let containers = house.engine.with(|state| state.containers.clone());
        let web = (id(1), "web".to_owned(), "running".to_owned());
        assert!(containers.contains(&web), "{containers:?}");
        assert_eq!(containers.len(), 2, "{containers:?}");
        assert_eq!(open_edits(&house).await, 0);
        let entries = last_entries(&house, &ana).await;
        assert_eq!(entries, [("container.edit".to_owned(), Outcome::Done)]);
    }
}

#[tokio::test]
async fn what_has_changed_since_the_form_was_opened_is_shown_again_and_not_done() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    let path = format!("/containers/{}/edit", id(1));
    let form = "image=gantry/hello&name=web&memory=32m&step=apply&seen=another";

    let answer = house.ask(Method::POST, &path, &cookie, form).await;

    assert!(answer.body.contains("somebody else"), "{}", answer.body);
    assert!(asked(&house).is_empty());
}

#[tokio::test]
async fn a_copy_carries_what_is_masked_and_the_form_never_shows_it() {
    let house = House::new().await;
    let (cookie, _) = house.person("ana", Role::Owner).await;
    for page in ["duplicate", "edit"] {
        let path = format!("/containers/{}/{page}", id(1));
        let form = house.ask(Method::GET, &path, &cookie, "").await;
        assert_eq!(form.status, StatusCode::OK);
        assert!(form.body.contains("KEY=••••••") && !form.body.contains("s3cret"));
    }
    // A masked value that is nobody's is refused and not taken for a value.
    let form = "image=gantry/hello&name=other&environment=OTHER%3D%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2";
    for from in [String::new(), format!("&from={}", id(1))] {
        let body = format!("{form}{from}");
        let answer = house.ask(Method::POST, "/containers", &cookie, &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("dots stand for"), "{}", answer.body);
    }
    assert!(asked(&house).is_empty());
}
