//! The house from end to end: one story a test, named as a sentence, against the built binaries.
//!
//! **Invariant:** every test has an engine of its own and counts what it leaves behind where that
//! is the point. Nothing here waits a guessed time; `docker_free_tests::wait` waits for facts.

mod access;
mod attacks;
mod builds;
mod containers;
mod docker_api;
mod images;
mod recovery;
mod streams;
