//! The images that are here.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine_sys::file;
use engine_tar::Digest;

use crate::blobs::Blobs;
use crate::document::{CONFIG_BYTES_MAX, MANIFEST_BYTES_MAX};
use crate::error::{FindError, StoreError};
use crate::manifest::{Descriptor, Document, ImageConfig, Manifest};
use crate::names::{Row, Table, keep_reserve};
use crate::reference::Reference;
use crate::sweep::{Lease, Leases};

/// An image: its id is the digest of its configuration, as Docker has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// The digest of the configuration.
    pub id: Digest,
    /// The digest of the manifest.
    pub manifest: Digest,
    /// How to run it.
    pub config: ImageConfig,
    /// Its layers, the lowest first.
    pub layers: Vec<Layer>,
    /// When it came here, or last got a name.
    pub added_unix_ns: i64,
}

/// One layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The archive, as it came.
    pub blob: Descriptor,
    /// The digest of the archive when uncompressed.
    pub diff_id: Digest,
}

/// What an image is called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Names with a tag.
    pub tags: Vec<Reference>,
    /// Names with a digest, from where it was pulled.
    pub digests: Vec<Reference>,
}

/// An image whose content is all here and that is not in the list yet.
#[derive(Debug)]
pub struct Prepared {
    /// The image.
    pub image: Image,
    #[expect(dead_code, reason = "it holds the content until the image is added")]
    pub(crate) lease: Lease,
}

/// What went with an image or a name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Names that it had.
    pub untagged: Vec<Reference>,
    /// The image itself, if it went too.
    pub deleted: Option<Digest>,
}

/// All images. Cheap to clone; clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

/// What the clones of a store share with their leases.
#[derive(Debug)]
pub(crate) struct Shared {
    dir: PathBuf,
    pub(crate) blobs: Arc<Blobs>,
    state: Mutex<State>,
    pub(crate) leases: Leases,
}

#[derive(Debug)]
struct State {
    table: Table,
    images: BTreeMap<Digest, Arc<Image>>,
}

impl Store {
    /// Opens the store at `dir`, making it if needed, and sweeps what a crash left.
    ///
    /// # Errors
    /// When it cannot be read. An image whose documents are damaged is left out, and logged.
    pub fn open(dir: &Path) -> Result<Self, StoreError> {
        let store = Self::open_unswept(dir)?;
        store.sweep();
        Ok(store)
    }

