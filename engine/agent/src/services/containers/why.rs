//! Why did it stop? What an engine knows of an end, put down in the moment it happens.

use std::path::Path;

use engine_api::containers::{HealthResult, ZERO_TIME};
use engine_api::ours::{AskedBy, Change, LastLine, LastStop, StopCause};
use engine_runtime::ExitRecord;
use engine_runtime::log::{Entry, Query, Reader, Stream};
use serde_json::{Map, Value};

use super::restarts::GOOD_RUN;
use super::signal;
use super::view::as_i64;
use crate::clock::rfc3339;
use crate::engine::VERSION;
use crate::records::{ContainerRecord, GoodRun, LifeRecord};

/// How many of the last lines are kept, and how much of each.
const LINES: usize = 30;
const LINE_MAX_BYTES: usize = 1024;

/// Everything that is known when a run ends.
pub(super) struct End<'e> {
    pub(super) record: &'e ContainerRecord,
    pub(super) life: &'e LifeRecord,
    pub(super) exit: &'e ExitRecord,
    pub(super) health: Option<HealthResult>,
    /// The directory of its log.
    pub(super) log: &'e Path,
}

/// Puts down why it stopped; and the run itself as a good one, if it was. Reads files.
pub(super) fn put_down(end: &End<'_>) -> LifeRecord {
    let mut life = end.life.clone();
    let now = surroundings(end.record, end.exit);
    let former = life.last_stop.take();
    let good = life.good.as_ref();
    life.last_stop = Some(LastStop {
        cause: cause(end.exit, life.asked.as_ref()),
        words: words(end.exit, life.asked.as_ref(), end.record.host_config.memory),
        exit_code: end.exit.code,
        signal: end.exit.signal.map(signal::name),
        asked_by: life.asked.take(),
        started_at: moment(end.exit.started_at_unix_ns),
        finished_at: moment(end.exit.finished_at_unix_ns),
        restart_count: life.restart_count,
        memory_peak_bytes: end.exit.memory_peak_bytes,
        memory_limit_bytes: u64::try_from(end.record.host_config.memory)
            .ok()
            .filter(|limit| *limit > 0),
        last_lines: match end.exit.started_at_unix_ns {
            // It said nothing; what the log holds is an earlier run's.
            0 => Vec::new(),
            started => last_lines(end.log, beginning(started, former.as_ref())),
        },
        last_health: end.health.clone(),
        changes: good.map_or_else(Vec::new, |good| changes(good, &now)),
        good_start_at: good.map(|good| good.started_at.clone()),
    });
    life.has_run |= end.exit.started_at_unix_ns > 0;
    if was_good(end.exit) {
        life.good = Some(now);
    }
    life
}

/// Tells whether an end has been put down already, by an engine that did not live to tell it.
pub(super) fn is_put_down(life: &LifeRecord, exit: &ExitRecord) -> bool {
    life.last_stop
        .as_ref()
        .is_some_and(|stop| stop.finished_at == moment(exit.finished_at_unix_ns))
}

/// Tells in one word what ended it.
fn cause(exit: &ExitRecord, asked: Option<&AskedBy>) -> StopCause {
    match exit {
        _ if exit.lost => StopCause::Lost,
        _ if exit.started_at_unix_ns == 0 => StopCause::NotStarted,
        _ if asked.is_some() => StopCause::Asked,
        _ if exit.oom_killed && exit.code != 0 => StopCause::Oom,
        _ if exit.signal.is_some() => StopCause::Signal,
        _ => StopCause::Exited,
    }
}

fn words(exit: &ExitRecord, asked: Option<&AskedBy>, memory_limit: i64) -> String {
    let reason = || exit.error.clone().unwrap_or_default();
    match (cause(exit, asked), asked) {
        (StopCause::Lost, _) => reason(),
        (StopCause::NotStarted, _) => format!("could not be started: {}", reason()),
        (StopCause::Asked, Some(asked)) => by_request(exit, asked),
        (StopCause::Oom, _) if memory_limit > 0 => {
            format!("killed by the kernel for want of memory: its limit is {memory_limit} bytes")
        }
        (StopCause::Oom, _) => "killed by the kernel for want of memory".to_owned(),
        (StopCause::Signal, _) => {
            let number = exit.signal.unwrap_or(0);
            format!("ended by {}{}", signal::name(number), signal_means(number))
        }
        _ => format!(
            "ended by itself with code {}{}",
            exit.code,
            code_means(exit.code)
        ),
    }
}

