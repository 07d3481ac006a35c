//! The proof that one actor may do one thing in one place.

use std::future::Future;
use std::marker::PhantomData;

use super::{Actor, Permission, Reach, Watch};

/// Proof of a decision: this actor, this permission, this place.
///
/// A service takes a permit and nothing else that names a thing; what it acts on comes out of
/// [`Permit::place`]. Its fields are private and its maker is the policy alone:
///
/// ```compile_fail
/// use backend::access::{Permit, container};
/// let forged: Permit<container::Start> = Permit { actor: todo!(), place: todo!() };
/// ```
///
/// ```compile_fail
/// use backend::access::{Permit, container};
/// let forged = Permit::<container::Start>::new(todo!(), todo!(), todo!(), todo!());
/// ```
///
/// And a permit for one thing is none for another:
///
/// ```compile_fail
/// use backend::access::{Permit, container};
/// fn stop(permit: &Permit<container::Stop>) {}
/// fn handler(permit: Permit<container::Start>) { stop(&permit) }
/// ```
#[derive(Debug)]
pub struct Permit<P: Permission> {
    actor: Actor,
    place: P::Place,
    reach: Reach,
    watch: Watch,
    permission: PhantomData<fn() -> P>,
}

impl<P: Permission> Permit<P> {
    pub(super) const fn new(actor: Actor, place: P::Place, reach: Reach, watch: Watch) -> Self {
        Self {
            actor,
            place,
            reach,
            watch,
            permission: PhantomData,
        }
    }

    /// Returns who may.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns where.
    pub const fn place(&self) -> &P::Place {
        &self.place
    }

    /// Returns how far: to one's own things only, or to all.
    pub const fn reach(&self) -> Reach {
        self.reach
    }

    /// Tells whether the permission is still held, for work that goes on after its request.
    pub async fn holds(&self) -> bool {
        self.watch.clone().holds_now().await
    }

    /// Returns when the permission has gone: the session ended, or its account's role no longer
    /// holds it. A stream selects on this and closes.
    pub fn revoked(&self) -> impl Future<Output = ()> + Send + 'static {
        self.watch.clone().revoked()
    }
}

impl<P: Permission> Clone for Permit<P> {
    fn clone(&self) -> Self {
        Self {
            actor: self.actor.clone(),
            place: self.place.clone(),
            reach: self.reach,
            watch: self.watch.clone(),
            permission: PhantomData,
        }
    }
}
