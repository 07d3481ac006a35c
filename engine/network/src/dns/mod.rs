//! Names of containers, asked from inside: a DNS server per container, on sockets in its namespace.
//!
//! A container asks 127.0.0.11; two sockets in its network namespace hear that, and whoever holds them
//! answers. So who asks is known by where the question arrived, and never by an address in it.
//!
//! ```text
//!  query ─▶ server ─▶ message (is it one?) ─▶ view ─▶ zone, zone …    a name of ours: answered here
//!                                              └────▶ forward ─▶ host's or given servers, or nobody
//! ```
//!
//! | module | what |
//! |---|---|
//! | `zone` | the names of one network; one for all who are in it |
//! | `view` | what one container may ask: its zones in order, its links, who answers the rest |
//! | `message` | bytes to a question, and an answer to bytes; pure |
//! | `forward` | asking a server outside, with bounds |
//! | `server` | the loops over the two sockets |
//!
//! **Invariant:** a name of ours never goes outside, whatever type of record is asked for; and nothing
//! at all goes outside for a container whose view has no upstream.

mod forward;
mod message;
#[cfg(test)]
mod message_tests;
mod server;
mod view;
mod zone;

pub use forward::{Forwarder, Limits};
pub use server::{Sockets, serve};
pub use view::{Link, Upstream, View};
pub use zone::{Member, Zone};
