//! Jobs: the tray in the bar, the list, one job with its layers or its stages.

use frontend::format;
use frontend::pages::{JobShow, JobsIndex};
use frontend::parts::{JobPanel, JobRow, JobStage, JobStep, JobTray};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Action, Badge, Look, Notice, Tone};

use super::logs::plain;
use super::{Reader, builds, told};
use crate::access::PermissionId;
use crate::services::jobs::{
    BuildSteps, JobFact, JobKind, JobState, Layer, Stage, StageState, Step,
};

/// Jobs in the tray; the others are on their page.
const MOST_IN_TRAY: usize = 8;

/// Returns the word above a container that it is being made anew.
pub fn goes_on(reader: &Reader, fact: &JobFact) -> Notice {
    Notice {
        tone: Tone::Busy,
        text: reader.words.named("edit-goes-on", &note(reader, fact)),
        link: Some((name(reader, fact), paths::Job(fact.id.as_str()).to_string())),
    }
}

/// Returns the tray in the bar.
pub fn tray(reader: &Reader, jobs: &[JobFact]) -> JobTray {
    let newest = jobs.iter().take(MOST_IN_TRAY);
    JobTray {
        words: reader.words,
        jobs: newest.map(|fact| row(reader, fact)).collect(),
        n_running: jobs.iter().filter(|fact| fact.is_running()).count(),
    }
}

/// Returns the list.
pub fn index(reader: &Reader, jobs: &[JobFact]) -> JobsIndex {
    JobsIndex {
        shell: reader.shell(Section::Elsewhere, reader.words.t("jobs")),
        rows: jobs.iter().map(|fact| row(reader, fact)).collect(),
    }
}

/// Returns one job's page.
pub fn show(reader: &Reader, fact: &JobFact) -> JobShow {
    let mut shell = reader.shell(Section::Elsewhere, name(reader, fact));
    shell.topics = format!("jobs job:{}", fact.id);
    JobShow {
        shell,
        panel: panel(reader, fact),
    }
}

/// Returns a job and its layers or stages.
pub fn panel(reader: &Reader, fact: &JobFact) -> JobPanel {
    let progress = &fact.progress;
    let stages = progress.stages.all().iter();
    // To see a job is less than to read a log.
    let reads_logs = reader.may(PermissionId::ContainerLogs);
    let lines = progress.last_words.lines.iter().filter(|_| reads_logs);
    let build = progress.build.as_deref();
    let mut job = row(reader, fact);
    if let Some(cancel) = &mut job.cancel {
        cancel.bare = false;
    }
    JobPanel {
        words: reader.words,
        job,
        steps: progress
            .layers
            .iter()
            .map(|layer| step(reader, fact.kind, layer))
            .collect(),
        stages: stages.map(|one| stage(reader, one)).collect(),
        probe: match reads_logs {
            true => plain_text(&progress.last_words.probe),
            false => String::new(),
        },
        last_lines: lines.map(|line| plain(line)).collect(),
        build: build.map_or_else(Vec::new, |build| builds::steps(reader, &fact.id, build)),
        build_left_out: build.map_or_else(String::new, |build| {
            builds::left_out(reader.words, "build-steps-left-out", build.n_left_out)
        }),
        build_said: build
            .filter(|_| reads_logs)
            .map_or_else(Vec::new, builds::said),
        results: results(reader, fact),
    }
}

