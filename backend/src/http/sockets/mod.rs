//! Sockets: what goes on arriving while a page is open.
//!
//! ```text
//! upgrade (permit, own origin) ─→ outlet ─→ browser      paced by the browser, never queued for it
//!                              └─→ inlet  ←─ browser      capped; silence of a minute ends it
//! ```
//!
//! **Invariant:** a socket lives no longer than its tab, its permit and the server: whichever ends
//! first drops the work, and with it what the engine does for it. A page of another site opens none
//! (`middleware`). Shapes and paths of the messages are `frontend::live`'s.

mod logs;
mod page;
mod routes;
mod sentence;
mod stats;
mod terminal;

pub(super) use routes::table;
