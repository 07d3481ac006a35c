//! The directory of all volumes: what is made, read, replaced and taken away in it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};

use engine_sys::dir::Dir;
use engine_sys::path::Root;
use engine_sys::{Errno, SysError, file, mount};

use super::content::is_empty;
use super::record::VolumeRecord;
use crate::usage::{Usage, usage_until};

/// Longest record that is read: a create's body is at most 8 MiB.
const RECORD_MAX_BYTES: u64 = 32 << 20;

const RECORD: &str = "volume.json";
const DATA: &str = "_data";
const COPY: &str = "_copy";
const NEW: &str = ".new-";
const REMOVING: &str = ".removing-";

/// A volume that cannot be kept, read or changed.
#[derive(Debug, thiserror::Error)]
#[error("failed to {action} volume {name}")]
pub struct VolumeError {
    /// What was tried.
    pub action: &'static str,
    /// Which one.
    pub name: String,
    /// Why.
    #[source]
    pub source: SysError,
}

/// What was found on disk at start.
#[derive(Debug, Default)]
pub struct StoredVolumes {
    /// Every volume.
    pub records: Vec<VolumeRecord>,
    /// Directories whose record cannot be read; left alone and told.
    pub damaged: Vec<(PathBuf, String)>,
    /// How many half-made or half-removed ones were swept.
    pub n_swept: usize,
}

/// A volume that is gone and whose files still lie there.
#[derive(Debug)]
pub struct Retired(OsString);

/// The directory of all volumes.
#[derive(Debug, Clone)]
pub struct VolumeStore {
    dir: PathBuf,
}

