//! Updates: the digest that a container runs against the one that its tag has in the registry.
//!
//! ```text
//! a container runs name:tag ─→ due? ─→ the engine asks for the tag's digest ─→ kept, shown with its age
//!                               ↑ hours later; after a failure longer each time; a registry's limit rests it
//! ```
//!
//! Pages read what was said last and never wait for a registry. Hosts and containers that run the same
//! tag cost one question. A registry is asked one thing at a time, by the credentials that are kept for
//! it, and a person's "Check now" takes its turn there too.
//!
//! **Invariant:** a tag is asked for by itself at most once in [`AGAIN`], and a registry that limits how
//! often it is asked is not asked before it said, by nobody.
//!
//! **Why a check by itself holds no permit:** it looks and changes nothing, as the index does. It asks
//! only about what runs already, and only the registry that the name says.

mod known;
mod rounds;
mod standing;
mod tracked;

pub use known::Known;
pub use rounds::{AGAIN, begin, check_now, take_round, turn_off};
pub use standing::{Marks, Standing};
pub use tracked::Untracked;
