//! Bodies that go on arriving, and what they call themselves.

use axum::body::Body;
use bytes::Bytes;
use engine_api::version::ApiVersion;
use futures_util::Stream;

use super::extract::Spoken;

/// The version from which framed output has a type of its own.
const MULTIPLEXED_SINCE: ApiVersion = ApiVersion::v1(42);

/// Makes a body of a stream. Each piece is sent as it comes; the stream is dropped as soon as the
/// client goes away.
pub(super) fn flushed<S>(pieces: S) -> Body
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
{
    Body::from_stream(pieces)
}

/// Returns the content type of a container's output.
pub(super) fn content_type(tty: bool, Spoken(version): Spoken) -> &'static str {
    if tty || version < MULTIPLEXED_SINCE {
        "application/vnd.docker.raw-stream"
    } else {
        "application/vnd.docker.multiplexed-stream"
    }
}
