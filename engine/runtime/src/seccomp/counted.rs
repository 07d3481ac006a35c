//! For a container whose files are counted up to a storage size: no call takes one out of the count.
//!
//! A file's owner may give it another project, or say that a directory does not hand its own on, and
//! overlayfs passes both on to the file system that counts. What stands before the filter refuses
//! the calls that do so; `chattr` is among them.

use engine_sys::seccomp::Instruction;

use super::compile::{
    ARCHITECTURE, FIRST_ARGUMENT, NATIVE, NUMBER, REFUSE, X32_BIT, answer, equal, load,
};
use super::table::{Architecture, rows};

pub(super) const SECOND_ARGUMENT: u32 = FIRST_ARGUMENT + 8;

/// `FS_IOC_FSSETXATTR`, and `FS_IOC_SETFLAGS` of programs of 64 and of 32 bits.
pub(super) const COMMANDS: [u32; 3] = [0x401c_5820, 0x4008_6602, 0x4004_6602];

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
        let hidden = hidden.and_then(ioctl).map(|number| number | X32_BIT);
        block.extend(hidden.map(|number| equal(number, 1, 0)));
        // Every architecture has it; without, no call has this number.
        block.push(equal(ioctl(architecture).unwrap_or(u32::MAX), 0, 5));
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

fn ioctl(architecture: Architecture) -> Option<u32> {
    let row = rows().iter().find(|row| row.name == "ioctl");
    row.and_then(|row| row.number(architecture))
}
