//! The one kind of task this crate spawns: what moves the bytes of one connection.

use hyper::client::conn::http1::Connection;
use hyper_util::rt::TokioIo;

use crate::dial::ByteStream;

/// Drives a connection until both its request and its answer are done or dropped.
///
/// It ends by itself: hyper closes the connection when the last handle to it is dropped.
#[expect(clippy::disallowed_methods, reason = "this is the crate's tasks.rs")]
pub(crate) fn drive<B>(connection: Connection<TokioIo<Box<dyn ByteStream>>, B>)
where
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    tokio::spawn(async move {
        // The caller learns of a failure from its own half.
        let _ = connection.with_upgrades().await;
    });
}
