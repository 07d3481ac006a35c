//! From the rules of a given profile to the program: pure but for the kernel's version.
//!
//! As libseccomp has it, a rule without tests counts before those with tests, whatever their order;
//! of those with tests the first that holds counts.

use std::collections::BTreeMap;

use engine_sys::{
    capability::CapabilitySet,
    seccomp::{Instruction, MAX_INSTRUCTIONS},
};

use super::compile::{
    ARCHITECTURE, FIRST_ARGUMENT, KILL, NATIVE, NUMBER, X32_BIT, and, answer, at_least, either,
    equal, instruction, jump, load, spread, tree,
};
use super::counted::counted;
use super::profile::{self, Comparison, Rule, Rules, Subject, Test};
use super::table::{Architecture, rows};

/// A profile that cannot be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GivenError {
    #[error("the seccomp profile is not in Docker's format")]
    Json(#[source] serde_json::Error),
    #[error("the seccomp profile names {0} {1:?}, which cannot be applied")]
    Unknown(&'static str, String),
    #[error("both '{0}' and '{1}' are specified in the seccomp profile, use either one")]
    Both(&'static str, &'static str),
    #[error("the seccomp profile needs {0} instructions; the kernel takes {MAX_INSTRUCTIONS}")]
    TooLong(usize),
}

/// Compiles a profile in Docker's JSON for a container with these capabilities; with `is_counted`
/// behind what [`counted`] refuses.
///
/// # Errors
/// Names what is malformed or cannot be applied.
pub fn given(
    text: &str,
    capabilities: CapabilitySet,
    is_counted: bool,
) -> Result<Vec<Instruction>, GivenError> {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let subject = Subject {
        capabilities,
        kernel: profile::version(&kernel).unwrap_or((0, 0)),
    };
    let mut program = compile(&profile::read(text, subject)?);
    if is_counted {
        program = counted(&program);
    }
    if program.len() > MAX_INSTRUCTIONS {
        return Err(GivenError::TooLong(program.len()));
    }
    Ok(program)
}

/// Checks that a profile can be applied to a container with these capabilities, by name.
///
/// # Errors
/// As [`given`].
pub fn check_profile(
    text: &str,
    capabilities: &[String],
    is_counted: bool,
) -> Result<(), GivenError> {
    let parsed = capabilities.iter().filter_map(|name| name.parse().ok());
    given(text, parsed.collect(), is_counted).map(drop)
}

fn compile(rules: &Rules) -> Vec<Instruction> {
    let has = |architecture| rules.architectures.contains(&architecture);
    let mut program = vec![load(ARCHITECTURE)];
    for (kernel_name, architecture, hidden) in NATIVE {
        if !has(architecture) {
            continue;
        }
        let mut block = vec![load(NUMBER)];
        let plain = calls(architecture, rules);
        match hidden {
            Some(hidden) => {
                let above = if has(hidden) {
                    let mut above = vec![and(!X32_BIT)];
                    above.extend(calls(hidden, rules));
                    above
                } else {
                    vec![answer(KILL)]
                };
                block.extend(either(X32_BIT, plain, above));
            }
            None => block.extend(plain),
        }
        program.push(equal(kernel_name, 1, 0));
        program.push(jump(block.len()));
        program.extend(block);
    }
    program.push(answer(KILL));
    program
}

/// Emits the search for a call of one architecture.
fn calls(architecture: Architecture, rules: &Rules) -> Vec<Instruction> {
    let mut by_name: BTreeMap<&str, Vec<&Rule>> = BTreeMap::new();
    for rule in &rules.rules {
        by_name.entry(&rule.name).or_default().push(rule);
    }
    // Leaves that are the same are one verdict, so that neighbours join to ranges.
    let mut leaves = vec![vec![answer(rules.default)]];
    let mut known: Vec<(u32, usize)> = Vec::new();
    for row in rows() {
        // What a profile names and no architecture here has, there is nothing to do for.
        let (Some(number), Some(of_call)) = (row.number(architecture), by_name.get(row.name))
        else {
            continue;
        };
        let leaf = leaf(of_call, rules.default);
        let at = leaves.iter().position(|one| *one == leaf);
        let at = at.unwrap_or_else(|| {
            leaves.push(leaf);
            leaves.len() - 1
        });
        known.push((number, at));
    }
    known.sort_unstable();
    tree(&spread(&known, 0, 0), &|at: usize| leaves[at].clone())
}

/// Emits what happens with one call.
fn leaf(rules: &[&Rule], default: u32) -> Vec<Instruction> {
    if let Some(rule) = rules.iter().find(|rule| rule.tests.is_empty()) {
        return vec![answer(rule.action)];
    }
    let mut code: Vec<Instruction> = rules.iter().flat_map(|rule| way(rule)).collect();
    code.push(answer(default));
    code
}

/// Emits one rule: its tests one after the other, each that fails leads behind the whole.
fn way(rule: &Rule) -> Vec<Instruction> {
    let mut code = vec![answer(rule.action)];
    for test in rule.tests.iter().rev() {
        // Six tests of six instructions at most: always within a jump's reach.
        let rest = u8::try_from(code.len()).unwrap_or(u8::MAX);
        let mut whole = comparison(*test, rest);
        whole.extend(code);
        code = whole;
    }
    code
}

/// Emits one test of 64 bits in halves; success goes on behind it, failure `rest` further.
fn comparison(test: Test, rest: u8) -> Vec<Instruction> {
    let [high, low] = halves(test.value);
    let low_at = FIRST_ARGUMENT + 8 * test.index;
    let high_at = if cfg!(target_endian = "big") {
        low_at - 4
    } else {
        low_at + 4
    };
    let (load_high, load_low) = (load(high_at), load(low_at));
    match test.comparison {
        Comparison::Equal => vec![
            load_high,
            equal(high, 0, rest + 2),
            load_low,
            equal(low, 0, rest),
        ],
        Comparison::NotEqual => vec![load_high, equal(high, 0, 2), load_low, equal(low, rest, 0)],
        Comparison::Masked(mask) => {
            let [mask_high, mask_low] = halves(mask);
            vec![
                load_high,
                and(mask_high),
                equal(high, 0, rest + 3),
                load_low,
                and(mask_low),
                equal(low, 0, rest),
            ]
        }
        Comparison::Greater => ordered(load_high, high, load_low, above(low, 0, rest), 3, rest),
        Comparison::GreaterOrEqual => {
            ordered(load_high, high, load_low, at_least(low, 0, rest), 3, rest)
        }
        Comparison::Less => ordered_below(load_high, high, load_low, at_least(low, rest, 0), rest),
        Comparison::LessOrEqual => {
            ordered_below(load_high, high, load_low, above(low, rest, 0), rest)
        }
    }
}

/// A higher half decides for "greater"; equal halves ask the lower one.
fn ordered(
    load_high: Instruction,
    high: u32,
    load_low: Instruction,
    last: Instruction,
    over: u8,
    rest: u8,
) -> Vec<Instruction> {
    vec![
        load_high,
        above(high, over, 0),
        equal(high, 0, rest + 2),
        load_low,
        last,
    ]
}

/// A higher half decides against "less"; equal halves ask the lower one.
fn ordered_below(
    load_high: Instruction,
    high: u32,
    load_low: Instruction,
    last: Instruction,
    rest: u8,
) -> Vec<Instruction> {
    vec![
        load_high,
        above(high, rest + 3, 0),
        equal(high, 0, 2),
        load_low,
        last,
    ]
}

fn halves(value: u64) -> [u32; 2] {
    let half = |shift: u32| u32::try_from(value >> shift & 0xffff_ffff).unwrap_or(0);
    [half(32), half(0)]
}

/// BPF_JMP | BPF_JGT | BPF_K
fn above(value: u32, then: u8, or_else: u8) -> Instruction {
    instruction(0x25, then, or_else, value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NATIVE_NAME: u32 = NATIVE[0].0;

    /// Runs the few instructions of classic BPF that are emitted here.
    fn run(program: &[Instruction], number: u32, arguments: [u64; 6]) -> u32 {
        let (mut accumulator, mut at) = (0, 0);
        loop {
            let one = program[at];
            at += 1;
            let test = match one.code {
                0x20 => {
                    accumulator = match one.k {
                        0 => number,
                        4 => NATIVE_NAME,
                        offset => {
                            let argument = arguments[usize::try_from((offset - 16) / 8).unwrap()];
                            halves(argument)[usize::from(offset % 8 == 0)]
                        }
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
                0x25 => accumulator > one.k,
                0x35 => accumulator >= one.k,
                other => panic!("instruction {other:#x} is not ours"),
            };
            at += usize::from(if test { one.jt } else { one.jf });
        }
    }

    fn number(name: &str) -> u32 {
        let row = rows().iter().find(|row| row.name == name).unwrap();
        row.number(NATIVE[0].1).unwrap()
    }

    fn compiled(text: &str) -> Vec<Instruction> {
        given(text, CapabilitySet::EMPTY, false).unwrap()
    }

    #[test]
    fn a_list_of_refusals_refuses_those_alone() {
        let program = compiled(
            r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
                {"names":["chmod","fchmodat","no_such_call"],"action":"SCMP_ACT_ERRNO"},
                {"name":"mkdirat","action":"SCMP_ACT_ERRNO","errnoRet":13}]}"#,
        );
        let ask = |name| run(&program, number(name), [0; 6]);

        assert_eq!(ask("fchmodat"), 0x0005_0001);
        assert_eq!(ask("mkdirat"), 0x0005_000d);
        assert_eq!(ask("openat"), 0x7fff_0000);
        assert_eq!(run(&program, 60_000, [0; 6]), 0x7fff_0000);
    }

    #[test]
    fn what_is_put_before_a_profile_counts_for_its_length() {
        let rule = r#"{"name":"read","action":"SCMP_ACT_ERRNO","args":[{"index":0,"op":"SCMP_CMP_EQ","value":@}]}"#;
        let text = |n_rules: usize| {
            let rules: Vec<String> = (0..n_rules)
                .map(|n| rule.replace('@', &n.to_string()))
                .collect();
            let rules = rules.join(",");
            format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{rules}]}}"#)
        };
        let counts: Vec<usize> = (0..MAX_INSTRUCTIONS).collect();
        let first = counts.partition_point(|n| check_profile(&text(*n), &[], true).is_ok());

        let error = check_profile(&text(first), &[], true).unwrap_err();
        assert!(matches!(error, GivenError::TooLong(_)), "{error}");
        check_profile(&text(first), &[], false).unwrap();
    }

    #[test]
    fn conditions_of_capability_kernel_and_architecture_choose_groups() {
        let text = r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"syscalls":[
            {"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
            {"names":["sync"],"action":"SCMP_ACT_ALLOW","excludes":{"caps":["CAP_SYS_ADMIN"]}},
            {"names":["read"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"3.0"}},
            {"names":["write"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"99.0"}},
            {"names":["close"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["s390x"]}}]}"#;
        let admin = CapabilitySet::EMPTY.with(engine_sys::capability::Capability::SYS_ADMIN);
        let (plain, admin) = (compiled(text), given(text, admin, false).unwrap());
        let (allow, refuse) = (0x7fff_0000, 0x0005_0026);

        for (name, for_plain, for_admin) in [
            ("mount", refuse, allow),
            ("sync", allow, refuse),
            ("read", allow, allow),
            ("write", refuse, refuse),
            ("close", refuse, refuse),
        ] {
            assert_eq!(run(&plain, number(name), [0; 6]), for_plain, "{name}");
            assert_eq!(run(&admin, number(name), [0; 6]), for_admin, "{name}");
        }
    }

    #[test]
    fn malformed_profiles_are_refused_by_name() {
        for (text, word) in [
            ("{", "format"),
            ("{}", "the action"),
            (r#"{"defaultAction":"SCMP_ACT_NOTIFY"}"#, "SCMP_ACT_NOTIFY"),
            (
                r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["a"],"archMap":[{}]}"#,
                "archMap",
            ),
            (
                r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],
                    "action":"SCMP_ACT_ALLOW"}]}"#,
                "names",
            ),
            (
                r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a",
                    "action":"SCMP_ACT_ALLOW","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]}"#,
                "index",
            ),
            (
                r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a",
                    "action":"SCMP_ACT_ALLOW","args":[{"op":"SCMP_CMP_LIKE"}]}]}"#,
                "SCMP_CMP_LIKE",
            ),
        ] {
            let error = check_profile(text, &[], false).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    fn expected(comparison: &str, argument: u64, value: u64, two: u64) -> bool {
        match comparison {
            "EQ" => argument == value,
            "NE" => argument != value,
            "LT" => argument < value,
            "LE" => argument <= value,
            "GT" => argument > value,
            "GE" => argument >= value,
            _ => argument & value == two,
        }
    }

    fn number_near_the_edges() -> impl Strategy<Value = u64> {
        prop_oneof![
            0_u64..4,
            (0_u64..4).prop_map(|n| n << 32),
            (0_u64..4).prop_map(|n| (1 << 32) - 2 + n),
            any::<u64>(),
        ]
    }

    proptest! {
        #[test]
        fn comparisons_are_of_all_64_bits(
            which in prop::sample::select(vec!["EQ", "NE", "LT", "LE", "GT", "GE", "MASKED_EQ"]),
            index in 0_usize..6,
            argument in number_near_the_edges(),
            value in number_near_the_edges(),
            two in number_near_the_edges(),
            second in any::<bool>(),
        ) {
            let program = compiled(&format!(
                r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{{"name":"read",
                "action":"SCMP_ACT_ALLOW","args":[
                {{"index":{index},"value":{value},"valueTwo":{two},"op":"SCMP_CMP_{which}"}},
                {{"index":{},"value":7,"op":"SCMP_CMP_EQ"}}]}}]}}"#,
                (index + 1) % 6
            ));
            let mut arguments = [0; 6];
            arguments[index] = argument;
            arguments[(index + 1) % 6] = if second { 7 } else { 8 };
            let is_allowed = run(&program, number("read"), arguments) == 0x7fff_0000;
            prop_assert_eq!(is_allowed, second && expected(which, argument, value, two));
        }
    }
}
