//! `/containers/{id}/attach`.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::post;
use bytes::{Bytes, BytesMut};
use engine_api::operation;

use super::detach::DetachKeys;
use super::error::Result;
use super::extract::{Spoken, Values};
use super::hijack::{End, Joined, Upgrade};
use super::output::content_type;
use super::routes::{App, Route};
use crate::services::containers::{LogQuery, Streams};

pub(super) fn routes() -> Vec<Route> {
    vec![(&operation::CONTAINER_ATTACH, post(attach))]
}

async fn attach(
    State(app): State<App>,
    Path(id): Path<String>,
    spoken: Spoken,
    values: Values,
    mut request: Request,
) -> Result<Response> {
    let keys = DetachKeys::parse(values.text("detachKeys").unwrap_or_default())?;
    let upgrade = Upgrade::take(&mut request);
    let streams = Streams {
        stdin: values.truth("stdin"),
        stdout: values.truth("stdout"),
        stderr: values.truth("stderr"),
    };
    upgrade.check(streams.stdin)?;
    let prelude = match values.truth("logs") {
        true => former_output(&app, &id, streams).await?,
        false => Bytes::new(),
    };
    if !values.truth("stream") {
        // Only what was said so far: the far end of this socket is closed at once.
        let tty = app.containers.find(&id)?.view().record.config.tty;
        let (socket, _) = crate::services::containers::pair()?;
        let joined = Joined {
            socket,
            stdin: false,
            detach: None,
            prelude,
        };
        let after = |_| std::future::ready(());
        return Ok(upgrade.join(joined, content_type(tty, spoken), &app.tasks, after));
    }
    let handle = app.containers.find(&id)?;
    let attachment = app.containers.attach(&id, streams).await?;
    let joined = Joined {
        socket: attachment.socket,
        stdin: attachment.stdin,
        detach: attachment.tty.then_some(keys),
        prelude,
    };
    let containers = std::sync::Arc::clone(&app.containers);
    let after = move |end| async move {
        if end != End::Over {
            containers.tell(&handle, "detach", []);
        }
    };
    Ok(upgrade.join(
        joined,
        content_type(attachment.tty, spoken),
        &app.tasks,
        after,
    ))
}

/// Returns what the log holds so far, as the stream would have carried it.
async fn former_output(app: &App, id: &str, streams: Streams) -> Result<Bytes> {
    let query = LogQuery {
        stdout: streams.stdout,
        stderr: streams.stderr,
        ..LogQuery::default()
    };
    if !streams.stdout && !streams.stderr {
        return Ok(Bytes::new());
    }
    let (mut chunks, _) = app.containers.logs(id, query).await?;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes.freeze())
}
