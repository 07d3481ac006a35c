//! Who somebody is to a registry, as a request's header says.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use engine_api::images::{REGISTRY_AUTH_HEADER, RegistryAuth};
use serde::de::DeserializeOwned;

use super::error::{ApiError, Result};

/// Reads the name and password for a registry. Clients pad base64, or not; say nothing, or `{}`.
pub(super) fn auth(headers: &HeaderMap) -> Result<Option<RegistryAuth>> {
    let Some(value) = headers
        .get(REGISTRY_AUTH_HEADER)
        .filter(|value| !value.is_empty())
    else {
        return Ok(None);
    };
    decoded(value.as_bytes())
        .map(Some)
        .ok_or_else(|| ApiError::bad_request("the X-Registry-Auth header is malformed"))
}

/// Reads a header that is base64 of JSON.
pub(super) fn decoded<T: DeserializeOwned>(value: &[u8]) -> Option<T> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let base64 = GeneralPurpose::new(&URL_SAFE, config);
    let text = value.iter().map(|byte| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    });
    let decoded = base64.decode(text.collect::<Vec<_>>()).ok()?;
    serde_json::from_slice(&decoded).ok()
}
