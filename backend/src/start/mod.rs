//! From the command line to a server that accepts connections.
//!
//! [`serve`] is the order of it: [`config`] parses what was asked, [`listen`] takes the port,
//! [`engine`] starts `gantry-engine` when none answers, [`privileges`] gives up root, [`tls`] reads
//! or makes the certificate, and only then does [`listen`] accept anybody; each connection then has a
//! place and ends of its own.
//!
//! **Invariant:** nothing here runs while requests are served, except the accept loop of [`listen`]
//! and what it begins.

pub mod admin;
pub mod config;
mod connection;
mod crowd;
pub mod engine;
pub mod error;
pub mod listen;
mod paced;
pub mod privileges;
mod seated;
pub mod serve;
pub mod tls;
