//! A sample image looked through.

use crate::pages::{FileBody, ImageFile, ImageFiles, ImageLayers, LayerRow, WastedRow};
use crate::parts::{Fact, FileRow, FileWay, ImageTab, ImageTabs, LayerChoice, LayerFileRow};
use crate::paths;
use crate::shell::Shell;
use crate::ui::{Action, Badge, Column, Filter, KeyValue, Pager, Pair, Tone, View};
use crate::words::Words;

const ID: &str = "sha256:4bb46517cac3";
const COMMAND: &str = "RUN apt-get update && apt-get install -y nginx <&2";

/// The tabs of the sample image.
pub fn image_tabs(words: Words, tab: ImageTab) -> ImageTabs {
    ImageTabs {
        words,
        id: ID.into(),
        name: "nginx:1.29".into(),
        tab,
        locked: None,
    }
}

fn at(path: &str, layer: usize) -> String {
    paths::inside_layer(&paths::ImageFiles(ID), path, layer)
}

fn badge(words: Words, tone: Tone, icon: &'static str, key: &str) -> Badge {
    Badge {
        tone,
        icon,
        word: words.t(key),
    }
}

/// What three layers did; a step between them changed no file.
pub fn image_layers(shell: Shell) -> ImageLayers {
    let words = shell.words;
    let row = |layer: usize, command: &str, size: &str, counts: [&str; 3], wasted: &str| LayerRow {
        layer: Some(layer),
        command: command.into(),
        created: words.t("age"),
        size: size.into(),
        counts: counts.map(str::to_owned),
        wasted: wasted.into(),
        wasted_permille: 312,
        path: format!("{}&only=changes", at("/", layer)),
    };
    ImageLayers {
        name: "nginx:1.29".into(),
        recipes: super::recipes(words),
        tabs: image_tabs(words, ImageTab::Layers),
        facts: KeyValue {
            pairs: vec![
                Pair::text(words.t("size"), "187.4 MiB".into()),
                Pair::text(words.t("efficiency"), "97.2 %".into()),
            ],
        },
        rows: vec![
            row(
                1,
                "ADD rootfs.tar /",
                "117.0 MiB",
                ["3,412", "0", "0"],
                "5.1 MiB",
            ),
            LayerRow {
                command: "ENV NGINX_VERSION=1.29".into(),
                created: words.t("age"),
                ..LayerRow::default()
            },
            row(2, COMMAND, "70.4 MiB", ["812", "31", "4"], ""),
        ],
        wasted: vec![WastedRow {
            name: "/var/cache/<b>debconf</b>/templates.dat".into(),
            path: at("/var/cache/debconf/templates.dat", 2),
            wasted: "5.1 MiB".into(),
            layers: vec![
                (1, at("/var/cache/debconf/templates.dat", 1)),
                (2, String::new()),
            ],
            fate: badge(words, Tone::Warn, "pencil", "wasted-replaced"),
        }],
        shell,
    }
}

fn choice(words: Words) -> LayerChoice {
    LayerChoice {
        words,
        path: paths::ImageFiles(ID).to_string(),
        hidden: vec![("path", "/etc".into())],
        layer: 2,
        n_layers: 3,
        command: COMMAND.into(),
        below: Some(at("/etc", 1)),
        above: Some(at("/etc", 3)),
    }
}

fn way(words: Words, names: &[&str]) -> FileWay {
    let mut path = String::new();
    let mut parts = vec![(String::new(), at("/", 2))];
    for name in names {
        path = format!("{path}/{name}");
        parts.push(((*name).to_owned(), at(&path, 2)));
    }
    FileWay {
        words,
        root: words.t("image-files-root"),
        parts,
    }
}

/// A directory in which a layer added, changed and removed something.
pub fn image_files(shell: Shell) -> ImageFiles {
    let words = shell.words;
    let view = View {
        path: paths::ImageFiles(ID).to_string(),
        inside: "/etc".into(),
        also: vec![("layer", "2".into())],
        page: 1,
        ..View::default()
    };
    let column = |name, key: &str, numeric| Column::plain(words.t(key), numeric).named(name);
    ImageFiles {
        name: "nginx:1.29".into(),
        recipes: super::recipes(words),
        tabs: image_tabs(words, ImageTab::Files),
        choice: choice(words),
        way: way(words, &["etc"]),
        notices: Vec::new(),
        filter: Filter {
            words,
            view: view.clone(),
            hint: words.t("files-filter"),
            chips: vec![
                (words.t("all"), String::new(), view.url(), true),
                (
                    words.t("image-files-changes"),
                    String::new(),
                    format!("{}&only=changes", view.url()),
                    false,
                ),
            ],
        },
        columns: vec![
            column("name", "name", false),
            column("mark", "change", false),
            column("size", "size", true),
            column("layer", "layer", true),
            column("wasted", "wasted", true),
            column("mode", "file-mode", false),
            column("owner", "file-owner", false),
        ],
        above: Some(at("/", 2)),
        rows: rows(words),
        pager: Pager::new(words, &view, 100, 4),
        empty: None,
        shell,
    }
}

fn rows(words: Words) -> Vec<LayerFileRow> {
    let row = |icon, name: &str, mode: &str, mark| LayerFileRow {
        file: FileRow {
            icon,
            name: name.into(),
            path: at(&format!("/etc/{name}"), 2),
            mode: mode.into(),
            owner: "root:root".into(),
            ..FileRow::default()
        },
        mark,
        layer: 2,
        ..LayerFileRow::default()
    };
    let added = badge(words, Tone::Running, "plus", "change-added");
    let changed = badge(words, Tone::Warn, "pencil", "change-changed");
    let removed = badge(words, Tone::Failed, "trash-2", "change-deleted");
    vec![
        row("folder", "nginx", "drwxr-xr-x", Some(added)),
        LayerFileRow {
            before: words.named("image-file-before", "1.1 KiB"),
            wasted: "1.1 KiB".into(),
            later: words.named("image-file-replaced-by", "3"),
            ..row("file", "<i>passwd</i>␊", "-rw-r--r--", Some(changed))
        },
        row("file", "motd", "-rw-r--r--", Some(removed)),
        row("file-symlink", "localtime", "lrwxrwxrwx", None),
    ]
}

/// A file that a layer changed.
pub fn image_file(shell: Shell) -> ImageFile {
    let words = shell.words;
    let path = "/etc/passwd";
    let download = paths::inside_layer(&paths::ImageFilesDownload(ID), path, 2);
    ImageFile {
        name: "nginx:1.29".into(),
        recipes: super::recipes(words),
        tabs: image_tabs(words, ImageTab::Files),
        choice: Some(choice(words)),
        way: way(words, &["etc", "passwd"]),
        actions: vec![Action::link(words.t("download"), "download", download)],
        mark: Some(badge(words, Tone::Warn, "pencil", "change-changed")),
        facts: vec![Fact {
            icon: "hard-drive",
            label: words.t("file-length"),
            text: "1.2 KiB".into(),
            link: None,
        }],
        notices: Vec::new(),
        body: FileBody::Text("root:x:0:0:<root>:/root:/bin/sh\n".into()),
        shell,
    }
}