    /// Opens the store where more than images may need what is in it: whoever does holds it before
    /// [`Store::sweep`] is called.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_unswept(dir: &Path) -> Result<Self, StoreError> {
        file::create_private_dir(dir)
            .and_then(|_| file::remove_leftovers(dir))
            .map_err(StoreError::disk(format!(
                "open the images at {}",
                dir.display()
            )))?;
        let blobs = Blobs::open(&dir.join("blobs"))?;
        let table = Table::read(dir)?;
        keep_reserve(dir, 0);
        let mut images = BTreeMap::new();
        for (id, row) in &table.images {
            match read_image(&blobs, *id, row) {
                Ok(image) => {
                    images.insert(*id, Arc::new(image));
                }
                Err(error) => {
                    tracing::warn!(image.id = %id, error = %error, "an image is damaged");
                }
            }
        }
        let shared = Shared {
            dir: dir.to_owned(),
            blobs,
            state: Mutex::new(State { table, images }),
            leases: Leases::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Removes every blob that no image needs and nobody holds, unless an image could not be read.
    pub fn sweep(&self) {
        if self.is_whole() {
            self.shared.sweep(&self.shared.blobs.list());
        }
    }

    /// The content.
    pub fn blobs(&self) -> &Arc<Blobs> {
        &self.shared.blobs
    }

    /// Every image, in the order of their ids.
    pub fn list(&self) -> Vec<Arc<Image>> {
        self.shared.state().images.values().cloned().collect()
    }

    /// The image with this id.
    pub fn get(&self, id: Digest) -> Option<Arc<Image>> {
        self.shared.state().images.get(&id).cloned()
    }

    /// The image that somebody means: by name (`latest` goes without saying), by digest, by id or
    /// by the beginning of one. A name wins over an id.
    ///
    /// # Errors
    /// When there is none, or no single one.
    pub fn find(&self, text: &str) -> Result<Arc<Image>, FindError> {
        let state = self.shared.state();
        let named = text.parse::<Reference>().ok().map(Reference::or_latest);
        if let Some(image) = named.as_ref().and_then(|name| state.named(name)) {
            return Ok(image);
        }
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if hex.is_empty() || hex.len() > 64 || !hex.bytes().all(is_hex) {
            return match text.parse::<Reference>() {
                Ok(name) => Err(FindError::NotFound(name.or_latest().familiar())),
                Err(error) => Err(FindError::Malformed(error.to_string())),
            };
        }
        let mut fitting = state
            .images
            .values()
            .filter(|image| image.id.hex().starts_with(hex));
        match (fitting.next(), fitting.next()) {
            (Some(image), None) => Ok(Arc::clone(image)),
            (Some(_), Some(_)) => Err(FindError::Ambiguous(text.to_owned())),
            (None, _) => Err(FindError::NotFound(match named {
                Some(name) if !text.starts_with("sha256:") => name.familiar(),
                _ => text.to_owned(),
            })),
        }
    }

    /// The image with exactly this name.
    pub fn named(&self, name: &Reference) -> Option<Arc<Image>> {
        self.shared.state().named(name)
    }

    /// What the image is called.
    pub fn names_of(&self, id: Digest) -> Names {
        let names = self.shared.state().table.names_of(id);
        let (digests, tags) = names.into_iter().partition(|name| name.digest().is_some());
        Names { tags, digests }
    }

    /// Adds images with their names, all of them or none. Their layers must be unpacked by now.
    ///
    /// # Errors
    /// When the list cannot be written; it is as it was then.
    pub fn add(
        &self,
        prepared: Vec<(Prepared, Vec<Reference>)>,
        now_unix_ns: i64,
    ) -> Result<Vec<Arc<Image>>, StoreError> {
        let mut added = Vec::with_capacity(prepared.len());
        self.shared.change(|state| {
            for (prepared, names) in &prepared {
                let image = Image {
                    added_unix_ns: now_unix_ns,
                    ..prepared.image.clone()
                };
                let row = Row {
                    manifest: image.manifest,
                    added_unix_ns: now_unix_ns,
                };
                state.table.images.insert(image.id, row);
                for name in names {
                    state.table.set(name, image.id);
                }
                let image = Arc::new(image);
                state.images.insert(image.id, Arc::clone(&image));
                added.push(image);
            }
        })?;
        // Only now may the leases go: the list holds the content.
        drop(prepared);
        Ok(added)
    }

    /// Keeps an image that is here by another manifest, of other archives of the same layers. What
    /// only the former one needs goes.
    ///
    /// # Errors
    /// When the list cannot be written; everything is as it was then.
    pub fn exchange(&self, prepared: Prepared) -> Result<Option<Arc<Image>>, StoreError> {
        let mut exchanged = None;
        let mut former = Vec::new();
        self.shared.change(|state| {
            // It may have been removed meanwhile.
            let Some(known) = state.images.get(&prepared.image.id) else {
                return;
            };
            former = known.blobs();
            let image = Image {
                added_unix_ns: known.added_unix_ns,
                ..prepared.image.clone()
            };
            let row = Row {
                manifest: image.manifest,
                added_unix_ns: image.added_unix_ns,
            };
            state.table.images.insert(image.id, row);
            let image = Arc::new(image);
            state.images.insert(image.id, Arc::clone(&image));
            exchanged = Some(image);
        })?;
        drop(prepared);
        self.shared.sweep(&former);
        Ok(exchanged)
    }

    /// Gives an image a further name, taking it from whoever had it; says whether the image is here.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn tag(&self, id: Digest, name: &Reference) -> Result<bool, StoreError> {
        let mut is_here = false;
        self.shared.change(|state| {
            is_here = state.images.contains_key(&id);
            if is_here {
                state.table.set(name, id);
            }
        })?;
        Ok(is_here)
    }

