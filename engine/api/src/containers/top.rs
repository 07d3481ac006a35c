//! The processes of a container, as `ps` shows them.

use serde::{Deserialize, Serialize};

/// A table: one row a process, one text a title.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Top {
    /// The heads of the columns.
    pub titles: Vec<String>,
    /// The rows.
    pub processes: Vec<Vec<String>>,
}
