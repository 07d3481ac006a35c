//! A profile in Docker's JSON, read, and the rules of it that hold for one container.

use engine_sys::capability::{Capability, CapabilitySet};
use serde::Deserialize;
use serde_json::Value;

use super::given::GivenError;
use super::table::Architecture;

/// The file, as people write it; what it holds beside this has no effect in Docker either.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    default_action: String,
    default_errno_ret: Option<u16>,
    architectures: Vec<String>,
    arch_map: Vec<ArchMap>,
    listener_path: String,
    syscalls: Vec<Group>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ArchMap {
    architecture: String,
    sub_architectures: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Group {
    name: String,
    names: Vec<String>,
    action: String,
    errno_ret: Option<u16>,
    args: Option<Vec<Argument>>,
    includes: Condition,
    excludes: Condition,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Condition {
    caps: Vec<String>,
    arches: Vec<String>,
    min_kernel: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Argument {
    index: u32,
    value: u64,
    value_two: u64,
    op: String,
}

/// What a container is to a profile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) capabilities: CapabilitySet,
    /// The kernel's version, as `(6, 1)`.
    pub(super) kernel: (u32, u32),
}

/// The rules that hold, in order.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) default: u32,
    pub(super) architectures: Vec<Architecture>,
    pub(super) rules: Vec<Rule>,
}

/// One call by name, and what happens with it when its arguments are so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) name: String,
    /// The kernel's word for what happens.
    pub(super) action: u32,
    /// All must hold; none at all always does.
    pub(super) tests: Vec<Test>,
}

/// A comparison of one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Test {
    /// 0 to 5.
    pub(super) index: u32,
    pub(super) comparison: Comparison,
    pub(super) value: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Equal, under this mask.
    Masked(u64),
}

/// This machine, by the names that profiles use.
#[cfg(target_arch = "x86_64")]
const MACHINE: (&str, &str) = ("amd64", "SCMP_ARCH_X86_64");
#[cfg(target_arch = "aarch64")]
const MACHINE: (&str, &str) = ("arm64", "SCMP_ARCH_AARCH64");

/// Reads a profile and chooses what holds for `subject`.
///
/// # Errors
/// Names what is malformed or cannot be applied.
pub(super) fn read(text: &str, subject: Subject) -> Result<Rules, GivenError> {
    let mut document: Value = serde_json::from_str(text).map_err(GivenError::Json)?;
    drop_nulls(&mut document);
    let document: Document = serde_json::from_value(document).map_err(GivenError::Json)?;
    if !document.listener_path.is_empty() {
        return Err(GivenError::Unknown("listenerPath", document.listener_path));
    }
    let architectures = architectures(&document)?;
    let mut rules = Vec::new();
    for group in document.syscalls {
        if holds(&group.includes, subject, true)? && holds(&group.excludes, subject, false)? {
            rules.extend(rules_of(group)?);
        }
    }
    Ok(Rules {
        default: action(&document.default_action, document.default_errno_ret)?,
        architectures,
        rules,
    })
}

/// A member that is `null` is as good as absent.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

fn architectures(document: &Document) -> Result<Vec<Architecture>, GivenError> {
    if !document.architectures.is_empty() && !document.arch_map.is_empty() {
        return Err(GivenError::Both("architectures", "archMap"));
    }
    let here = |map: &&ArchMap| map.architecture == MACHINE.1;
    let mapped = document.arch_map.iter().filter(here);
    let mapped = mapped.flat_map(|map| &map.sub_architectures);
    let named = document.architectures.iter().chain(mapped);
    // The machine's own is always among them.
    let mut all = vec![MACHINE.1];
    all.extend(named.map(String::as_str));
    Ok(all.into_iter().filter_map(known_architecture).collect())
}

/// An architecture that this machine's kernel does not run needs no rules.
fn known_architecture(name: &str) -> Option<Architecture> {
    match name {
        "SCMP_ARCH_X86_64" => Some(Architecture::X86_64),
        "SCMP_ARCH_X32" => Some(Architecture::X32),
        "SCMP_ARCH_X86" => Some(Architecture::I386),
        "SCMP_ARCH_AARCH64" => Some(Architecture::Arm64),
        "SCMP_ARCH_ARM" => Some(Architecture::Arm),
        _ => None,
    }
}

