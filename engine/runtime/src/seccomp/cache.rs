//! Filters by capability set, compiled once.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use engine_sys::{capability::CapabilitySet, seccomp::Instruction};

use super::compile::compile;

/// Returns the default filter for a container whose bounding set is `capabilities`.
///
/// Compiled at the first call with a set, then shared: most machines know one or two sets.
pub fn filter(capabilities: CapabilitySet) -> Arc<[Instruction]> {
    /// A machine on which everybody invents sets of their own starts over.
    const MOST: usize = 64;
    static CACHE: LazyLock<Mutex<HashMap<CapabilitySet, Arc<[Instruction]>>>> =
        LazyLock::new(Mutex::default);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = cache.get(&capabilities) {
        return known.clone();
    }
    if cache.len() >= MOST {
        cache.clear();
    }
    let compiled: Arc<[Instruction]> = compile(capabilities).into();
    cache.insert(capabilities, compiled.clone());
    compiled
}

/// Returns a filter as bytes, to hand it to the monitor.
pub fn encode(filter: &[Instruction]) -> Vec<u8> {
    filter.iter().flat_map(|one| one.to_bytes()).collect()
}

/// Reads what [`encode`] wrote; `None` when it is no whole number of instructions.
pub fn decode(bytes: &[u8]) -> Option<Vec<Instruction>> {
    let (whole, rest) = bytes.as_chunks::<8>();
    rest.is_empty()
        .then(|| whole.iter().copied().map(Instruction::from_bytes).collect())
}
