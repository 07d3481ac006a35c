//! Writes the busybox image as an archive to standard output, for tests that are not in Rust.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(&docker_free_tests::images::busybox())
}
