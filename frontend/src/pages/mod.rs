//! One file per section; each page is a struct, and drawing it is the answer.

mod account;
mod build;
mod containers;
mod create;
mod create_plan;
mod doors;
mod files;
mod gallery;
mod images;
mod layers;
mod lists;
mod logs;
mod networks;
mod overview;
mod prune;
mod registries;

pub use account::{Account, People, PersonRow, SessionRow};
pub use build::ImageBuildNew;
pub use containers::{
    BulkAction, BulkOutcome, ContainerInspect, ContainerOverview, ContainerProcesses,
    ContainerStats, ContainerTerminal, ContainersIndex, FactCard, ProcessTable, StatsRow,
};
pub use create::{
    ContainerInput, ContainerNew, ContainerPlan, FormOf, Kept, PlanRow, Problems,
    Section as FormSection, form_fields,
};
pub use doors::{Login, Problem, ProblemOutside, Setup};
pub use files::{
    ChangeRow, ContainerChanges, ContainerFile, ContainerFiles, Editor, Entrance, FileBody,
};
pub use gallery::Gallery;
pub use images::{ImageShow, ImagesIndex, Layer, NameUpdate};
pub use layers::{ImageFile, ImageFiles, ImageLayers, LayerRow, WastedRow};
pub use lists::{Ask, AuditIndex, EventsIndex, JobShow, JobsIndex, Search, SearchResult};
pub use logs::{ContainerLogs, MergedLogs};
pub use networks::{
    ListenerRow, MemberRow, NetworkNew, NetworkRow, NetworkShow, NetworkTabs, NetworksIndex,
    NetworksPicture, NetworksPrune, NetworksTab, Ports,
};
pub use overview::{Figure, Overview};
pub use prune::{ImagesPrune, PruneRow};
pub use registries::{RegistriesIndex, RegistryEdit, RegistryRow, RegistryShow, RemoteRow};
