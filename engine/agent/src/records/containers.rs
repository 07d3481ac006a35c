//! Containers on disk: `<data>/containers/<id>/record.json` and the directory around it.
//!
//! ```text
//!   make dir ── upper, work ── record.json ──> exists      (a directory without a record is swept)
//!   exists ── rename to .removing-<id> ──> gone ── sweep   (in the background, or at the next start)
//! ```

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine_api::containers::{ContainerConfig, HostConfig, MountRequest};
use engine_api::id::{ContainerId, ContainerName};
use engine_sys::SysError;
use engine_sys::dir::Dir;
use engine_sys::file;
use serde::{Deserialize, Serialize};

use super::networks::Membership;
use crate::users::Remap;

/// The version of [`ContainerRecord`] that this engine writes.
const RECORD_VERSION: u32 = 1;

/// Longest record that is read: a create's body is at most 8 MiB.
const RECORD_MAX_BYTES: u64 = 32 << 20;

const REMOVING: &str = ".removing-";

/// Lies in the directory of a container that takes its volumes along.
const WITH_VOLUMES: &str = "with-volumes";

/// What a container was asked to be. It changes only by rename; where the container stands in its
/// life is known by its monitor and its `exit.json`, and not written here a second time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContainerRecord {
    version: u32,
    pub(crate) id: ContainerId,
    pub(crate) name: ContainerName,
    pub(crate) created_ns: i64,
    /// `sha256:…`
    pub(crate) image_id: String,
    /// The image's unpacked layers, top first.
    pub(crate) layers: Vec<PathBuf>,
    /// The platform of the image, as `linux`.
    pub(crate) platform: String,
    pub(crate) config: ContainerConfig,
    pub(crate) host_config: HostConfig,
    /// Who its users are on the host, where those are others: as the engine was set when it was
    /// made, since its files belong to them.
    #[serde(default)]
    pub(crate) remap: Option<Remap>,
    /// The networks it is to be in; the first is that of its network mode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) networks: Vec<Membership>,
    /// What the engine itself mounts in the container of a build's step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) step_binds: Vec<StepBind>,
    /// The volumes it has, also those of its image and of containers it took mounts from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) volumes: Vec<VolumeUse>,
    /// Directories of the host that it took from other containers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inherited: Vec<MountRequest>,
}

/// A volume in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct VolumeUse {
    pub(crate) name: String,
    /// Where the container has it: absolute and clean.
    pub(crate) target: String,
    pub(crate) readonly: bool,
    /// What of it; all of it when this is empty.
    #[serde(default)]
    pub(crate) subpath: String,
    /// The image's content is not copied into it.
    #[serde(default)]
    pub(crate) no_copy: bool,
    /// It was made for this container without a name, and may go with it.
    #[serde(default)]
    pub(crate) is_anonymous: bool,
    /// As inspect shows it.
    #[serde(default)]
    pub(crate) mode: String,
}

/// A file or directory of a build that a step sees. No path of a client's leads to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StepBind {
    pub(crate) source: PathBuf,
    pub(crate) target: String,
    pub(crate) readonly: bool,
}

/// What a new record is made of.
pub(crate) struct NewRecord {
    pub(crate) id: ContainerId,
    pub(crate) name: ContainerName,
    pub(crate) created_ns: i64,
    pub(crate) image_id: String,
    pub(crate) layers: Vec<PathBuf>,
    pub(crate) config: ContainerConfig,
    pub(crate) host_config: HostConfig,
    pub(crate) remap: Option<Remap>,
    pub(crate) networks: Vec<Membership>,
    pub(crate) step_binds: Vec<StepBind>,
    pub(crate) volumes: Vec<VolumeUse>,
    pub(crate) inherited: Vec<MountRequest>,
}

impl From<NewRecord> for ContainerRecord {
    fn from(new: NewRecord) -> Self {
        Self {
            version: RECORD_VERSION,
            id: new.id,
            name: new.name,
            created_ns: new.created_ns,
            image_id: new.image_id,
            layers: new.layers,
            platform: "linux".to_owned(),
            config: new.config,
            host_config: new.host_config,
            remap: new.remap,
            networks: new.networks,
            step_binds: new.step_binds,
            volumes: new.volumes,
            inherited: new.inherited,
        }
    }
}

impl ContainerRecord {
    /// Names the volumes that were made for this container alone.
    pub(crate) fn own_volumes(&self) -> impl Iterator<Item = &str> {
        let own = self.volumes.iter().filter(|volume| volume.is_anonymous);
        own.map(|volume| volume.name.as_str())
    }
}

/// A record that cannot be kept or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("failed to {step} the container's directory {path}")]
    Directory {
        step: &'static str,
        path: PathBuf,
        #[source]
        source: SysError,
    },
    #[error("failed to write {path}")]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The directory of all containers.
#[derive(Debug, Clone)]
pub(crate) struct ContainerStore {
    dir: PathBuf,
    give_back: GiveBack,
}

