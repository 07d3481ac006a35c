//! Names given and taken away, and images removed, by Docker's rules.

use std::sync::Arc;

use engine_api::images::RemovedItem;
use engine_images::{Digest, Image, Names, Reference};

use super::service::Images;
use crate::services::error::{Result, ServiceError};
use crate::tasks::blocking;

/// A container that is made of an image.
#[derive(Debug, Clone)]
pub(crate) struct ImageUse {
    pub container_id: String,
    /// `sha256:…`
    pub image_id: String,
    pub running: bool,
}

/// What a removal comes to.
#[derive(Debug, PartialEq, Eq)]
enum Plan {
    /// Names go, the image stays.
    Untag(Vec<Reference>),
    /// The image goes, and all its names.
    Remove,
}

impl Images {
    /// Gives an image a further name.
    ///
    /// # Errors
    /// When the image is not here or the name is malformed.
    pub(crate) async fn tag(&self, name: &str, repo: &str, tag: Option<&str>) -> Result<()> {
        let image = self.find(name)?;
        let bad =
            |error: engine_images::MalformedReference| ServiceError::BadRequest(error.to_string());
        let given: Reference = repo.parse().map_err(bad)?;
        if given.digest().is_some() {
            let reason = "refusing to create a tag with a digest reference".to_owned();
            return Err(ServiceError::BadRequest(reason));
        }
        let given = match tag {
            Some(tag) => given.with_tag(tag).map_err(bad)?,
            None => given.or_latest(),
        };
        let (store, id, new_name) = (self.store.clone(), image.id, given.clone());
        let is_tagged = blocking(move || store.tag(id, &new_name))
            .await
            .map_err(ServiceError::failed("tag the image"))?;
        if !is_tagged {
            return Err(ServiceError::NoSuchImage(id.to_string()));
        }
        self.publish("tag", image.id.to_string(), &given.familiar(), &image);
        Ok(())
    }

    /// Takes a name away, and removes the image with its last one, unless `uses` forbid it.
    ///
    /// # Errors
    /// A conflict, in Docker's words, when something uses the image.
    pub(crate) async fn remove(
        &self,
        name: &str,
        force: bool,
        uses: &[ImageUse],
    ) -> Result<Vec<RemovedItem>> {
        let image = self.find(name)?;
        let names = self.store.names_of(image.id);
        let given = name.parse::<Reference>().ok().map(Reference::or_latest);
        let given = given.filter(|given| self.store.named(given).is_some());
        let plan = plan(&image, given.as_ref(), &names, force, uses)?;
        match plan {
            Plan::Untag(names) => self.untag(&image, names).await,
            Plan::Remove => self.remove_whole(&image).await,
        }
    }

    async fn untag(&self, image: &Image, names: Vec<Reference>) -> Result<Vec<RemovedItem>> {
        let (store, gone) = (self.store.clone(), names.clone());
        blocking(move || gone.iter().try_for_each(|name| store.untag(name)))
            .await
            .map_err(ServiceError::failed("untag the image"))?;
        Ok(names
            .iter()
            .map(|name| self.untagged(image, name))
            .collect())
    }

    async fn remove_whole(&self, image: &Arc<Image>) -> Result<Vec<RemovedItem>> {
        let (store, id) = (self.store.clone(), image.id);
        let removed = blocking(move || store.remove(id))
            .await
            .map_err(ServiceError::failed("remove the image"))?;
        self.sweep_layers().await;

        let mut items: Vec<_> = removed
            .untagged
            .iter()
            .map(|name| self.untagged(image, name))
            .collect();
        if let Some(id) = removed.deleted {
            self.publish("delete", id.to_string(), &id.to_string(), image);
            items.push(deleted(id));
        }
        Ok(items)
    }

    fn untagged(&self, image: &Image, name: &Reference) -> RemovedItem {
        let name = name.familiar();
        self.publish("untag", image.id.to_string(), &name, image);
        RemovedItem {
            untagged: Some(name),
            deleted: None,
        }
    }
}

fn deleted(id: Digest) -> RemovedItem {
    RemovedItem {
        untagged: None,
        deleted: Some(id.to_string()),
    }
}

