//! Safe functions for kernel calls: the only crate of Gantry with `unsafe` in it.
//!
//! **Invariant:** nothing here has a policy, invents a path, waits asynchronously or writes a log.
//! A function makes one call (or one short, fixed dance of calls), owns the descriptors it opens
//! and says in a [`SysError`] which call failed on what.
#![warn(missing_docs)]

mod error;

pub use error::{Errno, Result, SysError};
