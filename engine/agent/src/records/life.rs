//! What a container lived through, besides what it was asked to be: `life.json` beside its record.
//!
//! It says whether a person stopped it, how often its policy has started it again, and why it
//! ended last. What would let a policy act against a person's word is synced before the person
//! is answered; the rest may be lost with the power, which ends every container anyway.

use std::fs;
use std::io;
use std::path::Path;

use engine_api::containers::HostConfig;
use engine_api::ours::{AskedBy, LastStop};
use engine_sys::file;
use serde::{Deserialize, Serialize};

/// Longest file that is read: thirty lines of output and a definition.
const LIFE_MAX_BYTES: u64 = 32 << 20;

const NAME: &str = "life.json";

/// What a container lived through.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LifeRecord {
    /// A person ended it; `unless-stopped` waits until a person starts it again.
    pub(crate) stopped_by_hand: bool,
    /// A person asked for a restart: it is to be started once it has ended.
    pub(crate) wanted: bool,
    /// Its program has run at least once.
    pub(crate) has_run: bool,
    /// Its record says more than its control group was told yet.
    pub(crate) unapplied: bool,
    /// How often its policy has started it again since a person did.
    pub(crate) restart_count: u64,
    /// Who asked for the end of the run that goes on.
    pub(crate) asked: Option<AskedBy>,
    /// Why it ended last.
    pub(crate) last_stop: Option<LastStop>,
    /// The definition and surroundings of the last good run.
    pub(crate) good: Option<GoodRun>,
}

/// A run that ended with code 0 or lasted: what later ones are compared with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GoodRun {
    pub(crate) started_at: String,
    pub(crate) name: String,
    pub(crate) engine: String,
    pub(crate) kernel: String,
    pub(crate) host_config: HostConfig,
}

impl LifeRecord {
    /// Reads it from a container's directory. What is missing or damaged is as if nothing had
    /// happened yet: only memories are lost, and a policy takes the cautious way.
    pub(crate) fn load(dir: &Path) -> Self {
        let path = dir.join(NAME);
        let bytes = match file::read(&path, LIFE_MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Self::default(),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a container's life is unreadable");
                return Self::damaged();
            }
        };
        serde_json::from_slice(&bytes).unwrap_or_else(|error| {
            tracing::warn!(path = %path.display(), %error, "a container's life is damaged");
            Self::damaged()
        })
    }

    /// Nobody knows whether a person stopped it: better it stays down than that it rises against
    /// somebody's word.
    fn damaged() -> Self {
        Self {
            stopped_by_hand: true,
            ..Self::default()
        }
    }

    /// Writes it, whole or not at all; `synced` survives a power cut.
    ///
    /// # Errors
    /// When the disk is full or fails; the former one is still there then.
    pub(crate) fn save(&self, dir: &Path, synced: bool) -> io::Result<()> {
        let bytes = serde_json::to_vec(self)?;
        let path = dir.join(NAME);
        if synced {
            return file::replace(&path, &bytes).map_err(io::Error::from);
        }
        let fresh = dir.join("life.new");
        fs::write(&fresh, bytes)?;
        fs::rename(&fresh, &path)
    }

    /// Tells whether the file in a directory can be read; absent is well.
    pub(crate) fn is_sound(dir: &Path) -> bool {
        match file::read(&dir.join(NAME), LIFE_MAX_BYTES) {
            Ok(bytes) => serde_json::from_slice::<Self>(&bytes).is_ok(),
            Err(error) => error.is_not_found(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_comes_back_as_it_was_saved_and_a_damaged_one_stays_down() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(LifeRecord::load(dir.path()), LifeRecord::default());
        let life = LifeRecord {
            restart_count: 3,
            ..LifeRecord::default()
        };
        for synced in [false, true] {
            life.save(dir.path(), synced).unwrap();
            assert_eq!(LifeRecord::load(dir.path()), life);
        }
        fs::write(dir.path().join(NAME), "{").unwrap();
        assert!(LifeRecord::load(dir.path()).stopped_by_hand);
        assert!(!LifeRecord::is_sound(dir.path()));
    }
}
