//! The files of an image after a layer, as pages: a directory, one file, and what there is instead.
//!
//! Names, links and texts are the image's own words: names are shown as one line, and everything is text
//! to the templates.

use engine_api::containers::FileKind;
use engine_api::layers::{FileMark, ImageDirectory, ImageFile as Entry};
use frontend::format;
use frontend::pages::{FileBody, ImageFile, ImageFiles};
use frontend::parts::{Fact, FileRow, FileWay, ImageTab, LayerChoice, LayerFileRow};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Action, Badge, Column, Empty, Filter, Notice, Pager, Tone, View};

use super::files::{kind_of, mode_text};
use super::layers::{at, command, tabs};
use super::{Reader, recipes};
use crate::access::PermissionId as Id;
use crate::domain::{InsidePath, shown_name};
use crate::fleet::ImageFact;
use crate::services::files::{Content, VIEW_BYTES_MAX};
use crate::services::image_files::{At, ROWS};

/// Names of one directory, in all layers together, that an engine counts.
const COUNTED: u64 = 100_000;

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Where<'a> {
    /// The image.
    pub fact: &'a ImageFact,
    /// The path.
    pub path: &'a InsidePath,
    /// What the engine says of it.
    pub listed: &'a ImageDirectory,
    /// Whether what the layer did not touch is left out.
    pub only_changes: bool,
}

impl Where<'_> {
    fn id(&self) -> &str {
        self.fact.id.as_str()
    }

    /// The address of a path, looked at in the same way.
    fn opens(&self, path: &str, layer: usize) -> String {
        let only = if self.only_changes {
            "&only=changes"
        } else {
            ""
        };
        format!("{}{only}", at(self.id(), path, layer))
    }
}

/// Returns what the address of a list says beside its path.
pub fn also(place: &Where<'_>) -> Vec<(&'static str, String)> {
    let mut also = vec![("layer", (place.listed.layer + 1).to_string())];
    if place.only_changes {
        also.push(("only", "changes".to_owned()));
    }
    also
}

