//! `COPY`, `ADD` and `WORKDIR`: files into the image so far.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_build::context::{Glob, Ignore};
use engine_build::{Source, Transfer, resolve};
use engine_images::Digest;
use engine_storage::{
    AskedPath, FoundKind, GatherOptions, Owner, PackError, PlaceBounds, PlaceError, PlaceOptions,
    Taken, TreeRoot, carry, digest_of, find, gather, is_archive, kind_at, make_directories,
    owner_of, place, remove_links,
};

use super::context::CONTEXT;
use super::executor::Stop;
use super::stage::Stage;
use super::view::View;
use super::{config, fetch};
use crate::records::{BuildDir, write_file};
use crate::services::error::{Result as ServiceResult, ServiceError, chain};
use crate::services::images::HeldLayer;
use crate::tasks::on_own_thread;

const ROOT: Owner = Owner { uid: 0, gid: 0 };
/// How much an archive that is added may bring.
const BOUNDS: PlaceBounds = PlaceBounds {
    bytes_max: 64 << 30,
    entries_max: 2_000_000,
};
/// Things that one source's wildcards may mean.
const MATCHES_MAX: usize = 100_000;

/// Where files come from: a directory of the build, or the image of a stage.
#[derive(Clone)]
pub(super) enum Tree {
    Dir(String),
    View(Arc<View>),
}

impl Tree {
    /// Does something with its root. Blocks.
    pub(super) fn with<T: Send>(
        &self,
        build: &BuildDir,
        work: impl FnOnce(&TreeRoot) -> T + Send,
    ) -> ServiceResult<T> {
        match self {
            Self::Dir(name) => {
                let root = build.open(name);
                let root = root.map_err(ServiceError::failed("open the files to copy"))?;
                Ok(work(&root))
            }
            Self::View(view) => view.read(work),
        }
    }
}

