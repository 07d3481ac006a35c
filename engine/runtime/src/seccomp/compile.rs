//! From the table to the program: pure.
//!
//! ```text
//!   load arch ─ is it ours? ── no ──> kill the process
//!                   │ yes
//!   load number ─ x32 bit? ─ search tree over ranges of numbers ─> verdict
//! ```
//!
//! Neighbouring numbers with the same verdict are one range, so a call costs about seven
//! comparisons; and what is allowed whatever its arguments is so without a look at them, which lets
//! the kernel answer from its own bitmap.

use engine_sys::{
    capability::{Capability, CapabilitySet},
    seccomp::Instruction,
};

use super::table::{Architecture, Decision, rows};

/// The architectures that this machine's kernel runs: the kernel's name for each, the table's, and
/// on x86_64 the one that hides behind bit 30.
#[cfg(target_arch = "x86_64")]
pub(super) const NATIVE: [(u32, Architecture, Option<Architecture>); 2] = [
    (0xc000_003e, Architecture::X86_64, Some(Architecture::X32)),
    (0x4000_0003, Architecture::I386, None),
];
#[cfg(target_arch = "aarch64")]
pub(super) const NATIVE: [(u32, Architecture, Option<Architecture>); 2] = [
    (0xc000_00b7, Architecture::Arm64, None),
    (0x4000_0028, Architecture::Arm, None),
];

pub(super) const X32_BIT: u32 = 0x4000_0000;

/// What the kernel does with a call.
pub(super) const ALLOW: u32 = 0x7fff_0000;
pub(super) const REFUSE: u32 = 0x0005_0000 | 1;
pub(super) const MISSING: u32 = 0x0005_0000 | 38;
pub(super) const KILL: u32 = 0x8000_0000;

/// The flags of clone(2) that ask for a namespace; the time namespace has none there.
pub(super) const NAMESPACE_FLAGS: u32 = 0x7e02_0000;
pub(super) const PERSONALITIES: [u32; 5] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff];
pub(super) const AF_ALG: u32 = 38;
pub(super) const AF_VSOCK: u32 = 40;

/// Offsets in the kernel's `struct seccomp_data`; the first argument's low half.
pub(super) const NUMBER: u32 = 0;
pub(super) const ARCHITECTURE: u32 = 4;
pub(super) const FIRST_ARGUMENT: u32 = if cfg!(target_endian = "big") { 20 } else { 16 };

/// What a number leads to, once the capabilities are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Allow,
    Refuse,
    Missing,
    SocketFamily,
    Personality,
    NoNamespace,
}

/// Numbers from `first` up to the next range share a verdict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range<V> {
    pub(super) first: u32,
    pub(super) verdict: V,
}

/// Compiles the table for a container with these capabilities in its bounding set.
pub(super) fn compile(capabilities: CapabilitySet) -> Vec<Instruction> {
    let mut program = vec![load(ARCHITECTURE)];
    for (kernel_name, architecture, hidden) in NATIVE {
        let mut block = vec![load(NUMBER)];
        let plain = tree(&ranges(architecture, capabilities), &leaf);
        if let Some(hidden) = hidden {
            // The numbers of the hidden one begin at bit 30, above all others.
            let mut above = vec![and(!X32_BIT)];
            above.extend(tree(&ranges(hidden, capabilities), &leaf));
            block.extend(either(X32_BIT, plain, above));
        } else {
            block.extend(plain);
        }
        program.push(equal(kernel_name, 1, 0));
        program.push(jump(block.len()));
        program.extend(block);
    }
    program.push(answer(KILL));
    program
}

fn verdict(decision: Decision, capabilities: CapabilitySet) -> Verdict {
    let admin = capabilities.has(Capability::SYS_ADMIN);
    match decision {
        Decision::Always => Verdict::Allow,
        Decision::With(any) if any.intersection(capabilities) != CapabilitySet::EMPTY => {
            Verdict::Allow
        }
        Decision::Clone | Decision::Clone3 if admin => Verdict::Allow,
        Decision::Never | Decision::With(_) => Verdict::Refuse,
        Decision::Clone => Verdict::NoNamespace,
        Decision::Clone3 => Verdict::Missing,
        Decision::SocketFamily => Verdict::SocketFamily,
        Decision::Personality => Verdict::Personality,
    }
}

