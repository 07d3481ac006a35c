//! Memory that goes back to the kernel when it is not needed.

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::{During as _, Errno, Result};

/// Zeroed bytes in pages of their own; dropping it gives the pages back at once.
#[derive(Debug)]
pub struct Buffer {
    start: NonNull<u8>,
    n_bytes: usize,
}

impl Buffer {
    /// Takes `n_bytes` from the kernel; pages become real when they are touched.
    ///
    /// # Errors
    /// `ENOMEM`; `EINVAL` for zero bytes.
    pub fn new(n_bytes: usize) -> Result<Self> {
        // SAFETY: a private anonymous mapping at an address of the kernel's choice touches nothing
        // that exists.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                n_bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(std::io::Error::last_os_error()).during("mmap", n_bytes);
        }
        let start = NonNull::new(start.cast())
            .ok_or(Errno::NOMEM)
            .during("mmap", n_bytes)?;
        Ok(Self { start, n_bytes })
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `start` is a live mapping of `n_bytes` zeroed, readable bytes that only `self`
        // knows; it is unmapped in `drop` and nowhere else.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.n_bytes) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`; `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.n_bytes) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: exactly the mapping that `new` made, and nobody borrows it any more. It cannot
        // fail for such a range.
        let _ = unsafe { libc::munmap(self.start.as_ptr().cast(), self.n_bytes) };
    }
}

/// Gives this program's own code and constants back to the page cache; what is needed again is
/// mapped again when it is touched.
///
/// For a process that sleeps nearly all its life: asleep, it needs none of them.
///
/// # Errors
/// Practically never.
pub fn release_program() -> Result<()> {
    unsafe extern "C" {
        /// The linker's names for the first byte of the program and the end of its code.
        static __executable_start: u8;
        static etext: u8;
    }
    let page = rustix::param::page_size();
    let first = (&raw const __executable_start)
        .addr()
        .next_multiple_of(page);
    let end = (&raw const etext).addr() / page * page;
    if end <= first {
        return Ok(());
    }
    let start = std::ptr::with_exposed_provenance_mut(first);
    // SAFETY: between the two lie only the program's read-only headers, constants and code, mapped
    // from its file. Dropping such pages loses nothing: the next touch reads the same bytes.
    let result = unsafe { libc::madvise(start, end - first, libc::MADV_DONTNEED) };
    nix::errno::Errno::result(result)
        .map(drop)
        .during("madvise", "the program")
}

/// Keeps the C library from making a heap for each thread; `false` when it will not.
///
/// A process whose threads come and go otherwise keeps what each of them once needed.
#[cfg(target_env = "gnu")]
pub fn limit_heaps(n: i32) -> bool {
    // SAFETY: mallopt stores two integers; it concerns heaps that are not made yet.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, n) == 1 }
}

/// Gives what is free in the heaps back to the kernel; for the end of a busy moment.
#[cfg(target_env = "gnu")]
pub fn trim_heaps() {
    // SAFETY: malloc_trim takes the heaps' own locks and touches only what nobody has.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_c_library_takes_a_limit_of_heaps() {
        assert!(limit_heaps(2));
        trim_heaps();
    }

    #[test]
    fn a_buffer_is_zeroed_and_can_be_written() {
        let mut buffer = Buffer::new(70_000).expect("memory");
        assert!(buffer.iter().all(|byte| *byte == 0));
        buffer[69_999] = 7;
        assert_eq!(buffer.last(), Some(&7));
    }
}