impl VolumeStore {
    /// Opens the directory, making it if needed, for the engine alone.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(data: &Path) -> Result<Self, SysError> {
        let dir = data.join("volumes");
        file::create_private_dir(&dir)?;
        Ok(Self { dir })
    }

    /// Where a volume's files lie on the host.
    pub fn data(&self, name: &str) -> PathBuf {
        self.dir.join(name).join(DATA)
    }

    /// Makes a volume; after this it exists, also after a power cut. Its directory belongs to `owner`.
    ///
    /// # Errors
    /// When it cannot be made; nothing of it is left then, or the next start sweeps it.
    pub fn make(&self, record: &VolumeRecord, owner: u32) -> Result<(), VolumeError> {
        let made = || {
            let all = Dir::open(&self.dir)?;
            let new = format!("{NEW}{}", record.name);
            let new = OsStr::new(&new);
            all.remove_all(new)?;
            all.create_dir(new, 0o700)?;
            let dir = all.open_dir(new)?;
            dir.create_dir(OsStr::new(DATA), 0o755)?;
            dir.set_owner(OsStr::new(DATA), owner, owner)?;
            dir.set_mode(OsStr::new(DATA), 0o755)?;
            write(&dir, record)?;
            all.rename(new, &all, OsStr::new(&record.name))?;
            all.sync()
        };
        made().map_err(failed("make", &record.name))
    }

    /// Replaces what is written down of a volume.
    ///
    /// # Errors
    /// When it cannot be written; the former record is still there then.
    pub fn save(&self, record: &VolumeRecord) -> Result<(), VolumeError> {
        let saved = self
            .dir_of(&record.name)
            .and_then(|dir| write(&dir, record));
        saved.map_err(failed("keep", &record.name))
    }

    /// Ends a volume's existence, also after a power cut. Its files are deleted by [`Self::sweep`].
    ///
    /// # Errors
    /// When the disk fails, or something is mounted on it.
    pub fn retire(&self, name: &str) -> Result<Retired, VolumeError> {
        let retired = || {
            let all = Dir::open(&self.dir)?;
            let inode = all.metadata(OsStr::new(name))?.inode;
            let away = OsString::from(format!("{REMOVING}{inode:x}"));
            all.rename(OsStr::new(name), &all, &away)?;
            all.sync()?;
            Ok(Retired(away))
        };
        retired().map_err(failed("remove", name))
    }

    /// Deletes the files of a volume that is gone.
    ///
    /// # Errors
    /// When the disk fails; the next start tries again.
    pub fn sweep(&self, retired: &Retired) -> Result<(), SysError> {
        Dir::open(&self.dir)?.remove_all(&retired.0)
    }

    /// Reads every record, and sweeps what a crash left half-made or half-removed.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn load(&self) -> Result<StoredVolumes, SysError> {
        let all = Dir::open(&self.dir)?;
        let mut stored = StoredVolumes::default();
        for entry in all.entries()? {
            let name = entry.name.to_string_lossy().into_owned();
            if name.starts_with(NEW) || name.starts_with(REMOVING) {
                // One that cannot be deleted is no reason to do without all the others.
                stored.n_swept += usize::from(all.remove_all(&entry.name).is_ok());
                continue;
            }
            // What others may keep here, such as a mount point's `lost+found`.
            let Ok(dir) = all.open_dir(&entry.name) else {
                continue;
            };
            if name.starts_with('.') || dir.metadata(OsStr::new(DATA)).is_err() {
                continue;
            }
            match self.read(&name) {
                Ok(record) if record.name == name => {
                    // A copy that broke off is begun anew when somebody needs it.
                    let _ = dir.remove_all(OsStr::new(COPY));
                    stored.records.push(record);
                }
                Ok(record) => {
                    let reason = format!("its record is of volume {}", record.name);
                    stored.damaged.push((self.dir.join(&name), reason));
                }
                Err(reason) => stored.damaged.push((self.dir.join(&name), reason)),
            }
        }
        Ok(stored)
    }

    /// Says whether nothing lies in a volume.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn is_empty(&self, name: &str) -> Result<bool, VolumeError> {
        is_empty(&self.data(name)).map_err(failed("look into", name))
    }

    /// Makes an empty directory beside a volume's files, for content on its way to it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn stage(&self, name: &str) -> Result<Root, VolumeError> {
        let staged = || {
            let dir = self.dir_of(name)?;
            dir.remove_all(OsStr::new(COPY))?;
            dir.create_dir(OsStr::new(COPY), 0o700)?;
            dir.open_dir(OsStr::new(COPY)).map(Root::new)
        };
        staged().map_err(failed("copy content to", name))
    }

    /// Says whose the staged content is, and with which bits.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn settle_staged(
        &self,
        name: &str,
        (uid, gid): (u32, u32),
        mode: u32,
    ) -> Result<(), VolumeError> {
        let settled = || {
            let dir = self.dir_of(name)?;
            dir.set_owner(OsStr::new(COPY), uid, gid)?;
            dir.set_mode(OsStr::new(COPY), mode)
        };
        settled().map_err(failed("copy content to", name))
    }

    /// Takes staged content as the volume's files, in one step: it is on the disk before. `false`,
    /// and nothing of it is left, when somebody has put something into the volume meanwhile.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn take_staged(&self, name: &str) -> Result<bool, VolumeError> {
        let taken = || {
            let dir = self.dir_of(name)?;
            let opened = open(&dir, COPY)?;
            file::sync_filesystem(&opened)?;
            // A directory takes the place of another one only where that is empty.
            match dir.replace(OsStr::new(COPY), OsStr::new(DATA)) {
                Ok(()) => dir.sync().map(|()| true),
                Err(error) if is_full(&error) => dir.remove_all(OsStr::new(COPY)).map(|()| false),
                Err(error) => Err(error),
            }
        };
        taken().map_err(failed("copy content to", name))
    }

    /// Takes staged content as the volume's files, whatever those are: the old ones are moved aside in
    /// the same step and deleted behind it.
    ///
    /// # Errors
    /// When the disk fails; the old files are there then.
    pub fn exchange_staged(&self, name: &str) -> Result<(), VolumeError> {
        let exchanged = || {
            let dir = self.dir_of(name)?;
            let opened = open(&dir, COPY)?;
            file::sync_filesystem(&opened)?;
            dir.exchange(OsStr::new(COPY), OsStr::new(DATA))?;
            dir.sync()?;
            dir.remove_all(OsStr::new(COPY))
        };
        exchanged().map_err(failed("restore", name))
    }

    /// Takes staged content away again.
    pub fn drop_staged(&self, name: &str) {
        // What stays is swept when the next copy begins, or at the next start.
        let _ = self
            .dir_of(name)
            .and_then(|dir| dir.remove_all(OsStr::new(COPY)));
    }

    /// Measures a volume; stops early when nobody waits any more.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn usage(&self, name: &str, is_given_up: &dyn Fn() -> bool) -> Result<Usage, VolumeError> {
        usage_until(&self.data(name), is_given_up).map_err(failed("measure", name))
    }

    /// Says whether something is mounted on a volume's directory.
    ///
    /// # Errors
    /// When it is not there.
    pub fn is_mounted(&self, name: &str) -> Result<bool, VolumeError> {
        let looked = || {
            let dir = self.dir_of(name)?;
            let own = dir.own_metadata()?.file_system;
            Ok(dir.metadata(OsStr::new(DATA))?.file_system != own)
        };
        looked().map_err(failed("look at", name))
    }

    /// Takes away what is mounted on a volume's directory.
    ///
    /// # Errors
    /// When nothing is.
    pub fn unmount(&self, name: &str) -> Result<(), VolumeError> {
        mount::detach(&self.data(name)).map_err(failed("unmount", name))
    }

    fn dir_of(&self, name: &str) -> Result<Dir, SysError> {
        Dir::open(&self.dir)?.open_dir(OsStr::new(name))
    }

    fn read(&self, name: &str) -> Result<VolumeRecord, String> {
        let path = self.dir.join(name).join(RECORD);
        let bytes = file::read(&path, RECORD_MAX_BYTES).map_err(|error| error.to_string())?;
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    }
}

