//! The nouns of the server: ids, accounts, places, audit entries, and what may be wrong with a
//! field of a form.
//!
//! **Invariant:** plain values only. Nothing here reads a clock, a database or the network.

mod account;
mod audit;
mod field;
mod ids;
mod place;

pub use account::{Account, AccountName, Language, Password, Role, Theme};
pub use audit::{AuditActor, AuditEntry, AuditRecord, Outcome};
pub use field::{FieldError, Rule};
pub use ids::{AccountId, ContainerId, HostId, IdError, ImageId, JobId, RequestId, SessionKey};
pub use place::{
    AccountPlace, ContainerPlace, HostPlace, ImagePlace, JobPlace, Place, PlaceRef, ServerPlace,
};
