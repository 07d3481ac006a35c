//! The images of this host: opened, counted, found for a container.

use std::path::PathBuf;
use std::sync::Arc;

use engine_api::images::ImageConfig;
use engine_images::{Digest, Downloads, FindError, Image, Registry, RegistryConfig, Store};
use engine_storage::{Layers, Limits};
use tokio::sync::Semaphore;

use super::held::LayersHeld;
use super::layers::Looks;
use super::load::READINGS_MAX;
use super::show;
use crate::clock::Clock;
use crate::config::Config;
use crate::services::error::{Result, ServiceError};
use crate::services::events::{Events, Kind};
use crate::tasks::blocking;

/// The program in the image that every fresh engine has.
const HELLO: &[u8] = include_bytes!(env!("GANTRY_HELLO_ELF"));

/// The images of this host. Cheap to share; every method takes `&self`.
pub(crate) struct Images {
    pub(super) store: Store,
    pub(super) layers: Arc<Layers>,
    pub(super) registry: Registry,
    /// For what others name: files of builds, archives to import.
    pub(crate) downloads: Downloads,
    pub(super) clock: Clock,
    pub(super) events: Arc<Events>,
    /// One permit for each archive that may be read at a time.
    pub(super) readings: Arc<Semaphore>,
    pub(super) looks: Looks,
}

/// What a container takes from its image.
#[derive(Debug, Clone)]
pub(crate) struct ImageForContainer {
    /// `sha256:…` of its configuration.
    pub id: String,
    /// What the program starts with unless the create says otherwise.
    pub config: ImageConfig,
    /// The unpacked layers, top first, as an overlay wants them.
    pub layers: Vec<PathBuf>,
}

impl Images {
    /// Opens the stores below the data directory. What a crash left is swept by
    /// [`Images::sweep_blobs`] and [`Images::begin`], when all who need something hold it.
    pub(crate) async fn open(config: &Config, clock: Clock, events: Arc<Events>) -> Result<Self> {
        let registry = Registry::new(registries(config)?)
            .map_err(ServiceError::failed("prepare for registries"))?;
        let downloads = Downloads::new(config.insecure_registries.clone())
            .map_err(ServiceError::failed("prepare for downloads"))?;
        let data = config.data.clone();
        let (store, layers) = blocking(move || -> Result<_> {
            let store = Store::open_unswept(&data.join("images"))
                .map_err(ServiceError::failed("open the images"))?;
            let layers = Layers::open(&data.join("layers"), Limits::default())
                .map_err(ServiceError::failed("open the layers"))?;
            Ok((store, layers))
        })
        .await?;
        Ok(Self {
            store,
            layers: Arc::new(layers),
            registry,
            downloads,
            clock,
            events,
            readings: Arc::new(Semaphore::new(READINGS_MAX)),
            looks: Looks::default(),
        })
    }

    /// Sweeps the layers that nobody needs, once the containers hold theirs, and makes
    /// `gantry/hello` if there is no image.
    ///
    /// # Errors
    /// When the image cannot be made.
    pub(crate) async fn begin(&self, all_containers_are_known: bool) -> Result<()> {
        if all_containers_are_known {
            self.sweep_layers().await;
        }
        if self.store.is_whole() && self.store.list().is_empty() {
            self.make_hello().await?;
        }
        Ok(())
    }

    /// Keeps a container's layers, given as its record names them, whatever becomes of its image.
    pub(crate) fn hold(&self, layers: &[PathBuf]) -> LayersHeld {
        let diff_id = |path: &PathBuf| {
            let hex = path.parent()?.file_name()?.to_str()?;
            Digest::from_hex(hex)
        };
        let diff_ids: Vec<Digest> = layers.iter().filter_map(diff_id).collect();
        self.held(&diff_ids)
    }

    pub(super) fn held(&self, diff_ids: &[Digest]) -> LayersHeld {
        LayersHeld::new(self.store.hold_layers(diff_ids), &self.store, &self.layers)
    }

    /// Finds an image by reference, id or prefix of an id, with its layers unpacked and kept.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchImage`] when it is not here.
    pub(crate) async fn for_container(
        &self,
        reference: &str,
    ) -> Result<(ImageForContainer, LayersHeld)> {
        let image = self.find(reference)?;
        // First held, then found: see `Layers::remove_unless`.
        let held = self.held(image.diff_ids());
        let diff_ids = self.unpack(&image).await?;
        let layers = self
            .layers
            .paths(&diff_ids)
            .map_err(ServiceError::failed(format!("use image {reference}")))?;
        let image = ImageForContainer {
            id: image.id.to_string(),
            config: show::config(&image.config.config),
            layers,
        };
        Ok((image, held))
    }

    /// Returns the id of an image, `sha256:…`.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchImage`] when it is not here.
    pub(crate) fn id_of(&self, reference: &str) -> Result<String> {
        self.find(reference).map(|image| image.id.to_string())
    }

    /// Returns how many images there are, for `info`.
    pub(crate) fn count(&self) -> usize {
        self.store.list().len()
    }

    /// Finds the image that somebody means.
    pub(super) fn find(&self, text: &str) -> Result<Arc<Image>> {
        self.store.find(text).map_err(|error| match error {
            FindError::NotFound(name) => ServiceError::NoSuchImage(name),
            FindError::Ambiguous(_) | FindError::Malformed(_) => {
                ServiceError::BadRequest(error.to_string())
            }
        })
    }

    /// Tells everybody what happened to an image.
    pub(super) fn publish(&self, action: &str, id: String, name: &str, image: &Image) {
        let mut attributes = image.config.config.labels.clone();
        attributes.insert("name".to_owned(), name.to_owned());
        self.events.publish(Kind::Image, action, id, attributes);
    }

    async fn make_hello(&self) -> Result<()> {
        let store = self.store.clone();
        let (prepared, name) = blocking(move || engine_images::hello(&store, HELLO))
            .await
            .map_err(ServiceError::failed("make gantry/hello"))?;
        self.unpack(&prepared.image).await?;
        self.add(vec![(prepared, vec![name])]).await?;
        Ok(())
    }
}

fn registries(config: &Config) -> Result<RegistryConfig> {
    let mirrors = config.registry_mirrors.iter().map(|mirror| {
        let mirror = mirror.parse();
        mirror.map_err(|error: engine_images::MalformedMirror| {
            ServiceError::BadRequest(error.to_string())
        })
    });
    Ok(RegistryConfig {
        mirrors: mirrors.collect::<Result<_>>()?,
        insecure: config.insecure_registries.clone(),
        certificates: Some(config.registry_certs.clone()),
        ..RegistryConfig::default()
    })
}
