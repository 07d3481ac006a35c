//! The gatehouse: who is it, what may they do, and the proof of it.
//!
//! ```text
//! session → Actor ┐
//!      permission ├─ policy::decide ─→ Permit<P> ─→ a service
//!           place ┘
//! ```
//!
//! **Invariant:** a [`Permit`] is made in [`policy`] and nowhere else, and a function that changes
//! the world takes one. [`policy::decide`] is a pure function of its arguments.

mod actor;
pub mod password;
mod permission;
mod permit;
pub mod policy;
mod role;
pub mod session;
mod watch;

pub use actor::Actor;
pub use permission::{
    Effect, Permission, PermissionId, Row, TABLE, account, audit, container, event, host, image,
    job, network, people, registry, session as own_session,
};
pub use permit::Permit;
pub use policy::{Reach, Refused};
pub use watch::{Watch, Watchtower};
