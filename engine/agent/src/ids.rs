//! Random ids and the names of containers that nobody named.

use engine_api::id::{ContainerId, ExecId, VolumeName};

/// Returns a new container id.
pub fn container_id() -> ContainerId {
    ContainerId::from_bytes(random())
}

/// Returns a new exec id; it is a secret as much as a name, so all of it is random.
pub fn exec_id() -> ExecId {
    ExecId::from_bytes(random())
}

/// Returns the name of a volume that nobody named.
pub fn volume_name() -> VolumeName {
    VolumeName::from_bytes(random())
}

/// Returns a short random text for ids of streams.
pub fn stream_id() -> String {
    u64::from_ne_bytes(random()).to_string()
}

/// Makes a name of two words; `attempt` adds a number once names run out.
pub fn container_name(attempt: u32) -> String {
    let [a, b, c, ..] = random::<4>();
    let pick = |words: &[&'static str], byte: u8| words[usize::from(byte) % words.len()];
    let name = format!("{}_{}", pick(QUALITIES, a), pick(THINGS, b));
    if attempt < 3 {
        name
    } else {
        format!("{name}{c}")
    }
}

const QUALITIES: &[&str] = &[
    "amber", "bold", "brave", "bright", "brisk", "calm", "clear", "clever", "cosy", "crisp",
    "curious", "dapper", "eager", "early", "easy", "fair", "fleet", "fond", "fresh", "gentle",
    "glad", "golden", "happy", "hardy", "honest", "humble", "jolly", "keen", "kind", "lively",
    "lucid", "lucky", "mellow", "merry", "mild", "neat", "nimble", "noble", "patient", "plain",
    "proud", "quick", "quiet", "ready", "serene", "sharp", "shy", "silver", "snug", "sober",
    "steady", "still", "sturdy", "sunny", "swift", "tidy", "tranquil", "trusty", "vivid", "warm",
    "wise", "witty", "young", "zesty",
];

const THINGS: &[&str] = &[
    "anchor",
    "arch",
    "barge",
    "basin",
    "beacon",
    "bollard",
    "boom",
    "bridge",
    "buoy",
    "cabin",
    "canal",
    "capstan",
    "cargo",
    "chart",
    "cleat",
    "coast",
    "compass",
    "cove",
    "crane",
    "creek",
    "deck",
    "delta",
    "derrick",
    "dock",
    "ferry",
    "fjord",
    "foghorn",
    "gangway",
    "gull",
    "harbour",
    "haven",
    "hawser",
    "helm",
    "hoist",
    "hull",
    "island",
    "jetty",
    "keel",
    "kelp",
    "lagoon",
    "ledge",
    "lighthouse",
    "lock",
    "mast",
    "mooring",
    "pelican",
    "pier",
    "pilot",
    "port",
    "pulley",
    "quay",
    "reef",
    "rigging",
    "rudder",
    "sail",
    "sextant",
    "shoal",
    "skiff",
    "sluice",
    "spar",
    "tide",
    "tug",
    "wharf",
    "winch",
];

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the kernel always gives random bytes once it has booted");
    bytes
}

#[cfg(test)]
mod tests {
    use engine_api::id::ContainerName;

    use super::*;

    #[test]
    fn made_up_names_are_valid_names() {
        for attempt in 0..100 {
            assert!(container_name(attempt).parse::<ContainerName>().is_ok());
        }
    }
}
