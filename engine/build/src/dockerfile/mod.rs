//! The Dockerfile language: from bytes to the syntax tree. Begin at `syntax`.

mod syntax;

pub use syntax::*;
