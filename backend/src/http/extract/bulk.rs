//! One action on many containers: a permit for each, or none for any.

use axum::extract::{FromRequest, FromRequestParts, Request};

use super::permit::ask;
use super::place::Locate;
use super::{Fields, Visit};
use crate::access::{Actor, Permission, PermissionId, Permit, container};
use crate::app::App;
use crate::http::Error;

/// More containers than a page shows.
const MOST_THINGS: usize = 500;

/// One action on the containers that a form names: fields `action` and, once for each, `id`.
///
/// A container that is gone meanwhile is left out. One that the actor may not touch refuses the
/// whole, before anything is done.
#[derive(Clone)]
pub struct Bulk {
    /// The server: a form's extractor is a handler's last and its guard is the first, so this one
    /// is the only one.
    pub app: App,
    /// Who asks.
    pub actor: Actor,
    /// The request.
    pub visit: Visit,
    /// The action and its permits.
    pub many: Many,
    /// The form as it came.
    pub fields: Fields,
}

/// The actions that can be done to many containers, each with the permits for it.
#[derive(Clone, Debug)]
pub enum Many {
    /// Start them.
    Start(Vec<Permit<container::Start>>),
    /// Stop them.
    Stop(Vec<Permit<container::Stop>>),
    /// Restart them.
    Restart(Vec<Permit<container::Restart>>),
    /// Kill them.
    Kill(Vec<Permit<container::Kill>>),
    /// Remove them.
    Remove(Vec<Permit<container::Remove>>),
}

impl Bulk {
    /// What one needs to hold for one of the actions.
    pub const PERMISSIONS: &[PermissionId] = &[
        PermissionId::ContainerStart,
        PermissionId::ContainerStop,
        PermissionId::ContainerRestart,
        PermissionId::ContainerKill,
        PermissionId::ContainerRemove,
    ];
}

impl FromRequest<App> for Bulk {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Self, Error> {
        let (mut parts, body) = request.into_parts();
        let actor = Actor::from_request_parts(&mut parts, app).await?;
        let visit = match Visit::from_request_parts(&mut parts, app).await {
            Ok(visit) => visit,
            Err(never) => match never {},
        };
        let fields = Fields::from_request(Request::from_parts(parts, body), app).await?;
        let names = fields.all("id");
        if names.len() > MOST_THINGS {
            let message = format!("more than {MOST_THINGS} containers");
            return Err(Error::Malformed { message });
        }
        let many = match fields.text("action") {
            "start" => Many::Start(each(&names, &actor, app).await?),
            "stop" => Many::Stop(each(&names, &actor, app).await?),
            "restart" => Many::Restart(each(&names, &actor, app).await?),
            "kill" => Many::Kill(each(&names, &actor, app).await?),
            "remove" => Many::Remove(each(&names, &actor, app).await?),
            _ => {
                let message = "action: none of start, stop, restart, kill, remove".to_owned();
                return Err(Error::Malformed { message });
            }
        };
        Ok(Self {
            app: app.clone(),
            actor,
            visit,
            many,
            fields,
        })
    }
}

async fn each<P>(names: &[&str], actor: &Actor, app: &App) -> Result<Vec<Permit<P>>, Error>
where
    P: Permission,
    P::Place: Locate,
{
    let mut permits = Vec::with_capacity(names.len());
    for name in names {
        match ask(name, actor, app).await {
            Ok(permit) => permits.push(permit),
            Err(Error::NotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(permits)
}
