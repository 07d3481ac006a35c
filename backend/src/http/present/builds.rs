//! The build form: what was typed, what is wrong in it, how else it is done; and the steps of a build.

use engine_api::builds::{DockerfileCheck, DockerfileFault};
use frontend::Words;
use frontend::format;
use frontend::pages::ImageBuildNew;
use frontend::parts::{BuildStep as Part, DockerfileFaults, FaultLine};
use frontend::shell::Section;
use frontend::ui::{Badge, Field, Kind, Notice, Tone};

use super::fields::{field, mark, sentence};
use super::logs::plain;
use super::{Reader, recipes};
use crate::access::PermissionId;
use crate::domain::{FieldError, JobId};
use crate::http::extract::Fields;
use crate::services::builds::{BuildDraft, TypedBuild};
use crate::services::jobs::{BuildStep, BuildStepState, BuildSteps};

/// What stands in the form beside what was typed.
#[derive(Debug, Default)]
pub struct Wrong {
    /// The fields that cannot be taken.
    pub errors: Vec<FieldError>,
    /// What a look at the Dockerfile found.
    pub found: Option<DockerfileCheck>,
    /// What went wrong besides, in words.
    pub said: Option<String>,
}

/// Returns what was typed.
pub fn typed(fields: &Fields) -> TypedBuild {
    let text = |name| fields.text(name).to_owned();
    TypedBuild {
        reference: text("reference"),
        dockerfile: text("dockerfile"),
        remote: text("remote"),
        target: text("target"),
        platform: text("platform"),
        args: text("args"),
        labels: text("labels"),
        memory: text("memory"),
        cpus: text("cpus"),
        no_cache: fields.is_set("no_cache"),
        pull: fields.is_set("pull"),
    }
}

/// Returns the form.
pub fn form(reader: &Reader, typed: &TypedBuild, wrong: &Wrong) -> ImageBuildNew {
    let words = reader.words;
    let mut shell = reader.shell(Section::Images, words.t("build-title"));
    let mut all = [
        vec![name(words, typed)],
        options(words, typed),
        context(words, typed),
    ];
    let mut dockerfile_error = None;
    for error in &wrong.errors {
        if error.field == "dockerfile" {
            dockerfile_error = Some(sentence(words, &words.t("build-dockerfile"), error));
            continue;
        }
        let mut rest = Some(error);
        for fields in &mut all {
            if fields.iter().any(|field| field.name == error.field) {
                mark(words, fields, rest.take());
            }
        }
        let rest = mark(words, &mut [], rest);
        shell.notices.extend(rest.map(Notice::failed));
    }
    let faults = wrong
        .found
        .as_ref()
        .map(|found| faults(words, found))
        .unwrap_or_default();
    if !faults.faults.is_empty() {
        shell
            .notices
            .push(Notice::failed(words.t("build-has-faults")));
    }
    if wrong.errors.iter().any(|error| !error.field.is_empty()) {
        let count = wrong.errors.len() as u64;
        shell
            .notices
            .push(Notice::failed(words.n("form-has-problems", count)));
    }
    shell.notices.extend(wrong.said.clone().map(Notice::failed));
    let [mut name, options, mut context] = all;
    let n_set = options
        .iter()
        .filter(|field| !field.value.is_empty())
        .count() as u64;
    let (remote, archive) = (context.remove(0), context.remove(0));
    ImageBuildNew {
        name: name.remove(0),
        dockerfile: typed.dockerfile.clone(),
        dockerfile_error,
        faults: DockerfileFaults { words, ..faults },
        options,
        options_set: match n_set {
            0 => String::new(),
            n => words.n("build-options-set", n),
        },
        remote,
        context: archive,
        command: command(reader, typed, false, false),
        call: command(reader, typed, false, true),
        blocked: reader.reason(PermissionId::ImageBuild),
        shell,
    }
}

fn name(words: Words, typed: &TypedBuild) -> Field {
    Field {
        hint: words.t("build-name-hint"),
        value: typed.reference.clone(),
        placeholder: "team/app:2".to_owned(),
        code: true,
        ..field(words, "reference", "name")
    }
}

