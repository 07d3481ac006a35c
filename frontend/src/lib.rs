//! View models and templates; the URL vocabulary.

pub mod live;
pub mod paths;
