//! Sample models.
