//! A container's control group: one name in every hierarchy that this machine has.
//!
//! `group.rs` makes, joins and removes it; `limits.rs` writes [`Resources`](crate::Resources);
//! `devices.rs` and `device_program.rs` say which devices may be opened; `freezer.rs` and `kill.rs` stop what runs in it;
//! `block.rs` writes those of block devices; `support.rs` says which settings there are;
//! `oom.rs` tells when the kernel killed for want of memory. Version 1 groups are one directory in
//! each hierarchy, version 2 is one directory; the callers never see which.
//!
//! On a hybrid machine the group exists in the version 2 tree too, for `cgroup.kill` and for
//! starting processes inside it ([`Cgroup::unified`]).
//!
//! **Invariant:** a group that is half made is removed like any other; nothing outside the given
//! path is ever removed.

mod block;
mod change;
mod device_program;
mod devices;
mod error;
mod freezer;
mod group;
mod kill;
mod limits;
mod oom;
mod support;

pub use devices::{Access, DeviceKind, DeviceRule};
pub use error::CgroupError;
pub use group::Cgroup;
pub use oom::OomWatch;
pub use support::{Setting, unsupported};
