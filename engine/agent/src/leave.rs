//! `gantry-engine leave-network`: nothing of this engine stays in the host's network.
//!
//! No engine may run meanwhile. Containers that go on lose their networks; their networks come up
//! again with the next start of a container in them. A host that passed no packets on before the
//! engine let it passes none on afterwards.

use crate::config::Config;
use crate::preflight::{self, StartError};
use crate::services::networks;

/// Removes every link and every rule of an engine that does not run; returns how many links.
///
/// # Errors
/// When an engine runs on the data, or the kernel refuses.
pub fn run(config: &Config) -> Result<usize, StartError> {
    let ground = preflight::prepare(config)?;
    let n_links = networks::leave(&config.data, &config.run, &config.bridge)?;
    drop(ground);
    Ok(n_links)
}
