//! The images of this host: opened, counted, found for a container.

use std::path::PathBuf;
use std::sync::Arc;

use engine_api::images::ImageConfig;
use engine_images::{FindError, Image, Registry, RegistryConfig, Store};
use engine_storage::{Layers, Limits};

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
    pub(super) clock: Clock,
    pub(super) events: Arc<Events>,
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
    /// Opens the stores below the data directory and makes `gantry/hello` if there is no image.
    pub(crate) async fn open(config: &Config, clock: Clock, events: Arc<Events>) -> Result<Self> {
        let registry = Registry::new(registries(config)?)
            .map_err(ServiceError::failed("prepare for registries"))?;
        let data = config.data.clone();
        let (store, layers) = blocking(move || -> Result<_> {
            let store = Store::open(&data.join("images"))
                .map_err(ServiceError::failed("open the images"))?;
            let layers = Layers::open(&data.join("layers"), Limits::default())
                .map_err(ServiceError::failed("open the layers"))?;
            Ok((store, layers))
        })
        .await?;
        let images = Self {
            store,
            layers: Arc::new(layers),
            registry,
            clock,
            events,
        };
        images.sweep_layers().await;
        if images.store.list().is_empty() {
            images.make_hello().await?;
        }
        Ok(images)
    }

    /// Finds an image by reference, id or prefix of an id, with its layers unpacked.
    ///
    /// # Errors
    /// [`ServiceError::NoSuchImage`] when it is not here.
    pub(crate) async fn for_container(&self, reference: &str) -> Result<ImageForContainer> {
        let image = self.find(reference)?;
        let diff_ids = self.unpack(&image).await?;
        let layers = self
            .layers
            .paths(&diff_ids)
            .map_err(ServiceError::failed(format!("use image {reference}")))?;
        Ok(ImageForContainer {
            id: image.id.to_string(),
            config: show::config(&image.config.config),
            layers,
        })
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
        ..RegistryConfig::default()
    })
}
