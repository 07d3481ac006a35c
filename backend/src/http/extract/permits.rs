//! A permit for each of the containers that a query names.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::permit::ask;
use crate::access::{Actor, Permission, Permit};
use crate::app::App;
use crate::domain::ContainerPlace;
use crate::http::Error;

/// More logs side by side than anybody can read.
const MOST_THINGS: usize = 16;

/// A permit for each container of the query, in its order: `c` or, from a list's boxes, `id`.
///
/// One that is gone meanwhile is left out; one that the actor may not touch refuses the whole. A
/// query that names none that exists is not found.
#[derive(Clone, Debug)]
pub struct Permits<P: Permission>(pub Vec<Permit<P>>);

impl<P> FromRequestParts<App> for Permits<P>
where
    P: Permission<Place = ContainerPlace>,
{
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let actor = Actor::from_request_parts(parts, app).await?;
        let mut permits: Vec<Permit<P>> = Vec::new();
        for name in names(parts.uri.query().unwrap_or_default()) {
            match ask::<P>(name, &actor, app).await {
                Ok(permit) => {
                    let is_here = |other: &Permit<P>| other.place().id == permit.place().id;
                    if !permits.iter().any(is_here) {
                        permits.push(permit);
                    }
                }
                Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        if permits.is_empty() {
            return Err(Error::NotFound);
        }
        Ok(Self(permits))
    }
}

/// The containers that a query names; their names and ids need no escapes.
fn names(query: &str) -> impl Iterator<Item = &str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let of_things = pairs.filter(|(key, _)| matches!(*key, "c" | "id"));
    of_things.map(|(_, name)| name).take(MOST_THINGS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_containers() {
        let found: Vec<_> = names("c=web-1&back=%2F&id=ab12&x&c=").collect();
        assert_eq!(found, ["web-1", "ab12", ""]);
        assert_eq!(names(&"c=a&".repeat(100)).count(), MOST_THINGS);
    }
}