/// Escapes taken out, line by line.
fn plain_text(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Where to go from a job that has ended.
fn results(reader: &Reader, fact: &JobFact) -> Vec<(String, String)> {
    let words = reader.words;
    let is_done = fact.state == JobState::Done;
    match (fact.kind, &fact.container) {
        (JobKind::Pull | JobKind::Push, _) if is_done => {
            let path = paths::Image(image_of(&fact.subject)).to_string();
            vec![(words.t("job-open-image"), path)]
        }
        (JobKind::Load, _) if is_done => vec![(words.t("images"), paths::Images.to_string())],
        (JobKind::Edit, Some(id)) if !fact.is_running() => {
            let path = paths::Container(id.as_str()).to_string();
            vec![(words.t("job-open-container"), path)]
        }
        (JobKind::Build, _) => {
            let build = fact.progress.build.as_deref();
            let image = build.and_then(|build| build.image.as_deref());
            image.map_or_else(Vec::new, |image| of_image(reader, fact, image))
        }
        _ => Vec::new(),
    }
}

/// Where to go from an image that was built: to it, and to a container of it.
fn of_image(reader: &Reader, fact: &JobFact, image: &str) -> Vec<(String, String)> {
    let words = reader.words;
    let mut all = vec![(words.t("job-open-image"), paths::Image(image).to_string())];
    if reader.may(PermissionId::ContainerCreate) {
        // What has no name is called after its Dockerfile or its address.
        let is_name = fact.subject.contains(':') && !fact.subject.contains("://");
        let run = paths::Value(if is_name { &fact.subject } else { image });
        let run = format!("{}?image={run}", paths::ContainerNew);
        all.push((words.t("image-run"), run));
    }
    all
}

/// A pull of one platform names it behind the image, in brackets.
fn image_of(subject: &str) -> &str {
    subject.split_once(" (").map_or(subject, |(image, _)| image)
}

/// Returns one job's line.
pub fn row(reader: &Reader, fact: &JobFact) -> JobRow {
    let words = reader.words;
    let (tone, icon, key) = match fact.state {
        JobState::Running => (Tone::Busy, "loader-circle", "job-running"),
        JobState::Done => (Tone::Running, "circle-check", "job-done"),
        JobState::Failed { .. } => (Tone::Failed, "circle-x", "job-failed"),
        JobState::Cancelled { .. } => (Tone::Idle, "circle-stop", "job-cancelled"),
    };
    let path = paths::JobCancel(fact.id.as_str()).to_string();
    let cancel = Action {
        bare: true,
        ..Action::post(words.t("job-cancel"), "x", path).look(Look::Quiet)
    };
    JobRow {
        words,
        id: fact.id.to_string(),
        name: name(reader, fact),
        state: Badge {
            tone,
            icon,
            word: words.t(key),
        },
        percent: percent(fact),
        note: note(reader, fact),
        running: fact.is_running(),
        cancel: fact
            .is_running()
            .then(|| reader.guard(cancel, PermissionId::JobCancel, None)),
    }
}

fn name(reader: &Reader, fact: &JobFact) -> String {
    let key = match fact.kind {
        JobKind::Pull => "job-pull",
        JobKind::Push => "job-push",
        JobKind::Load => "job-load",
        JobKind::Edit => "job-edit",
        JobKind::Build => "job-build",
    };
    reader.words.named(key, &fact.subject)
}

/// How far it is; unknown until the first layer or the stages are named.
fn percent(fact: &JobFact) -> Option<u8> {
    let progress = &fact.progress;
    if progress.layers.is_empty() && progress.stages.all().is_empty() && progress.build.is_none() {
        return None;
    }
    let whole = (fact.progress.fraction() * 100.0).clamp(0.0, 100.0);
    // Between 0 and 100, so the cast loses nothing but the fraction.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=100 above"
    )]
    Some(whole as u8)
}

fn note(reader: &Reader, fact: &JobFact) -> String {
    let progress = &fact.progress;
    if let Some(build) = &progress.build {
        return build_note(reader, fact, build);
    }
    if fact.kind == JobKind::Build && fact.is_running() {
        return reader.words.t("build-note-files");
    }
    match &fact.state {
        JobState::Failed { message } => told(reader.words, message),
        JobState::Cancelled { message } if fact.kind == JobKind::Edit => {
            told(reader.words, message)
        }
        JobState::Running if progress.stages.going().is_some() => {
            let stage = progress.stages.going();
            stage.map_or_else(String::new, |stage| reader.words.t(stage.key))
        }
        JobState::Running if !progress.layers.is_empty() => {
            let is_there = |layer: &&Layer| matches!(layer.step, Step::Done | Step::Exists);
            let n_done = progress.layers.iter().filter(is_there).count();
            of(
                reader,
                "job-layers",
                &n_done.to_string(),
                &progress.layers.len().to_string(),
            )
        }
        JobState::Done if fact.kind == JobKind::Edit => {
            let notes = progress.notes.iter().map(|note| told(reader.words, note));
            notes.collect::<Vec<_>>().join(" · ")
        }
        JobState::Running | JobState::Done | JobState::Cancelled { .. } => {
            progress.notes.last().cloned().unwrap_or_default()
        }
    }
}

