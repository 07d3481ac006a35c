//! What a container's output calls itself.

use engine_api::version::ApiVersion;

use super::extract::Spoken;

/// The version from which framed output has a type of its own.
const MULTIPLEXED_SINCE: ApiVersion = ApiVersion::v1(42);

/// Returns the content type of a container's output.
pub(super) fn content_type(tty: bool, Spoken(version): Spoken) -> &'static str {
    if tty || version < MULTIPLEXED_SINCE {
        "application/vnd.docker.raw-stream"
    } else {
        "application/vnd.docker.multiplexed-stream"
    }
}
