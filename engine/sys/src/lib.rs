//! Safe functions for kernel calls.
