//! Typed calls to an engine on any dialled byte stream.
//!
//! One call is one connection: dialling a local socket costs microseconds, and dropping what a
//! call returned – a stream, an upgraded connection, a future – closes the connection, which the
//! engine sees at once. That is the only way to cancel.
//!
//! **Invariant:** this crate chooses no host and repeats no change; whoever calls decides both.
//!
//! A file alone travels in an archive, which is read and written here.
//!
//! Begin with [`EngineClient`]; streams are in [`stream`], two-way connections in [`upgrade`].

mod builds;
mod client;
mod containers;
mod dial;
mod error;
mod execs;
mod file;
mod files;
mod images;
mod networks;
mod registries;
mod request;
pub mod stream;
mod system;
mod tasks;
pub mod upgrade;
mod volumes;

pub use builds::BuildOptions;
pub use client::EngineClient;
pub use containers::{AttachOptions, ListOptions, LogOptions, RemoveOptions};
pub use dial::{ByteStream, Dial, Dialled, UnixSocket};
pub use error::{ClientError, Result};
pub use file::{FileAttributes, FileContent, NewFile, Opened};
pub use files::{CommitOptions, DirectoryQuery, ExtractOptions};
pub use images::{ImageFilesQuery, ImagePath, ImageSource, PullOptions, PushOptions};
pub use system::EventOptions;
pub use volumes::Before;
