//! Layers to snapshots.
