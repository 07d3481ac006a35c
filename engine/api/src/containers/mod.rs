//! Containers: what may be asked for, and what is known of them.

mod create;
mod files;
mod health;
mod host;
mod inspect;
mod list;
mod listing;
mod top;
mod update;
mod wait;
mod words;

pub use create::{ContainerConfig, CreateAnswer, CreateBody, Empty, NetworkingConfig};
pub use files::{Change, IdAnswer, PATH_STAT_HEADER, PathStat, go_mode};
pub use health::{Health, HealthConfig, HealthResult};
pub use host::{
    BindOptions, DeviceMapping, DeviceRequest, DriverConfig, HostConfig, LogConfig, MountRequest,
    PortBinding, RestartPolicy, ThrottleDevice, TmpfsOptions, Ulimit, VolumeOptions, WeightDevice,
};
pub use inspect::{Container, ContainerState, GraphDriver, MountPoint, NetworkSettings, ZERO_TIME};
pub use list::{ContainerSummary, FILTERS, Port, SummaryHostConfig, SummaryNetworkSettings};
pub use listing::{Directory, ENTRIES_MAX, FileEntry, FileKind, FileOrder};
pub use top::Top;
pub use update::{UpdateAnswer, UpdateBody};
pub use wait::{WaitAnswer, WaitCondition, WaitError};
pub use words::words;
