//! What survives a crash, and what a crash leaves behind: nothing.

mod disk;
mod killed;
mod lives;
mod locks;
mod power;
mod pulls;
