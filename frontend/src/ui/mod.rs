//! Small things that are everywhere: an icon, a button, a badge, a field.
//!
//! Each is a struct with its own template in `templates/ui`, and draws itself wherever it is put.

mod action;
mod badge;
mod dialog;
mod empty;
mod field;
mod icon;
mod key_value;
mod list_look;
mod notice;
mod recipes;
mod table;

pub use action::{Action, Look, Method, State};
pub use badge::{Badge, Tone};
pub use dialog::Dialog;
pub use empty::Empty;
pub use field::{Choice, Field, Kind};
pub use icon::{Icon, icon};
pub use key_value::{KeyValue, Pair};
pub use list_look::ListLook;
pub use notice::Notice;
pub use recipes::{Recipe, Recipes};
pub use table::{Column, Filter, Order, Pager, View};
