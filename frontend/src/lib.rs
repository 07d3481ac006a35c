//! View models and templates; the URL vocabulary; the words; the files the browser gets.
//!
//! A page is a struct that brings ready text and ready numbers; its template in `templates/` shows
//! them and decides nothing. Begin with [`pages`], then [`parts`] and [`ui`].
//!
//! **Invariant:** this crate does no I/O, knows no server, no database and no engine. A page can be
//! drawn, and is tested, with nothing running.

pub mod assets;
pub mod format;
pub mod live;
pub mod pages;
pub mod parts;
pub mod paths;
pub mod samples;
pub mod shell;
pub mod ui;
pub mod words;

pub use askama::Template;
pub use words::{Language, Words};
