//! From a bundle to a supervised process and back.
