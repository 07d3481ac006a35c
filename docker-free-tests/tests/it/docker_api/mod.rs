//! The Docker Engine API as clients expect it that nobody here wrote.

mod client;
mod compose;
mod events;
mod operations;
mod python;
mod versions;
