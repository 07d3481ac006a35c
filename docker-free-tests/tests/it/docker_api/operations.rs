//! The list of operations against the engine's doors, under every version that has them.

use docker_free_tests::{Engine, need};
use engine_api::operation;

#[test]
fn every_operation_of_the_list_has_its_door() {
    if !need::all(&[]) {
        return;
    }
    let engine = Engine::start();
    let mut closed = Vec::new();

    for asked in operation::ALL {
        let path = asked
            .path
            .replace("{id}", "ghost")
            .replace("{name}", "ghost");
        let since = format!("/v{}{path}", asked.since);
        for path in [path, since] {
            // Only the head is read: some of these answers never end.
            let open = engine
                .wire()
                .open(asked.method.as_str(), &path, &[], &[])
                .expect("an answer");
            let json = open
                .header("content-type")
                .is_some_and(|kind| kind.contains("json"));
            let missing = matches!(open.status, 404 | 405 | 501) && json;
            if missing
                && open
                    .whole(asked.method.as_str())
                    .is_ok_and(|answer| answer.text().contains("page not found"))
            {
                closed.push(format!("{} {path}", asked.method.as_str()));
            }
        }
    }

    assert!(closed.is_empty(), "no door: {closed:#?}");
}