/// One thing that is copied.
struct Piece {
    tree: Tree,
    path: PathBuf,
    kind: PieceKind,
    /// Which source it belongs to.
    source: usize,
    /// Where it lies decides what comes of it: which of several files of one name is the last, or,
    /// with `--parents`, where it goes.
    is_placed: bool,
    digest: Digest,
    /// With `--parents`: how many names of the path are left out at its beginning.
    n_cut: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PieceKind {
    File,
    Directory,
    Archive,
}

/// What is copied, found and read once.
pub(super) struct Prepared {
    verb: &'static str,
    pieces: Vec<Piece>,
}

impl Prepared {
    /// What the key of the step is made of.
    pub(super) fn digests(&self) -> impl Iterator<Item = (String, String)> {
        self.pieces.iter().enumerate().map(|(n, piece)| {
            let name = match piece.is_placed {
                true => piece.path.as_os_str(),
                false => piece.path.file_name().unwrap_or_default(),
            };
            // As the bytes are: two names may look the same.
            let what = format!("{n} {:?} {name:?} of {}", piece.kind, piece.source);
            (what, piece.digest.to_string())
        })
    }
}

/// Finds what is to be copied, and reads it for the step's key.
pub(super) async fn prepare(
    stage: &Stage<'_>,
    asked: &Transfer,
    is_add: bool,
) -> Result<Prepared, Stop> {
    let verb = if is_add { "ADD" } else { "COPY" };
    let from = stage.origin(&asked.from).await?;
    let is_foreign = from.is_some();
    let tree = match &from {
        None => Tree::Dir(CONTEXT.to_owned()),
        Some(draft) => Tree::View(Arc::new(stage.view(draft).await?)),
    };
    let mut sources = Vec::with_capacity(asked.sources.len());
    for source in &asked.sources {
        let mut known = None;
        let (tree, path, unpacks) = match source {
            Source::Path(path) => (tree.clone(), path.clone(), asked.unpack != Some(false)),
            Source::Inline { name, content } => {
                let dir = inline(stage, name, content.as_bytes())?;
                (Tree::Dir(dir), name.clone(), false)
            }
            Source::Url(url) => {
                let fetched = fetch::fetch(stage, url, asked.checksum.as_deref()).await?;
                let unpacks = asked.unpack == Some(true);
                (Tree::Dir(fetched.dir), fetched.name, unpacks)
            }
            Source::Git(url) => {
                let (checksum, keeps_git) = (asked.checksum.as_deref(), asked.keep_git_dir);
                let (dir, commit) = fetch::repository(stage, url, checksum, keeps_git).await?;
                // How git packs what it keeps is not the same twice.
                known = keeps_git.then(|| Digest::of(commit.as_bytes()));
                (Tree::Dir(dir), String::new(), false)
            }
        };
        sources.push((tree, path, unpacks && is_add && !is_foreign, known));
    }
    let dir = Arc::clone(&stage.work.dir);
    let looks_into = Looks {
        verb,
        is_foreign,
        parents: asked.parents,
        exclude: asked.exclude.clone(),
    };
    let pieces = on_own_thread("build read", move || {
        let mut pieces = Vec::new();
        for (n, (tree, path, unpacks, known)) in sources.into_iter().enumerate() {
            let found = tree.with(&dir, |root| looks_into.find(root, &tree, n, &path, unpacks))?;
            pieces.extend(found?.into_iter().map(|piece| Piece {
                digest: known.unwrap_or(piece.digest),
                ..piece
            }));
        }
        Ok::<_, ServiceError>(pieces)
    });
    let pieces = pieces
        .await
        .map_err(ServiceError::failed("read the files to copy"))??;
    if pieces.is_empty() {
        return Err(failed(verb, "no source files were specified"));
    }
    Ok(Prepared { verb, pieces })
}

fn inline(stage: &Stage<'_>, name: &str, content: &[u8]) -> Result<String, Stop> {
    let dir = stage.new_name("inline");
    let root = stage.work.dir.make(&dir);
    let root = root.map_err(ServiceError::failed("make a file of the Dockerfile"))?;
    write_file(&root, Path::new(name), content, 0o644)
        .map_err(ServiceError::failed("make a file of the Dockerfile"))?;
    Ok(dir)
}

/// How sources are looked for.
struct Looks {
    verb: &'static str,
    is_foreign: bool,
    parents: bool,
    exclude: Vec<String>,
}

impl Looks {
    fn find(
        &self,
        root: &TreeRoot,
        tree: &Tree,
        source: usize,
        written: &str,
        unpacks: bool,
    ) -> ServiceResult<Vec<Piece>> {
        let path = resolve("/", written).trim_start_matches('/').to_owned();
        let n_cut = n_cut(written);
        let glob = Glob::new(&path, self.parents)
            .map_err(|error| ServiceError::BadRequest(format!("{} failed: {error}", self.verb)))?;
        let plain = glob.plain();
        let is_placed = self.parents || plain.is_none();
        // Wildcards may mean nothing: `COPY package.json yarn.lock* ./`.
        let paths = match plain {
            Some(path) => vec![PathBuf::from(path.trim_start_matches('/'))],
            None => {
                let fits = |path: &Path| glob.matches(path.as_os_str().as_bytes());
                let may_fit = |path: &Path| glob.may_match_below(path.as_os_str().as_bytes());
                let found = find(root, &fits, &may_fit);
                found.map_err(ServiceError::failed("look through the files to copy"))?
            }
        };
        if paths.len() > MATCHES_MAX {
            let verb = self.verb;
            let message = format!("{verb} failed: {written} means more than {MATCHES_MAX} files");
            return Err(ServiceError::BadRequest(message));
        }
        let pieces = paths.into_iter().map(|path| {
            let kind = self.kind(root, &path, unpacks)?;
            Ok(Piece {
                digest: self.digest(root, &path, kind, n_cut)?,
                tree: tree.clone(),
                path,
                kind,
                source,
                is_placed,
                n_cut,
            })
        });
        pieces.collect()
    }

