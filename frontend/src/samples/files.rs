//! The files of a sample container.

use super::containers::container_header;
use crate::format::Moment;
use crate::pages::{
    ChangeRow, ContainerChanges, ContainerFile, ContainerFiles, Editor, Entrance, FileBody,
};
use crate::parts::{Fact, FileRow, FileWay, Tab};
use crate::paths;
use crate::shell::Shell;
use crate::ui::{Action, Badge, Column, Field, Filter, Kind, Look, Notice, Pager, Tone, View};
use crate::words::Words;

const TEXT: &str = "\nworker_processes  2;\nevents {\n    worker_connections  1024;\n}\n# <b>not bold</b> & not bolder\n";

fn way(words: Words, id: &str, names: &[&str]) -> FileWay {
    let mut path = String::new();
    let mut parts = vec![("/".to_owned(), at(id, "/"))];
    for name in names {
        path = format!("{path}/{name}");
        parts.push(((*name).to_owned(), at(id, &path)));
    }
    FileWay {
        words,
        root: words.t("files-root"),
        parts,
    }
}

fn at(id: &str, path: &str) -> String {
    paths::inside(&paths::ContainerFiles(id), path)
}

fn download(words: Words, id: &str, path: &str) -> Action {
    let address = paths::inside(&paths::ContainerFilesDownload(id), path);
    Action::link(words.t("download"), "download", address)
}

fn row(words: Words, id: &str, name: &str, mode: &str, size: &str) -> FileRow {
    let path = format!("/etc/nginx/{name}");
    let (icon, kind) = match mode.as_bytes()[0] {
        b'd' => ("folder", "kind-directory"),
        b'l' => ("file-symlink", "kind-symlink"),
        b'p' => ("file-cog", "kind-pipe"),
        _ => ("file", "kind-file"),
    };
    FileRow {
        icon,
        name: name.into(),
        path: at(id, &path),
        kind: words.t(kind),
        size: size.into(),
        mode: mode.into(),
        owner: "root:root".into(),
        modified: Moment {
            text: "2026-11-18 02:00:00".into(),
            exact: "2026-11-18T02:00:00Z".into(),
        },
        download: Some(download(words, id, &path).in_row("")),
        ..FileRow::default()
    }
}

/// A directory with odd names in it, as somebody who may write sees it.
pub fn container_files(shell: Shell) -> ContainerFiles {
    let words = shell.words;
    let header = container_header(words, 0, Tab::Files);
    let id = header.id.clone();
    let view = View {
        path: paths::ContainerFiles(&id).to_string(),
        inside: "/etc/nginx".into(),
        sort: "name".into(),
        page: 1,
        ..View::default()
    };
    let column = |name, key: &str, numeric| Column::sorted(&view, name, words.t(key), numeric);
    let dir = |address: &dyn std::fmt::Display| paths::inside(&address.to_string(), "/etc/nginx");
    ContainerFiles {
        way: way(words, &id, &["etc", "nginx"]),
        actions: vec![Action {
            label: words.t("folder-download"),
            ..download(words, &id, "/etc/nginx")
        }],
        entrance: Some(Entrance {
            upload: dir(&paths::ContainerFilesUpload(&id)),
            put: dir(&paths::ContainerFilesPut(&id)),
            folder: dir(&paths::ContainerFilesFolder(&id)),
            upload_fields: upload_fields(words),
            folder_fields: vec![Field {
                name: "name",
                label: words.t("name"),
                required: true,
                code: true,
                ..Field::default()
            }],
            open: "",
        }),
        notices: vec![Notice {
            tone: Tone::Idle,
            text: words.t("files-of-stopped"),
            link: None,
        }],
        filter: Filter {
            words,
            view: view.clone(),
            hint: words.t("files-filter"),
            chips: Vec::new(),
        },
        columns: vec![
            column("name", "name", false),
            Column::plain(words.t("kind"), false).named("kind"),
            column("size", "size", true),
            Column::plain(words.t("file-mode"), false).named("mode"),
            Column::plain(words.t("file-owner"), false).named("owner"),
            column("modified", "file-modified", true),
        ],
        above: Some(at(&id, "/etc")),
        rows: rows(words, &id),
        pager: Pager::new(words, &view, 100, 5),
        empty: None,
        header,
        shell,
    }
}

