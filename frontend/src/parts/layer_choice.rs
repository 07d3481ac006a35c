//! Which layer of an image is looked at, and the way to its neighbours.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::ui::{Icon, icon};
use crate::words::Words;

/// The choice.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/layer_choice.html")]
pub struct LayerChoice {
    /// Language.
    pub words: Words,
    /// Where the choice is sent to.
    pub path: String,
    /// What stays as it is: names and values of the query.
    pub hidden: Vec<(&'static str, String)>,
    /// The layer that is looked at, from 1.
    pub layer: usize,
    /// How many there are.
    pub n_layers: usize,
    /// What made it, fit to be shown.
    pub command: String,
    /// The same with the layer below.
    pub below: Option<String>,
    /// The same with the layer above.
    pub above: Option<String>,
}

impl HtmlSafe for LayerChoice {}

impl LayerChoice {
    fn count(&self) -> String {
        let (layer, total) = (self.layer.to_string(), self.n_layers.to_string());
        self.words
            .with("layer-of", &[("layer", &layer), ("total", &total)])
    }

    fn is_current(&self, layer: &usize) -> bool {
        *layer == self.layer
    }

    fn back(&self) -> Icon {
        icon("chevron-left")
    }

    fn forth(&self) -> Icon {
        icon("chevron-right")
    }
}
