//! The default system call filter: one table, compiled for a set of capabilities.
//!
//! `table.txt` is the list of facts, `table.rs` reads it, `compile.rs` turns it into a search tree
//! over call numbers for each architecture that this machine's kernel runs, and `cache.rs` keeps
//! what was compiled. `engine_sys::seccomp::install` puts it in force.
//!
//! `counted.rs` puts before either, or before nothing, what would change how files are counted.
//!
//! `profile.rs` reads a profile in Docker's JSON and chooses the rules that hold for a container,
//! `given.rs` compiles them.
//!
//! Numbers are compared as the kernel takes them: an argument that the kernel cuts to 32 bits is
//! cut here too, so that `socket(38 | 1 << 32)` is seen for what it is.
//!
//! **Invariant:** pure but for the cache; a call that no rule names is refused, a foreign
//! architecture ends the process.
//!
//! One hole is known and cannot be closed here: `socketcall` on 32-bit x86 passes its family by a
//! pointer, which a filter does not follow.

mod cache;
mod compile;
mod counted;
mod given;
mod profile;
mod table;
#[cfg(test)]
mod tests;

pub use cache::{decode, encode, filter};
pub use counted::{counted, only_counted};
pub use given::{GivenError, check_profile, given};
