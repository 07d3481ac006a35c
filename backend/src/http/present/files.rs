//! The files of a container as pages: a directory, one file, and what there is instead of one.
//!
//! Names, links and texts are the container's own words: names are shown as one line, and everything is
//! text to the templates.

use engine_api::containers::{Directory, FileEntry, FileKind, PathStat, go_mode};
use frontend::format::{self, Moment};
use frontend::pages::{ContainerFile, ContainerFiles, Editor, Entrance, FileBody};
use frontend::parts::{Fact, FileRow, FileWay, Tab};
use frontend::paths;
use frontend::ui::{Action, Column, Empty, Field, Filter, Kind, Look, Notice, Pager, Tone, View};
use jiff::Timestamp;

use super::{Reader, containers, details, fields};
use crate::access::PermissionId as Id;
use crate::domain::{FieldError, InsidePath, shown_name};
use crate::fleet::ContainerFact;
use crate::services::files::{
    Content, EDIT_BYTES_MAX, LockedBy, ROWS, ShownFile, Text, VIEW_BYTES_MAX,
};

/// What a form without script may bring at once.
pub const FORM_BYTES_MAX: usize = 8 << 20;
/// Entries of one directory that an engine counts.
const COUNTED: u64 = 200_000;

/// What one of a directory's forms is told.
#[derive(Debug, Default)]
pub struct Refused<'a> {
    /// The name of the new folder as typed.
    pub name: &'a str,
    /// What is wrong with the new folder.
    pub folder: Option<&'a FieldError>,
    /// What is wrong with the upload.
    pub upload: Option<&'a FieldError>,
}

/// Returns a directory.
pub fn directory(
    reader: &Reader,
    fact: &ContainerFact,
    path: &InsidePath,
    (view, listed): (&View, &Directory),
    refused: &Refused<'_>,
) -> ContainerFiles {
    let words = reader.words;
    let id = fact.id.as_str();
    let column = |name, key: &str, numeric| Column::sorted(view, name, words.t(key), numeric);
    let plain = |name, key: &str| Column::plain(words.t(key), false).named(name);
    let may_write = reader.may(Id::ContainerWriteFiles) && !listed.read_only;
    ContainerFiles {
        shell: details::shell(reader, fact, Tab::Files),
        header: containers::header(reader, fact, Tab::Files),
        way: way(reader, id, path),
        actions: vec![take(reader, id, path.as_str(), "folder-download")],
        entrance: may_write.then(|| entrance(reader, id, path, refused)),
        notices: notices(reader, fact, listed),
        filter: Filter {
            words,
            view: view.clone(),
            hint: words.t("files-filter"),
            chips: Vec::new(),
        },
        columns: vec![
            column("name", "name", false),
            plain("kind", "kind"),
            column("size", "size", true),
            plain("mode", "file-mode"),
            plain("owner", "file-owner"),
            column("modified", "file-modified", true),
        ],
        above: path.parent().map(|above| at(id, above.as_str())),
        rows: listed
            .entries
            .iter()
            .map(|entry| row(reader, id, path, entry))
            .collect(),
        pager: Pager::new(words, view, ROWS, listed.total),
        empty: (listed.total == 0).then(|| empty(reader, view, may_write)),
    }
}

fn notices(reader: &Reader, fact: &ContainerFact, listed: &Directory) -> Vec<Notice> {
    let words = reader.words;
    let told = |tone, text| Notice {
        tone,
        text,
        link: None,
    };
    let mut notices = Vec::new();
    if listed.read_only {
        notices.push(told(Tone::Idle, words.t("files-read-only")));
    }
    if !fact.phase.is_alive() {
        notices.push(told(Tone::Idle, words.t("files-of-stopped")));
    }
    if listed.is_cut {
        let text = words.named("files-cut", &format::count(COUNTED));
        notices.push(told(Tone::Warn, text));
    }
    notices
}

