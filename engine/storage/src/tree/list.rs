//! The names of one directory, a part of them at a time: what a person looks through.
//!
//! A directory may hold more names than anybody reads, and go on growing while it is read. So names
//! are counted up to a limit, ordered, and only those that were asked for are kept with their facts.

use std::cmp::{Ordering, Reverse};
use std::ffi::OsString;

use engine_sys::SysError;
use engine_sys::dir::{Dir, Entry, FileType, Metadata};
use engine_sys::path::Root;
use engine_sys::pinned::Listing;

use super::locate::{AskedPath, FoundKind, LocateError};

/// Names of one directory that are looked through.
const NAMES_MAX: usize = 200_000;
/// Names that are read or looked at between two questions whether anybody still waits.
const STEP: usize = 1_024;

/// What is wanted of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only names with this in them, whether small letters or capitals.
    pub filter: String,
    /// In which order; directories are always first.
    pub order: ListOrder,
    /// The other way round.
    pub is_descending: bool,
    /// How many to leave out at the beginning.
    pub skip: usize,
    /// How many at most.
    pub limit: usize,
}

/// The order of a listing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListOrder {
    /// By name.
    #[default]
    Name,
    /// By length.
    Size,
    /// By the last change of the content.
    Modified,
}

/// A directory and some of what lies in it.
#[derive(Debug)]
pub struct Listed {
    /// The facts of the directory.
    pub metadata: Metadata,
    /// The mount it was reached by lets nothing be written.
    pub is_on_readonly_mount: bool,
    /// It lies in the container's own root and not on something mounted there.
    pub is_of_root: bool,
    /// How many names fit the filter.
    pub n_matching: usize,
    /// There are more names than were looked through.
    pub is_cut: bool,
    /// Those that were asked for.
    pub entries: Vec<ListedEntry>,
}

/// One name and its facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    /// The name.
    pub name: OsString,
    /// What it is.
    pub kind: FoundKind,
    /// Its facts; a link is a link.
    pub metadata: Metadata,
    /// The text of a link.
    pub link: Option<OsString>,
}

/// Lists the directory that `asked` means below `root`, links followed; nothing in it is opened.
/// Returns early with what it has when `is_given_up` says that nobody waits any more.
///
/// # Errors
/// See [`LocateError`].
pub fn list(
    root: &Root,
    asked: &AskedPath,
    query: &ListQuery,
    is_given_up: impl Fn() -> bool,
) -> Result<Listed, LocateError> {
    let failed = |source| asked.failed(source);
    let pinned = asked.open_dir(root)?;
    let metadata = pinned.metadata().map_err(failed)?;
    let top = root.dir().own_metadata().map_err(failed)?;
    let is_on_readonly_mount = pinned.is_on_readonly_mount().map_err(failed)?;
    let dir = pinned.into_dir().map_err(failed)?;
    let (names, is_cut) = names(&dir, &query.filter, &is_given_up).map_err(failed)?;
    let n_matching = names.len();
    let names = ordered(&dir, names, query, &is_given_up);
    let wanted = names.into_iter().skip(query.skip).take(query.limit);
    Ok(Listed {
        metadata,
        is_on_readonly_mount,
        is_of_root: metadata.file_system == top.file_system,
        n_matching,
        is_cut,
        entries: wanted.filter_map(|name| entry(&dir, name)).collect(),
    })
}

/// The names that fit, with what they are; and whether there are more than were read.
fn names(
    dir: &Dir,
    filter: &str,
    is_given_up: &impl Fn() -> bool,
) -> Result<(Vec<Entry>, bool), SysError> {
    let filter = filter.to_lowercase();
    let fits = |entry: &Entry| {
        filter.is_empty()
            || entry
                .name
                .to_string_lossy()
                .to_lowercase()
                .contains(&filter)
    };
    let mut listing = Listing::of(dir)?;
    let (mut names, mut n_read) = (Vec::new(), 0);
    loop {
        let piece = listing.next_entries(STEP)?;
        if piece.is_empty() {
            return Ok((names, false));
        }
        n_read += piece.len();
        names.extend(piece.into_iter().filter(fits));
        if n_read >= NAMES_MAX || is_given_up() {
            return Ok((names, true));
        }
    }
}

