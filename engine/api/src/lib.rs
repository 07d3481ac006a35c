//! The words one may say to an engine: operations, wire types, frames.
