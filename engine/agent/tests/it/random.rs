//! Lives at random, against a model of a life. `GANTRY_TEST_SEED` repeats a run that failed.

use engine_api::containers::{ContainerConfig, HostConfig};
use engine_client::RemoveOptions;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

use crate::rig::Rig;

const NAMES: [&str; 3] = ["one", "two", "three"];
const BUDGET: Duration = Duration::from_secs(8);
const STEPS: usize = 400;
const SCRIPT: &str = "trap 'exit 0' TERM; while true; do sleep 0.02; done";

/// What the model says of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Absent,
    Created,
    Running,
    Paused,
    Exited,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Create,
    Start,
    Stop,
    Kill,
    Pause,
    Unpause,
    Restart,
    Remove,
    ForceRemove,
    Exec,
    EngineDies,
}

const ALL: [Step; 13] = [
    Step::Create,
    Step::Create,
    Step::Start,
    Step::Start,
    Step::Stop,
    Step::Kill,
    Step::Pause,
    Step::Unpause,
    Step::Restart,
    Step::Remove,
    Step::ForceRemove,
    Step::Exec,
    Step::EngineDies,
];

/// The next state, and whether the engine agrees to the step.
fn model(life: Life, step: Step) -> (Life, bool) {
    use Life::{Absent, Created, Exited, Paused, Running};
    match (step, life) {
        (Step::EngineDies, life) => (life, true),
        (Step::Create, Absent) => (Created, true),
        (Step::Create, life) => (life, false),
        (_, Absent) => (Absent, false),
        (Step::Start, Paused) => (Paused, false),
        (Step::Start | Step::Restart, _) | (Step::Unpause, Paused) | (Step::Exec, Running) => {
            (Running, true)
        }
        (Step::Stop | Step::Kill, Running | Paused) => (Exited, true),
        (Step::Stop, life) => (life, true),
        (Step::Pause, Running) => (Paused, true),
        (Step::Remove, Created | Exited) | (Step::ForceRemove, _) => (Absent, true),
        (Step::Kill | Step::Pause | Step::Unpause | Step::Remove | Step::Exec, life) => {
            (life, false)
        }
    }
}

/// A small generator: the same seed, the same life.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

async fn carry_out(rig: &mut Rig, step: Step, name: &str) -> bool {
    let removal = |force| RemoveOptions {
        force,
        volumes: false,
    };
    let client = rig.client.clone();
    match step {
        Step::Create => {
            let host = HostConfig::default();
            let body = engine_api::containers::CreateBody {
                config: ContainerConfig {
                    image: "busybox".to_owned(),
                    cmd: Some(["sh", "-c", SCRIPT].map(str::to_owned).to_vec()),
                    ..ContainerConfig::default()
                },
                host_config: host,
                ..Default::default()
            };
            client.create_container(Some(name), &body).await.is_ok()
        }
        Step::Start => client.start_container(name).await.is_ok(),
        Step::Stop => client.stop_container(name, Some(5)).await.is_ok(),
        Step::Kill => client.kill_container(name, None).await.is_ok(),
        Step::Pause => client.pause_container(name).await.is_ok(),
        Step::Unpause => client.unpause_container(name).await.is_ok(),
        Step::Restart => client.restart_container(name, Some(5)).await.is_ok(),
        Step::Remove => client.remove_container(name, removal(false)).await.is_ok(),
        Step::ForceRemove => client.remove_container(name, removal(true)).await.is_ok(),
        Step::Exec => {
            let asked = engine_api::execs::ExecCreateBody {
                cmd: Some(vec!["true".to_owned()]),
                ..Default::default()
            };
            client.create_exec(name, &asked).await.is_ok()
        }
        Step::EngineDies => {
            rig.signal_engine(Signal::SIGKILL);
            rig.start().await;
            true
        }
    }
}

async fn seen(rig: &Rig, name: &str) -> Life {
    match rig.client.container(name).await {
        Err(_) => Life::Absent,
        Ok(container) => match container.state.status.as_str() {
            "created" => Life::Created,
            "running" => Life::Running,
            "paused" => Life::Paused,
            "exited" => Life::Exited,
            other => panic!("a container is {other}"),
        },
    }
}

#[tokio::test]
async fn a_random_life_goes_as_the_model_says() {
    let seed = std::env::var_os("GANTRY_TEST_SEED")
        .and_then(|text| text.to_str()?.parse().ok())
        .unwrap_or_else(|| u64::from(std::process::id()) << 20 | 1);
    let mut dice = Dice(seed);
    let mut rig = Rig::new().await;
    let mut lives = [Life::Absent; NAMES.len()];
    let begun = Instant::now();
    let mut path = Vec::new();
    for _ in 0..STEPS {
        if begun.elapsed() > BUDGET {
            break;
        }
        let who = dice.below(NAMES.len());
        let step = ALL[dice.below(ALL.len())];
        path.push(format!("{step:?} {}", NAMES[who]));
        let told = || format!("seed {seed}: {}", path.join(", "));
        let (next, agrees) = model(lives[who], step);
        let agreed = carry_out(&mut rig, step, NAMES[who]).await;
        assert_eq!(agreed, agrees, "{}", told());
        lives[who] = next;
        for (name, life) in NAMES.iter().zip(lives) {
            assert_eq!(seen(&rig, name).await, life, "{name}, {}", told());
        }
    }
    assert!(path.len() > 10, "only {} steps", path.len());
    rig.end().await;
}
