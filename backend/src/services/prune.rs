//! Making room: the images that no container is made of, shown before they go.

use engine_api::filter::Filters;
use engine_api::usage::{Prunable, Pruned};

use super::{Result, Services, audit};
use crate::access::{Permit, image};

/// Which images a prune takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Those without a name: what a newer image of the same name has left.
    Nameless,
    /// All that no container is made of.
    Unused,
}

impl Choice {
    fn filters(self) -> Filters {
        let only_nameless = match self {
            Self::Nameless => "true",
            Self::Unused => "false",
        };
        Filters::default().with("dangling", only_nameless)
    }
}

/// Says what would go now, and how many bytes that frees.
///
/// # Errors
/// When the engine is away.
pub async fn images_to_prune(
    services: &Services,
    permit: &Permit<image::List>,
    choice: Choice,
) -> Result<Prunable> {
    let client = services.link().client(permit);
    Ok(client.prunable_images(&choice.filters()).await?)
}

/// Removes them. What became needed since it was shown stays, and what is unneeded since goes too.
///
/// # Errors
/// When the engine is away.
pub async fn images(
    services: &Services,
    permit: &Permit<image::Prune>,
    choice: Choice,
) -> Result<Pruned> {
    let client = services.link().client(permit);
    let detail = match choice {
        Choice::Nameless => "which=nameless",
        Choice::Unused => "which=unused",
    };
    audit::bracket(services, permit, detail.to_owned(), async move {
        Ok(client.prune_images(&choice.filters()).await?)
    })
    .await
}