/// Lists the ranges from number 0 to the end; the numbers between two rows are refused.
fn ranges(architecture: Architecture, capabilities: CapabilitySet) -> Vec<Range<Verdict>> {
    let mut known: Vec<(u32, Verdict)> = rows()
        .iter()
        .filter_map(|row| {
            Some((
                row.number(architecture)?,
                verdict(row.decision, capabilities),
            ))
        })
        .collect();
    known.sort_unstable_by_key(|(number, _)| *number);
    spread(&known, Verdict::Refuse, Verdict::Missing)
}

/// Joins sorted numbers to ranges; what lies between them is `between`, what lies above `above`.
pub(super) fn spread<V: Copy + PartialEq>(
    known: &[(u32, V)],
    between: V,
    above: V,
) -> Vec<Range<V>> {
    let mut ranges = vec![Range {
        first: 0,
        verdict: between,
    }];
    let mut add = |first: u32, verdict| match ranges.last_mut() {
        Some(last) if last.verdict == verdict => {}
        Some(last) if last.first == first => last.verdict = verdict,
        _ => ranges.push(Range { first, verdict }),
    };
    let mut next = 0;
    for (number, verdict) in known {
        if *number > next {
            add(next, between);
        }
        add(*number, *verdict);
        next = number + 1;
    }
    add(next, above);
    ranges
}

/// Emits the search: the half that holds the number, again and again.
pub(super) fn tree<V: Copy>(
    ranges: &[Range<V>],
    leaf: &dyn Fn(V) -> Vec<Instruction>,
) -> Vec<Instruction> {
    if let [only] = ranges {
        return leaf(only.verdict);
    }
    let (low, high) = ranges.split_at(ranges.len() / 2);
    either(high[0].first, tree(low, leaf), tree(high, leaf))
}

/// Emits `if value >= bound { high } else { low }`.
pub(super) fn either(
    bound: u32,
    low: Vec<Instruction>,
    high: Vec<Instruction>,
) -> Vec<Instruction> {
    // A conditional jump reaches 255 instructions.
    let mut code = match u8::try_from(low.len()) {
        Ok(near) => vec![at_least(bound, near, 0)],
        Err(_) => vec![at_least(bound, 0, 1), jump(low.len())],
    };
    code.extend(low);
    code.extend(high);
    code
}

fn leaf(verdict: Verdict) -> Vec<Instruction> {
    match verdict {
        Verdict::Allow => vec![answer(ALLOW)],
        Verdict::Refuse => vec![answer(REFUSE)],
        Verdict::Missing => vec![answer(MISSING)],
        Verdict::SocketFamily => vec![
            load(FIRST_ARGUMENT),
            equal(AF_ALG, 2, 0),
            equal(AF_VSOCK, 1, 0),
            answer(ALLOW),
            answer(REFUSE),
        ],
        Verdict::Personality => {
            let mut code = vec![load(FIRST_ARGUMENT)];
            // Each hit jumps over the tests behind it and over "refused".
            code.extend(
                (1..=5)
                    .rev()
                    .zip(PERSONALITIES)
                    .map(|(over, one)| equal(one, over, 0)),
            );
            code.extend([answer(REFUSE), answer(ALLOW)]);
            code
        }
        Verdict::NoNamespace => vec![
            load(FIRST_ARGUMENT),
            any_bit(NAMESPACE_FLAGS, 1, 0),
            answer(ALLOW),
            answer(REFUSE),
        ],
    }
}

/// BPF_LD | BPF_W | BPF_ABS
pub(super) fn load(offset: u32) -> Instruction {
    instruction(0x20, 0, 0, offset)
}

/// BPF_ALU | BPF_AND | BPF_K
pub(super) fn and(mask: u32) -> Instruction {
    instruction(0x54, 0, 0, mask)
}

/// BPF_JMP | BPF_JEQ | BPF_K
pub(super) fn equal(value: u32, then: u8, or_else: u8) -> Instruction {
    instruction(0x15, then, or_else, value)
}

/// BPF_JMP | BPF_JGE | BPF_K
pub(super) fn at_least(value: u32, then: u8, or_else: u8) -> Instruction {
    instruction(0x35, then, or_else, value)
}

/// BPF_JMP | BPF_JSET | BPF_K
fn any_bit(mask: u32, then: u8, or_else: u8) -> Instruction {
    instruction(0x45, then, or_else, mask)
}

/// BPF_JMP | BPF_JA
pub(super) fn jump(over: usize) -> Instruction {
    instruction(0x05, 0, 0, u32::try_from(over).unwrap_or(u32::MAX))
}

/// BPF_RET | BPF_K
pub(super) fn answer(action: u32) -> Instruction {
    instruction(0x06, 0, 0, action)
}

pub(super) fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> Instruction {
    Instruction { code, jt, jf, k }
}
