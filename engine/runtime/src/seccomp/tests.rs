//! The compiled filter, run by an interpreter, against the table's words.

use std::collections::BTreeSet;

use engine_sys::{
    capability::{Capability, CapabilitySet},
    seccomp::{Instruction, MAX_INSTRUCTIONS, install},
};
use proptest::prelude::*;

use super::{
    compile::{
        AF_ALG, AF_VSOCK, ALLOW, KILL, MISSING, NAMESPACE_FLAGS, NATIVE, PERSONALITIES, REFUSE,
        X32_BIT, compile,
    },
    counted::{COMMANDS, FILE_SETATTR},
    decode, encode, filter,
    table::{Architecture, Decision, Row, rows},
};
use crate::profile;

/// Runs the few instructions of classic BPF that the compiler emits.
fn run(program: &[Instruction], architecture: u32, number: u32, first_argument: u64) -> u32 {
    run_with(program, architecture, number, [first_argument, 0])
}

fn run_with(
    program: &[Instruction],
    architecture: u32,
    number: u32,
    [first_argument, second_argument]: [u64; 2],
) -> u32 {
    let second = u32::try_from(second_argument & 0xffff_ffff).unwrap();
    let low = u32::try_from(first_argument & 0xffff_ffff).unwrap();
    let mut accumulator = 0;
    let mut at = 0;
    loop {
        let one = program[at];
        at += 1;
        let test = match one.code {
            0x20 => {
                accumulator = match one.k {
                    0 => number,
                    4 => architecture,
                    16 => low,
                    24 => second,
                    offset => panic!("nobody looks at offset {offset}"),
                };
                continue;
            }
            0x54 => {
                accumulator &= one.k;
                continue;
            }
            0x05 => {
                at += usize::try_from(one.k).unwrap();
                continue;
            }
            0x06 => return one.k,
            0x15 => accumulator == one.k,
            0x35 => accumulator >= one.k,
            0x45 => accumulator & one.k != 0,
            other => panic!("instruction {other:#x} is not ours"),
        };
        at += usize::from(if test { one.jt } else { one.jf });
    }
}

/// Says in the table's words what must happen.
fn expected(row: &Row, capabilities: CapabilitySet, argument: u64) -> u32 {
    let low = u32::try_from(argument & 0xffff_ffff).unwrap();
    let admin = capabilities.has(Capability::SYS_ADMIN);
    let allow_if = |fact: bool| if fact { ALLOW } else { REFUSE };
    match row.decision {
        Decision::Always => ALLOW,
        Decision::Never => REFUSE,
        Decision::With(any) => allow_if(any.iter().any(|one| capabilities.has(one))),
        Decision::SocketFamily => allow_if(low != AF_ALG && low != AF_VSOCK),
        Decision::Personality => allow_if(PERSONALITIES.contains(&low)),
        Decision::Clone => allow_if(admin || low & NAMESPACE_FLAGS == 0),
        Decision::Clone3 => {
            if admin {
                ALLOW
            } else {
                MISSING
            }
        }
    }
}

/// Lists every way to make a call on this machine: kernel's architecture, number, row.
fn paths() -> Vec<(u32, u32, &'static Row)> {
    let mut paths = Vec::new();
    for (kernel_name, architecture, hidden) in NATIVE {
        for row in rows() {
            paths.extend(
                row.number(architecture)
                    .map(|number| (kernel_name, number, row)),
            );
            let hidden = hidden.and_then(|hidden| row.number(hidden));
            paths.extend(hidden.map(|number| (kernel_name, number | X32_BIT, row)));
        }
    }
    paths
}

const ARGUMENTS: [u64; 14] = [
    0,
    1,
    8,
    37,
    38,
    39,
    40,
    41,
    0x2_0000,
    0x2_0008,
    0xffff_ffff,
    0x1000_0000,
    // What the kernel cuts off does not help.
    38 | 1 << 32,
    0x7e02_0011,
];

fn check(capabilities: CapabilitySet) {
    let program = compile(capabilities);
    for (architecture, number, row) in paths() {
        for argument in ARGUMENTS {
            assert_eq!(
                run(&program, architecture, number, argument),
                expected(row, capabilities, argument),
                "{} as {number} on {architecture:#x} with {argument:#x} and {capabilities:?}",
                row.name,
            );
        }
    }
}

#[test]
fn every_call_on_every_path_gets_its_decision() {
    check(profile::capability_set());
    check(CapabilitySet::EMPTY);
    check(CapabilitySet::known());
    CapabilitySet::known()
        .iter()
        .for_each(|one| check(CapabilitySet::EMPTY.with(one)));
}

