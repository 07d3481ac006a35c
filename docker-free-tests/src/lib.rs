//! The whole house, end to end.
