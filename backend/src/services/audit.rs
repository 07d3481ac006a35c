//! The audit bracket: an entry before each change, its result after; and reading it back.

use std::future::Future;

use super::{Error, Result, Services, refusals};
use crate::access::{Actor, Effect, Permission, Permit, Reach, Refused, audit};
use crate::domain::{AuditActor, AuditEntry, AuditRecord, Outcome, Place, PlaceRef};
use crate::store::audit as rows;
pub use crate::store::audit::Filter;

/// Entries a page.
pub const PAGE_ROWS: u32 = 50;

/// Makes a change between two entries: one before, one with its result.
///
/// The change runs in a task of its own, so that a browser that goes away in the middle of it can
/// leave neither half of it nor an entry without an end.
pub(super) async fn bracket<P, T, W>(
    services: &Services,
    permit: &Permit<P>,
    detail: String,
    work: W,
) -> Result<T>
where
    P: Permission,
    T: Send + 'static,
    W: Future<Output = Result<T>> + Send + 'static,
{
    let begun = entry(services, permit, Outcome::Begun, detail);
    let services_of_task = services.clone();
    // The entry too is written by the task: a request that is dropped between the two would leave
    // an entry that nobody ends.
    let task = services.tasks().finish("change", async move {
        let number = write(&services_of_task, &begun)
            .await
            .map_err(Error::Audit)?;
        let result = work.await;
        complete(&services_of_task, number, begun, result.as_ref().err()).await;
        result
    });
    task.await
        .unwrap_or_else(|error| Err(Error::Internal(error.into())))
}

/// Begins an entry for work that goes on after the request; [`complete`] ends it.
pub async fn begin<P: Permission>(
    services: &Services,
    permit: &Permit<P>,
    detail: String,
) -> Result<(i64, AuditEntry)> {
    open(services, entry(services, permit, Outcome::Begun, detail)).await
}

/// Writes the beginning of work that its own task ends; only such a task may call it, for whoever is
/// dropped between this and [`complete`] leaves an entry without an end.
pub(super) async fn open(services: &Services, begun: AuditEntry) -> Result<(i64, AuditEntry)> {
    let number = write(services, &begun).await.map_err(Error::Audit)?;
    Ok((number, begun))
}

/// Writes the end of an entry.
pub async fn complete(
    services: &Services,
    number: i64,
    begun: AuditEntry,
    failure: Option<&Error>,
) {
    if let Some(error @ Error::Internal(_)) = failure {
        let error = crate::errors::chain(error);
        tracing::error!(error, number, "a change failed");
    }
    let end = AuditEntry {
        at: services.clock().now(),
        outcome: if failure.is_some() {
            Outcome::Failed
        } else {
            Outcome::Done
        },
        detail: failure.map(Error::noted).unwrap_or_default(),
        ..begun
    };
    let written = async {
        let write = services.store().write().await?;
        write.commit_end_of(number, &end).await
    };
    if let Err(error) = written.await {
        let error = crate::errors::chain(&error);
        tracing::error!(
            error,
            number,
            "the end of an audit entry could not be written"
        );
    }
}

/// Returns the entry of a permit's use, for a change that commits it itself.
pub(super) fn entry<P: Permission>(
    services: &Services,
    permit: &Permit<P>,
    outcome: Outcome,
    detail: String,
) -> AuditEntry {
    AuditEntry {
        at: services.clock().now(),
        actor: permit.actor().audit(),
        address: Some(permit.actor().address),
        request: Some(permit.actor().request.clone()),
        action: P::ID.name(),
        place: permit.place().describe(),
        outcome,
        detail,
    }
}

async fn write(
    services: &Services,
    entry: &AuditEntry,
) -> std::result::Result<i64, crate::store::StoreError> {
    services.store().write().await?.commit(entry).await
}

/// Notes that somebody asked for a change that is not theirs to make. Looking without the right is
/// not noted: it changes nothing, and a page may ask for much.
///
/// # Errors
/// When the entry cannot be written.
pub async fn refused(services: &Services, actor: &Actor, refused: &Refused) -> Result<()> {
    let row = refused.permission.row();
    if row.effect == Effect::Read {
        return Ok(());
    }
    let entry = AuditEntry {
        at: services.clock().now(),
        actor: actor.audit(),
        address: Some(actor.address),
        request: Some(actor.request.clone()),
        action: row.name,
        place: refused.place.clone(),
        outcome: Outcome::Refused,
        detail: String::new(),
    };
    refusals::note(services, entry).await
}

/// Returns a page of entries, the newest first: one's own, or everybody's for those who may.
///
/// # Errors
/// When the database fails.
pub async fn list(
    services: &Services,
    permit: &Permit<audit::View>,
    mut filter: Filter,
    before: Option<i64>,
) -> Result<Vec<AuditRecord>> {
    if permit.reach() == Reach::Own {
        filter.account = Some(permit.actor().account.id.clone());
    }
    let mut read = services.store().read().await?;
    Ok(rows::list(&mut read, &filter, before, PAGE_ROWS).await?)
}

/// Writes the newest entry's number and hash to the log, which may be kept on another machine: the
/// database alone cannot show that somebody with the file made all of it anew.
///
/// # Errors
/// When the database fails.
pub async fn note_head(services: &Services) -> Result<()> {
    let head = rows::head(&mut services.store().read().await?).await?;
    tracing::info!(number = head.number, hash = head.hash, "the audit's head");
    Ok(())
}

/// Ends the entries that a crash of the server left open.
///
/// # Errors
/// When the database fails.
pub async fn end_interrupted(services: &Services) -> Result<usize> {
    let open = rows::open_ended(&mut services.store().read().await?).await?;
    for number in &open {
        let end = AuditEntry {
            at: services.clock().now(),
            actor: AuditActor::Server,
            address: None,
            request: None,
            action: "server.start",
            place: PlaceRef {
                kind: "server",
                id: String::new(),
                name: String::new(),
            },
            outcome: Outcome::Interrupted,
            // The outcome has its word.
            detail: String::new(),
        };
        services
            .store()
            .write()
            .await?
            .commit_end_of(*number, &end)
            .await?;
    }
    Ok(open.len())
}