/// Tells whether a group is in force: every condition must hold, or none, when `wanted` is false.
fn holds(condition: &Condition, subject: Subject, wanted: bool) -> Result<bool, GivenError> {
    let has = |name: &String| {
        let capability = name.parse::<Capability>();
        capability.is_ok_and(|one| subject.capabilities.has(one))
    };
    let caps_fit = condition.caps.iter().all(|name| has(name) == wanted);
    let is_here = condition.arches.iter().any(|name| name == MACHINE.0);
    let arches_fit = condition.arches.is_empty() || is_here == wanted;
    let kernel_fits = match &condition.min_kernel {
        None => true,
        Some(text) => {
            let least =
                version(text).ok_or_else(|| GivenError::Unknown("minKernel", text.clone()))?;
            (subject.kernel >= least) == wanted
        }
    };
    Ok(caps_fit && arches_fit && kernel_fits)
}

/// Reads the first two numbers of a version: `4.8`, `6.1.0-13-amd64`.
pub(super) fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor: &str = parts.next()?;
    let digits = minor
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(minor.len());
    Some((major, minor[..digits].parse().ok()?))
}

fn rules_of(group: Group) -> Result<Vec<Rule>, GivenError> {
    if !group.name.is_empty() && !group.names.is_empty() {
        return Err(GivenError::Both("name", "names"));
    }
    let action = action(&group.action, group.errno_ret)?;
    let tests = group.args.unwrap_or_default();
    let tests = tests.iter().map(test).collect::<Result<Vec<_>, _>>()?;
    let is_twice = |n: usize| tests[..n].iter().any(|one| one.index == tests[n].index);
    // As Docker has it: two tests of the same argument are two ways to pass.
    let ways: Vec<Vec<Test>> = match (0..tests.len()).any(is_twice) {
        true => tests.into_iter().map(|one| vec![one]).collect(),
        false => vec![tests],
    };
    let names = group.names.into_iter().chain([group.name]);
    let names = names.filter(|name| !name.is_empty());
    Ok(names
        .flat_map(|name| {
            ways.clone().into_iter().map(move |tests| Rule {
                name: name.clone(),
                action,
                tests,
            })
        })
        .collect())
}

fn test(argument: &Argument) -> Result<Test, GivenError> {
    if argument.index > 5 {
        let index = argument.index.to_string();
        return Err(GivenError::Unknown("the index of an argument", index));
    }
    let (comparison, value) = match argument.op.as_str() {
        "SCMP_CMP_EQ" => (Comparison::Equal, argument.value),
        "SCMP_CMP_NE" => (Comparison::NotEqual, argument.value),
        "SCMP_CMP_LT" => (Comparison::Less, argument.value),
        "SCMP_CMP_LE" => (Comparison::LessOrEqual, argument.value),
        "SCMP_CMP_GT" => (Comparison::Greater, argument.value),
        "SCMP_CMP_GE" => (Comparison::GreaterOrEqual, argument.value),
        "SCMP_CMP_MASKED_EQ" => (Comparison::Masked(argument.value), argument.value_two),
        other => return Err(GivenError::Unknown("the operator", other.to_owned())),
    };
    Ok(Test {
        index: argument.index,
        comparison,
        value,
    })
}

/// Returns the kernel's word for what happens with a call.
fn action(name: &str, errno: Option<u16>) -> Result<u32, GivenError> {
    let errno = u32::from(errno.unwrap_or(1));
    Ok(match name {
        "SCMP_ACT_ALLOW" => 0x7fff_0000,
        "SCMP_ACT_LOG" => 0x7ffc_0000,
        "SCMP_ACT_TRACE" => 0x7ff0_0000 | errno,
        "SCMP_ACT_ERRNO" => 0x0005_0000 | errno,
        "SCMP_ACT_TRAP" => 0x0003_0000,
        "SCMP_ACT_KILL" | "SCMP_ACT_KILL_THREAD" => 0,
        "SCMP_ACT_KILL_PROCESS" => 0x8000_0000,
        other => return Err(GivenError::Unknown("the action", other.to_owned())),
    })
}
