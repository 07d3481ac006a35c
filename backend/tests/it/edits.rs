//! Edits: in place, by making a container anew, and back; and one more like another.

use axum::http::{Method, StatusCode};
use backend::access::audit as audit_permission;
use backend::domain::{Outcome, Role};
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

async fn last_entries(house: &House, actor: &backend::access::Actor) -> Vec<(String, Outcome)> {
    let permit = house.permit::<audit_permission::View>(actor, "").await;
    let entries = audit::list(&house.app.services, &permit, Filter::default(), None);
    let entries = entries.await.unwrap().into_iter();
    let mut entries: Vec<_> = entries.map(|e| (e.action, e.outcome)).collect();
    entries.reverse();
    entries
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

    let (plan, done) = edit(&house, &cookie, "name=web&memory=64m&command=other").await;

    assert!(plan.body.contains("made anew"), "{}", plan.body);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let new = id(102);
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

    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let said = done.headers["set-cookie"].to_str().unwrap();
    assert!(said.contains("failed-container-edit"), "{said}");
    let containers = house.engine.with(|state| state.containers.clone());
    let web = (id(1), "web".to_owned(), "running".to_owned());
    assert!(containers.contains(&web), "{containers:?}");
    assert_eq!(containers.len(), 2);
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
