//! Control group files and the device program of version 2.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    path::Path,
};

use crate::{During, Result};

/// Writes `value` into a control file by one write(2), as the kernel demands.
///
/// # Errors
/// The kernel's answer to the open or to the value.
pub fn write(file: &Path, value: &str) -> Result<()> {
    let mut handle = OpenOptions::new()
        .write(true)
        .open(file)
        .during("open", file.display())?;
    handle
        .write_all(value.as_bytes())
        .during("write", format_args!("{value:?} to {}", file.display()))
}

/// Reads a control file whole.
///
/// # Errors
/// The kernel's answer, ENOENT when the controller or the group is not there.
pub fn read(file: &Path) -> Result<String> {
    let mut text = String::new();
    File::open(file)
        .during("open", file.display())?
        .read_to_string(&mut text)
        .during("read", file.display())?;
    Ok(text)
}

/// Makes a group; one that exists already is an EEXIST.
///
/// # Errors
/// The kernel's answer.
pub fn make(group: &Path) -> Result<()> {
    fs::create_dir(group).during("mkdir", group.display())
}

/// Removes a group that holds neither processes nor groups.
///
/// # Errors
/// EBUSY while something is in it, ENOENT when it is gone.
pub fn remove(group: &Path) -> Result<()> {
    fs::remove_dir(group).during("rmdir", group.display())
}

/// Opens a group's directory, for CLONE_INTO_CGROUP and for [`attach_device_program`].
///
/// # Errors
/// The kernel's answer.
pub fn open(group: &Path) -> Result<OwnedFd> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    rustix::fs::open(group, flags, Mode::empty()).during("open", group.display())
}

/// One extended BPF instruction, laid out as the kernel's `struct bpf_insn`.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BpfInstruction {
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
pub struct DeviceProgram(OwnedFd);

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
pub fn load_device_program(instructions: &[BpfInstruction]) -> Result<DeviceProgram> {
    let subject = format_args!("a device program of {} instructions", instructions.len());
    let mut attributes = Load {
        program_type: TYPE_CGROUP_DEVICE,
        n_instructions: u32::try_from(instructions.len()).unwrap_or(u32::MAX),
        instructions: instructions.as_ptr() as u64,
        licence: c"GPL".as_ptr() as u64,
        ..Load::default()
    };
    let fd = bpf(PROGRAM_LOAD, &mut attributes).during("bpf(PROG_LOAD)", subject)?;
    Ok(DeviceProgram(own(fd)))
}

/// Makes `program` the one device program of `group`, replacing what is attached there.
///
/// # Errors
/// The kernel's answer, EINVAL where the kernel has no device programs.
pub fn attach_device_program(group: BorrowedFd<'_>, program: &DeviceProgram) -> Result<()> {
    let attached = device_programs(group)?;
    let (replaced, rest) = match attached.split_first() {
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
pub fn device_programs(group: BorrowedFd<'_>) -> Result<Vec<u32>> {
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
