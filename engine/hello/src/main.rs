//! The program inside the built-in image gantry/hello.
fn main() {}