    /// Takes a name away. The image stays, without it.
    ///
    /// # Errors
    /// When the list cannot be written.
    pub fn untag(&self, name: &Reference) -> Result<(), StoreError> {
        self.shared.change(|state| {
            state.table.unset(name);
        })
    }

    /// Removes an image with all its names, and its content that nothing else needs. Whether a
    /// container uses it, the caller knows; so does he sweep the unpacked layers afterwards.
    ///
    /// # Errors
    /// When the list cannot be written; everything is as it was then.
    pub fn remove(&self, id: Digest) -> Result<Removed, StoreError> {
        let mut removed = Removed::default();
        let mut blobs = Vec::new();
        self.shared.change(|state| {
            let Some(image) = state.images.remove(&id) else {
                return;
            };
            removed = Removed {
                untagged: state.table.names_of(id),
                deleted: Some(id),
            };
            blobs = image.blobs();
            state.table.remove_image(id);
        })?;
        self.shared.sweep(&blobs);
        Ok(removed)
    }

    /// Tells whether an image here needs the unpacked layer, or somebody holds it.
    pub fn needs_layer(&self, diff_id: Digest) -> bool {
        self.would_need_layer(diff_id, &HashSet::new())
    }

    /// Tells the same for when the images `gone` are not here any more.
    pub fn would_need_layer(&self, diff_id: Digest, gone: &HashSet<Digest>) -> bool {
        self.shared.leases.has_layer(diff_id) || {
            let state = self.shared.state();
            let mut stay = state.images.iter().filter(|(id, _)| !gone.contains(id));
            stay.any(|(_, image)| image.diff_ids().contains(&diff_id))
        }
    }

    /// Finds an image again and keeps its content as long as the lease lives, whatever becomes of
    /// the image or its manifest meanwhile.
    pub fn hold(&self, id: Digest) -> Option<(Arc<Image>, Lease)> {
        let state = self.shared.state();
        let image = state.images.get(&id).cloned()?;
        let mut lease = self.lease();
        for digest in image.blobs() {
            lease.add_blob(digest);
        }
        drop(state);
        Some((image, lease))
    }

    /// Keeps unpacked layers from being swept, whatever becomes of their image.
    pub fn hold_layers(&self, diff_ids: &[Digest]) -> Lease {
        let mut lease = self.lease();
        lease.add_diff_ids(diff_ids);
        lease
    }

    /// Keeps archives and unpacked layers from being swept, whatever becomes of their images.
    pub fn hold_content(&self, blobs: &[Digest], diff_ids: &[Digest]) -> Lease {
        let mut lease = self.hold_layers(diff_ids);
        for digest in blobs {
            lease.add_blob(*digest);
        }
        lease
    }

    /// Tells whether every image in the list could be read. As long as one could not, nobody knows
    /// what it needs, and nothing that may be its own is to be swept.
    pub fn is_whole(&self) -> bool {
        self.shared.state().is_whole()
    }

    pub(crate) fn lease(&self) -> Lease {
        Lease::take(&self.shared)
    }

    /// Makes an image of documents that are kept already, under `lease`.
    pub(crate) fn prepare(
        &self,
        mut lease: Lease,
        manifest: Digest,
    ) -> Result<Prepared, StoreError> {
        let row = Row {
            manifest,
            added_unix_ns: 0,
        };
        let bytes = self.shared.blobs.read(manifest, MANIFEST_BYTES_MAX)?;
        let parsed = parse_manifest(&bytes, manifest)?;
        let image = read_image(&self.shared.blobs, parsed.config.digest, &row)?;
        lease.add_diff_ids(&image.config.rootfs.diff_ids);
        Ok(Prepared { image, lease })
    }
}

