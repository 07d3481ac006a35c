//! The layers of the test engine's image: two, with one folder and one file of it.

use std::collections::HashMap;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use engine_api::containers::{FileEntry, FileKind};
use engine_api::layers::{
    FileMark, ImageDirectory, ImageFile, ImageLayer, ImageLayers, ImageStep, WastedFile,
};

use crate::engine::{json, refuse};

const TEXT: &str = "<i>listen</i>\n";

/// Answers for `/app` and `/app/app.conf`, to which `/link` leads; nothing else is there.
pub(crate) fn answer(operation: &str, request: &Request<hyper::body::Incoming>) -> Response<Body> {
    if operation == "image.layers" {
        return json(&layers());
    }
    let query = request.uri().query().unwrap_or_default();
    let query: HashMap<_, _> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let layer = query.get("layer").map_or(1, |layer| layer.parse().unwrap());
    let path = query["path"].replace("%2F", "/");
    let told = |path: &str| ImageDirectory {
        path: path.to_owned(),
        layer,
        layers: 2,
        created_by: "RUN <b>make</b>".to_owned(),
        ..ImageDirectory::default()
    };
    match (operation, path.as_str()) {
        _ if layer > 1 => refuse(StatusCode::BAD_REQUEST, "there is no layer 2"),
        ("image.file", "/app/app.conf" | "/link") => Response::new(Body::from(TEXT)),
        ("image.file", "/app") => refuse(StatusCode::BAD_REQUEST, "/app is not a regular file"),
        ("image.files", "/app") => {
            let entries = entries(query["changes"] == "true");
            json(&ImageDirectory {
                total: entries.len(),
                entries,
                ..told("/app")
            })
        }
        ("image.files", "/app/app.conf" | "/link") => json(&ImageDirectory {
            file: Some(entry("app.conf", FileMark::Changed)),
            ..told("/app/app.conf")
        }),
        _ => refuse(StatusCode::NOT_FOUND, "Could not find the file"),
    }
}

fn entry(name: &str, mark: FileMark) -> ImageFile {
    ImageFile {
        entry: FileEntry {
            name: name.to_owned(),
            kind: FileKind::File,
            size: 14,
            mode: 0o640,
            uid: 1000,
            gid: 33,
            user: "web".to_owned(),
            modified: "2026-11-18T02:00:00Z".to_owned(),
            ..FileEntry::default()
        },
        mark,
        layer: usize::from(mark != FileMark::Removed),
        size_before: Some(2_048),
        wasted: 2_048,
        ..ImageFile::default()
    }
}

fn entries(only_changes: bool) -> Vec<ImageFile> {
    let mut entries = vec![
        entry("app.conf", FileMark::Changed),
        entry("<b>\n", FileMark::Added),
        entry("old", FileMark::Removed),
    ];
    if !only_changes {
        entries.push(entry("same", FileMark::Unchanged));
    }
    entries
}

fn layers() -> ImageLayers {
    let layer = |size, wasted| ImageLayer {
        size,
        wasted,
        added: 3,
        changed: 2,
        removed: 1,
        ..ImageLayer::default()
    };
    let step = |created_by: &str, layer| ImageStep {
        created_by: created_by.to_owned(),
        layer,
        ..ImageStep::default()
    };
    ImageLayers {
        size: 4_096,
        wasted: 2_048,
        efficiency: 0.5,
        files: 4,
        layers: vec![layer(3_072, 2_048), layer(1_024, 0)],
        steps: vec![
            step("ADD <rootfs>", Some(0)),
            step("ENV A=1", None),
            step("RUN <b>make</b>", Some(1)),
        ],
        wasted_files: vec![WastedFile {
            path: "/app/<b>\n".to_owned(),
            wasted: 2_048,
            layers: vec![0, 1],
            is_there: true,
            ..WastedFile::default()
        }],
        ..ImageLayers::default()
    }
}
