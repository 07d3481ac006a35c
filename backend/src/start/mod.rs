//! From the command line to a server that accepts connections.
//!
//! In order: [`config`] parses what was asked, [`engine`] starts `gantry-engine` when none answers,
//! [`listen`] takes the port, [`privileges`] gives up root, [`tls`] reads or makes the certificate,
//! and only then does [`listen`] accept anybody.
//!
//! **Invariant:** nothing here runs while requests are served, except the accept loop of [`listen`].

pub mod config;
pub mod engine;
pub mod error;
pub mod listen;
pub mod privileges;
pub mod tls;
