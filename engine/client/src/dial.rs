//! Where the byte stream to an engine comes from.

use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;

/// A stream of bytes in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> ByteStream for T {}

/// The stream, once it is there.
pub type Dialled<'d> = Pin<Box<dyn Future<Output = io::Result<Box<dyn ByteStream>>> + Send + 'd>>;

/// Opens a new byte stream to one engine, each time it is asked.
pub trait Dial: Send + Sync + 'static {
    /// Opens the stream.
    fn dial(&self) -> Dialled<'_>;

    /// Returns the engine's address, for messages.
    fn address(&self) -> String;
}

/// The socket of an engine on this machine.
#[derive(Debug, Clone)]
pub struct UnixSocket(pub PathBuf);

impl Dial for UnixSocket {
    fn dial(&self) -> Dialled<'_> {
        Box::pin(async {
            let stream = UnixStream::connect(&self.0).await?;
            Ok(Box::new(stream) as Box<dyn ByteStream>)
        })
    }

    fn address(&self) -> String {
        self.0.display().to_string()
    }
}
