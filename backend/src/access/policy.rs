//! The decision: may this role do that? And, if so, the permit.

use super::permission::{Permission, PermissionId};
use super::permit::Permit;
use super::role;
use super::{Actor, Watchtower};
use crate::domain::{Place, PlaceRef, Role};

/// How far a permission reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// To what is one's own.
    Own,
    /// To everything.
    All,
}

/// A permission that was asked for and is not held.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{permission} is not allowed here for the role {role}", permission = permission.name(), role = role.as_str())]
pub struct Refused {
    /// Which permission.
    pub permission: PermissionId,
    /// The role that does not hold it.
    pub role: Role,
    /// For which thing.
    pub place: PlaceRef,
}

/// Decides whether a role holds a permission, and how far it reaches.
pub const fn decide(role: Role, permission: PermissionId) -> Option<Reach> {
    role::reach(role, permission)
}

/// Makes the permit for one permission in one place, if the actor holds it there.
///
/// # Errors
/// When the actor does not.
pub fn permit<P: Permission>(
    actor: &Actor,
    place: P::Place,
    watchtower: &Watchtower,
) -> Result<Permit<P>, Refused> {
    let role = actor.account.role;
    let refused = |place: &P::Place| Refused {
        permission: P::ID,
        role,
        place: place.describe(),
    };
    let Some(reach) = decide(role, P::ID) else {
        return Err(refused(&place));
    };
    if reach == Reach::Own && !is_own(actor, &place) {
        return Err(refused(&place));
    }
    let watch = watchtower.watch(actor.session.clone(), P::ID);
    Ok(Permit::new(actor.clone(), place, reach, watch))
}

/// Tells whether a place is the actor's own. Of the server as a whole everybody owns what is theirs
/// there; the service filters by the permit's reach.
fn is_own<P: Place>(actor: &Actor, place: &P) -> bool {
    let place = place.describe();
    place.kind == "server" || (place.kind == "account" && place.id == actor.account.id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::permission::{Effect, TABLE};

    #[test]
    fn a_viewer_changes_nothing_but_what_is_their_own() {
        for row in TABLE.iter().filter(|row| row.effect != Effect::Read) {
            let reach = decide(Role::Viewer, row.id);
            assert!(reach.is_none() || reach == Some(Reach::Own), "{}", row.name);
        }
    }

    #[test]
    fn an_owner_holds_every_permission() {
        assert!(
            TABLE
                .iter()
                .all(|row| decide(Role::Owner, row.id) == Some(Reach::All))
        );
    }
}
