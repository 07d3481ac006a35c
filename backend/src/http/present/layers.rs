//! What the layers of an image did, as a page.
//!
//! Commands and paths are the image's own words: they are shown as one line, and text to the templates.

use engine_api::layers::{ImageLayer, ImageLayers as Told, ImageStep, WastedFile};
use frontend::format::{self, Moment};
use frontend::pages::{ImageLayers, LayerRow, WastedRow};
use frontend::parts::{ImageTab, ImageTabs};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::{Badge, KeyValue, Pair, Tone};
use jiff::Timestamp;

use super::{Reader, recipes};
use crate::access::PermissionId as Id;
use crate::domain::shown_name;
use crate::fleet::ImageFact;

/// Signs of a command that are shown.
const COMMAND_CHARS: usize = 2_000;

/// Returns the tabs of an image.
pub fn tabs(reader: &Reader, fact: &ImageFact, tab: ImageTab) -> ImageTabs {
    ImageTabs {
        words: reader.words,
        id: fact.id.to_string(),
        name: fact.name().to_owned(),
        tab,
        locked: reader.reason(Id::ImageFiles),
    }
}

/// Returns the page.
pub fn page(reader: &Reader, fact: &ImageFact, told: &Told) -> ImageLayers {
    let id = fact.id.as_str();
    let steps = told.steps.iter();
    let wasted = told.wasted_files.iter();
    ImageLayers {
        shell: reader.shell(Section::Images, fact.name().to_owned()),
        name: fact.name().to_owned(),
        recipes: recipes::image(reader, fact.name()),
        tabs: tabs(reader, fact, ImageTab::Layers),
        facts: facts(reader, told),
        rows: steps.map(|step| row(reader, id, told, step)).collect(),
        wasted: wasted.map(|file| wasted_row(reader, id, file)).collect(),
    }
}

fn facts(reader: &Reader, told: &Told) -> KeyValue {
    let words = reader.words;
    let wasted = words.with(
        "wasted-of",
        &[
            ("wasted", &format::bytes(told.wasted)),
            ("size", &format::bytes(told.size)),
        ],
    );
    KeyValue {
        pairs: vec![
            Pair::text(words.t("size"), format::bytes(told.size)),
            Pair::text(words.t("wasted"), wasted),
            Pair::text(
                words.t("efficiency"),
                format::percent(told.efficiency * 100.0),
            ),
            Pair::text(words.t("layer-files"), format::count(told.files)),
        ],
    }
}

fn row(reader: &Reader, id: &str, told: &Told, step: &ImageStep) -> LayerRow {
    let made = step
        .layer
        .and_then(|layer| Some((layer, told.layers.get(layer)?)));
    let row = LayerRow {
        command: match command(&step.created_by) {
            command if !command.is_empty() => command,
            _ if step.comment.is_empty() => reader.words.t("layer-unnamed"),
            _ => shown_name(&step.comment),
        },
        created: match Timestamp::from_second(step.created) {
            Ok(at) if step.created != 0 => Moment::past(reader.words, at, reader.now).text,
            _ => String::new(),
        },
        ..LayerRow::default()
    };
    match made {
        None => row,
        Some((layer, did)) => LayerRow {
            layer: Some(layer + 1),
            size: format::bytes(did.size),
            counts: [did.added, did.changed, did.removed].map(format::count),
            wasted: match did.wasted {
                0 => String::new(),
                bytes => format::bytes(bytes),
            },
            wasted_permille: permille(did),
            path: format!("{}&only=changes", at(id, "/", layer)),
            ..row
        },
    }
}

fn permille(layer: &ImageLayer) -> u64 {
    layer.wasted.saturating_mul(1_000) / layer.size.max(1)
}

/// What made a layer, without what says only that it was made by a Dockerfile.
pub(super) fn command(created_by: &str) -> String {
    let command = created_by.trim_start_matches("/bin/sh -c #(nop) ").trim();
    let mut text: String = command.chars().take(COMMAND_CHARS).map(visible).collect();
    if command.chars().nth(COMMAND_CHARS).is_some() {
        text.push('…');
    }
    text
}

/// A command may have lines; any other sign that cannot be seen is shown as a name's would be.
fn visible(sign: char) -> char {
    match sign {
        '\n' | '\t' => sign,
        sign => shown_name(sign.encode_utf8(&mut [0; 4]))
            .chars()
            .next()
            .unwrap_or(sign),
    }
}

fn wasted_row(reader: &Reader, id: &str, file: &WastedFile) -> WastedRow {
    let (tone, icon, key) = match file.is_there {
        true => (Tone::Warn, "pencil", "wasted-replaced"),
        false => (Tone::Failed, "trash-2", "wasted-removed"),
    };
    let opened = |layer: usize| match file.is_path_lossy {
        true => String::new(),
        false => at(id, &file.path, layer),
    };
    WastedRow {
        name: shown_name(&file.path),
        path: file
            .layers
            .last()
            .map(|layer| opened(*layer))
            .unwrap_or_default(),
        wasted: format::bytes(file.wasted),
        layers: file
            .layers
            .iter()
            .map(|layer| (layer + 1, opened(*layer)))
            .collect(),
        fate: Badge {
            tone,
            icon,
            word: reader.words.t(key),
        },
    }
}

/// Where a path is opened as it is after a layer, counted from 0.
pub(super) fn at(id: &str, path: &str, layer: usize) -> String {
    paths::inside_layer(&paths::ImageFiles(id), path, layer + 1)
}
