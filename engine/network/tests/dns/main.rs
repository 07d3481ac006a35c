//! A name server on loopback, asked by a program that nobody here wrote, with servers outside that lie,
//! lose and linger.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod local;
mod outside;
mod rig;
mod streams;
