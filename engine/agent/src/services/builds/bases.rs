//! The images that a build stands on or takes files from: here, or pulled.

use engine_images::{Platform, Reference};

use super::executor::{Stop, Work};
use super::output::Output;
use crate::services::error::{Result as ServiceResult, ServiceError};
use crate::services::images::{Board, Draft, Images, Wanted};

/// Finds an image, and pulls it when it is not here, when it is for another machine than the one
/// that is named, or when newer ones are asked for.
pub(super) async fn image(
    work: &Work,
    name: &str,
    platform: Option<&str>,
    output: &Output,
) -> Result<Draft, Stop> {
    let images = &work.builds.images;
    let here = images.platform_of(name);
    let fits = match (platform, &here) {
        (Some(platform), Some(here)) => here.fitness(&wanted_platform(Some(platform))?).is_some(),
        _ => here.is_some(),
    };
    let is_id = name.starts_with("sha256:");
    if fits && (!work.request.pull || is_id) {
        return Ok(images.draft_of(name)?);
    }
    let reference: Reference =
        name.parse()
            .map_err(|error: engine_images::MalformedReference| {
                Stop::Failed(ServiceError::BadRequest(error.to_string()))
            })?;
    let auth = work.request.auth_for(&reference);
    let wanted = Images::one(Wanted::parse(name, None, platform, auth)?);
    let pull = images.find_remote(wanted).await?;
    let board = pull.board();
    let pulling = images.pull(pull);
    tokio::pin!(pulling);
    loop {
        tokio::select! {
            biased;
            done = &mut pulling => {
                tell(&board, output).await?;
                done?;
                break;
            }
            () = board.changed() => tell(&board, output).await?,
        }
    }
    Ok(images.draft_of(name)?)
}

async fn tell(board: &Board, output: &Output) -> Result<(), Stop> {
    for line in board.take() {
        output.progress(line).await?;
    }
    Ok(())
}

/// Reads a platform; the host's own when none is named.
pub(super) fn wanted_platform(text: Option<&str>) -> ServiceResult<Platform> {
    let Some(text) = text else {
        return Ok(Platform::host());
    };
    text.parse::<Platform>()
        .map_err(|error| ServiceError::BadRequest(error.to_string()))
}
