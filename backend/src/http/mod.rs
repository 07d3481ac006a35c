//! The door: a table of routes, extractors that turn a request into an actor, a permit and parsed
//! fields, and handlers of a few lines.
//!
//! ```text
//! visit (request id, address, language) → headers → session → origin → route → Permit<P> → handler → service
//!                                                                        │
//!                        problem page or JSON, by what the request accepts ←┘ on any failure
//! ```
//!
//! **Invariant:** a handler decides nothing. What it needs is in its signature: the permission in
//! the type of its permit, or `Anyone`.
//!
//! Begin with [`routes`].

mod assets;
mod compress;
mod draining;
mod error;
pub mod extract;
mod forwarded;
mod headers;
mod middleware;
pub mod pages;
pub mod present;
pub mod routes;
mod sockets;
mod table;
mod wire;

use compress::as_is;
use error::mark_drawn;
pub use error::{Error, Problem, Result};
pub use routes::router;
pub use table::{Entry, Gate, Guard, Guarded, get, post};
