//! Containers: the list, and the tabs of one; its files have a page of their own.

use askama::Template;

use super::networks::MemberRow;
use crate::format::Moment;
use crate::parts::{ContainerHeader, ContainerRow, HealthCard, Outcome, WhyStopped};
use crate::paths;
use crate::shell::Shell;
use crate::ui::{Action, Column, Empty, Field, Filter, KeyValue, ListLook, Notice, Pager};

/// The list.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/containers_index.html")]
pub struct ContainersIndex {
    /// The frame.
    pub shell: Shell,
    /// New container.
    pub actions: Vec<Action>,
    /// The filter field.
    pub filter: Filter,
    /// The column heads.
    pub columns: Vec<Column>,
    /// The rows of this page.
    pub rows: Vec<ContainerRow>,
    /// Where one is.
    pub pager: Pager,
    /// Which columns, how close together.
    pub look: ListLook,
    /// What can be done with all selected.
    pub bulk: Vec<BulkAction>,
    /// Where the logs of all selected are read.
    pub logs: Option<String>,
    /// Shown when there are no rows.
    pub empty: Option<Empty>,
    /// URL of this very view, to return to.
    pub here: String,
}

/// What can be done with many containers at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkAction {
    /// Value of `action`.
    pub value: &'static str,
    /// The word on it.
    pub label: String,
    /// Its icon.
    pub icon: &'static str,
    /// Whether it destroys something.
    pub danger: bool,
    /// On which of the selected it has an effect: `alive`, `asleep` or `count` for all.
    pub applies: &'static str,
    /// What it would do, with `{alive}`, `{asleep}` and `{count}` in it.
    pub consequence: String,
}

/// What became of many containers; shown where no script puts it above the list.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/bulk_outcome.html")]
pub struct BulkOutcome {
    /// The frame.
    pub shell: Shell,
    /// What became of each.
    pub outcome: Outcome,
    /// Back to the list.
    pub back: Action,
}

/// A container's first tab.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_overview.html")]
pub struct ContainerOverview {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// When it stopped.
    pub why: Option<WhyStopped>,
    /// When its health is looked after.
    pub health: Option<HealthCard>,
    /// What there is to know about it.
    pub cards: Vec<FactCard>,
    /// The networks that it is in.
    pub networks: Vec<MemberRow>,
    /// Those that it could be connected to.
    pub joinable: Vec<Action>,
}

/// A card of facts.
#[derive(Debug, Clone)]
pub struct FactCard {
    /// What they are about.
    pub title: String,
    /// Its icon.
    pub icon: &'static str,
    /// The facts.
    pub facts: KeyValue,
    /// What can be done with them.
    pub action: Option<Action>,
}

/// Its load.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_stats.html")]
pub struct ContainerStats {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// Why there is nothing to see.
    pub notice: Option<Notice>,
    /// Whether it shares the host's network, whose traffic is nobody's.
    pub host_network: bool,
    /// The newest numbers, for those without script.
    pub now: KeyValue,
    /// The newest number of each chart's first line; empty when there is none yet.
    pub newest: Vec<String>,
    /// The last hour, the newest first.
    pub rows: Vec<StatsRow>,
}

/// A minute of the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatsRow {
    /// When.
    pub at: Moment,
    /// A number a column.
    pub cells: Vec<String>,
}

impl ContainerStats {
    fn socket(&self) -> String {
        paths::LiveStats(&self.header.id).to_string()
    }

    fn charts(&self) -> Vec<Chart> {
        let words = self.shell.words;
        let chart = |title: &str, unit, series: &[(&str, &str)]| Chart {
            title: words.t(title),
            series: series
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
                .join(","),
            labels: series
                .iter()
                .map(|(_, key)| words.t(key))
                .collect::<Vec<_>>()
                .join("|"),
            unit,
            note: match (title, self.host_network) {
                ("network", true) => words.t("stats-network-host"),
                _ => String::new(),
            },
        };
        vec![
            chart(
                "cpu",
                "percent",
                &[("cpu_percent", "cpu"), ("throttled_percent", "throttled")],
            ),
            chart(
                "memory",
                "bytes",
                &[
                    ("memory_bytes", "memory"),
                    ("cache_bytes", "file-cache"),
                    ("memory_limit_bytes", "limit"),
                ],
            ),
            chart(
                "network",
                "rate",
                &[("received_bytes", "received"), ("sent_bytes", "sent")],
            ),
            chart(
                "block-io",
                "rate",
                &[("read_bytes", "read"), ("written_bytes", "written")],
            ),
            chart("processes", "count", &[("pids", "processes")]),
        ]
    }

    fn newest(&self, chart: usize) -> &str {
        self.newest.get(chart).map_or("", String::as_str)
    }

    fn columns(&self) -> Vec<String> {
        let charts = self.charts();
        let labels = charts.iter().flat_map(|chart| chart.labels.split('|'));
        labels.map(str::to_owned).collect()
    }
}

/// One chart: its lines and how their numbers are written.
struct Chart {
    title: String,
    series: String,
    labels: String,
    unit: &'static str,
    note: String,
}

/// A shell in it.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_terminal.html")]
pub struct ContainerTerminal {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// Why none can be opened.
    pub notice: Option<Notice>,
    /// What can be done about that.
    pub actions: Vec<Action>,
}

impl ContainerTerminal {
    fn socket(&self) -> String {
        paths::LiveTerminal(&self.header.id).to_string()
    }

    fn bundle(&self) -> String {
        self.shell.asset("vendor/terminal.js")
    }
}

/// Its processes.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_processes.html")]
pub struct ContainerProcesses {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// Why there are none.
    pub notice: Option<Notice>,
    /// The table.
    pub table: ProcessTable,
}

/// What `top` says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessTable {
    /// Column heads.
    pub titles: Vec<String>,
    /// One row a process.
    pub rows: Vec<Vec<String>>,
}

/// Everything the engine knows about it.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_inspect.html")]
pub struct ContainerInspect {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// The JSON, indented.
    pub json: String,
    /// Shows the values; none when they are shown.
    pub reveal: Option<Action>,
}

impl ContainerInspect {
    fn tree_words(&self) -> String {
        self.shell.words.json(&["tree-entries", "tree-found"])
    }
}

impl ContainersIndex {
    fn bulk_path(&self) -> paths::ContainersBulk {
        paths::ContainersBulk
    }
}

/// The options of a terminal, as fields.
impl ContainerTerminal {
    fn options(&self) -> Vec<Field> {
        let field = |name, label: &str, placeholder: &str| Field {
            name,
            label: self.shell.words.t(label),
            placeholder: placeholder.to_owned(),
            code: true,
            ..Field::default()
        };
        vec![
            field("command", "command", "sh"),
            field("user", "user", "root"),
            field("workdir", "workdir", "/"),
        ]
    }
}