    fn kind(&self, root: &TreeRoot, path: &Path, unpacks: bool) -> ServiceResult<PieceKind> {
        let shown = path.display();
        let kind = kind_at(root, path);
        let kind = kind.map_err(ServiceError::failed(format!("look at {shown}")))?;
        match kind {
            None if self.is_foreign => Err(ServiceError::BadRequest(format!(
                "{} failed: stat {shown}: file does not exist",
                self.verb
            ))),
            None => Err(ServiceError::BadRequest(format!(
                "{} failed: file not found in build context or excluded by .dockerignore: stat \
                 {shown}: file does not exist",
                self.verb
            ))),
            Some(FoundKind::Directory) => Ok(PieceKind::Directory),
            Some(FoundKind::File) if unpacks => {
                let file = open(root, path)?;
                let is_archive = is_archive(file).map_err(|error| {
                    let why = chain(&error);
                    ServiceError::BadRequest(format!("{} failed: {shown}: {why}", self.verb))
                })?;
                Ok(match is_archive {
                    true => PieceKind::Archive,
                    false => PieceKind::File,
                })
            }
            Some(_) => Ok(PieceKind::File),
        }
    }

    fn digest(
        &self,
        root: &TreeRoot,
        path: &Path,
        kind: PieceKind,
        n_cut: usize,
    ) -> ServiceResult<Digest> {
        let name = match kind {
            PieceKind::Directory => OsString::new(),
            _ => path.file_name().unwrap_or_default().to_owned(),
        };
        let taken = match self.parents {
            true => with_parents(path, n_cut),
            false => vec![Taken::whole(path, name)],
        };
        let ignore = excluded(&self.exclude)?;
        let leaves_out = leaves_out(&ignore);
        let options = GatherOptions {
            leaves_out: Some(&leaves_out),
            ..GatherOptions::default()
        };
        digest_of(root, &taken, options).map_err(ServiceError::failed("read the files to copy"))
    }
}

fn open(root: &TreeRoot, path: &Path) -> ServiceResult<File> {
    root.open_file(path)
        .map_err(ServiceError::failed("read an archive to add"))
}

/// How many names stand before the `/./` of a source.
fn n_cut(written: &str) -> usize {
    match written.rsplit_once("/./") {
        None => 0,
        Some((before, _)) => {
            let before = resolve("/", before);
            before.split('/').filter(|name| !name.is_empty()).count()
        }
    }
}

fn excluded(patterns: &[String]) -> ServiceResult<Ignore> {
    Ignore::of(patterns).map_err(|error| ServiceError::BadRequest(format!("--exclude: {error}")))
}

fn leaves_out(ignore: &Ignore) -> impl Fn(&Path, bool) -> bool + '_ {
    |path, is_directory| {
        let path = path.as_os_str().as_bytes();
        ignore.is_left_out(path) && !(is_directory && ignore.may_keep_below(path))
    }
}

/// Copies what was found on top of the image so far; returns the layer.
pub(super) async fn carry_out(
    stage: &Stage<'_>,
    asked: &Transfer,
    prepared: Prepared,
) -> Result<Option<HeldLayer>, Stop> {
    let view = stage.view(&stage.draft).await?;
    let dir = config::working_dir(&stage.draft.config.config);
    let delivery = Delivery {
        verb: prepared.verb,
        build: Arc::clone(&stage.work.dir),
        is_directory: is_directory(&asked.target) || prepared.pieces.len() > 1,
        target: PathBuf::from(resolve(dir, &asked.target)),
        asked: asked.clone(),
    };
    let (latest, pieces) = (stage.work.epoch, prepared.pieces);
    let view = on_own_thread("build write", move || {
        let done = view.change(|root| delivery.deliver(root, &pieces));
        done?.map(|()| view)
    });
    let view = view
        .await
        .map_err(ServiceError::failed("copy the files"))??;
    crate::faults::point("build.copied");
    let images = &stage.work.builds.images;
    let layer = images.layer(move |target| view.write_layer(latest, target));
    Ok(layer.await?)
}