/// Gives back what a directory holds besides its files, right before it is deleted; without a
/// record no program ever ran in it.
type GiveBack = fn(&Path, Option<&ContainerRecord>);

/// What was found on disk at start.
pub(crate) struct Stored {
    pub(crate) records: Vec<ContainerRecord>,
    /// Directories whose record cannot be read; left alone and told.
    pub(crate) damaged: Vec<(PathBuf, String)>,
    /// Volumes that containers were to take along, and that may be there still.
    pub(crate) orphans: Vec<String>,
    /// How many half-made or half-removed directories were swept.
    pub(crate) n_swept: usize,
    /// Such directories that could not be swept.
    pub(crate) unswept: Vec<(PathBuf, String)>,
}

impl ContainerStore {
    /// Opens the directory, making it if needed.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn open(data: &Path, give_back: GiveBack) -> Result<Self, RecordError> {
        let dir = data.join("containers");
        file::create_private_dir(&dir).map_err(directory("make", &dir))?;
        Ok(Self { dir, give_back })
    }

    /// Returns the directory of them all.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns the directory of a container.
    pub(crate) fn dir_of(&self, id: &ContainerId) -> PathBuf {
        self.dir.join(id.as_str())
    }

    /// Makes the directory of a new container, for its owner alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn make_dir(&self, id: &ContainerId) -> Result<PathBuf, RecordError> {
        let path = self.dir_of(id);
        let made =
            Dir::open(&self.dir).and_then(|dir| dir.create_dir(OsStr::new(id.as_str()), 0o700));
        made.map_err(directory("make", &path))?;
        Ok(path)
    }

    /// Writes a record; after this the container exists, also after a power cut.
    ///
    /// # Errors
    /// When it cannot be written; a former record is still there then.
    pub(crate) fn save(&self, record: &ContainerRecord) -> Result<(), RecordError> {
        let path = self.dir_of(&record.id).join("record.json");
        let bytes = serde_json::to_vec(record).map_err(|e| RecordError::Write {
            path: path.clone(),
            source: e.into(),
        })?;
        file::replace(&path, &bytes)
            .and_then(|()| file::sync_dir(&self.dir))
            .map_err(|e| RecordError::Write {
                path,
                source: e.into(),
            })
    }

    /// Says before it goes that a container takes the volumes along that were made for it alone: if
    /// this engine does not come to that, the next one does.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn mark_volumes(&self, id: &ContainerId) -> Result<(), RecordError> {
        Self::write_passing(&self.dir_of(id).join(WITH_VOLUMES), b"")
    }

    /// Ends a container's existence: its record is out of the way, also after a power cut. What it
    /// wrote is still on the disk until [`ContainerStore::sweep`].
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn retire(&self, id: &ContainerId) -> Result<(), RecordError> {
        let dir = Dir::open(&self.dir).map_err(directory("open", &self.dir))?;
        let renamed = dir.rename(OsStr::new(id.as_str()), &dir, OsStr::new(&removing(id)));
        match renamed.and_then(|()| dir.sync()) {
            Err(error) if !error.is_not_found() => {
                Err(directory("remove", &self.dir_of(id))(error))
            }
            _ => Ok(()),
        }
    }

    /// Deletes what a retired container wrote.
    ///
    /// # Errors
    /// When the disk fails; what is left is swept at the next start.
    pub(crate) fn sweep(&self, id: &ContainerId) -> Result<(), RecordError> {
        let dir = Dir::open(&self.dir).map_err(directory("open", &self.dir))?;
        match self.delete(&dir, OsStr::new(&removing(id))) {
            Err(error) if !error.is_not_found() => Err(directory("sweep", &self.dir_of(id))(error)),
            _ => Ok(()),
        }
    }

    /// Writes a file into a container's directory that a power cut may lose: it is made anew at
    /// each start of the container.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write_passing(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
        fs::write(path, bytes).map_err(|source| RecordError::Write {
            path: path.to_owned(),
            source,
        })
    }

    /// Writes such a file where a policy acts by it being there: it is there after a power cut too.
    ///
    /// # Errors
    /// When it cannot be written; a former one is still there then.
    pub(crate) fn write_lasting(path: &Path, bytes: &[u8]) -> Result<(), RecordError> {
        file::replace(path, bytes).map_err(|source| RecordError::Write {
            path: path.to_owned(),
            source: source.into(),
        })
    }

    /// Sees to it that such a file is after a power cut as it is now: whole, or gone.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) fn make_lasting(path: &Path) -> io::Result<()> {
        match fs::File::open(path) {
            Ok(file) => file.sync_all()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(path.parent().map_or(Ok(()), file::sync_dir)?)
    }

    /// Reads every record, and sweeps what a crash left half-made or half-removed.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn load(&self) -> Result<Stored, RecordError> {
        let mut stored = Stored {
            records: Vec::new(),
            damaged: Vec::new(),
            orphans: Vec::new(),
            n_swept: 0,
            unswept: Vec::new(),
        };
        let dir = Dir::open(&self.dir).map_err(directory("open", &self.dir))?;
        for entry in dir.entries().map_err(directory("read", &self.dir))? {
            let path = self.dir.join(&entry.name);
            if !is_ours(&entry.name) {
                continue;
            }
            match read_record(&path.join("record.json")) {
                Ok(record) if Some(record.id.as_str()) == entry.name.to_str() => {
                    // Its removal did not come about.
                    let _ = fs::remove_file(path.join(WITH_VOLUMES));
                    stored.records.push(record);
                }
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    stored.damaged.push((path, error.to_string()));
                }
                Ok(record) if path.join(WITH_VOLUMES).exists() => {
                    stored
                        .orphans
                        .extend(record.own_volumes().map(str::to_owned));
                    stored.n_swept += usize::from(self.delete(&dir, &entry.name).is_ok());
                }
                // One that cannot be deleted, a file made immutable say, is no reason to do without
                // all the others.
                _ => match self.delete(&dir, &entry.name) {
                    Ok(()) => stored.n_swept += 1,
                    Err(error) => stored.unswept.push((path, error.to_string())),
                },
            }
        }
        Ok(stored)
    }

    fn delete(&self, dir: &Dir, name: &OsStr) -> Result<(), SysError> {
        let path = self.dir.join(name);
        let record = read_record(&path.join("record.json"));
        (self.give_back)(&path, record.ok().as_ref());
        dir.remove_all(name)
    }
}