/// Puts the names in their order. What goes meanwhile counts as empty and is left out later.
fn ordered(
    dir: &Dir,
    names: Vec<Entry>,
    query: &ListQuery,
    is_given_up: &impl Fn() -> bool,
) -> Vec<OsString> {
    let looks = query.order != ListOrder::Name;
    let mut keyed = Vec::with_capacity(names.len());
    for (at, entry) in names.into_iter().enumerate() {
        if at % STEP == 0 && is_given_up() {
            break;
        }
        let must_look = looks || entry.kind == FileType::Unknown;
        let metadata = must_look.then(|| dir.metadata(&entry.name).ok()).flatten();
        let kind = metadata.map_or(entry.kind, |metadata| metadata.kind);
        let key = match (query.order, metadata) {
            (ListOrder::Size, Some(metadata)) => (i128::from(metadata.size_bytes), 0),
            (ListOrder::Modified, Some(metadata)) => {
                (i128::from(metadata.modified.0), metadata.modified.1)
            }
            _ => (0, 0),
        };
        keyed.push((kind != FileType::Directory, key, entry.name));
    }
    keyed.sort_unstable_by(|one, other| compare(one, other, query.is_descending));
    keyed.into_iter().map(|(.., name)| name).collect()
}

type Keyed = (bool, (i128, u32), OsString);

fn compare(one: &Keyed, other: &Keyed, is_descending: bool) -> Ordering {
    let within = if is_descending {
        (Reverse(one.1), Reverse(&one.2)).cmp(&(Reverse(other.1), Reverse(&other.2)))
    } else {
        (one.1, &one.2).cmp(&(other.1, &other.2))
    };
    one.0.cmp(&other.0).then(within)
}

/// The facts of a name; none when it has gone.
fn entry(dir: &Dir, name: OsString) -> Option<ListedEntry> {
    let metadata = dir.metadata(&name).ok()?;
    let kind = FoundKind::of(&metadata);
    let link = match kind {
        FoundKind::Symlink => dir.read_link(&name).ok(),
        _ => None,
    };
    Some(ListedEntry {
        name,
        kind,
        metadata,
        link,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new() -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            fs::create_dir(tree.0.path().join("sub")).unwrap();
            for (name, n_bytes) in [("b", 3), ("a", 5), ("C", 1)] {
                fs::write(tree.0.path().join(name), vec![b'x'; n_bytes]).unwrap();
            }
            tree
        }

        fn list(&self, query: &ListQuery) -> (Vec<String>, usize) {
            let root = Root::open(self.0.path()).unwrap();
            let listed = list(&root, &AskedPath::new("/"), query, || false).unwrap();
            let names = listed.entries.iter();
            let names = names.map(|entry| entry.name.to_string_lossy().into_owned());
            (names.collect(), listed.n_matching)
        }
    }

    fn query() -> ListQuery {
        ListQuery {
            limit: 100,
            ..ListQuery::default()
        }
    }

    #[test]
    fn directories_are_first_in_every_order() {
        let tree = Tree::new();
        let by = |order, is_descending| {
            let query = ListQuery {
                order,
                is_descending,
                ..query()
            };
            tree.list(&query).0
        };
        assert_eq!(by(ListOrder::Name, false), ["sub", "C", "a", "b"]);
        assert_eq!(by(ListOrder::Name, true), ["sub", "b", "a", "C"]);
        assert_eq!(by(ListOrder::Size, true), ["sub", "a", "b", "C"]);
        assert_eq!(by(ListOrder::Size, false), ["sub", "C", "b", "a"]);
    }

    #[test]
    fn a_part_is_taken_and_the_rest_counted() {
        let tree = Tree::new();
        let part = ListQuery {
            skip: 1,
            limit: 2,
            ..query()
        };
        assert_eq!(tree.list(&part), (vec!["C".to_owned(), "a".to_owned()], 4));
        let filtered = ListQuery {
            filter: "c".to_owned(),
            ..query()
        };
        assert_eq!(tree.list(&filtered), (vec!["C".to_owned()], 1));
    }

    #[test]
    fn names_are_told_whatever_bytes_they_are() {
        let tree = Tree::new();
        let odd = OsString::from_vec(b"\xff\n<b>".to_vec());
        fs::write(tree.0.path().join(&odd), "").unwrap();
        let root = Root::open(tree.0.path()).unwrap();
        let listed = list(&root, &AskedPath::new("/."), &query(), || false).unwrap();
        assert_eq!(listed.entries.last().unwrap().name, odd);
        assert!(listed.is_of_root && !listed.is_cut);
    }

    #[test]
    fn whoever_gave_up_gets_what_there_is() {
        let tree = Tree::new();
        let root = Root::open(tree.0.path()).unwrap();
        let listed = list(&root, &AskedPath::new("/"), &query(), || true).unwrap();
        assert!(listed.is_cut && listed.entries.is_empty());
    }
}
