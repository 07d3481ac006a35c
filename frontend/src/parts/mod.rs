//! Fragments with a stable DOM id. First drawing and live update use the same one.

mod container_header;
mod container_row;
mod image_row;
mod jobs;
mod log_window;
mod records;

pub use container_header::{ContainerHeader, Fact, Tab, WhyStopped};
pub use container_row::{ContainerRow, LoadCell, Port};
pub use image_row::ImageRow;
pub use jobs::{JobPanel, JobRow, JobStep, JobTray};
pub use log_window::{LogSource, LogWindow};
pub use records::{AuditRow, EventRow};
