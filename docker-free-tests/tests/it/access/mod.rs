//! Who gets in, who may do what, and who never.

mod doors;
mod sessions;
