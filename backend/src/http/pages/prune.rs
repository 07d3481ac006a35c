//! Making room: what nothing needs is shown, with what its removal frees, and then removed.

use axum::extract::{Query, State};
use axum::response::Response;
use frontend::{format, paths};

use super::frame::{Frame, said_and_go};
use crate::access::{Permit, image};
use crate::app::App;
use crate::http::Result;
use crate::http::extract::Fields;
use crate::http::present::prune as present;
use crate::services::prune::{self, Choice};

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    which: String,
}

fn choice(which: &str) -> Choice {
    match which {
        "unused" => Choice::Unused,
        _ => Choice::Nameless,
    }
}

pub(super) async fn show_images(
    permit: Permit<image::List>,
    State(app): State<App>,
    Query(asked): Query<Asked>,
    frame: Frame,
) -> Result<Response> {
    let choice = choice(&asked.which);
    let prunable = prune::images_to_prune(&app.services, &permit, choice).await?;
    Ok(frame.draw(&present::images(&frame.reader, choice, &prunable)))
}

pub(super) async fn images(
    permit: Permit<image::Prune>,
    State(app): State<App>,
    fields: Fields,
) -> Result<Response> {
    let pruned = prune::images(&app.services, &permit, choice(fields.text("which"))).await?;
    let freed = format::bytes(pruned.space_reclaimed.unwrap_or(0));
    Ok(said_and_go("done-images-pruned", &freed, &paths::Images))
}
