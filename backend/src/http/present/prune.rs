//! What nothing needs, before it goes.

use engine_api::images::ImageSummary;
use engine_api::usage::Prunable;
use frontend::format::{self, Moment};
use frontend::pages::{ImagesPrune, PruneRow};
use frontend::paths;
use frontend::shell::Section;
use frontend::ui::Empty;
use jiff::Timestamp;

use super::Reader;
use crate::access::PermissionId;
use crate::services::prune::Choice;

/// Returns the page.
pub fn images(reader: &Reader, choice: Choice, prunable: &Prunable) -> ImagesPrune {
    let words = reader.words;
    let empty = prunable.images.is_empty().then(|| Empty {
        words,
        icon: "layers",
        title: words.t("images-prune-none"),
        text: words.t("images-prune-none-text"),
        action: None,
        command: String::new(),
    });
    ImagesPrune {
        shell: reader.shell(Section::Images, words.t("images-prune-title")),
        all: choice == Choice::Unused,
        rows: prunable.images.iter().map(|one| row(reader, one)).collect(),
        freed: format::bytes(prunable.space_reclaimed),
        empty,
        locked: reader.reason(PermissionId::ImagePrune),
    }
}

fn row(reader: &Reader, image: &ImageSummary) -> PruneRow {
    let created = Timestamp::from_second(image.created).unwrap_or_default();
    let bytes = |n: i64| format::bytes(u64::try_from(n).unwrap_or(0));
    let short = || {
        let hex = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
        hex.chars().take(12).collect::<String>()
    };
    PruneRow {
        path: paths::Image(&image.id).to_string(),
        names: match image.repo_tags.is_empty() {
            true => vec![short()],
            false => image.repo_tags.clone(),
        },
        size: bytes(image.size),
        shared: match image.shared_size {
            shared if shared > 0 => bytes(shared),
            _ => String::new(),
        },
        created: Moment::past(reader.words, created, reader.now),
    }
}
