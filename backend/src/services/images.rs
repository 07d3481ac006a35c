//! Images: lists from the index, details from the engine, getting and pushing one as a job.

use std::sync::Arc;

use bytes::Bytes;
use engine_api::images::{HistoryItem, Image, Progress, RemovedItem};
use futures_util::stream::BoxStream;

use super::held::cut_off;
use super::jobs::{self, JobKind, Order, Reporter};
use super::reference::Reference;
use super::registry_auth::{header, said};
use super::upload::{Upload, upload};
use super::{Error, Result, Services, audit, files};
use crate::access::{Permit, image};
use crate::domain::{Credentials, JobId, Rule};
use crate::fleet::{
    ContainerFact, ImageFact, ImageQuery, JsonLines, Page, PullOptions, PushOptions,
};

/// An image with everything that one page about it shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What the index knows.
    pub fact: Arc<ImageFact>,
    /// What the engine knows; `None` while it is away.
    pub detail: Option<Image>,
    /// How it was made, the newest step first; empty while the engine is away.
    pub history: Vec<HistoryItem>,
    /// The containers made of it.
    pub users: Vec<Arc<ContainerFact>>,
}

/// What to pull.
#[derive(Clone, Debug)]
pub struct PullRequest {
    /// The image.
    pub reference: Reference,
    /// As `linux/arm64`; the host's own when none is chosen.
    pub platform: Option<String>,
    /// A name and a password at the registry, when it wants some.
    pub credentials: Option<Credentials>,
}

/// Returns a page of the list.
pub fn list(
    services: &Services,
    _permit: &Permit<image::List>,
    query: &ImageQuery,
) -> Page<ImageFact> {
    services.index().images(query)
}

/// Returns one image. While the engine is away the index alone answers.
///
/// # Errors
/// [`Error::NotFound`] when it is gone.
pub async fn show(services: &Services, permit: &Permit<image::View>) -> Result<Shown> {
    let id = &permit.place().id;
    let fact = services
        .index()
        .find_image(id.as_str())
        .ok_or(Error::NotFound { kind: "image" })?;
    let client = services.link().client(permit);
    let both = tokio::try_join!(client.image(id.as_str()), client.image_history(id.as_str()));
    let (detail, history) = match both {
        Ok((detail, history)) => (Some(detail), history),
        Err(error) if error.is_unreachable() => (None, Vec::new()),
        Err(error) => return Err(of_image(error.into())),
    };
    Ok(Shown {
        fact,
        detail,
        history,
        users: services.index().users_of(id),
    })
}

/// Begins to pull an image; one's own pull of the same one that goes on already is joined.
///
/// # Errors
/// When too many jobs go on.
pub async fn pull(
    services: &Services,
    permit: &Permit<image::Pull>,
    request: PullRequest,
) -> Result<JobId> {
    let subject = match &request.platform {
        Some(platform) => format!("{} ({platform})", request.reference),
        None => request.reference.to_string(),
    };
    // Credentials were typed to be used: a pull that goes on without them is another one.
    let typed = request.credentials.as_ref();
    let may_join = typed.is_none_or(|credentials| credentials.is_kept);
    let client = services.link().client(permit);
    let auth = request
        .credentials
        .as_ref()
        .map(|credentials| header(request.reference.registry(), credentials));
    let options = PullOptions {
        image: request.reference.name().to_owned(),
        tag: request.reference.version().to_owned(),
        platform: request.platform,
        auth: auth.transpose()?,
    };
    let order = Order {
        kind: JobKind::Pull,
        host: permit.place().host.clone(),
        detail: subject.clone(),
        subject,
        may_join,
        work: |reporter: Reporter| async move {
            let pull =
                async { follow(client.pull_image(&options).await.map_err(said)?, &reporter).await };
            reporter.cut(pull).await
        },
    };
    jobs::begin(services, permit, order).await
}

/// What to push.
#[derive(Clone, Debug)]
pub struct PushRequest {
    /// A name that the image has, with its tag: it says where.
    pub reference: Reference,
    /// A name and a password at the registry, when it wants some.
    pub credentials: Option<Credentials>,
}

/// Begins to push an image under one of its names.
///
/// # Errors
/// When the image has no such name, or too many jobs go on.
pub async fn push(
    services: &Services,
    permit: &Permit<image::Push>,
    request: PushRequest,
) -> Result<JobId> {
    let place = permit.place();
    let fact = services.index().find_image(place.id.as_str());
    let subject = request.reference.to_string();
    if !fact.is_some_and(|fact| fact.tags.contains(&subject)) {
        return Err(Error::field("push", Rule::Choice));
    }
    let client = services.link().client(permit);
    let auth = request
        .credentials
        .as_ref()
        .map(|credentials| header(request.reference.registry(), credentials));
    let options = PushOptions {
        image: request.reference.name().to_owned(),
        tag: request.reference.version().to_owned(),
        auth: auth.transpose()?,
    };
    let order = Order {
        kind: JobKind::Push,
        host: place.host.clone(),
        detail: subject.clone(),
        subject,
        // The name may be another image's by now.
        may_join: false,
        work: |reporter: Reporter| async move {
            let push =
                async { follow(client.push_image(&options).await.map_err(said)?, &reporter).await };
            reporter.cut(push).await
        },
    };
    jobs::begin(services, permit, order).await
}

