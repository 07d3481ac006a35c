//! The rooms: what the product does.
//!
//! A function takes the [`Services`], a permit, and parsed arguments. What it acts on comes out of
//! the permit. A change is bracketed by the audit: an entry before, its result after; when the
//! entry cannot be written the change does not happen.
//!
//! **Invariant:** nothing here knows HTTP, and nothing changes the world without a permit. Logging
//! in and the first set-up are exceptions: there is nobody yet to hold one. So is mending an edit
//! that a crash cut: the permit was held when it began; and [`updates`], which only look.
//!
//! Services call no other services, but: all use [`audit`], and it and `accounts` count what they
//! refuse in [`refusals`]; `images`, [`builds`] and [`edits`] work through [`jobs`]; the list
//! of `containers` is ordered by what [`metrics`] last heard; [`edits`] makes a container anew by the
//! changes of `containers`, and quotes the last lines of [`logs`]; [`image_files`] tells text from other content as [`files`];
//! [`updates`] asks registries by what [`registries`] keep.

pub mod accounts;
pub mod audit;
mod build_draft;
mod build_steps;
pub mod builds;
pub mod containers;
pub mod drafts;
pub mod edits;
mod error;
pub mod events;
pub mod files;
mod held;
mod history;
pub mod hosts;
pub mod image_files;
pub mod images;
mod job_fact;
pub mod jobs;
mod load;
mod log_lines;
pub mod logs;
mod masking;
pub mod metrics;
mod network_draft;
pub mod networks;
mod progress;
pub mod prune;
mod reference;
pub mod refusals;
pub mod registries;
mod registry_auth;
mod registry_draft;
mod rooms;
mod samplers;
mod scrollback;
pub mod setup;
mod shells;
mod stages;
pub mod terminals;
pub mod updates;
mod upload;

pub use error::{Error, Obstacle, Result};
pub use reference::Reference;
pub use rooms::Services;