/// How a build stands; of one that failed, which step, where in the Dockerfile, and why.
fn build_note(reader: &Reader, fact: &JobFact, build: &BuildSteps) -> String {
    let words = reader.words;
    match &fact.state {
        JobState::Failed { message } => {
            let where_it_failed = builds::failed(words, build);
            // A command says what it was given; which one it was is enough without the right to logs.
            let shows = where_it_failed.is_none() || reader.may(PermissionId::ContainerLogs);
            let message = shows.then(|| plain_text(&told(words, message)));
            let parts = [where_it_failed, message];
            parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
        _ => builds::note(words, build),
    }
}

fn stage(reader: &Reader, stage: &Stage) -> JobStage {
    let words = reader.words;
    let (tone, icon, key) = match stage.state {
        StageState::Waiting => (Tone::Idle, "circle-dashed", "job-stage-waiting"),
        StageState::Going => (Tone::Busy, "loader-circle", "job-running"),
        StageState::Done => (Tone::Running, "circle-check", "job-done"),
        StageState::Failed => (Tone::Failed, "circle-x", "job-failed"),
    };
    JobStage {
        name: words.t(stage.key),
        state: Badge {
            tone,
            icon,
            word: words.t(key),
        },
        note: told(words, &stage.note),
    }
}

fn step(reader: &Reader, kind: JobKind, layer: &Layer) -> JobStep {
    let key = match layer.step {
        Step::Waiting => "job-waiting",
        Step::Downloading => "job-downloading",
        Step::Verifying | Step::Downloaded => "job-verifying",
        Step::Extracting => "job-extracting",
        Step::Compressing => "job-compressing",
        Step::Uploading => "job-uploading",
        Step::Done => "job-layer-done",
        Step::Exists if kind == JobKind::Push => "job-layer-there",
        Step::Exists => "job-layer-here",
    };
    let is_there = matches!(layer.step, Step::Done | Step::Exists);
    let bytes = layer.current_bytes.zip(layer.total_bytes);
    let part = bytes.map(|(current, total)| current.min(total) * 100 / total.max(1));
    JobStep {
        name: layer.id.clone(),
        phase: reader.words.t(key),
        percent: match (is_there, layer.step) {
            (true, _) => Some(100),
            (false, Step::Waiting) => Some(0),
            (false, _) => part.and_then(|part| u8::try_from(part).ok()),
        },
        note: bytes.map_or_else(String::new, |(current, total)| {
            of(
                reader,
                "job-bytes",
                &format::bytes(current),
                &format::bytes(total),
            )
        }),
    }
}

fn of(reader: &Reader, key: &str, done: &str, total: &str) -> String {
    let values = [("done", done), ("total", total)];
    reader.words.with(key, &values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountId, HostId, JobId, Language};
    use crate::services::jobs::Progress;

    fn result(subject: &str) -> Option<String> {
        let now = "2026-11-21T06:00:00Z".parse().unwrap();
        let fact = JobFact {
            id: JobId::unique(),
            host: HostId::local(),
            kind: JobKind::Pull,
            subject: subject.to_owned(),
            account: AccountId::unique(),
            actor: "ana".to_owned(),
            started_at: now,
            ended_at: Some(now),
            state: JobState::Done,
            progress: Progress::default(),
            container: None,
        };
        let reader = Reader::outside(Language::English, now);
        let mut results = panel(&reader, &fact).results;
        results.pop().map(|(_, path)| path)
    }

    #[test]
    fn a_pull_of_one_platform_leads_to_its_image() {
        let plain = result("docker.io/library/busybox:1");
        assert!(plain.is_some());
        assert_eq!(result("docker.io/library/busybox:1 (linux/arm64)"), plain);
    }
}
