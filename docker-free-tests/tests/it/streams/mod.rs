//! Bytes that go on: attach, exec, logs.

mod attach;
mod exec;
mod logs;
mod slow;
