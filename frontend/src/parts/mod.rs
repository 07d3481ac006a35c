//! Fragments with a stable DOM id. First drawing and live update use the same one.

mod build_step;
mod container_header;
mod container_row;
mod dockerfile_faults;
mod file_row;
mod file_way;
mod health_card;
mod image_row;
mod image_tabs;
mod jobs;
mod layer_choice;
mod layer_file_row;
mod log_window;
mod network_picture;
mod outcome;
mod records;
mod update_mark;
mod why_stopped;

pub use build_step::BuildStep;
pub use container_header::{ContainerHeader, Fact, Tab};
pub use container_row::{ContainerRow, LoadCell, Port};
pub use dockerfile_faults::{DockerfileFaults, FaultLine};
pub use file_row::FileRow;
pub use file_way::FileWay;
pub use health_card::{HealthCard, Probe};
pub use image_row::{ImageName, ImageRow};
pub use image_tabs::{ImageTab, ImageTabs};
pub use jobs::{JobPanel, JobRow, JobStage, JobStep, JobTray};
pub use layer_choice::LayerChoice;
pub use layer_file_row::LayerFileRow;
pub use log_window::{LogSource, LogWindow};
pub use network_picture::{NetworkPicture, PictureContainer, PictureNetwork};
pub use outcome::{Outcome, OutcomeRow};
pub use records::{AuditRow, EventRow};
pub use update_mark::UpdateMark;
pub use why_stopped::WhyStopped;