impl Image {
    /// The digests of its uncompressed layers, the lowest first.
    pub fn diff_ids(&self) -> &[Digest] {
        &self.config.rootfs.diff_ids
    }

    /// Puts a manifest and its configuration together.
    pub(crate) fn new(manifest_digest: Digest, manifest: Manifest, config: ImageConfig) -> Self {
        let diff_ids = config.rootfs.diff_ids.iter();
        let layers = manifest.layers.into_iter().zip(diff_ids);
        Self {
            id: manifest.config.digest,
            manifest: manifest_digest,
            layers: layers
                .map(|(blob, diff_id)| Layer {
                    blob,
                    diff_id: *diff_id,
                })
                .collect(),
            config,
            added_unix_ns: 0,
        }
    }

    fn blobs(&self) -> Vec<Digest> {
        let layers = self.layers.iter().map(|layer| layer.blob.digest);
        [self.id, self.manifest].into_iter().chain(layers).collect()
    }
}

impl State {
    fn is_whole(&self) -> bool {
        self.table.images.keys().eq(self.images.keys())
    }

    fn named(&self, name: &Reference) -> Option<Arc<Image>> {
        // A name with both is a name with a digest: the tag may have moved on since.
        let name = match name.digest() {
            Some(digest) => name.with_digest(digest),
            None => name.clone(),
        };
        self.table
            .id(&name)
            .and_then(|id| self.images.get(&id))
            .cloned()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the list: on the disk first, then in memory.
    fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), StoreError> {
        let mut state = self.state();
        let mut changed = State {
            table: state.table.clone(),
            images: state.images.clone(),
        };
        change(&mut changed);
        if changed.table != state.table {
            let removes = changed.table.is_less_than(&state.table);
            changed.table.write(&self.dir, removes)?;
        }
        *state = changed;
        Ok(())
    }

    /// Removes those of `blobs` that no image has and nobody leases.
    pub(crate) fn sweep(&self, blobs: &[Digest]) {
        let state = self.state();
        let needed: HashSet<Digest> = state
            .images
            .values()
            .flat_map(|image| image.blobs())
            .collect();
        // A damaged image's row still names its manifest: a re-pull may repair the rest.
        let named: HashSet<Digest> = state
            .table
            .images
            .values()
            .map(|row| row.manifest)
            .collect();
        for digest in blobs {
            if needed.contains(digest) || named.contains(digest) {
                continue;
            }
            self.leases.unless_leased(*digest, || {
                if let Err(error) = self.blobs.remove(*digest) {
                    tracing::warn!(blob = %digest, error = %error, "a blob was not removed");
                }
            });
        }
    }
}

fn read_image(blobs: &Blobs, id: Digest, row: &Row) -> Result<Image, StoreError> {
    let bytes = blobs.read(row.manifest, MANIFEST_BYTES_MAX)?;
    let manifest = parse_manifest(&bytes, row.manifest)?;
    if manifest.config.digest != id {
        return Err(StoreError::Damaged { digest: id });
    }
    for layer in &manifest.layers {
        if blobs.size(layer.digest).is_none() {
            return Err(StoreError::Damaged {
                digest: layer.digest,
            });
        }
    }
    let bytes = blobs.read(id, CONFIG_BYTES_MAX)?;
    let config = ImageConfig::parse(&bytes, manifest.layers.len())?;
    let image = Image::new(row.manifest, manifest, config);
    Ok(Image {
        added_unix_ns: row.added_unix_ns,
        ..image
    })
}

fn parse_manifest(bytes: &[u8], digest: Digest) -> Result<Manifest, StoreError> {
    match Document::parse(bytes)? {
        Document::Manifest(manifest) => Ok(manifest),
        Document::Index(_) => Err(StoreError::Damaged { digest }),
    }
}