/// Returns a directory.
pub fn directory(reader: &Reader, place: &Where<'_>, view: &View) -> ImageFiles {
    let words = reader.words;
    let listed = place.listed;
    let column = |name, key: &str, numeric| Column::plain(words.t(key), numeric).named(name);
    let above = place.path.parent();
    ImageFiles {
        shell: reader.shell(Section::Images, place.fact.name().to_owned()),
        name: place.fact.name().to_owned(),
        recipes: recipes::image(reader, place.fact.name()),
        tabs: tabs(reader, place.fact, ImageTab::Files),
        choice: choice(reader, place),
        way: way(reader, place.path, |path| place.opens(path, listed.layer)),
        notices: notices(reader, listed),
        filter: Filter {
            words,
            hint: words.t("files-filter"),
            chips: chips(reader, place, view),
            view: view.clone(),
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
        above: above.map(|above| place.opens(above.as_str(), listed.layer)),
        rows: listed
            .entries
            .iter()
            .map(|entry| row(reader, place, entry))
            .collect(),
        pager: Pager::new(words, view, ROWS, listed.total),
        empty: (listed.total == 0).then(|| empty(reader, place, view)),
    }
}

fn choice(reader: &Reader, place: &Where<'_>) -> LayerChoice {
    let listed = place.listed;
    let path = place.path.as_str();
    let mut hidden = vec![("path", path.to_owned())];
    if place.only_changes {
        hidden.push(("only", "changes".to_owned()));
    }
    let above = listed.layer + 1;
    LayerChoice {
        words: reader.words,
        path: paths::ImageFiles(place.id()).to_string(),
        hidden,
        layer: listed.layer + 1,
        n_layers: listed.layers,
        command: command(&listed.created_by),
        below: listed
            .layer
            .checked_sub(1)
            .map(|layer| place.opens(path, layer)),
        above: (above < listed.layers).then(|| place.opens(path, above)),
    }
}

fn way(reader: &Reader, path: &InsidePath, opens: impl Fn(&str) -> String) -> FileWay {
    let parts = path.way().into_iter();
    FileWay {
        words: reader.words,
        root: reader.words.t("image-files-root"),
        parts: parts
            .map(|part| (shown_name(part.name()), opens(part.as_str())))
            .collect(),
    }
}

fn notices(reader: &Reader, listed: &ImageDirectory) -> Vec<Notice> {
    let cut = listed.is_cut.then(|| Notice {
        tone: Tone::Warn,
        text: reader.words.named("files-cut", &format::count(COUNTED)),
        link: None,
    });
    cut.into_iter().collect()
}

fn chips(reader: &Reader, place: &Where<'_>, view: &View) -> Vec<(String, String, String, bool)> {
    let chip = |key: &str, only_changes: bool| {
        let place = Where {
            only_changes,
            ..*place
        };
        let view = View {
            also: also(&place),
            page: 1,
            ..view.clone()
        };
        (reader.words.t(key), String::new(), view.url(), only_changes)
    };
    let mut chips = vec![chip("all", false), chip("image-files-changes", true)];
    for (.., is_current) in &mut chips {
        *is_current = *is_current == place.only_changes;
    }
    chips
}

fn empty(reader: &Reader, place: &Where<'_>, view: &View) -> Empty {
    let words = reader.words;
    let (title, text) = match (view.filter.is_empty(), place.only_changes) {
        (false, _) => ("files-nothing-found", "files-nothing-found-text"),
        (true, true) => ("image-files-unchanged", "image-files-unchanged-text"),
        (true, false) => ("files-none", "image-files-none-text"),
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

fn row(reader: &Reader, place: &Where<'_>, file: &Entry) -> LayerFileRow {
    let words = reader.words;
    let entry = &file.entry;
    let path = place.path.join(&entry.name);
    // What the layer removed is seen in the layer before.
    let seen_in = match file.mark {
        FileMark::Removed => place.listed.layer.saturating_sub(1),
        _ => place.listed.layer,
    };
    let name = shown_name(&entry.name);
    let can_be_taken = entry.kind == FileKind::File && !entry.is_name_lossy;
    let download = (can_be_taken && reader.may(Id::ImageDownloadFiles)).then(|| {
        let action = take(reader, place.id(), &path, seen_in);
        let label = format!("{}: {name}", action.label);
        Action { label, ..action }.in_row("")
    });
    let (icon, kind, letter) = kind_of(entry.kind);
    LayerFileRow {
        file: FileRow {
            icon,
            path: match (entry.is_name_lossy, file.mark) {
                (true, _) => String::new(),
                (false, FileMark::Removed) => at(place.id(), &path, seen_in),
                (false, _) => place.opens(&path, seen_in),
            },
            reason: match entry.is_name_lossy {
                true => words.t("image-file-name-lossy"),
                false => String::new(),
            },
            link: entry.link.as_deref().map(shown_name).unwrap_or_default(),
            kind: words.t(kind),
            size: match entry.kind {
                FileKind::File => format::bytes(entry.size),
                _ => String::new(),
            },
            mode: mode_text(letter, entry.mode),
            owner: owner(file),
            name,
            download,
            ..FileRow::default()
        },
        mark: mark(reader, file.mark),
        before: match (file.mark, file.size_before) {
            (FileMark::Changed, Some(bytes)) if bytes != entry.size => {
                words.named("image-file-before", &format::bytes(bytes))
            }
            _ => String::new(),
        },
        layer: file.layer + 1,
        later: later(reader, file),
        wasted: match file.wasted {
            0 => String::new(),
            bytes => format::bytes(bytes),
        },
    }
}

fn later(reader: &Reader, file: &Entry) -> String {
    let hidden_by = file.hidden_by.map(|layer| (layer + 1).to_string());
    hidden_by.map_or(String::new(), |layer| {
        reader.words.named("image-file-replaced-by", &layer)
    })
}

fn owner(file: &Entry) -> String {
    let or_number = |name: &str, number: u32| match name {
        "" => number.to_string(),
        name => shown_name(name),
    };
    let entry = &file.entry;
    format!(
        "{}:{}",
        or_number(&entry.user, entry.uid),
        or_number(&entry.group, entry.gid)
    )
}

fn mark(reader: &Reader, mark: FileMark) -> Option<Badge> {
    let (tone, icon, key) = match mark {
        FileMark::Unchanged => return None,
        FileMark::Added => (Tone::Running, "plus", "change-added"),
        FileMark::Changed => (Tone::Warn, "pencil", "change-changed"),
        FileMark::Removed => (Tone::Failed, "trash-2", "change-deleted"),
    };
    Some(Badge {
        tone,
        icon,
        word: reader.words.t(key),
    })
}

/// The link that takes a file away.
fn take(reader: &Reader, id: &str, path: &str, layer: usize) -> Action {
    let address = paths::inside_layer(&paths::ImageFilesDownload(id), path, layer + 1);
    let action = Action::link(reader.words.t("download"), "download", address);
    reader.guard(action, Id::ImageDownloadFiles, None)
}

/// Returns what is no directory.
pub fn file(
    reader: &Reader,
    place: &Where<'_>,
    file: &Entry,
    content: Option<&Content>,
) -> ImageFile {
    let words = reader.words;
    let listed = place.listed;
    let mut page = about(reader, place.fact);
    page.choice = Some(choice(reader, place));
    page.way = way(reader, place.path, |path| place.opens(path, listed.layer));
    page.mark = mark(reader, file.mark);
    page.facts = facts(reader, file);
    let told = |text| Notice {
        tone: Tone::Idle,
        text,
        link: None,
    };
    let later = later(reader, file);
    page.notices
        .extend((!later.is_empty()).then(|| told(later)));
    if content.is_some() {
        page.actions = vec![take(reader, place.id(), place.path.as_str(), listed.layer)];
    }
    let hindrance = match content {
        Some(Content::Text(text)) => {
            page.body = FileBody::Text(text.text.clone());
            None
        }
        Some(Content::Binary) => Some(words.t("file-binary")),
        Some(Content::TooLarge) => {
            Some(words.named("file-too-large", &format::bytes(VIEW_BYTES_MAX)))
        }
        None => {
            let (_, kind, _) = kind_of(file.entry.kind);
            Some(words.named("files-special", &words.t(kind)))
        }
    };
    page.notices.extend(hindrance.map(told));
    page
}

fn facts(reader: &Reader, file: &Entry) -> Vec<Fact> {
    let fact = |icon, key: &str, text: String| Fact {
        icon,
        label: reader.words.t(key),
        text,
        link: None,
    };
    let (_, _, letter) = kind_of(file.entry.kind);
    let layer = (file.layer + 1).to_string();
    let mut facts = vec![
        fact("hard-drive", "file-length", format::bytes(file.entry.size)),
        fact("lock", "file-mode", mode_text(letter, file.entry.mode)),
        fact("user", "file-owner", owner(file)),
        fact(
            "layers",
            "image-file-from",
            format!("{} {layer}", reader.words.t("image-file-from")),
        ),
    ];
    if file.wasted > 0 {
        let wasted = format!(
            "{} {}",
            reader.words.t("wasted"),
            format::bytes(file.wasted)
        );
        facts.push(fact("trash-2", "wasted", wasted));
    }
    facts
}

/// Returns the page of a path at which there is nothing.
pub fn nothing(reader: &Reader, fact: &ImageFact, place: &At) -> ImageFile {
    let id = fact.id.as_str();
    let layer = place.layer;
    let mut page = about(reader, fact);
    page.way = way(reader, &place.path, |path| match layer {
        Some(layer) => at(id, path, layer),
        None => paths::inside(&paths::ImageFiles(id), path),
    });
    let text = reader
        .words
        .named("image-files-broken-link", &place.path.shown());
    page.notices.push(Notice {
        tone: Tone::Failed,
        text,
        link: None,
    });
    page
}

fn about(reader: &Reader, fact: &ImageFact) -> ImageFile {
    ImageFile {
        shell: reader.shell(Section::Images, fact.name().to_owned()),
        name: fact.name().to_owned(),
        recipes: recipes::image(reader, fact.name()),
        tabs: tabs(reader, fact, ImageTab::Files),
        choice: None,
        way: way(reader, &InsidePath::root(), str::to_owned),
        actions: Vec::new(),
        mark: None,
        facts: Vec::new(),
        notices: Vec::new(),
        body: FileBody::Nothing,
    }
}
