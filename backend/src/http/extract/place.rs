//! From the path of a request to the place that a permit is asked for.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::access::{Actor, session};
use crate::app::App;
use crate::domain::{
    AccountPlace, ContainerPlace, HostId, HostPlace, ImagePlace, JobPlace, NetworkPlace, Place,
    RegistryPlace, ServerPlace,
};
use crate::http::Error;

/// A kind of place that can be found from the name in a path.
pub trait Locate: Place {
    /// Finds the place; `name` is what the path or a form names, empty when it names nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such thing.
    fn locate(
        name: &str,
        actor: &Actor,
        app: &App,
    ) -> impl Future<Output = Result<Self, Error>> + Send;
}

/// Returns the `{id}` of the path, or an empty text.
pub(super) async fn name_in_path(parts: &mut Parts, app: &App) -> Result<String, Error> {
    let Ok(params) = RawPathParams::from_request_parts(parts, app).await else {
        return Err(Error::NotFound);
    };
    let found: HashMap<_, _> = params.iter().collect();
    Ok(found.get("id").copied().unwrap_or_default().to_owned())
}

impl Locate for ServerPlace {
    async fn locate(_name: &str, _actor: &Actor, _app: &App) -> Result<Self, Error> {
        Ok(Self)
    }
}

impl Locate for HostPlace {
    async fn locate(_name: &str, _actor: &Actor, _app: &App) -> Result<Self, Error> {
        Ok(Self {
            host: HostId::local(),
        })
    }
}

impl Locate for ContainerPlace {
    async fn locate(name: &str, _actor: &Actor, app: &App) -> Result<Self, Error> {
        let fact = app
            .services
            .index()
            .find_container(name)
            .ok_or(Error::NotFound)?;
        Ok(Self {
            host: HostId::local(),
            id: fact.id.clone(),
            name: fact.name.clone(),
        })
    }
}

impl Locate for ImagePlace {
    async fn locate(name: &str, _actor: &Actor, app: &App) -> Result<Self, Error> {
        let fact = app
            .services
            .index()
            .find_image(name)
            .ok_or(Error::NotFound)?;
        let name = fact.tags.first().cloned().unwrap_or_default();
        Ok(Self {
            host: HostId::local(),
            id: fact.id.clone(),
            name,
        })
    }
}

impl Locate for NetworkPlace {
    async fn locate(name: &str, _actor: &Actor, app: &App) -> Result<Self, Error> {
        let fact = app
            .services
            .index()
            .find_network(name)
            .ok_or(Error::NotFound)?;
        Ok(Self {
            host: HostId::local(),
            id: fact.id.clone(),
            name: fact.network.name.clone(),
        })
    }
}

impl Locate for JobPlace {
    async fn locate(name: &str, _actor: &Actor, app: &App) -> Result<Self, Error> {
        let id = name.parse().map_err(|_| Error::NotFound)?;
        app.services.jobs().find(&id).ok_or(Error::NotFound)?;
        Ok(Self {
            host: HostId::local(),
            id,
        })
    }
}

impl Locate for RegistryPlace {
    async fn locate(name: &str, _actor: &Actor, app: &App) -> Result<Self, Error> {
        let id = name.parse().map_err(|_| Error::NotFound)?;
        let found = app.services.find_registry(&id).await?;
        let found = found.ok_or(Error::NotFound)?;
        Ok(Self {
            id: found.id,
            name: found.name.to_string(),
        })
    }
}

/// An account that the path names, or one's own.
impl Locate for AccountPlace {
    async fn locate(name: &str, actor: &Actor, app: &App) -> Result<Self, Error> {
        if name.is_empty() {
            let own = &actor.account;
            return Ok(Self {
                id: own.id.clone(),
                name: own.name.to_string(),
            });
        }
        let id = name.parse().map_err(|_| Error::NotFound)?;
        let found = session::account(app.services.store(), &id).await?;
        let found = found.ok_or(Error::NotFound)?;
        Ok(Self {
            id: found.id,
            name: found.name.to_string(),
        })
    }
}
