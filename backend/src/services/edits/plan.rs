//! What is stored, and what an edit would do to it.

use engine_api::containers::Container;

use crate::access::{Permission, Permit, container};
use crate::domain::{ContainerPlace, FieldError};
use crate::fleet::EngineClient;
use crate::services::containers::of_container;
use crate::services::drafts::{self, Change, Draft, Stored, Typed, Way};
use crate::services::{Error, Result, Services};

/// What an edit would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is there.
    pub stored: Stored,
    /// What shall be.
    pub draft: Draft,
    /// The fields that change.
    pub changes: Vec<Change>,
    /// How.
    pub way: Way,
    /// Whether the image's name leads to another image than the container was made of.
    pub image_moved: bool,
    /// How many files inside are others than the image's, which go with the old container.
    pub n_changed_files: usize,
}

/// Returns a container's definition, as somebody asked for it.
///
/// # Errors
/// When it is gone or the engine is away.
pub async fn stored<P>(services: &Services, permit: &Permit<P>) -> Result<Stored>
where
    P: Permission<Place = ContainerPlace>,
{
    let client = services.link().client(permit);
    let container = inspect(&client, permit.place()).await?;
    of(services, &client, &container).await
}

/// Lays a form over what is stored.
///
/// # Errors
/// When the container is gone or the engine is away; within, the rules that the form broke.
pub async fn plan(
    services: &Services,
    permit: &Permit<container::Edit>,
    typed: &Typed,
) -> Result<Result<Plan, Vec<FieldError>>> {
    let client = services.link().client(permit);
    let container = inspect(&client, permit.place()).await?;
    let stored = of(services, &client, &container).await?;
    let draft = match drafts::check(typed, &stored) {
        Ok(draft) => draft,
        Err(errors) => return Ok(Err(errors)),
    };
    let changes = drafts::changes(&stored, typed, &draft);
    let image_moved = match client.image(draft.image()).await {
        Ok(image) => draft.image() == stored.image() && image.id != container.image,
        Err(_) => false,
    };
    let way = match drafts::way(&stored, &draft) {
        Way::Same if image_moved && changes.is_empty() => Way::Anew,
        way => way,
    };
    let n_changed_files = match way {
        // What cannot be counted is not promised to be nothing: the page says what goes anyway.
        Way::Anew => {
            let changes = client.container_changes(permit.place().id.as_str()).await;
            changes.map_or(0, |changes| changes.len())
        }
        _ => 0,
    };
    Ok(Ok(Plan {
        stored,
        draft,
        changes,
        way,
        image_moved,
        n_changed_files,
    }))
}

async fn inspect(client: &EngineClient, place: &ContainerPlace) -> Result<Container> {
    let container = client.container(place.id.as_str()).await;
    container.map_err(|error| of_container(error.into()))
}

async fn of(services: &Services, client: &EngineClient, container: &Container) -> Result<Stored> {
    let image = match client.image(&container.image).await {
        Ok(image) => Some(image.config),
        Err(error) if error.is_unreachable() => return Err(Error::from(error)),
        // It was removed; then all of the definition counts as asked for.
        Err(_) => None,
    };
    let info = services.index().host().info;
    let machine = info.as_ref().map(|info| info.name.as_str());
    Stored::of(container, image.as_ref(), machine)
}
