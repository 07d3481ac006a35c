//! The parts that several pages have: looks, recipes, bulk actions, health, why it stopped.

use crate::format::{self, Moment};
use crate::pages::{BulkAction, BulkOutcome};
use crate::parts::{HealthCard, Outcome, OutcomeRow, Probe, WhyStopped};
use crate::shell::Shell;
use crate::ui::{Action, Badge, KeyValue, ListLook, Pair, Recipe, Recipes, Tone};
use crate::words::Words;

/// The chooser above a list.
pub fn list_look(words: Words) -> ListLook {
    ListLook {
        words,
        list: "containers",
        columns: vec![
            ("image", words.t("image"), true),
            ("ports", words.t("ports"), false),
        ],
        compact: false,
        back: "/containers".into(),
    }
}

/// What can be done with many.
pub fn bulk_actions(words: Words) -> Vec<BulkAction> {
    let action = |value, icon, danger, applies| BulkAction {
        value,
        label: words.t(value),
        icon,
        danger,
        applies,
        consequence: words.t(&format!("bulk-{value}")),
    };
    vec![
        action("start", "play", false, "asleep"),
        action("stop", "square", false, "alive"),
        action("restart", "rotate-cw", false, "count"),
        action("remove", "trash-2", true, "count"),
    ]
}

/// Two actions from elsewhere.
pub fn recipes(words: Words) -> Recipes {
    let curl = "curl --unix-socket /run/gantry/engine.sock -X";
    let recipe = |key: &str, icon, command: &str, call: String| Recipe {
        label: words.t(key),
        icon,
        command: command.into(),
        call,
    };
    let at = "http://localhost/v1.51/containers/web";
    Recipes {
        words,
        recipes: vec![
            recipe(
                "stop",
                "square",
                "docker stop web",
                format!("{curl} POST {at}/stop"),
            ),
            recipe(
                "remove",
                "trash-2",
                "docker rm web",
                format!("{curl} DELETE {at}"),
            ),
        ],
    }
}

/// How a program fares.
pub fn health_card(words: Words) -> HealthCard {
    let badge = |tone, icon, key: &str| Badge {
        tone,
        icon,
        word: words.t(key),
    };
    let probe = |result, seconds, output: &str| Probe {
        result,
        at: Moment {
            text: format::ago(words, seconds),
            exact: "2026-11-21T05:00:00Z".into(),
        },
        took: "34 ms".into(),
        output: output.into(),
    };
    HealthCard {
        words,
        state: badge(Tone::Warn, "heart-crack", "health-unhealthy"),
        facts: KeyValue {
            pairs: vec![
                Pair::code(words.t("health-check"), "curl -f http://localhost/".into()),
                Pair::text(words.t("health-failing"), "1".into()),
            ],
        },
        probes: vec![
            probe(
                badge(Tone::Warn, "circle-x", "probe-not-run"),
                30,
                "curl: (7) connection refused",
            ),
            probe(badge(Tone::Running, "circle-check", "probe-well"), 60, ""),
        ],
    }
}

/// Why a container stopped.
pub fn why_stopped(words: Words) -> WhyStopped {
    let why = [
        ("code", "137"),
        ("ago", &format::ago(words, 120)),
        ("why", &words.t("exit-oom")),
    ];
    WhyStopped {
        words,
        calm: false,
        title: words.t("why-stopped"),
        sentence: words.with("sentence-exited", &why),
        advice: words.named("why-oom-advice", "256 MiB"),
        facts: KeyValue {
            pairs: vec![
                Pair::text(words.t("why-signal-name"), "SIGKILL".into()),
                Pair::text(words.t("why-memory-peak"), "256 MiB".into()),
            ],
        },
        probe: "curl: (7) connection refused".into(),
        last_lines: vec![
            (false, "resize: 4000x3000 -> 800x600 (12 ms)".into()),
            (true, "resize: 24000x18000 -> 800x600".into()),
        ],
        logs: "/containers/06/logs".into(),
    }
}

/// What became of three.
pub fn bulk_outcome(shell: Shell) -> BulkOutcome {
    let words = shell.words;
    let values = [("action", "Stop"), ("done", "2"), ("total", "3")];
    let row = |name: &str, failed: &str| OutcomeRow {
        result: Badge {
            tone: if failed.is_empty() {
                Tone::Running
            } else {
                Tone::Failed
            },
            icon: if failed.is_empty() {
                "circle-check"
            } else {
                "circle-x"
            },
            word: words.t(if failed.is_empty() {
                "outcome-done"
            } else {
                "outcome-failed"
            }),
        },
        name: name.into(),
        path: Some("/containers/aa".into()),
        text: failed.into(),
    };
    BulkOutcome {
        outcome: Outcome {
            words,
            sentence: words.with("bulk-done-some", &values),
            failed: true,
            rows: vec![
                row("postgres", &words.t("problem-conflict.text")),
                row("shop-web-1", ""),
                row("redis", ""),
            ],
        },
        back: Action::link(words.t("back-to-containers"), "box", "/containers".into()),
        shell,
    }
}
