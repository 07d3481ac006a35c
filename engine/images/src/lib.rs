//! Names, digests, registries, the content store.
