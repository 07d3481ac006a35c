//! The Dockerfile language: from bytes to the syntax tree. Begin at `syntax`; a text goes through
//! `lexer` (logical lines), `instructions` (one line each, in the forms of `line`, `commands` and
//! `transfers`) and `parser` (the whole).

mod commands;
mod duration;
mod expand;
mod flags;
mod instructions;
mod lexer;
mod line;
mod mounts;
mod parser;
mod syntax;
mod transfers;
mod words;

pub(crate) use expand::{Budget, Reading, expand};
pub(crate) use lexer::is_one_heredoc;
pub use parser::parse;
pub(crate) use parser::{MOST_TRIGGERS, origins, parse_trigger};
pub use syntax::*;