fn is_full(error: &SysError) -> bool {
    matches!(error.errno, Errno::NOTEMPTY | Errno::EXIST | Errno::BUSY)
}

fn open(dir: &Dir, name: &str) -> Result<File, SysError> {
    dir.open_file(OsStr::new(name))
}

fn write(dir: &Dir, record: &VolumeRecord) -> Result<(), SysError> {
    let bytes = serde_json::to_vec(record)
        .map_err(|error| SysError::from_io("write", RECORD, &error.into()))?;
    file::replace_in(dir, OsStr::new(RECORD), &bytes)
}

fn failed<'n>(
    action: &'static str,
    name: &'n str,
) -> impl FnOnce(SysError) -> VolumeError + use<'n> {
    move |source| VolumeError {
        action,
        name: name.chars().take(256).collect(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volumes::Fill;

    fn store() -> (tempfile::TempDir, VolumeStore) {
        let data = tempfile::tempdir().unwrap();
        let store = VolumeStore::open(data.path()).unwrap();
        (data, store)
    }

    #[test]
    fn volumes_come_back_as_they_were_kept() {
        let (_data, store) = store();
        let mut record = VolumeRecord::new("web", 7);
        store.make(&record, 0).unwrap();
        assert!(store.is_empty("web").unwrap());
        assert!(store.make(&record, 0).is_err(), "the name is taken");
        record.fill = Fill::Used;
        store.save(&record).unwrap();
        assert_eq!(store.load().unwrap().records, [record]);
    }

    #[test]
    fn what_is_half_made_or_half_gone_is_swept() {
        let (data, store) = store();
        std::fs::create_dir_all(data.path().join("volumes/.new-a/_data")).unwrap();
        std::fs::create_dir(data.path().join("volumes/lost+found")).unwrap();
        store.make(&VolumeRecord::new("old", 1), 0).unwrap();
        let retired = store.retire("old").unwrap();
        store.make(&VolumeRecord::new("old", 2), 0).unwrap();
        let stored = store.load().unwrap();
        assert_eq!((stored.records.len(), stored.n_swept), (1, 2));
        store.sweep(&retired).unwrap();
        assert_eq!(stored.records[0].created_ns, 2);
    }

    #[test]
    fn a_damaged_record_is_told_and_its_files_left_alone() {
        let (data, store) = store();
        store.make(&VolumeRecord::new("bad", 1), 0).unwrap();
        std::fs::write(data.path().join("volumes/bad/volume.json"), "{").unwrap();
        let stored = store.load().unwrap();
        assert_eq!((stored.records.len(), stored.damaged.len()), (0, 1));
        assert!(store.data("bad").is_dir());
    }

    #[test]
    fn staged_content_takes_the_place_of_nothing_but_emptiness() {
        let (_data, store) = store();
        store.make(&VolumeRecord::new("web", 1), 0).unwrap();
        let staged = store.stage("web").unwrap();
        staged.create_file(Path::new("a"), 0o600).unwrap();
        store.settle_staged("web", (7, 8), 0o750).unwrap();
        assert!(store.take_staged("web").unwrap());
        assert!(store.data("web").join("a").exists());
        store.stage("web").unwrap();
        assert!(!store.take_staged("web").unwrap());
        assert!(store.data("web").join("a").exists());
        store.stage("web").unwrap();
        store.exchange_staged("web").unwrap();
        assert!(store.is_empty("web").unwrap());
    }
}
