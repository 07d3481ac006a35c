//! The nouns of the server: ids, accounts, places, audit entries, and what may be wrong with a
//! field of a form.
//!
//! **Invariant:** plain values only. Nothing here reads a clock, a database or the network.

mod account;
mod audit;
mod browser;
mod field;
mod front;
mod ids;
mod inside;
mod network;
mod place;
mod registry;
mod tag_check;

pub use account::{Account, AccountName, Language, Password, Role, Theme};
pub use audit::{AuditActor, AuditEntry, AuditRecord, Outcome};
pub use browser::Browser;
pub use field::{FieldError, Rule};
pub use front::Front;
pub use ids::{
    AccountId, ContainerId, HostId, IdError, ImageId, JobId, NetworkId, RegistryId, RequestId,
    SessionKey,
};
pub use inside::{FileName, InsidePath, NoName, NoPath, shown as shown_name};
pub use network::{Network, NetworkError, PublicUrl, PublicUrlError};
pub use place::{
    AccountPlace, ContainerPlace, HostPlace, ImagePlace, JobPlace, NetworkPlace, Place, PlaceRef,
    RegistryPlace, ServerPlace,
};
pub use registry::{
    Credentials, Registry, RegistryAddress, RegistryAuthority, RegistryName, RegistryUser,
};
pub use tag_check::TagCheck;
