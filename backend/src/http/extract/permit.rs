//! The permit in a handler's signature: actor, permission and place become the proof.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::place::{Locate, name_in_path};
use crate::access::{Actor, Permission, Permit, policy};
use crate::app::App;
use crate::http::Error;

impl<P> FromRequestParts<App> for Permit<P>
where
    P: Permission,
    P::Place: Locate,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let actor = Actor::from_request_parts(parts, app).await?;
        let name = name_in_path(parts, app).await?;
        ask(&name, &actor, app).await
    }
}

/// Asks for a permit for the thing of that name.
pub(super) async fn ask<P>(name: &str, actor: &Actor, app: &App) -> Result<Permit<P>, Error>
where
    P: Permission,
    P::Place: Locate,
{
    let place = P::Place::locate(name, actor, app).await?;
    Ok(policy::permit(actor, place, app.services.watchtower())?)
}