#[test]
fn what_nobody_knows_is_refused_or_missing() {
    let program = compile(profile::capability_set());
    let known: BTreeSet<(u32, u32)> = paths()
        .into_iter()
        .map(|(architecture, number, _)| (architecture, number))
        .collect();

    for (architecture, _, hidden) in NATIVE {
        let bits = [0].into_iter().chain(hidden.map(|_| X32_BIT));
        for bit in bits {
            let own = known
                .iter()
                .filter(|one| one.0 == architecture && one.1 & X32_BIT == bit);
            let highest = own.map(|one| one.1 & !X32_BIT).max().unwrap();
            for number in (0..700).filter(|number| !known.contains(&(architecture, number | bit))) {
                let expected = if number > highest { MISSING } else { REFUSE };
                assert_eq!(
                    run(&program, architecture, number | bit, 0),
                    expected,
                    "{number}"
                );
            }
        }
        assert_ne!(run(&program, architecture, u32::MAX, 0), ALLOW);
    }
}

#[test]
fn a_foreign_architecture_ends_the_process() {
    let program = compile(CapabilitySet::known());

    for foreign in [0, 0x8000_0016, 0xc000_00f3, 0x4000_0002, u32::MAX] {
        assert_eq!(run(&program, foreign, 0, 0), KILL);
    }
}

#[test]
fn the_table_is_dockers() {
    let with = |name: &str| {
        let row = rows().iter().find(|row| row.name == name);
        row.unwrap_or_else(|| panic!("{name} is not in the table"))
            .decision
    };
    let set = |names: &[Capability]| Decision::With(names.iter().copied().collect());

    assert_eq!(with("read"), Decision::Always);
    assert_eq!(with("ptrace"), Decision::Always);
    assert_eq!(with("memfd_secret"), Decision::Always);
    assert_eq!(with("io_uring_setup"), Decision::Never);
    assert_eq!(with("keyctl"), Decision::Never);
    assert_eq!(with("bpf"), set(&[Capability::SYS_ADMIN, Capability::BPF]));
    assert_eq!(
        with("open_by_handle_at"),
        set(&[Capability::DAC_READ_SEARCH])
    );
    let names: BTreeSet<&str> = rows().iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows().len(), "no name twice");
    for architecture in [
        Architecture::X86_64,
        Architecture::X32,
        Architecture::I386,
        Architecture::Arm64,
        Architecture::Arm,
    ] {
        let numbers: Vec<u32> = rows()
            .iter()
            .filter_map(|row| row.number(architecture))
            .collect();
        let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
        assert_eq!(
            distinct.len(),
            numbers.len(),
            "no number twice on {architecture:?}"
        );
        assert!(numbers.len() > 250, "{architecture:?}");
    }
}

#[test]
fn filters_are_small_shared_and_travel_as_bytes() {
    let one = filter(profile::capability_set());
    let two = filter(profile::capability_set());

    assert!(std::sync::Arc::ptr_eq(&one, &two));
    assert!(one.len() < MAX_INSTRUCTIONS / 2, "{}", one.len());
    assert_eq!(decode(&encode(&one)).unwrap(), *one);
    assert_eq!(decode(&[0; 9]), None);
}

#[test]
fn the_kernel_takes_it_and_answers_alike() {
    use engine_sys::{Errno, namespace};

    let (refused, allowed) = std::thread::spawn(|| {
        install(&filter(profile::capability_set())).unwrap();
        (
            namespace::set_hostname("x").unwrap_err(),
            std::fs::read("/proc/self/stat"),
        )
    })
    .join()
    .unwrap();

    assert_eq!(refused.errno, Errno::PERM);
    assert!(allowed.is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn any_set_of_capabilities_compiles_to_its_decisions(bits in any::<u64>()) {
        check(CapabilitySet::from_bits(bits));
    }
}

#[test]
fn what_is_counted_stays_counted_and_nothing_else_changes() {
    let plain = filter(CapabilitySet::EMPTY);
    let counted = super::counted(&plain);
    let only = super::only_counted();
    assert!(counted.len() <= MAX_INSTRUCTIONS);
    for (kernel_name, architecture, hidden) in NATIVE {
        for (architecture, bit) in [(Some(architecture), 0), (hidden, X32_BIT)] {
            let Some(architecture) = architecture else {
                continue;
            };
            for program in [&counted, &only] {
                let found = run_with(program, kernel_name, FILE_SETATTR | bit, [0, 0]);
                assert_eq!(found, REFUSE, "{architecture:?}");
            }
            for row in rows() {
                let Some(number) = row.number(architecture) else {
                    continue;
                };
                for command in COMMANDS.map(u64::from).into_iter().chain([0, 0x5401]) {
                    for command in [command, command | 1 << 32] {
                        let arguments = [0, command];
                        let is_out = row.name == "ioctl"
                            && COMMANDS.contains(&(u32::try_from(command & 0xffff_ffff).unwrap()));
                        let expected = match is_out {
                            true => REFUSE,
                            false => run_with(&plain, kernel_name, number | bit, arguments),
                        };
                        let found = run_with(&counted, kernel_name, number | bit, arguments);
                        assert_eq!(found, expected, "{} {command:#x}", row.name);
                        let expected = if is_out { REFUSE } else { ALLOW };
                        let found = run_with(&only, kernel_name, number | bit, arguments);
                        assert_eq!(found, expected, "{} {command:#x}", row.name);
                    }
                }
            }
        }
    }
    assert_eq!(run(&counted, 1, 16, 0), KILL);
}
