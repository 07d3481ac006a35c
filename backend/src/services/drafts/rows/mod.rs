//! The table of options, by the sections of the form.
//!
//! What the form shows, what the pasted line fills, what the equivalent line says and what goes to
//! the engine are all read from these rows, in this order.

mod block;
mod limits;
mod mounts;
mod process;
mod rights;
mod surroundings;

use super::row::Row;

/// Every option, in the order of the equivalent line.
pub(super) const ALL: &[&[Row]] = &[
    process::ROWS,
    surroundings::ROWS,
    mounts::ROWS,
    limits::ROWS,
    block::ROWS,
    rights::ROWS,
];
