//! Typed calls to an engine on any dialled byte stream.
