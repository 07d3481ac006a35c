//! Tests of the ignore file.