fn by_request(exit: &ExitRecord, asked: &AskedBy) -> String {
    let AskedBy {
        verb, signal, who, ..
    } = asked;
    let done = match verb.as_str() {
        "kill" => "killed",
        "restart" => "stopped for a restart",
        "remove" => "killed to be removed",
        _ => "stopped",
    };
    let forced = if asked.forced {
        "; it did not end in its time and was killed"
    } else {
        ""
    };
    format!("{done} by {who} with {signal}{forced} (code {})", exit.code)
}

fn signal_means(number: i32) -> &'static str {
    match number {
        4 => " (an instruction that the processor does not know)",
        6 => " (it gave up by itself)",
        7 => " (a part of memory that is not there)",
        8 => " (a calculation that cannot be)",
        9 => " (killed by somebody else than this engine)",
        11 => " (it touched memory that is not its own)",
        13 => " (it wrote where nobody reads)",
        15 => " (asked to end by somebody else than this engine)",
        _ => "",
    }
}

fn code_means(code: i32) -> String {
    match code {
        0 => " (success)".to_owned(),
        126 => " (a command that cannot be executed)".to_owned(),
        127 => " (a command that was not found)".to_owned(),
        129..=192 => format!(
            " (a program inside was ended by {})",
            signal::name(code - 128)
        ),
        _ => String::new(),
    }
}

fn was_good(exit: &ExitRecord) -> bool {
    let ran_ns = exit
        .finished_at_unix_ns
        .saturating_sub(exit.started_at_unix_ns);
    let is_long = u128::from(ran_ns) >= GOOD_RUN.as_nanos();
    !exit.lost && exit.started_at_unix_ns > 0 && (exit.code == 0 || is_long)
}

fn surroundings(record: &ContainerRecord, exit: &ExitRecord) -> GoodRun {
    GoodRun {
        started_at: moment(exit.started_at_unix_ns),
        name: record.name.to_string(),
        engine: VERSION.to_owned(),
        kernel: rustix::system::uname()
            .release()
            .to_string_lossy()
            .into_owned(),
        host_config: record.host_config.clone(),
    }
}

/// Lists what is different now; of the definition only what can change in a container's life.
fn changes(good: &GoodRun, now: &GoodRun) -> Vec<Change> {
    let mut changes = Vec::new();
    for (what, before, after) in [
        ("Name", &good.name, &now.name),
        ("Engine", &good.engine, &now.engine),
        ("Kernel", &good.kernel, &now.kernel),
    ] {
        if before != after {
            changes.push(Change {
                what: what.to_owned(),
                before: before.clone(),
                after: after.clone(),
            });
        }
    }
    let members = |run: &GoodRun| serde_json::to_value(&run.host_config).unwrap_or_default();
    compare("HostConfig", &members(good), &members(now), &mut changes);
    changes
}

