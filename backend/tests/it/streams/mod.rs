//! Streams and what holds on to them: an engine on a real socket, so that a dropped stream is seen
//! on the other side as it is in life.

mod builds;
mod ingest;
mod jobs;
mod live;
mod logs;
mod metrics;
mod page;
mod sockets;
mod stage;
mod terminals;
