//! Whether a registry knows somebody.

use engine_api::images::RegistryAuth;

use super::pull::credentials;
use super::service::Images;
use crate::services::error::{Result, ServiceError, chain};

impl Images {
    /// Asks a registry to accept a name and password. They are kept nowhere.
    ///
    /// # Errors
    /// When it does not, or cannot be asked.
    pub(crate) async fn login(&self, auth: RegistryAuth) -> Result<()> {
        let server = auth.serveraddress.clone();
        let Some(credentials) = credentials(auth) else {
            let message = "a user name and a password are needed to log in";
            return Err(ServiceError::BadRequest(message.to_owned()));
        };
        let asked = self.registry.login(&server, &credentials).await;
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
