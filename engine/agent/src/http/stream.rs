//! Bodies that go on arriving.

use axum::body::Body;
use bytes::Bytes;
use futures_util::Stream;

/// Makes a body of a stream. Each piece is sent as it comes; the stream is dropped as soon as the
/// client goes away.
pub(super) fn flushed<S>(pieces: S) -> Body
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
{
    Body::from_stream(pieces)
}
