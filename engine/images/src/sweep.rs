//! What is unreachable, and what is about to be reachable.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_tar::Digest;

use crate::store::Shared;

/// Content that somebody needs beside the images in the list: a pull that is not done yet, or a
/// container whose image may go before it.
///
/// As long as it lives, nobody sweeps the content away. When it is dropped and nothing else needs
/// the content, the blobs go: a pull that failed leaves nothing.
#[derive(Debug)]
pub struct Lease {
    shared: Arc<Shared>,
    blobs: Vec<Digest>,
    diff_ids: Vec<Digest>,
}

/// How often each thing is leased.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    blobs: Mutex<HashMap<Digest, usize>>,
    diff_ids: Mutex<HashMap<Digest, usize>>,
}

impl Lease {
    pub(crate) fn take(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            blobs: Vec::new(),
            diff_ids: Vec::new(),
        }
    }

    pub(crate) fn add_blob(&mut self, digest: Digest) {
        count(&self.shared.leases.blobs, digest);
        self.blobs.push(digest);
    }

    pub(crate) fn add_diff_ids(&mut self, diff_ids: &[Digest]) {
        for diff_id in diff_ids {
            count(&self.shared.leases.diff_ids, *diff_id);
        }
        self.diff_ids.extend_from_slice(diff_ids);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        for diff_id in &self.diff_ids {
            release(&self.shared.leases.diff_ids, diff_id);
        }
        for digest in &self.blobs {
            release(&self.shared.leases.blobs, digest);
        }
        self.shared.sweep(&self.blobs);
    }
}

impl Leases {
    /// Does `remove` unless somebody leases the blob; nobody can begin to meanwhile.
    pub(crate) fn unless_leased(&self, digest: Digest, remove: impl FnOnce()) {
        let leased = lock(&self.blobs);
        if !leased.contains_key(&digest) {
            remove();
        }
    }

    pub(crate) fn has_layer(&self, diff_id: Digest) -> bool {
        lock(&self.diff_ids).contains_key(&diff_id)
    }
}

fn count<K: Hash + Eq>(counts: &Mutex<HashMap<K, usize>>, key: K) {
    *lock(counts).entry(key).or_default() += 1;
}

fn release<K: Hash + Eq>(counts: &Mutex<HashMap<K, usize>>, key: &K) {
    let mut counts = lock(counts);
    match counts.get_mut(key) {
        Some(count) if *count > 1 => *count -= 1,
        _ => {
            counts.remove(key);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
