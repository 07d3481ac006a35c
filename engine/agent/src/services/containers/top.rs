//! The processes of a container, in the columns that `ps` would show.

use engine_api::containers::Top;
use engine_runtime::cgroups::Cgroup;
use engine_runtime::processes::{self, Process};
use jiff::tz::TimeZone;

use super::registry::Containers;
use crate::clock::timestamp;
use crate::services::error::{Result, ServiceError};
use crate::tasks::blocking;

/// A column: its word after `-o`, its head, and what stands in it.
struct Column {
    word: &'static str,
    title: &'static str,
    text: fn(&Process) -> String,
}

const fn column(word: &'static str, title: &'static str, text: fn(&Process) -> String) -> Column {
    Column { word, title, text }
}

const COLUMNS: &[Column] = &[
    column("pid", "PID", |p| p.pid.to_string()),
    column("ppid", "PPID", |p| p.parent.to_string()),
    column("pgid", "PGID", |p| p.group.to_string()),
    column("sid", "SID", |p| p.session.to_string()),
    column("uid", "UID", |p| p.uid.to_string()),
    column("gid", "GID", |p| p.gid.to_string()),
    column("user", "USER", user),
    column("euser", "EUSER", user),
    column("comm", "COMMAND", |p| p.name.clone()),
    column("args", "COMMAND", |p| p.command.clone()),
    column("cmd", "CMD", |p| p.command.clone()),
    column("command", "COMMAND", |p| p.command.clone()),
    column("stat", "STAT", |p| p.state.clone()),
    column("state", "S", |p| p.state.chars().take(1).collect()),
    column("s", "S", |p| p.state.chars().take(1).collect()),
    column("tty", "TT", |p| p.terminal.clone()),
    column("nlwp", "NLWP", |p| p.threads.to_string()),
    column("ni", "NI", |p| p.nice.to_string()),
    column("pri", "PRI", |p| p.priority.to_string()),
    column("vsz", "VSZ", |p| (p.virtual_bytes >> 10).to_string()),
    column("rss", "RSS", |p| (p.resident_bytes >> 10).to_string()),
    column("pcpu", "%CPU", |p| format!("{:.1}", p.cpu_percent)),
    column("%cpu", "%CPU", |p| format!("{:.1}", p.cpu_percent)),
    column("c", "C", |p| format!("{:.0}", p.cpu_percent)),
    column("pmem", "%MEM", |p| format!("{:.1}", p.memory_percent)),
    column("%mem", "%MEM", |p| format!("{:.1}", p.memory_percent)),
    column("time", "TIME", |p| clock(p.cpu_ns / 1_000_000_000)),
    column("etime", "ELAPSED", |p| clock(p.elapsed_seconds)),
    column("etimes", "ELAPSED", |p| p.elapsed_seconds.to_string()),
    column("start", "STARTED", |p| started(p, "%H:%M:%S")),
    column("stime", "STIME", |p| started(p, "%H:%M")),
];

const FULL: &[(&str, &str)] = &[
    ("user", "UID"),
    ("pid", "PID"),
    ("ppid", "PPID"),
    ("c", "C"),
    ("stime", "STIME"),
    ("tty", "TTY"),
    ("time", "TIME"),
    ("cmd", "CMD"),
];

const BSD: &[(&str, &str)] = &[
    ("user", "USER"),
    ("pid", "PID"),
    ("pcpu", "%CPU"),
    ("pmem", "%MEM"),
    ("vsz", "VSZ"),
    ("rss", "RSS"),
    ("tty", "TTY"),
    ("stat", "STAT"),
    ("stime", "START"),
    ("time", "TIME"),
    ("args", "COMMAND"),
];

const SHORT: &[(&str, &str)] = &[
    ("pid", "PID"),
    ("tty", "TTY"),
    ("time", "TIME"),
    ("comm", "CMD"),
];

impl Containers {
    /// Lists the processes of a container; `ps_args` chooses the columns.
    ///
    /// # Errors
    /// When it is not there, does not run, or an argument is not understood.
    pub(crate) async fn top(&self, reference: &str, ps_args: Option<&str>) -> Result<Top> {
        let handle = self.find(reference)?;
        if !handle.view().is_running() {
            let message = format!("container {} is not running", handle.id);
            return Err(ServiceError::Conflict(message));
        }
        let columns = columns(ps_args.unwrap_or("-ef"))?;
        let (site, view) = (std::sync::Arc::clone(&self.site), handle.view());
        let list = blocking(move || {
            Cgroup::open(&site.layout, &site.cgroup(&view.record))
                .and_then(|group| processes::list(&group))
        })
        .await
        .map_err(ServiceError::failed("list the container's processes"))?;
        self.tell(&handle, "top", []);
        Ok(Top {
            titles: columns
                .iter()
                .map(|(_, title)| (*title).to_owned())
                .collect(),
            processes: list
                .iter()
                .map(|process| {
                    columns
                        .iter()
                        .map(|(column, _)| (column.text)(process))
                        .collect()
                })
                .collect(),
        })
    }
}