/// Begins to load the images of an archive, which follows piece by piece.
///
/// # Errors
/// When too many jobs go on.
pub async fn load(
    services: &Services,
    permit: &Permit<image::Load>,
    file_name: &str,
) -> Result<(JobId, Upload)> {
    let client = services.link().client(permit);
    let (upload, archive) = upload();
    let subject: String = file_name
        .chars()
        .filter(|c| !c.is_control())
        .take(120)
        .collect();
    let order = Order {
        kind: JobKind::Load,
        host: permit.place().host.clone(),
        detail: subject.clone(),
        subject,
        may_join: false,
        work: |reporter: Reporter| async move {
            let load = async { follow(client.load_images(archive).await?, &reporter).await };
            reporter.cut(load).await
        },
    };
    let job = jobs::begin(services, permit, order).await?;
    Ok((job, upload))
}

/// Reports the engine's lines until there are no more, or one says that it failed.
async fn follow(mut lines: JsonLines<Progress>, reporter: &Reporter) -> Result<()> {
    while let Some(line) = lines.next().await? {
        reporter.report(&line)?;
    }
    Ok(())
}

/// Gives an image one more name.
///
/// # Errors
/// When it is gone, or the name has a digest instead of a tag.
pub async fn tag(
    services: &Services,
    permit: &Permit<image::Tag>,
    reference: Reference,
) -> Result<()> {
    if reference.has_digest() {
        return Err(Error::field("reference", Rule::ImageName));
    }
    let client = services.link().client(permit);
    let id = permit.place().id.clone();
    audit::bracket(services, permit, format!("as={reference}"), async move {
        let done = client
            .tag_image(id.as_str(), reference.name(), reference.version())
            .await;
        done.map_err(|error| of_image(error.into()))
    })
    .await
}

/// Takes a name from an image or, without one, the image with all its names.
///
/// # Errors
/// When it is gone, the name is not its own, or a container uses it.
pub async fn remove(
    services: &Services,
    permit: &Permit<image::Remove>,
    tag: Option<String>,
    force: bool,
) -> Result<Vec<RemovedItem>> {
    let fact = services.index().find_image(permit.place().id.as_str());
    let is_own = |tag: &String| fact.as_ref().is_some_and(|fact| fact.tags.contains(tag));
    if tag.as_ref().is_some_and(|tag| !is_own(tag)) {
        return Err(Error::field("tag", Rule::Choice));
    }
    // An image with several names goes by its id only by force; that is not asked for here, because
    // the page that asks has shown all the names.
    let has_names = fact.as_ref().is_some_and(|fact| fact.tags.len() > 1);
    let force = force || (tag.is_none() && has_names);
    let name = tag.clone().unwrap_or_else(|| permit.place().id.to_string());
    let client = services.link().client(permit);
    let detail = format!("tag={} force={force}", tag.as_deref().unwrap_or("all"));
    audit::bracket(services, permit, detail, async move {
        client
            .remove_image(&name, force)
            .await
            .map_err(|error| of_image(error.into()))
    })
    .await
}

/// Begins to take an image away, as an archive that names it as it is named here.
///
/// # Errors
/// When it is gone, or the engine is away.
pub async fn save(
    services: &Services,
    permit: &Permit<image::Save>,
) -> Result<BoxStream<'static, std::io::Result<Bytes>>> {
    let id = permit.place().id.clone();
    let fact = services.index().find_image(id.as_str());
    let fact = fact.ok_or(Error::NotFound { kind: "image" })?;
    let client = services.link().client(permit);
    let archive = audit::bracket(services, permit, String::new(), async move {
        let mut names: Vec<&str> = fact.tags.iter().map(String::as_str).collect();
        if names.is_empty() {
            names.push(fact.id.as_str());
        }
        let archive = client.save_images(&names).await;
        archive.map_err(|error| of_image(error.into()))
    });
    let pieces = files::pieces(files::Source::Archive(archive.await?));
    Ok(Box::pin(cut_off(pieces, permit.revoked())))
}

fn of_image(error: Error) -> Error {
    match error {
        Error::NotFound { .. } => Error::NotFound { kind: "image" },
        other => other,
    }
}
