//! The server of Gantry: accounts, access, audit, fleet, pages.
//!
//! The path of a request goes down the floors in this order; a floor uses those below it and never
//! one above:
//!
//! ```text
//! http       door         route → extractors (actor, form) → Permit<P> → short handler
//! services   rooms        what the product does; takes &Permit, brackets it with audit
//! fleet      switchboard  one link per host downwards, one index of facts upwards
//! access     gatehouse    the only place that writes a Permit
//! store      archive      SQL and nothing else
//! domain     nouns
//! ```
//!
//! **Invariant:** the server never links the engine. It asks it over a socket, without privileges
//! of its own.
//!
//! Begin with [`app`], which joins everything, then the table of routes in [`http`].

pub mod access;
pub mod app;
pub mod clock;
pub mod domain;
pub mod errors;
pub mod fleet;
pub mod http;
pub mod ids;
pub mod jobs;
pub mod services;
pub mod start;
pub mod store;
pub mod tasks;
