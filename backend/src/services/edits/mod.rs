//! Edits: a container as it shall be, in place or by making it anew.
//!
//! ```text
//! noted ─→ new one made aside ─→ old one stopped ─→ names changed ─→ new one runs ─→ old one goes
//!   │              │                    │                 │                │
//!   └──────────────┴────────────────────┴─────────────────┘                └─→ forward only
//!        any failure, any crash: new one away, old name back, old one runs again
//! ```
//!
//! The new container is made before the old one is touched: what an engine refuses costs nothing.
//! A row of the database is there from before the first step until after the last, and each step
//! back may be made twice: so a crash anywhere leads back, at the next start of the server or as
//! soon as the engine answers again. Until then the old one is there under a name that says so.
//!
//! "Runs" is: for three seconds or, where there is a health check, until it is healthy. All of it is a
//! job, which may be cancelled until then: that leads back too.

mod apply;
mod back;
mod plan;
mod proof;
mod rights;
mod steps;

pub use apply::{Applied, Order, apply};
pub use back::{Going, mend};
pub use plan::{Plan, plan, stored};
