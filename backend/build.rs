//! Tells cargo that the database's steps are compiled in: a new file makes a new build.

fn main() {
    println!("cargo::rerun-if-changed=../migrations");
}
