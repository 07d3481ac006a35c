//! Accounts, access, audit, fleet, pages.

pub mod start;
pub mod tasks;
