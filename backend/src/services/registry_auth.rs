//! How credentials travel to the engine: with one request, for one registry; and what comes back when
//! the registry says no.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use engine_api::images::RegistryAuth;
use secrecy::ExposeSecret;

use super::{Error, Result};
use crate::domain::Credentials;
use crate::fleet::ClientError;
use crate::fleet::doctor::Diagnosis;

/// Returns what a registry is to be told, as the engine takes it; nobody's without credentials.
pub(super) fn auth(registry: &str, credentials: Option<&Credentials>) -> RegistryAuth {
    let serveraddress = registry.to_owned();
    let Some(credentials) = credentials else {
        return RegistryAuth {
            serveraddress,
            ..RegistryAuth::default()
        };
    };
    RegistryAuth {
        username: credentials.name.clone(),
        password: credentials.password.expose_secret().to_owned(),
        serveraddress,
        authority: credentials.authority.to_string(),
        ..RegistryAuth::default()
    }
}

/// Returns the header that carries credentials beside another request.
///
/// # Errors
/// When they cannot be written down, as good as never.
pub(super) fn header(registry: &str, credentials: &Credentials) -> Result<String> {
    let auth = auth(registry, Some(credentials));
    let json = serde_json::to_vec(&auth).map_err(|error| Error::Internal(error.into()))?;
    Ok(URL_SAFE.encode(json))
}

/// Returns the header that carries credentials for several registries; none when there are none.
///
/// # Errors
/// As [`header`].
pub(super) fn headers(kept: &[(String, Credentials)]) -> Result<Option<String>> {
    if kept.is_empty() {
        return Ok(None);
    }
    let all: BTreeMap<&str, RegistryAuth> = kept
        .iter()
        .map(|(address, credentials)| (address.as_str(), auth(address, Some(credentials))))
        .collect();
    let json = serde_json::to_vec(&all).map_err(|error| Error::Internal(error.into()))?;
    Ok(Some(URL_SAFE.encode(json)))
}

/// The engine's words, whatever it means by them: they are about the registry.
pub(super) fn said(error: ClientError) -> Error {
    match error {
        ClientError::Refused { message, .. } => Error::Engine { message },
        error if error.is_unreachable() => Error::Unavailable(Diagnosis::of(&error)),
        error => Error::Engine {
            message: crate::errors::chain(&error),
        },
    }
}