/// Makes a directory of the image, if it is not there; returns the layer.
pub(super) async fn make_directory(
    stage: &Stage<'_>,
    path: String,
) -> Result<Option<HeldLayer>, Stop> {
    let view = stage.view(&stage.draft).await?;
    let user = stage.draft.config.config.user.clone();
    let view = on_own_thread("build write", move || {
        let done = view.change(|root| {
            // It is whose the programs are. A user that is not there yet comes to nothing here:
            // what runs as that one says so.
            let owner = match user.is_empty() {
                true => None,
                false => owner_of(root, &user),
            };
            make_directories(root, Path::new(&path), owner.unwrap_or(ROOT), None)
        });
        let made = done?.map_err(|error| {
            ServiceError::BadRequest(format!("cannot make the directory {path}: {error}"))
        });
        made.map(|()| view)
    });
    let view = view
        .await
        .map_err(ServiceError::failed("make a directory"))??;
    let (images, latest) = (&stage.work.builds.images, stage.work.epoch);
    let layer = images.layer(move |target| view.write_layer(latest, target));
    Ok(layer.await?)
}

fn is_directory(target: &str) -> bool {
    target.ends_with('/') || target.ends_with("/.") || matches!(target, "." | "..")
}

/// Where things go, and how.
struct Delivery {
    verb: &'static str,
    build: Arc<BuildDir>,
    target: PathBuf,
    is_directory: bool,
    asked: Transfer,
}

impl Delivery {
    fn deliver(&self, root: &TreeRoot, pieces: &[Piece]) -> ServiceResult<()> {
        let owner = self.owner(root)?;
        // With `--link`, what is below is not looked at: a link there is no way to somewhere else.
        let is_directory = self.is_directory
            || !self.asked.link
                && matches!(kind_at(root, &self.target), Ok(Some(FoundKind::Directory)));
        for piece in pieces {
            let (into, taken) = self.names(piece, is_directory);
            if self.asked.link {
                remove_links(root, &into).map_err(ServiceError::failed("replace a link"))?;
            }
            make_directories(root, &into, owner.unwrap_or(ROOT), None).map_err(|error| {
                let into = into.display();
                self.failed(&format!("cannot make the directory {into}: {error}"))
            })?;
            match piece.kind {
                PieceKind::Archive => self.unpack(root, piece, &into, owner)?,
                _ => self.copy(root, piece, &into, &taken, owner)?,
            }
        }
        Ok(())
    }

    /// The directory that a thing goes into, and its names there.
    fn names(&self, piece: &Piece, is_directory: bool) -> (PathBuf, Vec<Taken>) {
        if self.asked.parents {
            return (self.target.clone(), with_parents(&piece.path, piece.n_cut));
        }
        let own = || piece.path.file_name().unwrap_or_default().to_owned();
        match piece.kind {
            PieceKind::Directory | PieceKind::Archive => {
                (self.target.clone(), vec![Taken::whole(&piece.path, "")])
            }
            PieceKind::File if is_directory => {
                (self.target.clone(), vec![Taken::whole(&piece.path, own())])
            }
            PieceKind::File => {
                let above = self.target.parent().unwrap_or(Path::new("/"));
                let name = self.target.file_name().map_or_else(own, ToOwned::to_owned);
                (above.to_owned(), vec![Taken::whole(&piece.path, name)])
            }
        }
    }

    fn owner(&self, root: &TreeRoot) -> ServiceResult<Option<Owner>> {
        let Some(asked) = &self.asked.owner else {
            return Ok(None);
        };
        let is_number = asked.user.bytes().all(|byte| byte.is_ascii_digit());
        let text = match &asked.group {
            Some(group) => format!("{}:{group}", asked.user),
            // Docker's rule: the group has the user's number.
            None if is_number => format!("{0}:{0}", asked.user),
            None => asked.user.clone(),
        };
        let owner = owner_of(root, &text).ok_or_else(|| {
            self.failed(&format!(
                "unable to convert uid/gid chown string to host mapping: can't find uid for user \
                 {text}: no such user or group: {text}"
            ))
        })?;
        Ok(Some(owner))
    }

