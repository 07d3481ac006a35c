//! The first page.

use std::sync::Arc;

use frontend::format;
use frontend::pages::{Figure, Overview};
use frontend::parts::ContainerRow;
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{KeyValue, Pair};

use super::{Reader, containers, records};
use crate::fleet::{ContainerFact, Counts, EventFact, HostFact};

/// What the overview is made from.
pub struct Facts {
    /// The host.
    pub host: HostFact,
    /// How many containers are in which phase.
    pub counts: Counts,
    /// Containers that ended abnormally.
    pub troubled: Vec<Arc<ContainerFact>>,
    /// How many images there are, and their bytes.
    pub images: (usize, u64),
    /// The last events.
    pub events: Vec<Arc<EventFact>>,
}

/// Returns the overview.
pub fn page(reader: &Reader, facts: &Facts) -> Overview {
    let words = reader.words;
    let mut shell = reader.shell(Section::Overview, words.t("overview"));
    shell.topics = "jobs overview".to_owned();
    Overview {
        figures: figures(reader, facts),
        troubled: facts
            .troubled
            .iter()
            .map(|fact| ContainerRow {
                pick: false,
                ..containers::row(reader, fact, &[])
            })
            .collect(),
        host: host(reader, &facts.host),
        events: facts
            .events
            .iter()
            .map(|fact| records::event(reader, fact))
            .collect(),
        empty: (facts.counts.all == 0).then(|| containers::none_yet(reader)),
        actions: vec![containers::new_action(reader)],
        shell,
    }
}

fn figures(reader: &Reader, facts: &Facts) -> Vec<Figure> {
    let words = reader.words;
    let counts = facts.counts;
    let filtered = |filter: &str| Some(format!("{}?filter={filter}", paths::Containers));
    let figure = |icon, key: &str, value: String, note: String, link| Figure {
        icon,
        label: words.t(key),
        value,
        note,
        link,
    };
    let of_all = || words.n("of-containers", counts.all as u64);
    let (n_images, size_bytes) = facts.images;
    let size = format::bytes(size_bytes);
    let mut figures = vec![
        figure(
            "circle-play",
            "running-count",
            counts.running.to_string(),
            of_all(),
            filtered("state:running"),
        ),
        figure(
            "circle-stop",
            "stopped-count",
            counts.exited.to_string(),
            of_all(),
            filtered("state:exited"),
        ),
        figure(
            "layers",
            "images",
            n_images.to_string(),
            words.named("images-size", &size),
            Some(paths::Images.to_string()),
        ),
    ];
    if let Some(info) = &facts.host.info {
        let cores = info.n_cpu.to_string();
        figures.push(figure(
            "cpu",
            "cores",
            cores,
            info.architecture.clone(),
            None,
        ));
        let memory = format::bytes(info.mem_total);
        figures.push(figure(
            "memory-stick",
            "memory",
            memory,
            info.name.clone(),
            None,
        ));
    }
    figures
}

fn host(reader: &Reader, host: &HostFact) -> KeyValue {
    let words = reader.words;
    let mut pairs = Vec::new();
    let mut add = |key: &str, value: &str| {
        if !value.is_empty() {
            pairs.push(Pair::text(words.t(key), value.to_owned()));
        }
    };
    if let Some(version) = &host.version {
        add(
            "engine",
            &format!("{} {}", version.platform.name, version.version),
        );
    }
    if let Some(info) = &host.info {
        add("operating-system", &info.operating_system);
        add("kernel", &info.kernel_version);
        add(
            "control-groups",
            &format!("v{} ({})", info.cgroup_version, info.cgroup_driver),
        );
        add(
            "storage",
            &format!("{} · {}", info.driver, info.docker_root_dir),
        );
        add("seccomp", &info.security_options.join(", "));
        for warning in &info.warnings {
            add("engine-warning", warning);
        }
    }
    KeyValue { pairs }
}
