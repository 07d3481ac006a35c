//! From a request to what a handler needs: who, by which permission, where, and with which fields.

mod actor;
mod bulk;
mod fields;
mod permit;
mod permits;
mod place;
mod visit;

pub use actor::Anyone;
pub use bulk::{Bulk, Many};
pub use fields::Fields;
pub use permits::Permits;
pub use place::Locate;
pub use visit::Visit;
