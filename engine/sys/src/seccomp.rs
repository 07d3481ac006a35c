//! System call filters: the instruction as the kernel reads it, and its installation.

use crate::{During, Result};

/// One classic BPF instruction, laid out as the kernel's `struct sock_filter`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip when the test holds.
    pub jt: u8,
    /// Instructions to skip when it does not.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

/// The kernel's limit (`BPF_MAXINSNS`).
pub const MAX_INSTRUCTIONS: usize = 4096;

impl Instruction {
    /// Returns the eight bytes of the instruction in this machine's order.
    pub fn to_bytes(self) -> [u8; 8] {
        let [c0, c1] = self.code.to_ne_bytes();
        let [k0, k1, k2, k3] = self.k.to_ne_bytes();
        [c0, c1, self.jt, self.jf, k0, k1, k2, k3]
    }

    /// Reads what [`Instruction::to_bytes`] wrote.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        let [c0, c1, jt, jf, k0, k1, k2, k3] = bytes;
        Self {
            code: u16::from_ne_bytes([c0, c1]),
            jt,
            jf,
            k: u32::from_ne_bytes([k0, k1, k2, k3]),
        }
    }
}

/// Installs `filter` for the calling thread and everything it will start.
///
/// Needs `no_new_privs` or `CAP_SYS_ADMIN`; there is no way back.
///
/// # Errors
/// EINVAL when the program is empty, too long or does not verify; EACCES without the right.
pub fn install(filter: &[Instruction]) -> Result<()> {
    let subject = || format!("a filter of {} instructions", filter.len());
    let len = u16::try_from(filter.len())
        .ok()
        .filter(|len| (1..=MAX_INSTRUCTIONS).contains(&usize::from(*len)))
        .ok_or(nix::errno::Errno::EINVAL)
        .during("seccomp", subject())?;
    let program = libc::sock_fprog {
        len,
        filter: filter.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    // SAFETY: `program` points at `len` instructions of the kernel's layout, which the kernel
    // only reads and copies before the call returns.
    #[expect(unsafe_code, reason = "libc has no seccomp wrapper")]
    let answer = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    };
    nix::errno::Errno::result(answer).during("seccomp", subject())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_back() {
        let instruction = Instruction {
            code: 0x15,
            jt: 1,
            jf: 2,
            k: 0xdead_beef,
        };

        assert_eq!(Instruction::from_bytes(instruction.to_bytes()), instruction);
        assert_eq!(size_of::<Instruction>(), size_of::<libc::sock_filter>());
    }

    #[test]
    fn an_empty_filter_is_refused() {
        assert_eq!(install(&[]).unwrap_err().errno, crate::Errno::INVAL);
    }
}
