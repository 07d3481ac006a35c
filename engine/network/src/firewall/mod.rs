//! The firewall: one table of our own, whose name is the default bridge's.
//!
//! | chain | what it says |
//! |---|---|
//! | `guard` | nobody outside pretends to be `127.0.0.0/8` |
//! | `forward` | containers go out; in comes what belongs to that, and to published ports; no network reaches another |
//! | `arriving`, `own` | where a published port leads |
//! | `leaving` | with whose address |
//!
//! Every change is one transaction: the kernel does all of it or nothing, and no packet sees a
//! half. Rules of others are never touched. What another table drops stays dropped (`nft(8)`).

mod inside;
mod kernel;
mod rule;
mod rules;
mod table;
mod wire;

pub use inside::lead_names;
pub use kernel::Firewall;
pub use rules::{Network, Port, Protocol, Rules};
