//! The network namespace of a container that is set up or runs.

use std::fs::File;
use std::os::fd::OwnedFd;

use engine_sys::process;

use crate::init;
use crate::{Error, Member, Result};

/// Opens the network namespace of a container's first process, proven to be that one by its control
/// group.
///
/// # Errors
/// When the process is gone.
pub fn network_of(member: &Member) -> Result<OwnedFd> {
    let pidfd = init::open_member(member).map_err(|failure| Error::Setup(failure.message))?;
    let path = format!("/proc/{}/ns/net", member.pid);
    let file = File::open(&path).map_err(|source| Error::File {
        action: "open",
        path: path.into(),
        source,
    })?;
    // It still lives: so the number was its own all the while.
    process::signal(&pidfd, 0).map_err(Error::sys("find the container's network"))?;
    Ok(OwnedFd::from(file))
}
