//! The build form and the steps of a build.

use super::jobs;
use crate::pages::{ImageBuildNew, JobShow};
use crate::parts::{BuildStep, DockerfileFaults, FaultLine, JobPanel};
use crate::shell::Shell;
use crate::ui::{Badge, Field, Kind, Notice, Tone};
use crate::words::Words;

const DOCKERFILE: &str = "FROM golang:1.25 AS build\nCOPY . /src\nRUNN go build -o /app /src\n\n\
                          FROM scratch\nCOPY --from=build --chwon=1000 /app /app\n";

fn field(words: Words, name: &'static str, key: &str, kind: Kind) -> Field {
    Field {
        name,
        label: words.t(key),
        kind,
        code: true,
        ..Field::default()
    }
}

/// The build form of somebody who may not build.
pub fn locked(form: ImageBuildNew) -> ImageBuildNew {
    let words = form.shell.words;
    let role = words.t("role-viewer");
    let named = [("role", role.as_str()), ("permission", "image.build")];
    ImageBuildNew {
        blocked: Some(words.with("blocked-permission", &named)),
        ..form
    }
}

/// The build form, fresh or with a Dockerfile that has faults.
pub fn image_build_new(mut shell: Shell, wrong: bool) -> ImageBuildNew {
    let words = shell.words;
    if wrong {
        shell
            .notices
            .push(Notice::failed(words.t("build-has-faults")));
    }
    let lines = |name, key: &str, hint: &str| Field {
        whole: true,
        hint: words.t(hint),
        ..field(words, name, key, Kind::Lines(3))
    };
    ImageBuildNew {
        name: Field {
            hint: words.t("build-name-hint"),
            placeholder: "team/app:2".into(),
            ..field(words, "reference", "name", Kind::Text)
        },
        dockerfile: if wrong {
            DOCKERFILE.into()
        } else {
            String::new()
        },
        dockerfile_error: None,
        faults: faults(words, wrong),
        options: vec![
            lines("args", "build-args", "build-args-hint"),
            field(words, "target", "build-target", Kind::Text),
            lines("labels", "build-labels", "build-labels-hint"),
        ],
        options_set: if wrong {
            words.n("build-options-set", 2)
        } else {
            String::new()
        },
        remote: Field {
            hint: words.t("build-remote-hint"),
            ..field(words, "remote", "build-remote", Kind::Text)
        },
        context: Field {
            hint: words.t("build-archive-hint"),
            ..field(words, "context", "build-archive", Kind::File)
        },
        command: "DOCKER_BUILDKIT=0 docker build --tag team/app:2 .".into(),
        call: "curl --unix-socket /run/gantry/engine.sock -X POST http://localhost/v1.43/build"
            .into(),
        blocked: None,
        shell,
    }
}

fn faults(words: Words, wrong: bool) -> DockerfileFaults {
    let fault = |line: usize, column: usize, text: &str, meant: &str| FaultLine {
        line,
        column,
        place: words.with(
            "build-place",
            &[("line", &line.to_string()), ("column", &column.to_string())],
        ),
        text: text.into(),
        meant: Some(meant.into()),
    };
    DockerfileFaults {
        words,
        faults: match wrong {
            true => vec![
                fault(3, 1, "unknown instruction: RUNN", "RUN"),
                fault(6, 19, "unknown flag: --chwon", "--chown"),
            ],
            false => Vec::new(),
        },
        stages: Vec::new(),
        is_checked: wrong,
    }
}

/// The page of a build in the middle, or of one that failed.
pub fn job_build(shell: Shell, failed: bool) -> JobShow {
    JobShow {
        panel: job_panel_build(shell.words, failed),
        shell,
    }
}

/// A build in the middle, or one that failed.
pub fn job_panel_build(words: Words, failed: bool) -> JobPanel {
    let mut job = jobs(words).remove(if failed { 2 } else { 0 });
    job.name = words.named("job-build", "team/app:2");
    job.note = match failed {
        true => words.with(
            "build-failed-code",
            &[("step", "3"), ("line", "3"), ("code", "1")],
        ),
        false => words.with(
            "build-note",
            &[
                ("done", "2"),
                ("total", "5"),
                ("cached", "1"),
                ("image", ""),
            ],
        ),
    };
    let third = match failed {
        true => (Tone::Failed, "circle-x", "failed", "job-failed"),
        false => (Tone::Busy, "loader-circle", "going", "job-running"),
    };
    let cached = (Tone::Running, "history", "cached", "build-step-cached");
    let done = (Tone::Running, "circle-check", "done", "job-done");
    let waiting = (Tone::Idle, "circle-dashed", "waiting", "job-stage-waiting");
    let output = ["app/store", "app/http", "http/page.go:41: undefined: title"];
    let step =
        |number: usize, text: &str, state, lines: &[&str]| step(words, number, text, state, lines);
    JobPanel {
        words,
        job,
        steps: Vec::new(),
        stages: Vec::new(),
        probe: String::new(),
        last_lines: Vec::new(),
        build: vec![
            step(1, "FROM golang:1.25 AS build", done, &[]),
            step(2, "COPY . /src", cached, &[]),
            step(3, "RUN go build -o /app /src", third, &output),
            step(4, "FROM scratch", waiting, &[]),
            step(5, "COPY --from=build --chown=1000 /app /app", waiting, &[]),
        ],
        build_left_out: String::new(),
        build_said: Vec::new(),
        results: Vec::new(),
    }
}

fn step(
    words: Words,
    number: usize,
    text: &str,
    (tone, icon, key, word): (Tone, &'static str, &'static str, &str),
    lines: &[&str],
) -> BuildStep {
    let took = match key {
        "waiting" | "going" => None,
        _ => Some(words.named("build-step-seconds", "1.3")),
    };
    let line = words.named("build-step-line", &number.to_string());
    BuildStep {
        words,
        id: format!("job-7-step-{number}"),
        key,
        number: format!("{number}/5"),
        text: text.into(),
        state: Badge {
            tone,
            icon,
            word: words.t(word),
        },
        notes: [Some(line), took].into_iter().flatten().collect(),
        open: matches!(key, "going" | "failed"),
        left_out: match lines.is_empty() {
            true => String::new(),
            false => words.n("build-lines-left-out", 120),
        },
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        label: words.named("build-step-output", &number.to_string()),
    }
}
