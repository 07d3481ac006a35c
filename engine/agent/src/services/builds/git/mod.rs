//! Git repositories as contexts and as sources of `ADD`: one commit, fetched by the host's git and taken
//! as an archive.
//!
//! `https://host/shop.git#main:app` is the directory `app` of the branch, tag or commit `main`. As in
//! Docker the program is the host's own, and only this needs it. Nothing is checked out: `git
//! archive` writes the files and they are received as from anybody else, so that links, names and
//! sizes are judged in one place. Submodules are repositories of their own here: git only says which
//! there are, and each address is judged as that of the first.
//!
//! **Invariant:** git reads no settings but those given here, asks nobody for a password and reads
//! nobody's, runs no hook and no filter, and connects to the addresses that were judged, without
//! following redirects. It has bounds on memory and files, is the first to go when memory is short,
//! and ends, with every program that it began, when nobody waits for it any more.

mod address;
mod modules;
mod program;
mod receive;

pub(super) use address::{Repository, without_password};
pub(super) use receive::receive;
