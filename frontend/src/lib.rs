//! View models and templates; the URL vocabulary.
