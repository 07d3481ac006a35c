//! Every part in every state: the first thing to open when changing one.

use askama::Template;

use crate::parts::{
    AuditRow, ContainerHeader, ContainerRow, EventRow, ImageRow, JobPanel, WhyStopped,
};
use crate::shell::Shell;
use crate::ui::{Action, Badge, Dialog, Empty, Field, KeyValue, Notice};

/// The gallery.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/gallery.html")]
pub struct Gallery {
    /// The frame.
    pub shell: Shell,
    /// `ui/action`
    pub actions: Vec<Action>,
    /// `ui/badge`
    pub badges: Vec<Badge>,
    /// `ui/notice`
    pub notices: Vec<Notice>,
    /// `ui/field`
    pub fields: Vec<Field>,
    /// `ui/key_value`
    pub facts: KeyValue,
    /// `ui/dialog`
    pub dialog: Dialog,
    /// `ui/empty`
    pub empty: Empty,
    /// `parts/container_row`
    pub containers: Vec<ContainerRow>,
    /// `parts/container_header`
    pub header: ContainerHeader,
    /// `parts/why_stopped`
    pub why: WhyStopped,
    /// `parts/image_row`
    pub images: Vec<ImageRow>,
    /// `parts/job_panel`
    pub job: JobPanel,
    /// `parts/event_row`
    pub events: Vec<EventRow>,
    /// `parts/audit_row`
    pub audit: Vec<AuditRow>,
}
