//! The files of the test engine's containers: one folder with a file and odd names.

use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use engine_api::containers::{Directory, FileEntry, FileKind, PATH_STAT_HEADER, PathStat, go_mode};

use crate::engine::{json, refuse};

const TEXT: &[u8] = b"<i>listen</i>\n";

/// Answers for `/app` and `/app/app.conf`; nothing else is there.
pub(crate) fn archive(request: &Request<hyper::body::Incoming>) -> Response<Body> {
    let query = request.uri().query().unwrap_or_default();
    let (name, mode, kind) = match query.strip_prefix("path=").unwrap_or_default() {
        "%2F" | "%2Fapp" => ("app", 0o755 | go_mode::DIRECTORY, tar::EntryType::Directory),
        "%2Fapp%2Fapp.conf" => ("app.conf", 0o640, tar::EntryType::Regular),
        _ => return refuse(StatusCode::NOT_FOUND, "Could not find the file"),
    };
    let content = match kind {
        tar::EntryType::Regular => TEXT,
        _ => &[],
    };
    let stat = PathStat {
        name: name.to_owned(),
        size: i64::try_from(content.len()).unwrap(),
        mode,
        mtime: "2026-11-18T02:00:00Z".to_owned(),
        link_target: String::new(),
    };
    let body = match *request.method() {
        Method::HEAD => Body::empty(),
        _ => Body::from(packed(name, kind, mode & 0o777, content)),
    };
    let mut response = Response::new(body);
    let header = stat.to_header().parse().unwrap();
    response.headers_mut().insert(PATH_STAT_HEADER, header);
    response
}

fn packed(name: &str, kind: tar::EntryType, mode: u32, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(1000);
    header.set_gid(33);
    header.set_mtime(1_700_000_000);
    header.set_size(content.len() as u64);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append(&header, content).unwrap();
    archive.into_inner().unwrap()
}

pub(crate) fn listing() -> Response<Body> {
    let entry = |name: &str, kind| FileEntry {
        name: name.to_owned(),
        kind,
        size: 14,
        mode: 0o640,
        uid: 1000,
        gid: 33,
        user: "web".to_owned(),
        modified: "2026-11-18T02:00:00Z".to_owned(),
        ..FileEntry::default()
    };
    json(&Directory {
        total: 3,
        entries: vec![
            entry("sub", FileKind::Directory),
            entry("app.conf", FileKind::File),
            entry("<b>\n", FileKind::File),
        ],
        ..Directory::default()
    })
}
