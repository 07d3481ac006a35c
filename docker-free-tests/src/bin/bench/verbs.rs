//! What a person does to a container that runs, by the API.

use docker_free_tests::Engine;
use serde_json::Value;

use crate::sample::{Samples, times};

const ROUNDS: usize = 200;

pub(crate) fn measure() {
    let engine = Engine::with_busybox();
    engine.run_script("cc", "trap : HUP; while true; do sleep 100000; done");
    let wire = engine.wire();
    let post = |path: &str| {
        wire.post(&format!("/containers/cc/{path}"), &Value::Null)
            .expect(204);
    };
    for (what, verbs) in [
        (
            "pause (at most 5), unpause (at most 5)",
            ["pause", "unpause"],
        ),
        (
            "kill by two signals (at most 5 each)",
            ["kill?signal=HUP", "kill?signal=WINCH"],
        ),
    ] {
        let mut samples = [Samples::default(), Samples::default()];
        for _ in 0..ROUNDS {
            for (verb, samples) in verbs.iter().zip(&mut samples) {
                samples.time(|| post(verb));
            }
        }
        for samples in &samples {
            times(what, samples);
        }
    }
    let mut ends = Samples::default();
    for _ in 0..ROUNDS / 4 {
        ends.time(|| {
            post("kill");
            wire.post("/containers/cc/wait", &Value::Null).expect(200);
        });
        post("start");
    }
    times("kill by SIGKILL and wait for the end", &ends);
}
