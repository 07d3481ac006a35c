//! Streams that end when the right to them does.

use std::future::Future;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

/// Ends a file with an error when the right to it goes: without one it would look whole.
pub(super) fn cut_off(
    pieces: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    revoked: impl Future<Output = ()> + Send + 'static,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let held = (Box::pin(pieces), Box::pin(revoked));
    futures_util::stream::unfold(Some(held), async |held| {
        let (mut pieces, mut revoked) = held?;
        tokio::select! {
            biased;
            () = &mut revoked => {
                Some((Err(std::io::Error::other("the right to the file has gone")), None))
            }
            piece = pieces.next() => piece.map(|piece| (piece, Some((pieces, revoked)))),
        }
    })
}
