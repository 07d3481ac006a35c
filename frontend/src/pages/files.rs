//! The files of a container: a directory, one file, and what differs from the image.

use askama::Template;

use crate::parts::{ContainerHeader, Fact, FileRow, FileWay};
use crate::shell::Shell;
use crate::ui::{Action, Badge, Column, Empty, Field, Filter, Notice, Pager};

/// A directory.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_files.html")]
pub struct ContainerFiles {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// The way to it.
    pub way: FileWay,
    /// What can be done with all of it.
    pub actions: Vec<Action>,
    /// How files come in, where they may.
    pub entrance: Option<Entrance>,
    /// What stands in the way of changing it, and what else is to be known.
    pub notices: Vec<Notice>,
    /// The filter field.
    pub filter: Filter,
    /// The column heads.
    pub columns: Vec<Column>,
    /// Where the directory above is opened; none for the root.
    pub above: Option<String>,
    /// A page of what is in it.
    pub rows: Vec<FileRow>,
    /// Where one is.
    pub pager: Pager,
    /// Shown when there is nothing to list.
    pub empty: Option<Empty>,
}

/// How files come into a directory.
#[derive(Debug, Clone)]
pub struct Entrance {
    /// Where a form sends files to.
    pub upload: String,
    /// Where a script sends each file to.
    pub put: String,
    /// Where a new folder is asked for.
    pub folder: String,
    /// The fields of the upload.
    pub upload_fields: Vec<Field>,
    /// The fields of the new folder.
    pub folder_fields: Vec<Field>,
    /// Which of the two forms is open.
    pub open: &'static str,
}

impl ContainerFiles {
    fn drop_words(&self) -> String {
        self.shell.words.json(&[
            "cancel",
            "upload-replace",
            "upload-waits",
            "upload-done",
            "upload-cancelled",
            "upload-failed",
            "upload-folder",
            "upload-all",
        ])
    }
}

/// One file.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_file.html")]
pub struct ContainerFile {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// The way to it.
    pub way: FileWay,
    /// What can be done with it.
    pub actions: Vec<Action>,
    /// Its length, bits, owner.
    pub facts: Vec<Fact>,
    /// Why it is not shown, or not edited.
    pub notices: Vec<Notice>,
    /// What it holds.
    pub body: FileBody,
}

/// What a page shows of a file.
#[derive(Debug, Clone)]
pub enum FileBody {
    /// Nothing: the notice says why.
    Nothing,
    /// Its text.
    Text(String),
    /// Its text to be edited.
    Editor(Editor),
}

/// A text that is edited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Editor {
    /// Where it is sent to.
    pub path: String,
    /// What is typed.
    pub text: String,
    /// What tells the content that was read from any other.
    pub digest: String,
    /// The same of the content that is there now, when somebody else has written it.
    pub over: Option<String>,
    /// Back to the text as it is.
    pub back: String,
}

/// What differs from the image.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/container_changes.html")]
pub struct ContainerChanges {
    /// The frame.
    pub shell: Shell,
    /// The head.
    pub header: ContainerHeader,
    /// The filter field.
    pub filter: Filter,
    /// A page of the paths.
    pub rows: Vec<ChangeRow>,
    /// Where one is.
    pub pager: Pager,
    /// Shown when there are none.
    pub empty: Option<Empty>,
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRow {
    /// How.
    pub kind: Badge,
    /// The directories before its name, fit to be shown.
    pub before: String,
    /// Its name.
    pub name: String,
    /// Where it is opened; empty when it is gone.
    pub path: String,
}