fn empty(reader: &Reader, view: &View, may_write: bool) -> Empty {
    let words = reader.words;
    let (title, text) = match (view.filter.is_empty(), may_write) {
        (false, _) => ("files-nothing-found", "files-nothing-found-text"),
        (true, true) => ("files-none", "files-none-text"),
        (true, false) => ("files-none", "files-none-text-read"),
    };
    Empty {
        words,
        icon: "folder",
        title: words.t(title),
        text: words.t(text),
        action: None,
        command: String::new(),
    }
}

fn entrance(reader: &Reader, id: &str, path: &InsidePath, refused: &Refused<'_>) -> Entrance {
    let words = reader.words;
    let here = |address: String| paths::inside(&address, path.as_str());
    let mut upload_fields = vec![
        Field {
            kind: Kind::Files,
            required: true,
            hint: words.named("upload-files-hint", &format::bytes(FORM_BYTES_MAX as u64)),
            ..fields::field(words, "files", "upload-files")
        },
        Field {
            kind: Kind::Check,
            ..fields::field(words, "replace", "upload-replaces")
        },
    ];
    let mut folder_fields = vec![Field {
        value: refused.name.to_owned(),
        required: true,
        code: true,
        autocomplete: "off",
        ..fields::field(words, "name", "name")
    }];
    let _marked = fields::mark(words, &mut upload_fields, refused.upload);
    let _marked = fields::mark(words, &mut folder_fields, refused.folder);
    Entrance {
        upload: here(paths::ContainerFilesUpload(id).to_string()),
        put: here(paths::ContainerFilesPut(id).to_string()),
        folder: here(paths::ContainerFilesFolder(id).to_string()),
        upload_fields,
        folder_fields,
        open: match (refused.upload, refused.folder) {
            (Some(_), _) => "upload",
            (None, Some(_)) => "folder",
            (None, None) => "",
        },
    }
}

fn row(reader: &Reader, id: &str, path: &InsidePath, entry: &FileEntry) -> FileRow {
    let words = reader.words;
    let inside = path.join(&entry.name);
    let can_be_taken = matches!(entry.kind, FileKind::File | FileKind::Directory);
    let name = shown_name(&entry.name);
    let download = (can_be_taken && !entry.is_name_lossy && reader.may(Id::ContainerDownloadFiles))
        .then(|| {
            let action = take(reader, id, &inside, "download");
            let label = format!("{}: {name}", action.label);
            Action { label, ..action }.in_row("")
        });
    let (icon, kind, letter) = kind_of(entry.kind);
    let or_number = |name: &str, number: u32| match name {
        "" => number.to_string(),
        name => shown_name(name),
    };
    FileRow {
        icon,
        path: match entry.is_name_lossy {
            true => String::new(),
            false => at(id, &inside),
        },
        reason: match entry.is_name_lossy {
            true => words.t("file-name-lossy"),
            false => String::new(),
        },
        link: entry.link.as_deref().map(shown_name).unwrap_or_default(),
        kind: words.t(kind),
        size: match entry.kind {
            FileKind::File => format::bytes(entry.size),
            _ => String::new(),
        },
        mode: mode_text(letter, entry.mode),
        owner: format!(
            "{}:{}",
            or_number(&entry.user, entry.uid),
            or_number(&entry.group, entry.gid)
        ),
        modified: match entry.modified.parse::<Timestamp>() {
            Ok(at) => Moment::past(words, at, reader.now),
            Err(_) => Moment::default(),
        },
        name,
        download,
    }
}

/// Icon, key of the word, and the letter that begins the bits.
pub(super) const fn kind_of(kind: FileKind) -> (&'static str, &'static str, char) {
    match kind {
        FileKind::File => ("file", "kind-file", '-'),
        FileKind::Directory => ("folder", "kind-directory", 'd'),
        FileKind::Symlink => ("file-symlink", "kind-symlink", 'l'),
        FileKind::Pipe => ("file-cog", "kind-pipe", 'p'),
        FileKind::Socket => ("file-cog", "kind-socket", 's'),
        FileKind::BlockDevice => ("file-cog", "kind-device", 'b'),
        FileKind::CharacterDevice => ("file-cog", "kind-device", 'c'),
    }
}