fn compare(path: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let none = Map::new();
    if before.is_object() || after.is_object() {
        let (before, after) = (
            before.as_object().unwrap_or(&none),
            after.as_object().unwrap_or(&none),
        );
        let mut keys: Vec<_> = before.keys().chain(after.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let of = |members: &Map<String, Value>| members.get(key).cloned().unwrap_or_default();
            compare(&format!("{path}.{key}"), &of(before), &of(after), changes);
        }
        return;
    }
    changes.push(Change {
        what: path.to_owned(),
        before: shown(before),
        after: shown(after),
    });
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A quick program has written before anybody looked at the clock to say that it began; what the
/// run before it wrote is not its own.
fn beginning(started_ns: u64, former: Option<&LastStop>) -> u64 {
    const SLACK_NS: u64 = 5_000_000_000;
    let former = former.and_then(|stop| stop.finished_at.parse::<jiff::Timestamp>().ok());
    let former_ns = former.and_then(|end| u64::try_from(end.as_nanosecond()).ok());
    let earliest = started_ns.saturating_sub(SLACK_NS);
    former_ns.map_or(earliest, |end| earliest.max(end.saturating_add(1)))
}

/// Reads the end of the output since a moment; a log that cannot be read has none.
fn last_lines(log: &Path, since_ns: u64) -> Vec<LastLine> {
    let query = Query {
        since_ns: Some(since_ns),
        tail: u64::try_from(LINES).ok(),
        ..Query::default()
    };
    let mut lines = Vec::new();
    let Ok(mut reader) = Reader::open(log, query) else {
        return lines;
    };
    while let Ok(Some(entry)) = reader.next() {
        lines.extend(line(&entry));
    }
    while let Some(rest) = reader.finish() {
        lines.extend(line(&Entry::Line(rest)));
    }
    let too_many = lines.len().saturating_sub(LINES);
    lines.drain(..too_many);
    lines
}

fn line(entry: &Entry<'_>) -> Option<LastLine> {
    let Entry::Line(line) = entry else {
        return None;
    };
    let kept = &line.text[..line.text.len().min(LINE_MAX_BYTES)];
    let stream = match line.stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    Some(LastLine {
        stream: stream.to_owned(),
        time: rfc3339(as_i64(line.unix_ns)),
        text: String::from_utf8_lossy(kept)
            .trim_end_matches('\r')
            .to_owned(),
    })
}

fn moment(unix_ns: u64) -> String {
    match unix_ns {
        0 => ZERO_TIME.to_owned(),
        ns => rfc3339(as_i64(ns)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(code: i32, signal: Option<i32>) -> ExitRecord {
        ExitRecord {
            code,
            signal,
            started_at_unix_ns: 1,
            finished_at_unix_ns: 2,
            ..ExitRecord::default()
        }
    }

    fn asked(forced: bool) -> AskedBy {
        AskedBy {
            verb: "stop".to_owned(),
            signal: "SIGTERM".to_owned(),
            who: "anna".to_owned(),
            forced,
            at: String::new(),
        }
    }

    #[test]
    fn each_end_has_its_sentence() {
        let oom = ExitRecord {
            oom_killed: true,
            ..exit(137, Some(9))
        };
        let not_started = ExitRecord {
            error: Some("exec: \"x\": not found".to_owned()),
            ..ExitRecord::default()
        };
        let said = |exit: &ExitRecord, asked: Option<AskedBy>| words(exit, asked.as_ref(), 100);
        for (exit, asked, sentence) in [
            (exit(0, None), None, "ended by itself with code 0 (success)"),
            (exit(3, None), None, "ended by itself with code 3"),
            (
                exit(143, None),
                None,
                "ended by itself with code 143 (a program inside was ended by SIGTERM)",
            ),
            (
                exit(139, Some(11)),
                None,
                "ended by SIGSEGV (it touched memory that is not its own)",
            ),
            (
                exit(143, Some(15)),
                Some(asked(false)),
                "stopped by anna with SIGTERM (code 143)",
            ),
            (
                exit(137, Some(9)),
                Some(asked(true)),
                "stopped by anna with SIGTERM; it did not end in its time and was killed \
                 (code 137)",
            ),
            (
                oom,
                None,
                "killed by the kernel for want of memory: its limit is 100 bytes",
            ),
            (
                not_started,
                None,
                "could not be started: exec: \"x\": not found",
            ),
        ] {
            assert_eq!(said(&exit, asked), sentence);
        }
    }

    #[test]
    fn what_changed_is_named_member_by_member() {
        let good = GoodRun {
            kernel: "6.1".to_owned(),
            ..GoodRun::default()
        };
        let mut now = good.clone();
        assert_eq!(changes(&good, &now), []);
        now.host_config.memory = 8;
        now.host_config.restart_policy.name = "always".to_owned();
        "6.2".clone_into(&mut now.kernel);
        let found: Vec<_> = changes(&good, &now)
            .into_iter()
            .map(|change| format!("{} {} -> {}", change.what, change.before, change.after))
            .collect();
        assert_eq!(
            found,
            [
                "Kernel 6.1 -> 6.2",
                "HostConfig.Memory 0 -> 8",
                "HostConfig.RestartPolicy.Name  -> always",
            ]
        );
    }
}
