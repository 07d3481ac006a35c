//! The way back, which may be walked any number of times, and who walks it after a crash.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::{AuditActor, AuditEntry, Outcome, PlaceRef};
use crate::fleet::{ClientError, EngineClient, RemoveOptions};
use crate::services::{Error, Obstacle, Result, Services};
use crate::store::StoreError;
use crate::store::edits::{self, EditRow};
use engine_api::error::ErrorKind;

/// The edits that this server walks now. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Going(Arc<Mutex<HashSet<String>>>);

impl Going {
    fn begin(&self, old: &str) -> Option<Walk> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(old.to_owned()).then(|| Walk {
            going: self.clone(),
            old: old.to_owned(),
        })
    }
}

/// One edit that is walked, by one; dropped, it may be walked by another.
#[derive(Debug)]
struct Walk {
    going: Going,
    old: String,
}

impl Drop for Walk {
    fn drop(&mut self) {
        let mut all = self.going.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.old);
    }
}

/// An edit's row, and the right to walk it.
pub(super) struct Reservation {
    services: Services,
    _walk: Walk,
}

impl Reservation {
    /// Notes that an edit begins.
    ///
    /// # Errors
    /// When one of the same container has not ended.
    pub(super) async fn make(services: &Services, row: &EditRow) -> Result<Self> {
        let taken = || Error::InTheWay(Obstacle::EditGoesOn);
        let walk = services.going().begin(&row.old).ok_or_else(taken)?;
        let mut write = services.store().write().await?;
        match edits::insert(&mut write, row, services.clock().now()).await {
            Err(StoreError::Constraint("edit_key")) => return Err(taken()),
            inserted => inserted?,
        }
        write
            .commit_silent("the entry of the edit is there")
            .await?;
        Ok(Self {
            services: services.clone(),
            _walk: walk,
        })
    }

    pub(super) async fn advance(&self, row: &EditRow) -> Result<()> {
        let mut write = self.services.store().write().await?;
        edits::advance(&mut write, row).await?;
        Ok(write.commit_silent("a step of a noted edit").await?)
    }

    pub(super) async fn end(&self, row: &EditRow) -> Result<()> {
        let mut write = self.services.store().write().await?;
        edits::remove(&mut write, &row.old).await?;
        Ok(write.commit_silent("the entry of the edit says so").await?)
    }
}

/// Takes the new container away and gives the old one its name and its state back.
///
/// # Errors
/// When the engine is away, or the old container or its name is gone.
pub(super) async fn go_back(client: &EngineClient, row: &EditRow) -> Result<()> {
    let old = match client.container(&row.old).await {
        Ok(old) => old,
        // Somebody removed it: what is there now stays.
        Err(error) if is_gone(&error) => return rename(client, row).await,
        Err(error) => return Err(error.into()),
    };
    // A crash may have come before its id was noted; its name is nobody else's.
    let new = row.made.as_deref().unwrap_or(&row.fresh);
    let force = RemoveOptions {
        force: true,
        ..RemoveOptions::default()
    };
    match client.remove_container(new, force).await {
        Err(error) if !is_gone(&error) => return Err(error.into()),
        _ => {}
    }
    if old.name.trim_start_matches('/') == row.aside {
        client.rename_container(&row.old, &row.name).await?;
    }
    if row.ran && !old.state.running && !old.state.restarting {
        client.start_container(&row.old).await?;
    }
    Ok(())
}

/// Goes on to the end with an edit whose new container has taken the place.
async fn go_on(client: &EngineClient, row: &EditRow) -> Result<()> {
    if row.keeps_old {
        return Ok(());
    }
    match client
        .remove_container(&row.old, RemoveOptions::default())
        .await
    {
        Err(error) if !is_gone(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

async fn rename(client: &EngineClient, row: &EditRow) -> Result<()> {
    let Some(made) = &row.made else {
        return Ok(());
    };
    match client.container(made).await {
        Ok(new) if new.name.trim_start_matches('/') == row.fresh => {
            Ok(client.rename_container(made, &row.new_name).await?)
        }
        Err(error) if !is_gone(&error) => Err(error.into()),
        _ => Ok(()),
    }
}

fn is_gone(error: &ClientError) -> bool {
    error.kind() == Some(ErrorKind::NotFound)
}

/// Leads every edit that a crash cut, or that could not come back, to an end. One that cannot yet is
/// tried again at the next call.
///
/// # Errors
/// When the database fails.
pub async fn mend(services: &Services) -> Result<()> {
    let rows = edits::all(&mut services.store().read().await?).await?;
    for row in rows {
        let Some(walk) = services.going().begin(&row.old) else {
            continue;
        };
        let client = services.link().mending();
        let walked = match row.proved {
            true => go_on(&client, &row).await,
            false => go_back(&client, &row).await,
        };
        let outcome = match walked {
            Ok(()) => Outcome::Done,
            Err(error @ Error::Unavailable(_)) => {
                let error = crate::errors::chain(&error);
                tracing::debug!(error, name = row.name, "an edit waits to be mended");
                continue;
            }
            Err(error) => {
                let error = crate::errors::chain(&error);
                tracing::warn!(error, name = row.name, "an edit cannot be mended yet");
                continue;
            }
        };
        let mut write = services.store().write().await?;
        edits::remove(&mut write, &row.old).await?;
        write.commit(&entry(services, &row, outcome)).await?;
        drop(walk);
    }
    Ok(())
}

fn entry(services: &Services, row: &EditRow, outcome: Outcome) -> AuditEntry {
    let way = if row.proved {
        "edit-mended-on"
    } else {
        "edit-mended-back"
    };
    AuditEntry {
        at: services.clock().now(),
        actor: AuditActor::Server,
        address: None,
        request: None,
        action: "container.edit",
        place: PlaceRef {
            kind: "container",
            id: row.old.clone(),
            name: row.name.clone(),
        },
        outcome,
        detail: way.to_owned(),
    }
}
