//! The device allow-list as a program for version 2: straight tests, one block a rule.

use engine_sys::device_filter::Instruction;

use super::{Access, DeviceKind, DeviceRule};

/// Emits the program: the kind, access and numbers of the open in registers 2 to 5, then one
/// block of tests for each rule, then "refused".
///
/// The kernel passes `{ u32 access << 16 | kind, u32 major, u32 minor }` in register 1.
pub(super) fn emit(allowed: &[DeviceRule]) -> Vec<Instruction> {
    let mut code = vec![
        load(2, 0),
        copy(3, 2),
        shift_right(3, 16),
        and(2, 0xffff),
        load(4, 4),
        load(5, 8),
    ];
    allowed.iter().for_each(|rule| code.extend(block(rule)));
    code.extend(answer(0));
    code
}

/// Emits the tests of one rule; each that fails jumps behind the block's "allowed".
fn block(rule: &DeviceRule) -> Vec<Instruction> {
    /// Kernel: `BPF_DEVCG_DEV_BLOCK`, `BPF_DEVCG_DEV_CHAR`.
    const fn kind(kind: DeviceKind) -> i32 {
        match kind {
            DeviceKind::Block => 1,
            DeviceKind::Character => 2,
        }
    }
    let mut tests = vec![differs(2, kind(rule.kind))];
    if rule.access != Access::ALL {
        // Every asked bit must be granted: asked & granted == asked.
        let granted = i32::from(rule.access.mknod)
            | i32::from(rule.access.read) << 1
            | i32::from(rule.access.write) << 2;
        tests.extend([copy(1, 3), and(1, granted), differs_from_register(1, 3)]);
    }
    tests.extend(rule.major.map(|major| differs(4, major.cast_signed())));
    tests.extend(rule.minor.map(|minor| differs(5, minor.cast_signed())));
    tests.extend(answer(1));
    let end = tests.len();
    for (at, test) in tests.iter_mut().enumerate() {
        if matches!(test.code, DIFFERS | DIFFERS_FROM_REGISTER) {
            test.offset = i16::try_from(end - at - 1).unwrap_or(i16::MAX);
        }
    }
    tests
}

/// `if (u32)register != immediate goto …` (BPF_JMP32 | BPF_JNE | BPF_K).
const DIFFERS: u8 = 0x56;
/// `if (u32)register != (u32)other goto …` (BPF_JMP32 | BPF_JNE | BPF_X).
const DIFFERS_FROM_REGISTER: u8 = 0x5e;

fn load(register: u8, offset: i16) -> Instruction {
    // BPF_LDX | BPF_MEM | BPF_W from what register 1 points at.
    instruction(0x61, 1 << 4 | register, offset, 0)
}

fn copy(register: u8, from: u8) -> Instruction {
    instruction(0xbc, from << 4 | register, 0, 0)
}

fn shift_right(register: u8, bits: i32) -> Instruction {
    instruction(0x74, register, 0, bits)
}

fn and(register: u8, mask: i32) -> Instruction {
    instruction(0x54, register, 0, mask)
}

fn differs(register: u8, value: i32) -> Instruction {
    instruction(DIFFERS, register, 0, value)
}

fn differs_from_register(register: u8, other: u8) -> Instruction {
    instruction(DIFFERS_FROM_REGISTER, other << 4 | register, 0, 0)
}

/// `return value` (BPF_ALU64 | BPF_MOV | BPF_K into register 0, BPF_EXIT).
fn answer(value: i32) -> [Instruction; 2] {
    [instruction(0xb7, 0, 0, value), instruction(0x95, 0, 0, 0)]
}

fn instruction(code: u8, registers: u8, offset: i16, immediate: i32) -> Instruction {
    Instruction {
        code,
        registers,
        offset,
        immediate,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_empty_list_refuses_everything() {
        assert_eq!(run(&emit(&[]), ask(DeviceKind::Character, 1, 3, 2)), 0);
    }

    /// One open as the kernel describes it.
    #[derive(Debug, Clone, Copy)]
    struct Asked {
        kind: DeviceKind,
        major: u32,
        minor: u32,
        /// 1 mknod, 2 read, 4 write.
        access: u32,
    }

    fn ask(kind: DeviceKind, major: u32, minor: u32, access: u32) -> Asked {
        Asked {
            kind,
            major,
            minor,
            access,
        }
    }

    fn allows(rule: &DeviceRule, asked: Asked) -> bool {
        let granted = u32::from(rule.access.mknod)
            | u32::from(rule.access.read) << 1
            | u32::from(rule.access.write) << 2;
        rule.kind == asked.kind
            && rule.major.is_none_or(|major| major == asked.major)
            && rule.minor.is_none_or(|minor| minor == asked.minor)
            && asked.access & !granted == 0
    }

    /// Interprets the few instructions that [`emit`] emits, in 32-bit registers.
    fn run(code: &[Instruction], asked: Asked) -> i32 {
        let kind = match asked.kind {
            DeviceKind::Block => 1,
            DeviceKind::Character => 2,
        };
        let context = [asked.access << 16 | kind, asked.major, asked.minor];
        let mut registers = [0_u32; 11];
        let mut at = 0;
        loop {
            let one = code[at];
            let (target, source) = (
                usize::from(one.registers & 15),
                usize::from(one.registers >> 4),
            );
            let immediate = one.immediate.cast_unsigned();
            at += 1;
            let jump = match one.code {
                0x61 => {
                    registers[target] = context[usize::try_from(one.offset / 4).unwrap()];
                    false
                }
                0xbc => {
                    registers[target] = registers[source];
                    false
                }
                0x74 => {
                    registers[target] >>= immediate;
                    false
                }
                0x54 => {
                    registers[target] &= immediate;
                    false
                }
                0xb7 => {
                    registers[target] = immediate;
                    false
                }
                DIFFERS => registers[target] != immediate,
                DIFFERS_FROM_REGISTER => registers[target] != registers[source],
                0x95 => return registers[0].cast_signed(),
                other => panic!("instruction {other:#x} is not ours"),
            };
            if jump {
                at += usize::try_from(one.offset).unwrap();
            }
        }
    }

    fn any_kind() -> impl Strategy<Value = DeviceKind> {
        prop_oneof![Just(DeviceKind::Character), Just(DeviceKind::Block)]
    }

    fn any_number() -> impl Strategy<Value = u32> {
        prop_oneof![0_u32..4, Just(136), any::<u32>()]
    }

    prop_compose! {
        fn any_rule()(
            kind in any_kind(),
            major in prop::option::of(any_number()),
            minor in prop::option::of(any_number()),
            bits in 1_u8..8,
        ) -> DeviceRule {
            let access = Access { mknod: bits & 1 != 0, read: bits & 2 != 0, write: bits & 4 != 0 };
            DeviceRule { kind, major, minor, access }
        }
    }

    proptest! {
        #[test]
        fn the_program_says_what_the_rules_say(
            rules in prop::collection::vec(any_rule(), 0..20),
            kind in any_kind(),
            major in any_number(),
            minor in any_number(),
            access in 1_u32..8,
        ) {
            let asked = ask(kind, major, minor, access);

            let expected = rules.iter().any(|rule| allows(rule, asked));

            prop_assert_eq!(run(&emit(&rules), asked), i32::from(expected));
        }
    }
}