type Chosen = Vec<(&'static Column, &'static str)>;

/// Reads what people give `ps`: `-ef`, `aux`, `-eo pid,comm`.
fn columns(ps_args: &str) -> Result<Chosen> {
    let mut chosen = named(SHORT);
    let mut words = ps_args.split_whitespace();
    while let Some(word) = words.next() {
        let flags = word.strip_prefix('-').unwrap_or(word);
        let unknown = || {
            ServiceError::BadRequest(format!(
                "ps_args: {word:?} is not understood by this engine; -ef, aux, -l, -u and \
                 -o with columns are"
            ))
        };
        if let Some(at) = flags.find('o')
            && flags[..at]
                .bytes()
                .all(|b| matches!(b, b'e' | b'a' | b'x' | b'A'))
        {
            let rest = &flags[at + 1..];
            let list = if rest.is_empty() {
                words.next().unwrap_or_default()
            } else {
                rest
            };
            chosen = listed(list)?;
            continue;
        }
        if !flags.bytes().all(|b| b"eAafuxwl".contains(&b)) {
            return Err(unknown());
        }
        if flags.contains('u') && !word.starts_with('-') || flags == "aux" {
            chosen = named(BSD);
        } else if flags.contains('f') {
            chosen = named(FULL);
        }
    }
    Ok(chosen)
}

fn named(list: &[(&str, &'static str)]) -> Chosen {
    list.iter()
        .filter_map(|(word, title)| Some((find(word)?, *title)))
        .collect()
}

fn listed(list: &str) -> Result<Chosen> {
    let chosen: Chosen = list
        .split(',')
        .map(|word| {
            let column = find(word.trim_end_matches('=')).ok_or_else(|| {
                let known: Vec<_> = COLUMNS.iter().map(|column| column.word).collect();
                ServiceError::BadRequest(format!(
                    "ps_args: there is no column {word:?}; there are {}",
                    known.join(", ")
                ))
            })?;
            Ok((column, column.title))
        })
        .collect::<Result<_>>()?;
    // Docker needs it to tell the container's processes from others.
    if !chosen.iter().any(|(column, _)| column.word == "pid") {
        return Err(ServiceError::BadRequest(
            "Couldn't find PID field in ps output".to_owned(),
        ));
    }
    Ok(chosen)
}

fn find(word: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|column| column.word == word)
}

/// A number means another person on the host than in the image; only root is the same.
fn user(process: &Process) -> String {
    if process.uid == 0 {
        "root".to_owned()
    } else {
        process.uid.to_string()
    }
}

fn clock(seconds: u64) -> String {
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

fn started(process: &Process, format: &str) -> String {
    let seconds = i64::try_from(process.start_unix_seconds).unwrap_or_default();
    let moment = timestamp(seconds.saturating_mul(1_000_000_000));
    moment
        .to_zoned(TimeZone::system())
        .strftime(format)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(ps_args: &str) -> Result<Vec<&'static str>, String> {
        let chosen = columns(ps_args).map_err(|e| e.to_string())?;
        Ok(chosen.into_iter().map(|(_, title)| title).collect())
    }

    #[test]
    fn the_usual_arguments_give_the_usual_columns() {
        assert_eq!(
            titles("-ef").unwrap(),
            ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
        );
        assert_eq!(titles("aux").unwrap().len(), 11);
        assert_eq!(titles("-eo pid,comm").unwrap(), ["PID", "COMMAND"]);
        assert_eq!(
            titles("-o pid,user,args").unwrap(),
            ["PID", "USER", "COMMAND"]
        );
        assert_eq!(titles("").unwrap(), ["PID", "TTY", "TIME", "CMD"]);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        assert!(titles("--forest").unwrap_err().contains("--forest"));
        assert!(titles("-o nope,pid").unwrap_err().contains("nope"));
        assert!(titles("-o comm").unwrap_err().contains("PID"));
    }
}
