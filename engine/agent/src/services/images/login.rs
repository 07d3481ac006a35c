//! Whether a registry knows somebody.

use engine_api::images::RegistryAuth;

use super::pull::credentials;
use super::service::Images;
use crate::services::error::{Result, ServiceError, chain};

impl Images {
    /// Asks a registry to accept a name and password, or, as Docker does without any, to let anybody
    /// in. They are kept nowhere.
    ///
    /// # Errors
    /// When it does not, or cannot be asked.
    pub(crate) async fn login(&self, auth: RegistryAuth) -> Result<()> {
        let server = auth.serveraddress.clone();
        let registry = self.registry_at(&server, Some(&auth)).await?;
        let credentials = credentials(auth);
        let asked = registry.login(&server, credentials.as_ref()).await;
        asked.map_err(|error| match error {
            engine_images::RegistryError::Unauthorized { .. } => {
                ServiceError::Unauthorized(chain(&error))
            }
            engine_images::RegistryError::Address { .. } => {
                ServiceError::BadRequest(error.to_string())
            }
            other => ServiceError::failed("log in")(other),
        })
    }
}
