//! Images: the list with its two ways in, and one image with its layers.

use askama::Template;

use crate::parts::{ImageRow, ImageTabs, UpdateMark};
use crate::paths;
use crate::shell::Shell;
use crate::ui::{Action, Column, Empty, Field, Filter, KeyValue, ListLook, Pager, Recipes};

/// The list.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/images_index.html")]
pub struct ImagesIndex {
    /// The frame.
    pub shell: Shell,
    /// Fields of the pull form: reference, platform, user, password; or the reason why it is locked.
    pub pull: Result<Vec<Field>, String>,
    /// The file field of the load form, or the reason why it is locked.
    pub load: Result<Vec<Field>, String>,
    /// Whether the forms stand open: something is wrong in them, or the list is empty.
    pub open: bool,
    /// The way to the build form.
    pub build: Action,
    /// The way to what nothing needs.
    pub prune: Action,
    /// How images come in, from elsewhere.
    pub recipes: Recipes,
    /// Which columns, how close together.
    pub look: ListLook,
    /// The filter field.
    pub filter: Filter,
    /// The column heads.
    pub columns: Vec<Column>,
    /// The rows of this page.
    pub rows: Vec<ImageRow>,
    /// Where one is.
    pub pager: Pager,
    /// Shown when there are no rows.
    pub empty: Option<Empty>,
}

/// One image.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/image_show.html")]
pub struct ImageShow {
    /// The frame.
    pub shell: Shell,
    /// Its id.
    pub id: String,
    /// Its first name, or its short id.
    pub name: String,
    /// What can be done.
    pub actions: Vec<Action>,
    /// The same from elsewhere.
    pub recipes: Recipes,
    /// Its other pages.
    pub tabs: ImageTabs,
    /// Its facts.
    pub facts: KeyValue,
    /// What a container of it runs.
    pub config: KeyValue,
    /// How each of its names stands against its registry.
    pub updates: Vec<NameUpdate>,
    /// Whether the server asks registries by itself, in a sentence.
    pub updates_note: String,
    /// Its layers, newest first.
    pub layers: Vec<Layer>,
    /// The new name; or the reason why it may not be given.
    pub tag: Result<Field, String>,
    /// What a push asks for; or the reason why there is none.
    pub push: Result<Vec<Field>, String>,
}

impl ImageShow {
    fn tag_path(&self) -> String {
        paths::ImageTag(&self.id).to_string()
    }

    fn push_path(&self) -> String {
        paths::ImagePush(&self.id).to_string()
    }
}

/// How one of an image's names stands against its registry.
#[derive(Debug, Clone)]
pub struct NameUpdate {
    /// The name, with its tag.
    pub name: String,
    /// How it stands; or why that cannot be known.
    pub mark: Result<UpdateMark, String>,
    /// Asks the registry now; none where there is nothing to ask.
    pub check: Option<Action>,
    /// Brings what the registry has; none when it is here.
    pub pull: Option<Action>,
}

/// One step of an image's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What made it.
    pub command: String,
    /// Size with its unit, empty for a step that changed no file.
    pub size: String,
    /// When, as an age.
    pub created: String,
}
