//! Containers of a busybox root, from the launcher to the exit record. Needs root and
//! `/bin/busybox` (Debian's `busybox-static`).

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod commands;
mod confined;
mod hostile;
mod life;
mod sandbox;
mod streams;
mod survival;
mod terminals;
mod users;