    fn copy(
        &self,
        root: &TreeRoot,
        piece: &Piece,
        into: &Path,
        taken: &[Taken],
        owner: Option<Owner>,
    ) -> ServiceResult<()> {
        let ignore = excluded(&self.asked.exclude)?;
        let write = |target| {
            let leaves_out = leaves_out(&ignore);
            let mode = self.asked.mode.clone();
            let mode = mode.map(|mode| move |bits, is_directory| mode.apply(bits, is_directory));
            let options = GatherOptions {
                owner,
                mode: mode.as_ref().map(|mode| mode as engine_storage::ModeOf<'_>),
                leaves_out: Some(&leaves_out),
                ..GatherOptions::default()
            };
            piece.tree.with(&self.build, |from| {
                gather(from, taken, options, target).map(drop)
            })
        };
        let read = |source| self.place(root, into, source, None, None);
        let (written, was_read) =
            carry(write, read).map_err(ServiceError::failed("copy the files"))?;
        match written? {
            // Whoever reads has given up, and says why.
            Ok(()) | Err(PackError::Write(_)) => was_read,
            Err(error) => Err(ServiceError::failed("read the files to copy")(error)),
        }
    }

    fn unpack(
        &self,
        root: &TreeRoot,
        piece: &Piece,
        into: &Path,
        owner: Option<Owner>,
    ) -> ServiceResult<()> {
        let opened = piece.tree.with(&self.build, |from| open(from, &piece.path));
        self.place(root, into, opened??, owner, Some(BOUNDS))
    }

    fn place(
        &self,
        root: &TreeRoot,
        into: &Path,
        source: impl Read + Send,
        owner: Option<Owner>,
        bounds: Option<PlaceBounds>,
    ) -> ServiceResult<()> {
        let options = PlaceOptions {
            keep_kinds: !self.asked.link,
            owner,
            map: None,
            bounds,
        };
        let asked = AskedPath::new(&into.to_string_lossy());
        place(root, &asked, source, options).map_err(|error| match &error {
            _ if error.is_full() => ServiceError::failed("copy the files, the disk is full")(error),
            PlaceError::Write { .. } => ServiceError::failed("copy the files")(error),
            _ => self.failed(&chain(&error)),
        })
    }

    fn failed(&self, why: &str) -> ServiceError {
        ServiceError::BadRequest(format!("{} failed: {why}", self.verb))
    }
}

/// The thing by its whole name, and before it the directories that it lies in.
fn with_parents(path: &Path, n_cut: usize) -> Vec<Taken> {
    let name_of = |path: &Path| path.iter().skip(n_cut).collect::<PathBuf>();
    let mut taken: Vec<Taken> = path
        .ancestors()
        .skip(1)
        .filter(|above| !name_of(above).as_os_str().is_empty())
        .map(|above| Taken::bare(above, name_of(above)))
        .collect();
    taken.reverse();
    taken.push(Taken::whole(path, name_of(path)));
    taken
}

fn failed(verb: &str, why: &str) -> Stop {
    Stop::Failed(ServiceError::BadRequest(format!("{verb} failed: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_are_taken_without_what_lies_in_them() {
        let taken = with_parents(Path::new("a/b/c/f"), n_cut("a/./b/c/f"));
        let names: Vec<_> = taken
            .iter()
            .map(|one| one.name.display().to_string())
            .collect();
        assert_eq!(names, ["b", "b/c", "b/c/f"]);
        let bare: Vec<_> = taken.iter().map(|one| one.is_bare).collect();
        assert_eq!(bare, [true, true, false]);
        assert_eq!((n_cut("a/b"), n_cut("./a/./b")), (0, 1));
    }

    #[test]
    fn a_target_with_a_slash_is_a_directory() {
        for target in ["/a/", ".", "./", "a/.", ".."] {
            assert!(is_directory(target), "{target}");
        }
        assert!(!is_directory("/a") && !is_directory("a.b"));
    }
}
