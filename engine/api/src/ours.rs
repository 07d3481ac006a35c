//! Our additions to the Docker API. Whatever we add lives below one prefix, in one namespace of
//! labels and one of headers, so that no later word of Docker's can collide with it.

/// Paths of ours begin so.
pub const PATH_PREFIX: &str = "/gantry";

/// Labels of ours begin so; an image or a caller may carry them, and none steers the engine.
pub const LABEL_PREFIX: &str = "io.gantry.";

/// Headers of ours begin so.
pub const HEADER_PREFIX: &str = "x-gantry-";