/// Decides what is removed. `given` is the name it was asked by, if it was asked by a name.
///
/// An image that a running container is made of stays, whatever is forced; by force it loses its
/// names. One that only stopped containers are made of goes by force: their layers are held.
fn plan(
    image: &Image,
    given: Option<&Reference>,
    names: &Names,
    force: bool,
    uses: &[ImageUse],
) -> Result<Plan> {
    let id = image.id.to_string();
    let used = uses.iter().filter(|used| used.image_id == id);
    let used = used.max_by_key(|used| used.running);
    let Some(given) = given else {
        return plan_by_id(image, names, force, used);
    };
    let is_other_tag = |tag: &&Reference| *tag != given;
    let others: Vec<_> = names.tags.iter().filter(is_other_tag).collect();
    let is_last = match given.digest() {
        None => others.is_empty(),
        Some(_) => names.tags.is_empty() && names.digests.len() == 1,
    };
    if !is_last {
        let mut gone = vec![given.clone()];
        // The digests of a repository go with its last tag.
        let bare = given.bare();
        if given.digest().is_none() && !others.iter().any(|tag| tag.bare() == bare) {
            gone.extend(
                names
                    .digests
                    .iter()
                    .filter(|name| name.bare() == bare)
                    .cloned(),
            );
        }
        return Ok(Plan::Untag(gone));
    }
    match used {
        None => Ok(Plan::Remove),
        Some(used) if force && !used.running => Ok(Plan::Remove),
        Some(_) if force => Ok(Plan::Untag(
            names.tags.iter().chain(&names.digests).cloned().collect(),
        )),
        Some(used) => Err(ServiceError::Conflict(format!(
            "conflict: unable to remove repository reference \"{}\" (must force) - container {} \
             is using its referenced image {}",
            given.familiar(),
            short(&used.container_id),
            image.id.short(),
        ))),
    }
}

fn plan_by_id(image: &Image, names: &Names, force: bool, used: Option<&ImageUse>) -> Result<Plan> {
    let conflict = |how: &str, why: String| {
        let id = image.id.short();
        Err(ServiceError::Conflict(format!(
            "conflict: unable to delete {id} ({how}) - {why}"
        )))
    };
    if let Some(used) = used {
        let container = short(&used.container_id);
        if used.running {
            let why = format!("image is being used by running container {container}");
            return conflict("cannot be forced", why);
        }
        if !force {
            let why = format!("image is being used by stopped container {container}");
            return conflict("must be forced", why);
        }
        return Ok(Plan::Remove);
    }
    let mut repositories: Vec<_> = names.tags.iter().map(Reference::bare).collect();
    repositories.dedup();
    if repositories.len() > 1 && !force {
        let why = "image is referenced in multiple repositories".to_owned();
        return conflict("must be forced", why);
    }
    Ok(Plan::Remove)
}

fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use engine_images::ImageConfig;

    use super::*;

    fn image() -> Image {
        let id = Digest::of(b"image");
        Image {
            id,
            manifest: id,
            config: ImageConfig::default(),
            layers: Vec::new(),
            added_unix_ns: 0,
        }
    }

    fn names(tags: &[&str], digests: &[&str]) -> Names {
        let digest = Digest::of(b"manifest");
        Names {
            tags: tags.iter().map(|name| name.parse().unwrap()).collect(),
            digests: digests
                .iter()
                .map(|name| name.parse::<Reference>().unwrap().with_digest(digest))
                .collect(),
        }
    }

    fn uses(running: bool) -> Vec<ImageUse> {
        let container_id = "c".repeat(64);
        vec![ImageUse {
            container_id,
            image_id: image().id.to_string(),
            running,
        }]
    }

    fn check(given: &str, names: &Names, force: bool, uses: &[ImageUse]) -> String {
        let given = (given != "id").then(|| given.parse().unwrap());
        match plan(&image(), given.as_ref(), names, force, uses) {
            Ok(Plan::Remove) => "removed".to_owned(),
            Ok(Plan::Untag(names)) => {
                let names: Vec<_> = names.iter().map(Reference::familiar_name).collect();
                format!("untagged {}", names.join(" "))
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_last_name_takes_the_image_along() {
        let one = names(&["a:1"], &["a"]);
        assert_eq!(check("a:1", &one, false, &[]), "removed");
        assert_eq!(check("id", &one, false, &[]), "removed");
        let two = names(&["a:1", "b:1"], &["a", "b"]);
        assert_eq!(check("a:1", &two, false, &[]), "untagged a a");
        let same = names(&["a:1", "a:2"], &["a"]);
        assert_eq!(check("a:1", &same, false, &[]), "untagged a");
        assert_eq!(check("id", &same, false, &[]), "removed");
    }

    #[test]
    fn several_repositories_need_force() {
        let two = names(&["a:1", "b:1"], &[]);
        assert!(check("id", &two, false, &[]).contains("multiple repositories"));
        assert_eq!(check("id", &two, true, &[]), "removed");
    }

    #[test]
    fn an_image_in_use_stays() {
        let one = names(&["a:1"], &[]);
        let running = check("id", &one, true, &uses(true));
        assert!(
            running.contains("cannot be forced") && running.contains("running"),
            "{running}"
        );
        assert!(check("id", &one, false, &uses(false)).contains("stopped container cccccccccccc"));
        assert!(check("a:1", &one, false, &uses(true)).contains("(must force) - container"));
        assert_eq!(check("a:1", &one, true, &uses(true)), "untagged a");
    }

    #[test]
    fn an_image_of_stopped_containers_goes_by_force() {
        let one = names(&["a:1"], &[]);
        assert_eq!(check("id", &one, true, &uses(false)), "removed");
        assert_eq!(check("a:1", &one, true, &uses(false)), "removed");
        let two = names(&["a:1", "b:1"], &[]);
        assert_eq!(check("a:1", &two, true, &uses(false)), "untagged a");
    }
}
