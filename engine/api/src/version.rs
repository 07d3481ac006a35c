//! Which version of the Docker Engine API a request speaks.

use std::fmt;
use std::str::FromStr;

/// A version of the API, `major.minor`, ordered as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiVersion {
    /// The number before the dot; always 1 so far.
    pub major: u16,
    /// The number after the dot.
    pub minor: u16,
}

/// The newest version this engine speaks; a path without a version means this one.
pub const NEWEST: ApiVersion = ApiVersion {
    major: 1,
    minor: 51,
};

/// The oldest version this engine answers: docker-compose 1.29 speaks 1.38 and never negotiates.
pub const OLDEST: ApiVersion = ApiVersion {
    major: 1,
    minor: 24,
};

impl ApiVersion {
    /// Returns version `1.minor`.
    pub const fn v1(minor: u16) -> Self {
        Self { major: 1, minor }
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why a version cannot be spoken; the text is Docker's, since clients show it to people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Not of the form `major.minor`.
    #[error("invalid API version {0:?}")]
    Malformed(String),
    /// Above [`NEWEST`].
    #[error("client version {0} is too new. Maximum supported API version is {NEWEST}")]
    TooNew(ApiVersion),
    /// Below [`OLDEST`].
    #[error(
        "client version {0} is too old. Minimum supported API version is {OLDEST}, \
         please upgrade your client to a newer version"
    )]
    TooOld(ApiVersion),
}

impl FromStr for ApiVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let malformed = || VersionError::Malformed(text.to_owned());
        let (major, minor) = text.split_once('.').ok_or_else(malformed)?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(major) || !digits(minor) {
            return Err(malformed());
        }
        Ok(Self {
            major: major.parse().map_err(|_| malformed())?,
            minor: minor.parse().map_err(|_| malformed())?,
        })
    }
}

/// Splits `/v1.43/containers/json` into the version and `/containers/json`.
///
/// A path without a version is returned whole, with [`NEWEST`].
///
/// # Errors
/// When the version is outside [`OLDEST`]..=[`NEWEST`].
pub fn split_path(path: &str) -> Result<(ApiVersion, &str), VersionError> {
    let Some((version, rest)) = versioned(path) else {
        return Ok((NEWEST, path));
    };
    if version > NEWEST {
        return Err(VersionError::TooNew(version));
    }
    if version < OLDEST {
        return Err(VersionError::TooOld(version));
    }
    Ok((version, rest))
}

/// Only `/v` + digits + `.` + digits + `/` is a version; anything else is part of the path.
fn versioned(path: &str) -> Option<(ApiVersion, &str)> {
    let tail = path.strip_prefix("/v")?;
    let end = tail.find('/')?;
    let version = tail[..end].parse().ok()?;
    Some((version, &tail[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_prefix_is_split_off() {
        assert_eq!(split_path("/v1.43/info"), Ok((ApiVersion::v1(43), "/info")));
        assert_eq!(split_path("/info"), Ok((NEWEST, "/info")));
        assert_eq!(split_path("/volumes/x"), Ok((NEWEST, "/volumes/x")));
        assert_eq!(split_path("/v1.x/info"), Ok((NEWEST, "/v1.x/info")));
    }

    #[test]
    fn versions_outside_the_range_are_refused_in_dockers_words() {
        assert_eq!(
            split_path("/v1.99/info").map_err(|e| e.to_string()),
            Err("client version 1.99 is too new. Maximum supported API version is 1.51".to_owned())
        );
        assert_eq!(
            split_path("/v1.10/info").map_err(|e| e.to_string()),
            Err(
                "client version 1.10 is too old. Minimum supported API version is 1.24, \
                 please upgrade your client to a newer version"
                    .to_owned()
            )
        );
    }
}