/// Tells what this store makes from what others may keep here, such as a mount point's `lost+found`.
fn is_ours(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with(REMOVING) || name.parse::<ContainerId>().is_ok()
}

fn removing(id: &ContainerId) -> String {
    format!("{REMOVING}{id}")
}

fn read_record(path: &Path) -> io::Result<ContainerRecord> {
    let bytes = file::read(path, RECORD_MAX_BYTES)?;
    serde_json::from_slice(&bytes).map_err(io::Error::from)
}

fn directory<'p>(
    step: &'static str,
    path: &'p Path,
) -> impl FnOnce(SysError) -> RecordError + use<'p> {
    move |source| RecordError::Directory {
        step,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids;

    fn record(store: &ContainerStore) -> ContainerRecord {
        let id = ids::container_id();
        store.make_dir(&id).unwrap();
        let record = ContainerRecord::from(NewRecord {
            id,
            name: "web".parse().unwrap(),
            created_ns: 1,
            image_id: "sha256:0".to_owned(),
            layers: vec!["/layers/a".into()],
            config: ContainerConfig::default(),
            host_config: HostConfig::default(),
            remap: None,
            networks: Vec::new(),
            step_binds: Vec::new(),
            volumes: Vec::new(),
            inherited: Vec::new(),
        });
        store.save(&record).unwrap();
        record
    }

    #[test]
    fn records_come_back_as_they_were_saved() {
        let data = tempfile::tempdir().unwrap();
        let store = ContainerStore::open(data.path(), |_, _| ()).unwrap();
        let saved = record(&store);
        assert_eq!(store.load().unwrap().records, [saved]);
    }

    #[test]
    fn half_made_and_half_removed_containers_are_swept() {
        let data = tempfile::tempdir().unwrap();
        let store = ContainerStore::open(data.path(), |_, _| ()).unwrap();
        store.make_dir(&ids::container_id()).unwrap();
        let foreign = data.path().join("containers/lost+found");
        fs::create_dir(&foreign).unwrap();
        let removing = record(&store);
        let left = data
            .path()
            .join("containers")
            .join(format!("{REMOVING}{}", removing.id));
        fs::rename(store.dir_of(&removing.id), &left).unwrap();

        let stored = store.load().unwrap();
        assert_eq!((stored.records.len(), stored.n_swept), (0, 2));
        fs::remove_dir(foreign).unwrap();
        assert_eq!(
            fs::read_dir(data.path().join("containers"))
                .unwrap()
                .count(),
            0
        );
    }

    #[test]
    fn a_damaged_record_is_told_and_left_alone() {
        let data = tempfile::tempdir().unwrap();
        let store = ContainerStore::open(data.path(), |_, _| ()).unwrap();
        let damaged = record(&store);
        fs::write(store.dir_of(&damaged.id).join("record.json"), "{").unwrap();
        let stored = store.load().unwrap();
        assert_eq!((stored.records.len(), stored.damaged.len()), (0, 1));
        assert!(store.dir_of(&damaged.id).exists());
    }

    #[test]
    fn removing_twice_is_as_good_as_once() {
        let data = tempfile::tempdir().unwrap();
        let store = ContainerStore::open(data.path(), |_, _| ()).unwrap();
        let gone = record(&store);
        for _ in 0..2 {
            store.retire(&gone.id).unwrap();
            store.sweep(&gone.id).unwrap();
        }
        assert_eq!(store.load().unwrap().records, []);
    }
}
