//! Networks: what they are, who is in them, and what the kernel is told of it.
//!
//! | file | what |
//! |---|---|
//! | `service` | the networks of this host: made, found, removed |
//! | `wish` | from what a client asks for to a record |
//! | `state` | who has which address: plain data behind one lock |
//! | `joining` | a container's start and end in its networks |
//! | `living` | changes while it runs |
//! | `publishing` | its ports on this host |
//! | `names` | its name server |
//! | `adopting` | what the last engine left |
//! | `show` | how Docker's API shows all this |
//!
//! **A network comes up with its first container** and stays up: an engine that runs none leaves the
//! host's links and rules as they are. **Addresses and ports are given at the start** and go back at
//! the end, before anybody hears of it.

mod adopting;
mod joining;
mod living;
mod names;
mod publishing;
mod service;
mod show;
mod state;
mod wish;

pub(crate) use adopting::leave;
pub(crate) use joining::Reserved;
pub(crate) use service::{Networks, NetworksParts};
pub(crate) use show::{BRIDGE, HOST, NONE};
pub(crate) use wish::{CONTAINER, Mode};
