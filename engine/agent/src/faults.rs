//! Places where a test lets an engine die, to see what the next one makes of it.
//!
//! A debug build that is told the name of a place kills itself there, once it comes by; a release
//! build has no such places.

/// Marks a place between two steps of a change.
#[cfg(debug_assertions)]
pub(crate) fn point(name: &str) {
    use std::sync::OnceLock;

    static WANTED: OnceLock<Option<String>> = OnceLock::new();
    if WANTED.get_or_init(crate::config::fault).as_deref() == Some(name) {
        // It cannot fail, and nothing after it is reached.
        let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::SIGKILL);
    }
}

/// Marks a place between two steps of a change.
#[cfg(not(debug_assertions))]
pub(crate) const fn point(_: &str) {}
