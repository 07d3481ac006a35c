//! Networks of containers: addresses, bridges, endpoints, the firewall, names.
//!
//! A workshop: it knows subnets, links and rules, and nothing of containers or of what a client may
//! say. Everything is done by netlink from this process; no program of the host is run.
//!
//! In reading order:
//!
//! | module | what |
//! |---|---|
//! | `pool` | which subnets and addresses are free; pure |
//! | `netlink` | one question to the kernel and its answer |
//! | `bridge` | the link that joins the containers of one network |
//! | `endpoint` | a container's place in one network: a pair of links |
//! | `firewall` | one table: what may pass, what is rewritten |
//! | `ports` | the host's ports that are taken for containers |
//! | `asking` | where a container asks for names |
//! | `dns` | names of containers, asked from inside |

pub mod asking;
pub mod bridge;
pub mod dns;
pub mod endpoint;
mod error;
pub mod firewall;
mod netlink;
pub mod pool;
pub mod ports;
mod settings;

pub use endpoint::Endpoint;
pub use error::{Error, PoolError, Result};
pub use settings::{forward, forwards, has_ipv6};
