//! How images come, what refuses to come, and how they go.

mod archives;
mod debian;
mod pull;
mod push;
mod search;
mod tags;
mod tls;
