//! The benchmark: how fast and how small, always beside a peer measured in the same minute.
//!
//! It prints; it asserts nothing about time. `docker-free-tests/bench` builds in release and runs it.
#![expect(
    clippy::print_stdout,
    reason = "a benchmark is read on standard output"
)]

mod build;
mod docker;
mod exec;
mod images;
mod lifecycle;
mod logs;
mod many;
mod memory;
mod page;
mod sample;
mod soak;
mod terminal;
mod verbs;
mod volumes;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let parts: [(&str, fn()); 13] = [
        ("lifecycle", lifecycle::measure),
        ("exec", exec::measure),
        ("verbs", verbs::measure),
        ("docker", docker::measure),
        ("build", build::measure),
        ("images", images::measure),
        ("volumes", volumes::measure),
        ("memory", memory::measure),
        ("logs", logs::measure),
        ("page", page::measure),
        ("terminal", terminal::measure),
        ("many", many::measure),
        ("soak", soak::measure),
    ];
    for (name, measure) in parts {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            println!("\n{name}");
            measure();
        }
    }
}
