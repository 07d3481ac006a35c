//! Where the file system keeps storage sizes: no call takes a file out of the count, or into that of
//! another container.
//!
//! A file's owner may give it another project, or say that a directory does not hand its own on, and
//! overlayfs passes both on to the file system that counts. What stands before the filter refuses
//! the calls that do so; `chattr` is among them. Who asks for no filter has this one alone.

use engine_sys::seccomp::Instruction;

use super::compile::{
    ALLOW, ARCHITECTURE, FIRST_ARGUMENT, NATIVE, NUMBER, REFUSE, X32_BIT, answer, equal, load,
};
use super::table::{Architecture, rows};

pub(super) const SECOND_ARGUMENT: u32 = FIRST_ARGUMENT + 8;

/// `FS_IOC_FSSETXATTR`, and `FS_IOC_SETFLAGS` of programs of 64 and of 32 bits.
pub(super) const COMMANDS: [u32; 3] = [0x401c_5820, 0x4008_6602, 0x4004_6602];

/// `file_setattr` of Linux 6.17, which has this number on every architecture.
pub(super) const FILE_SETATTR: u32 = 469;

/// Returns a filter that refuses these calls and nothing else.
pub fn only_counted() -> Vec<Instruction> {
    counted(&[answer(ALLOW)])
}

/// Returns a filter that also refuses these calls.
pub fn counted(filter: &[Instruction]) -> Vec<Instruction> {
    let mut program = Vec::new();
    for (kernel_name, architecture, hidden) in NATIVE {
        let refusal = [
            load(SECOND_ARGUMENT),
            equal(COMMANDS[0], 2, 0),
            equal(COMMANDS[1], 1, 0),
            equal(COMMANDS[2], 0, 1),
            answer(REFUSE),
        ];
        let mut block = vec![load(NUMBER)];
        match hidden {
            // Over all that follows, to the refusal.
            Some(hidden) => block.extend([
                equal(FILE_SETATTR | X32_BIT, 7, 0),
                equal(FILE_SETATTR, 6, 0),
                equal(ioctl(hidden) | X32_BIT, 1, 0),
            ]),
            None => block.push(equal(FILE_SETATTR, 5, 0)),
        }
        block.push(equal(ioctl(architecture), 0, 5));
        block.extend(refusal);
        program.push(load(ARCHITECTURE));
        program.push(equal(
            kernel_name,
            0,
            u8::try_from(block.len()).unwrap_or(0),
        ));
        program.extend(block);
    }
    program.extend_from_slice(filter);
    program
}

/// Every architecture has it; without, no call has this number.
fn ioctl(architecture: Architecture) -> u32 {
    let row = rows().iter().find(|row| row.name == "ioctl");
    row.and_then(|row| row.number(architecture))
        .unwrap_or(!X32_BIT)
}
