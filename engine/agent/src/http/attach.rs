//! `/containers/{id}/attach`.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use axum::routing::post;
use engine_api::operation;

use super::detach::DetachKeys;
use super::error::Result;
use super::extract::{Spoken, Values};
use super::hijack::{End, Joined, Prelude, Upgrade};
use super::output::content_type;
use super::routes::{App, Route};
use crate::services::containers::Streams;

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
    let replays = values.truth("logs") && (streams.stdout || streams.stderr);
    if !values.truth("stream") {
        // Only what was said so far.
        let tty = app.containers.find(&id)?.view().record.config.tty;
        let prelude = match replays {
            true => Prelude::log(app.containers.former_output(&id, streams).await?),
            false => Prelude::Nothing,
        };
        let joined = Joined {
            socket: None,
            stdin: false,
            detach: None,
            prelude,
        };
        let after = |_| std::future::ready(());
        let opening = std::future::ready(joined);
        let content_type = content_type(tty, spoken);
        return Ok(upgrade.join(opening, content_type, &app.tasks, after).await);
    }
    let handle = app.containers.find(&id)?;
    let attachment = app.containers.attach(&id, streams, replays).await?;
    let joined = Joined {
        socket: Some(attachment.socket),
        stdin: attachment.stdin,
        detach: attachment.tty.then_some(keys),
        prelude: attachment.replay.map_or(Prelude::Nothing, Prelude::log),
    };
    let containers = std::sync::Arc::clone(&app.containers);
    let after = move |end| async move {
        if end != End::Over {
            containers.tell(&handle, "detach", []);
        }
    };
    let opening = std::future::ready(joined);
    let content_type = content_type(attachment.tty, spoken);
    Ok(upgrade.join(opening, content_type, &app.tasks, after).await)
}
