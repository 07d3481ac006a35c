//! The device program of a version 2 control group, through bpf(2).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::{During, Result};

/// One extended BPF instruction, laid out as the kernel's `struct bpf_insn`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u8,
    /// Source register in the high half, destination register in the low half.
    pub registers: u8,
    /// Jump distance or memory offset.
    pub offset: i16,
    /// Operand.
    pub immediate: i32,
}

/// A loaded device program; attached programs live on without it.
#[derive(Debug)]
pub struct Program(OwnedFd);

const PROGRAM_LOAD: i64 = 5;
const PROGRAM_ATTACH: i64 = 8;
const PROGRAM_DETACH: i64 = 9;
const PROGRAM_FD_BY_ID: i64 = 13;
const PROGRAM_QUERY: i64 = 16;
const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;
const ALLOW_MULTI: u32 = 1 << 1;
const REPLACE: u32 = 1 << 2;

/// The head of the kernel's `union bpf_attr` for each command used here.
#[repr(C)]
#[derive(Default)]
struct Load {
    program_type: u32,
    n_instructions: u32,
    instructions: u64,
    licence: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct Attach {
    target_fd: u32,
    program_fd: u32,
    attach_type: u32,
    flags: u32,
    replaced_fd: u32,
}

#[repr(C)]
#[derive(Default)]
struct ById {
    id: u32,
    next_id: u32,
    flags: u32,
}

#[repr(C)]
#[derive(Default)]
struct Query {
    target_fd: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    ids: u64,
    n_ids: u32,
    padding: u32,
}

/// Loads a device program: it returns 1 for "allowed" and 0 for "refused".
///
/// # Errors
/// EINVAL or EACCES when the kernel's verifier refuses it, EPERM without `CAP_BPF`.
pub fn load(instructions: &[Instruction]) -> Result<Program> {
    let subject = format_args!("a device program of {} instructions", instructions.len());
    let mut attributes = Load {
        program_type: TYPE_CGROUP_DEVICE,
        n_instructions: u32::try_from(instructions.len()).unwrap_or(u32::MAX),
        instructions: instructions.as_ptr() as u64,
        licence: c"GPL".as_ptr() as u64,
        ..Load::default()
    };
    let fd = bpf(PROGRAM_LOAD, &mut attributes).during("bpf(PROG_LOAD)", subject)?;
    Ok(Program(own(fd)))
}

/// Makes `program` the one device program of `group`, replacing what is attached there.
///
/// # Errors
/// The kernel's answer, EINVAL where the kernel has no device programs.
pub fn attach(group: impl AsFd, program: &Program) -> Result<()> {
    let group = group.as_fd();
    let present = attached(group)?;
    let (replaced, rest) = match present.split_first() {
        Some((first, rest)) => (Some(program_by_id(*first)?), rest),
        None => (None, [].as_slice()),
    };
    let mut attributes = Attach {
        target_fd: number(group),
        program_fd: number(program.0.as_fd()),
        attach_type: ATTACH_CGROUP_DEVICE,
        flags: ALLOW_MULTI | if replaced.is_some() { REPLACE } else { 0 },
        replaced_fd: replaced.as_ref().map_or(0, |old| number(old.as_fd())),
    };
    bpf(PROGRAM_ATTACH, &mut attributes).during("bpf(PROG_ATTACH)", "device program")?;
    for id in rest {
        let old = program_by_id(*id)?;
        let mut attributes = Attach {
            target_fd: number(group),
            program_fd: number(old.as_fd()),
            attach_type: ATTACH_CGROUP_DEVICE,
            ..Attach::default()
        };
        bpf(PROGRAM_DETACH, &mut attributes).during("bpf(PROG_DETACH)", "device program")?;
    }
    Ok(())
}

/// Lists the ids of the device programs attached to `group` itself.
///
/// # Errors
/// The kernel's answer, EINVAL where the kernel has no device programs.
pub fn attached(group: impl AsFd) -> Result<Vec<u32>> {
    let group = group.as_fd();
    let mut ids = vec![0_u32; 64];
    let mut attributes = Query {
        target_fd: number(group),
        attach_type: ATTACH_CGROUP_DEVICE,
        ids: ids.as_mut_ptr() as u64,
        n_ids: 64,
        ..Query::default()
    };
    bpf(PROGRAM_QUERY, &mut attributes).during("bpf(PROG_QUERY)", "device programs")?;
    ids.truncate(usize::try_from(attributes.n_ids).unwrap_or(0));
    Ok(ids)
}

fn program_by_id(id: u32) -> Result<OwnedFd> {
    let mut attributes = ById {
        id,
        ..ById::default()
    };
    bpf(PROGRAM_FD_BY_ID, &mut attributes)
        .during("bpf(PROG_GET_FD_BY_ID)", id)
        .map(own)
}

fn number(fd: BorrowedFd<'_>) -> u32 {
    fd.as_raw_fd().unsigned_abs()
}

fn bpf<T>(command: i64, attributes: &mut T) -> nix::Result<i32> {
    // SAFETY: `attributes` is a `repr(C)` head of the kernel's `union bpf_attr` and its true size
    // is passed; pointers in it are to slices and C strings that outlive the call.
    #[expect(unsafe_code, reason = "libc has no bpf wrapper")]
    let answer =
        unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<T>()) };
    nix::errno::Errno::result(answer).map(|fd| i32::try_from(fd).unwrap_or(-1))
}

fn own(fd: i32) -> OwnedFd {
    // SAFETY: bpf(2) has just returned this descriptor (close-on-exec) and nobody else knows it.
    #[expect(unsafe_code, reason = "a raw descriptor becomes an owned one")]
    unsafe {
        OwnedFd::from_raw_fd(fd)
    }
}