fn options(words: Words, typed: &TypedBuild) -> Vec<Field> {
    let hinted = |name, key, hint, value: &str| Field {
        hint: words.t(hint),
        value: value.to_owned(),
        code: true,
        ..field(words, name, key)
    };
    let lines = |name, key, hint, value: &str| Field {
        kind: Kind::Lines(3),
        whole: true,
        ..hinted(name, key, hint, value)
    };
    let tick = |name, key, hint, is_set| Field {
        kind: Kind::Check,
        ..hinted(name, key, hint, if is_set { "on" } else { "" })
    };
    let target = hinted("target", "build-target", "build-target-hint", &typed.target);
    vec![
        lines("args", "build-args", "build-args-hint", &typed.args),
        Field {
            list: "build-stages",
            ..target
        },
        hinted(
            "platform",
            "image-platform",
            "image-platform-hint",
            &typed.platform,
        ),
        lines("labels", "build-labels", "build-labels-hint", &typed.labels),
        hinted("memory", "build-memory", "build-memory-hint", &typed.memory),
        hinted("cpus", "build-cpus", "build-cpus-hint", &typed.cpus),
        tick(
            "no_cache",
            "build-no-cache",
            "build-no-cache-hint",
            typed.no_cache,
        ),
        tick("pull", "build-pull", "build-pull-hint", typed.pull),
    ]
}

fn context(words: Words, typed: &TypedBuild) -> Vec<Field> {
    vec![
        Field {
            hint: words.t("build-remote-hint"),
            value: typed.remote.clone(),
            placeholder: "https://git.example.com/team/app.git#main:docker".to_owned(),
            code: true,
            ..field(words, "remote", "build-remote")
        },
        Field {
            hint: words.t("build-archive-hint"),
            kind: Kind::File,
            ..field(words, "context", "build-archive")
        },
    ]
}

/// Returns the equivalent line, or call.
pub fn command(reader: &Reader, typed: &TypedBuild, has_files: bool, as_call: bool) -> String {
    match (BuildDraft::typed(typed), as_call) {
        (Ok(draft), false) => draft.command(has_files),
        (Ok(draft), true) => recipes::build(reader, &draft.query(), draft.file(has_files)),
        (Err(_), _) => reader.words.t("call-needs-form"),
    }
}

/// Returns what a look at a Dockerfile found, as a part of the form.
pub fn faults(words: Words, found: &DockerfileCheck) -> DockerfileFaults {
    DockerfileFaults {
        words,
        faults: found.faults.iter().map(|one| fault(words, one)).collect(),
        stages: found
            .stages
            .iter()
            .map(|stage| stage.name.clone())
            .collect(),
        is_checked: true,
    }
}

fn fault(words: Words, fault: &DockerfileFault) -> FaultLine {
    let (line, column) = (fault.line.to_string(), fault.column.max(1).to_string());
    FaultLine {
        line: fault.line,
        column: fault.column,
        place: words.with("build-place", &[("line", &line), ("column", &column)]),
        text: fault.message.clone(),
        meant: fault.meant.clone(),
    }
}

/// Returns the steps of a build. What their containers print is a log: who may read none is told so
/// in its place.
pub fn steps(reader: &Reader, job: &JobId, build: &BuildSteps) -> Vec<Part> {
    let n_steps = build.steps.len() + build.n_left_out;
    let has_stages = build
        .steps
        .iter()
        .any(|step| !matches!(step.stage.as_str(), "" | "0"));
    let locked = reader.reason(PermissionId::ContainerLogs);
    let parts = build.steps.iter().map(|step| {
        let mut part = part(reader.words, job, step, n_steps, has_stages);
        if let Some(reason) = &locked {
            part.lines.clear();
            part.left_out.clone_from(reason);
        }
        part
    });
    parts.collect()
}

