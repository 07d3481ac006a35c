//! Frames for the sample pages.

use crate::parts::{JobRow, JobTray};
use crate::shell::{Section, Shell, Theme, Viewer};
use crate::ui::{Action, Badge, Look, Tone};
use crate::words::{Language, Words};

/// The frame as an owner sees it.
pub fn shell(language: Language, theme: Theme, section: Section, title: &str) -> Shell {
    let words = Words(language);
    Shell {
        words,
        title: words.t(title),
        section,
        viewer: Viewer {
            name: "minji".into(),
            role: words.t("role-owner"),
            sees_registries: true,
            sees_people: true,
            sees_audit: true,
        },
        notices: Vec::new(),
        engine: None,
        theme,
        jobs: JobTray {
            words,
            jobs: jobs(words),
            n_running: 1,
        },
        topics: "jobs".into(),
    }
}

/// A running, a done and a failed job.
pub fn jobs(words: Words) -> Vec<JobRow> {
    let job = |id: &str, name: &str, tone, icon, key: &str, note: &str| JobRow {
        words,
        id: id.into(),
        name: words.named("job-pull", name),
        state: Badge {
            tone,
            icon,
            word: words.t(key),
        },
        percent: None,
        note: note.into(),
        running: false,
        cancel: None,
    };
    let running = job(
        "7",
        "postgres:18",
        Tone::Busy,
        "loader-circle",
        "job-running",
        "",
    );
    let cancel = Action::post(words.t("job-cancel"), "x", "/jobs/7/cancel".into());
    vec![
        JobRow {
            percent: Some(62),
            note: words.with("job-bytes", &[("done", "96.1 MiB"), ("total", "154 MiB")]),
            running: true,
            cancel: Some(Action {
                bare: true,
                ..cancel.look(Look::Quiet)
            }),
            ..running
        },
        job(
            "6",
            "nginx:1.29",
            Tone::Running,
            "circle-check",
            "job-done",
            "71.8 MiB",
        ),
        job(
            "5",
            "nginx:1.92",
            Tone::Failed,
            "circle-x",
            "job-failed",
            "manifest unknown",
        ),
    ]
}