/// Writes the bits as `ls -l` does.
pub(super) fn mode_text(letter: char, mode: u32) -> String {
    let mut text = String::from(letter);
    for (shift, special, sign) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => sign,
            (true, false) => sign.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

fn way(reader: &Reader, id: &str, path: &InsidePath) -> FileWay {
    let parts = path.way().into_iter();
    FileWay {
        words: reader.words,
        root: reader.words.t("files-root"),
        parts: parts
            .map(|part| (shown_name(part.name()), at(id, part.as_str())))
            .collect(),
    }
}

fn at(id: &str, path: &str) -> String {
    paths::inside(&paths::ContainerFiles(id), path)
}

/// The link that takes what is at a path away.
fn take(reader: &Reader, id: &str, path: &str, key: &str) -> Action {
    let address = paths::inside(&paths::ContainerFilesDownload(id), path);
    let action = Action::link(reader.words.t(key), "download", address);
    reader.guard(action, Id::ContainerDownloadFiles, None)
}

/// How a file is shown.
#[derive(Debug)]
pub enum Showing<'a> {
    /// To be read.
    Read,
    /// To be edited.
    Edit,
    /// To be edited again: what was typed, what had been read, and why it was not saved.
    Again {
        /// What was typed.
        typed: &'a str,
        /// The digest of what had been read.
        read: &'a str,
        /// What stood in the way.
        why: Notice,
        /// Whether that is that somebody else has written it.
        is_changed: bool,
    },
}

/// Returns a file.
pub fn file(
    reader: &Reader,
    fact: &ContainerFact,
    path: &InsidePath,
    file: &ShownFile,
    showing: &Showing<'_>,
) -> ContainerFile {
    let id = fact.id.as_str();
    let mut page = about(reader, fact, path);
    page.actions = vec![take(reader, id, path.as_str(), "download")];
    if !matches!(showing, Showing::Again { .. }) {
        page.facts = facts(reader, file);
        page.notices.extend(hindrance(reader, &file.content));
    }
    let text = match &file.content {
        Content::Text(text) => Some(text),
        Content::Binary | Content::TooLarge => None,
    };
    page.body = match (showing, text) {
        (
            Showing::Again {
                typed,
                read,
                why,
                is_changed,
            },
            text,
        ) => {
            page.notices.push(why.clone());
            let over = text.filter(|_| *is_changed).map(|text| text.digest.clone());
            FileBody::Editor(editor(id, path, typed, read, over))
        }
        (Showing::Edit, Some(text)) if may_edit(reader, text) => {
            FileBody::Editor(editor(id, path, &text.text, &text.digest, None))
        }
        (_, Some(text)) => {
            page.actions.insert(0, edit(reader, id, path, text));
            FileBody::Text(text.text.clone())
        }
        (_, None) => FileBody::Nothing,
    };
    page
}

fn may_edit(reader: &Reader, text: &Text) -> bool {
    reader.may(Id::ContainerWriteFiles) && text.locked.is_none()
}

fn edit(reader: &Reader, id: &str, path: &InsidePath, text: &Text) -> Action {
    let words = reader.words;
    let address = format!("{}&edit=on", at(id, path.as_str()));
    let action = Action::link(words.t("file-edit"), "pencil", address).look(Look::Primary);
    let locked = text.locked.map(|locked| match locked {
        LockedBy::Length => {
            words.named("file-locked-length", &format::bytes(EDIT_BYTES_MAX as u64))
        }
        LockedBy::LineEnds => words.t("file-locked-ends"),
    });
    let reason = reader.reason(Id::ContainerWriteFiles);
    action.unless(reason.or(locked))
}

