//! The switchboard: one link per host downwards, one index of facts upwards.
//!
//! ```text
//! services ── Link::client(&permit) ─→ engine          commands go down
//! pages    ←─ Index ←─ ingest ←─ list + events ─ engine     facts come up
//! sockets  ←─ Change (broadcast)
//! ```
//!
//! **Invariant:** a page never asks an engine for a list; it reads the [`Index`]. An engine is asked
//! on behalf of a permit, or of nobody by what only looks: `ingest`, [`Link::usage`] and [`Link::remote_digest`]; what a crash
//! cut is mended on behalf of the server.

pub mod doctor;
mod facts;
mod index;
mod ingest;
mod link;
mod networks;
mod ports;
mod query;

pub use engine_client::stream::{Chunks, JsonLines, OutputStream};
pub use engine_client::upgrade::{Attached, AttachedOutput, Input};
pub use engine_client::{
    BuildOptions, ClientError, DirectoryQuery, EngineClient, FileAttributes, FileContent,
    ImageFilesQuery, ImagePath, LogOptions, NewFile, Opened, PullOptions, PushOptions,
    RemoveOptions,
};
pub use facts::{ContainerFact, EventFact, HostFact, HostState, ImageFact, Phase};
pub use index::{Change, Counts, Index};
pub use ingest::{Pulse, run as ingest};
pub use link::Link;
pub use networks::{NetworkFact, NetworkQuery};
pub use ports::{Listener, Published};
pub use query::{ContainerQuery, Direction, EventQuery, ImageQuery, Page, Sort};