fn upload_fields(words: Words) -> Vec<Field> {
    vec![
        Field {
            name: "files",
            label: words.t("upload-files"),
            kind: Kind::Files,
            hint: words.named("upload-files-hint", "8.0 MiB"),
            ..Field::default()
        },
        Field {
            name: "replace",
            label: words.t("upload-replaces"),
            kind: Kind::Check,
            ..Field::default()
        },
    ]
}

fn rows(words: Words, id: &str) -> Vec<FileRow> {
    vec![
        row(words, id, "conf.d", "drwxr-xr-x", ""),
        row(words, id, "nginx.conf", "-rw-r--r--", "1.2 KiB"),
        row(
            words,
            id,
            "<script>alert(1)</script>␊.txt",
            "-rw-r--r--",
            "0 B",
        ),
        FileRow {
            link: "/usr/lib/nginx/modules".into(),
            ..row(words, id, "modules", "lrwxrwxrwx", "")
        },
        FileRow {
            path: String::new(),
            reason: words.t("file-name-lossy"),
            download: None,
            ..row(words, id, "caf\u{fffd}.txt", "-rw-------", "7 B")
        },
    ]
}

/// A file, read or edited; edited, somebody else has changed it meanwhile.
pub fn container_file(shell: Shell, edited: bool) -> ContainerFile {
    let words = shell.words;
    let header = container_header(words, 0, Tab::Files);
    let id = header.id.clone();
    let path = "/etc/nginx/nginx.conf";
    let fact = |icon, key: &str, text: &str| Fact {
        icon,
        label: words.t(key),
        text: text.into(),
        link: None,
    };
    let edit = Action::link(words.t("file-edit"), "pencil", at(&id, path) + "&edit=on");
    ContainerFile {
        way: way(words, &id, &["etc", "nginx", "nginx.conf"]),
        actions: vec![edit.look(Look::Primary), download(words, &id, path)],
        facts: vec![
            fact("hard-drive", "file-length", "1.2 KiB"),
            fact("lock", "file-mode", "-rw-r--r--"),
            fact("user", "file-owner", "0:0"),
            fact("clock", "file-modified", "2026-11-18 02:00:00 UTC"),
        ],
        notices: if edited {
            vec![Notice::failed(words.t("file-was-changed"))]
        } else {
            Vec::new()
        },
        body: if edited {
            FileBody::Editor(Editor {
                path: paths::inside(&paths::ContainerFilesSave(&id), path),
                text: TEXT.into(),
                digest: "00".repeat(32),
                over: Some("11".repeat(32)),
                back: at(&id, path),
            })
        } else {
            FileBody::Text(TEXT.into())
        },
        header,
        shell,
    }
}

/// What differs from the image.
pub fn container_changes(shell: Shell) -> ContainerChanges {
    let words = shell.words;
    let header = container_header(words, 0, Tab::Changes);
    let id = header.id.clone();
    let view = View {
        path: paths::ContainerChanges(&id).to_string(),
        page: 1,
        ..View::default()
    };
    let row = |tone, icon, key: &str, before: &str, name: &str| ChangeRow {
        kind: Badge {
            tone,
            icon,
            word: words.t(key),
        },
        before: before.into(),
        name: name.into(),
        path: match key {
            "change-deleted" => String::new(),
            _ => at(&id, &format!("{before}{name}")),
        },
    };
    ContainerChanges {
        filter: Filter {
            words,
            view: view.clone(),
            hint: words.t("changes-filter"),
            chips: vec![
                (words.t("all"), "3".into(), view.url(), true),
                (
                    words.t("change-added"),
                    "1".into(),
                    view.filtered("kind:added").url(),
                    false,
                ),
            ],
        },
        rows: vec![
            row(
                Tone::Warn,
                "pencil",
                "change-changed",
                "/etc/nginx/",
                "nginx.conf",
            ),
            row(
                Tone::Running,
                "plus",
                "change-added",
                "/var/cache/nginx/",
                "0a",
            ),
            row(Tone::Failed, "trash-2", "change-deleted", "/bin/", "wget"),
        ],
        pager: Pager::new(words, &view, 200, 3),
        empty: None,
        header,
        shell,
    }
}