fn part(words: Words, job: &JobId, step: &BuildStep, n_steps: usize, has_stages: bool) -> Part {
    use BuildStepState::{Cached, Done, Failed, Going, Left, Stopped, Waiting};
    let (tone, icon, key, word) = match step.state {
        Waiting => (Tone::Idle, "circle-dashed", "waiting", "job-stage-waiting"),
        Going => (Tone::Busy, "loader-circle", "going", "job-running"),
        Cached => (Tone::Running, "history", "cached", "build-step-cached"),
        Done => (Tone::Running, "circle-check", "done", "job-done"),
        Failed => (Tone::Failed, "circle-x", "failed", "job-failed"),
        Stopped => (Tone::Idle, "circle-stop", "stopped", "build-step-stopped"),
        Left => (Tone::Idle, "circle-dashed", "left", "build-step-left"),
    };
    let stage = (has_stages && !step.stage.is_empty())
        .then(|| words.named("build-step-stage", &step.stage));
    let line = (step.line > 0).then(|| words.named("build-step-line", &step.line.to_string()));
    let took = step.took_ms.map(|ms| took(words, ms));
    Part {
        words,
        id: format!("job-{job}-step-{}", step.number),
        key,
        number: format!("{}/{n_steps}", step.number),
        text: plain(&step.text.replace('\n', " ")),
        state: Badge {
            tone,
            icon,
            word: words.t(word),
        },
        notes: [stage, line, took].into_iter().flatten().collect(),
        open: matches!(step.state, Going | Failed),
        left_out: left_out(words, "build-lines-left-out", step.n_left_out),
        lines: step.lines.iter().map(|line| plain(line)).collect(),
        label: words.named("build-step-output", &step.number.to_string()),
    }
}

/// Returns "120 lines left out", or nothing.
pub fn left_out(words: Words, key: &str, n: usize) -> String {
    match n {
        0 => String::new(),
        n => words.n(key, n as u64),
    }
}

/// Returns what was said outside of every step.
pub fn said(build: &BuildSteps) -> Vec<String> {
    build.said.lines.iter().map(|line| plain(line)).collect()
}

/// Returns how a build stands, in one line.
pub fn note(words: Words, build: &BuildSteps) -> String {
    let (n_done, n_cached) = build.counts();
    let n_steps = build.steps.len() + build.n_left_out;
    let mut values = vec![
        n_done.to_string(),
        n_steps.to_string(),
        n_cached.to_string(),
    ];
    values.push(
        build
            .image
            .as_deref()
            .map(format::short_id)
            .unwrap_or_default()
            .to_owned(),
    );
    let names = ["done", "total", "cached", "image"];
    let values: Vec<_> = names
        .into_iter()
        .zip(values.iter().map(String::as_str))
        .collect();
    words.with(
        if build.image.is_some() {
            "build-note-done"
        } else {
            "build-note"
        },
        &values,
    )
}

/// Returns which step failed, where, and how; nothing when none did.
pub fn failed(words: Words, build: &BuildSteps) -> Option<String> {
    let step = build.failed()?;
    let (number, line) = (step.number.to_string(), step.line.to_string());
    let code = build
        .exit_code
        .map(|code| code.to_string())
        .unwrap_or_default();
    let values = [
        ("step", number.as_str()),
        ("line", line.as_str()),
        ("code", code.as_str()),
    ];
    let key = match (step.line, build.exit_code) {
        (0, _) => "build-failed-step",
        (_, Some(_)) => "build-failed-code",
        (_, None) => "build-failed-line",
    };
    Some(words.with(key, &values))
}

/// Short times to a tenth of a second: a step that is taken from the cache takes none.
fn took(words: Words, ms: u64) -> String {
    if ms < 60_000 {
        let tenths = ms.div_ceil(100);
        let text = format!("{}.{}", tenths / 10, tenths % 10);
        return words.named("build-step-seconds", &text);
    }
    let seconds = ms / 1_000;
    let values = [(seconds / 60).to_string(), (seconds % 60).to_string()];
    let [minutes, seconds] = &values;
    words.with(
        "build-step-minutes",
        &[("minutes", minutes), ("seconds", seconds)],
    )
}
