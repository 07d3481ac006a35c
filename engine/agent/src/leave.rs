//! `gantry-engine leave-network`: nothing of this engine stays in the host's network.
//!
//! No engine may run meanwhile. Containers that go on lose their networks; their networks come up
//! again with the next start of a container in them.

use engine_network::bridge;
use engine_network::firewall::Firewall;

use crate::config::Config;
use crate::preflight::{self, StartError};
use crate::services::error::ServiceError;

/// Removes every link and every rule of an engine that does not run; returns how many links.
///
/// # Errors
/// When an engine runs on the data, or the kernel refuses.
pub fn run(config: &Config) -> Result<usize, StartError> {
    let ground = preflight::prepare(config)?;
    let failed = || ServiceError::failed("leave the host's network");
    Firewall::of(config.bridge.clone())
        .clear()
        .map_err(failed())?;
    let links = bridge::found(&config.bridge).map_err(failed())?;
    for link in &links {
        bridge::remove(&link.name).map_err(failed())?;
    }
    drop(ground);
    Ok(links.len())
}