fn editor(id: &str, path: &InsidePath, text: &str, read: &str, over: Option<String>) -> Editor {
    Editor {
        path: paths::inside(&paths::ContainerFilesSave(id), path.as_str()),
        text: text.replace("\r\n", "\n"),
        digest: read.to_owned(),
        over,
        back: at(id, path.as_str()),
    }
}

fn facts(reader: &Reader, file: &ShownFile) -> Vec<Fact> {
    let fact = |icon, key: &str, text: String| Fact {
        icon,
        label: reader.words.t(key),
        text,
        link: None,
    };
    let size = u64::try_from(file.stat.size).unwrap_or(0);
    let modified = match file.stat.mtime.parse::<Timestamp>() {
        Ok(at) => format!("{} UTC", Moment::stamp(at).text),
        Err(_) => file.stat.mtime.clone(),
    };
    vec![
        fact("hard-drive", "file-length", format::bytes(size)),
        fact("lock", "file-mode", mode_text('-', file.mode)),
        fact("user", "file-owner", format!("{}:{}", file.uid, file.gid)),
        fact("clock", "file-modified", modified),
    ]
}

/// Why a file is not shown.
fn hindrance(reader: &Reader, content: &Content) -> Option<Notice> {
    let words = reader.words;
    let text = match content {
        Content::Text(_) => return None,
        Content::Binary => words.t("file-binary"),
        Content::TooLarge => words.named("file-too-large", &format::bytes(VIEW_BYTES_MAX)),
    };
    Some(Notice {
        tone: Tone::Idle,
        text,
        link: None,
    })
}

/// What there is at a path instead of a file.
#[derive(Clone, Copy, Debug)]
pub enum Instead<'a> {
    /// Nothing.
    Nothing,
    /// A link to nothing.
    BrokenLink(&'a str),
    /// A device, a pipe, a socket.
    Special(&'a PathStat),
    /// The kernel's.
    Kernels,
}

/// Returns the page of a path at which there is no file.
pub fn instead(
    reader: &Reader,
    fact: &ContainerFact,
    path: &InsidePath,
    instead: Instead<'_>,
) -> ContainerFile {
    let words = reader.words;
    let (tone, text) = match instead {
        Instead::Nothing => (Tone::Failed, words.named("files-nothing", &path.shown())),
        Instead::Kernels => (Tone::Idle, words.named("files-kernels", &path.shown())),
        Instead::BrokenLink(target) => {
            let target = shown_name(target);
            (Tone::Failed, words.named("files-broken-link", &target))
        }
        Instead::Special(stat) => {
            let kind = words.t(special(stat.mode));
            (Tone::Idle, words.named("files-special", &kind))
        }
    };
    let mut page = about(reader, fact, path);
    page.notices.push(Notice {
        tone,
        text,
        link: None,
    });
    page
}

const fn special(mode: u32) -> &'static str {
    if mode & go_mode::PIPE != 0 {
        "kind-pipe"
    } else if mode & go_mode::SOCKET != 0 {
        "kind-socket"
    } else {
        "kind-device"
    }
}

fn about(reader: &Reader, fact: &ContainerFact, path: &InsidePath) -> ContainerFile {
    ContainerFile {
        shell: details::shell(reader, fact, Tab::Files),
        header: containers::header(reader, fact, Tab::Files),
        way: way(reader, fact.id.as_str(), path),
        actions: Vec::new(),
        facts: Vec::new(),
        notices: Vec::new(),
        body: FileBody::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_written_as_ls_writes_them() {
        for (letter, mode, text) in [
            ('-', 0o644, "-rw-r--r--"),
            ('d', 0o1777, "drwxrwxrwt"),
            ('-', 0o4711, "-rws--x--x"),
            ('-', 0o6644, "-rwSr-Sr--"),
            ('l', 0o777, "lrwxrwxrwx"),
        ] {
            assert_eq!(mode_text(letter, mode), text);
        }
    }
}
