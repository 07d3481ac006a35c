//! The engine itself: who it is and what it holds.

use std::collections::BTreeMap;

use engine_api::system::{Component, Info, Platform, Swarm, Version};
use engine_api::version::{NEWEST, OLDEST};

use crate::engine::Engine;
use crate::services::error::Result;

/// Says who answers.
pub(crate) fn version(engine: &Engine) -> Version {
    let kernel = rustix::system::uname();
    let details = BTreeMap::from([("ApiVersion".to_owned(), NEWEST.to_string())]);
    Version {
        platform: Platform {
            name: "Gantry Engine".to_owned(),
        },
        components: vec![Component {
            name: "Engine".to_owned(),
            version: engine.version().to_owned(),
            details,
        }],
        version: engine.version().to_owned(),
        api_version: NEWEST.to_string(),
        min_api_version: OLDEST.to_string(),
        os: "linux".to_owned(),
        arch: "amd64".to_owned(),
        kernel_version: kernel.release().to_string_lossy().into_owned(),
        ..Version::default()
    }
}

/// Says what the engine and its host can do and hold.
///
/// # Errors
/// When the host cannot be looked at.
pub(crate) async fn info(engine: &Engine) -> Result<Info> {
    Ok(Info {
        swarm: Swarm {
            local_node_state: "inactive".to_owned(),
            ..Swarm::default()
        },
        server_version: engine.version().to_owned(),
        images: engine.images.count() as u64,
        ..Info::default()
    })
}
